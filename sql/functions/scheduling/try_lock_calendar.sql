-- lock_calendar of one doctor for those who may not wait: the same two locks, or false at once.
create or replace function app_private.try_lock_calendar(hospital_id uuid, doctor_id uuid)
returns boolean
language plpgsql
as $$
begin
  return pg_try_advisory_xact_lock_shared(hashtextextended(concat('calendar', hospital_id), 0))
    and pg_try_advisory_xact_lock(hashtextextended(concat('calendar', hospital_id, doctor_id), 0));
end
$$;

comment on function app_private.try_lock_calendar(uuid, uuid) is
  'Locks the calendar of one doctor until the end of the transaction, unless somebody holds it; says whether it did.';

revoke execute on function app_private.try_lock_calendar(uuid, uuid) from public;
