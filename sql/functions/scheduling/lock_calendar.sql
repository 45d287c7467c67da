-- Whoever writes the calendar (generation, schedules, absences, holidays, the zone) comes in turn:
-- one doctor's calendar at a time, or the whole hospital's. It is the first lock of all, taken before
-- any row, so that a slot is never cut from hours that are just changing. Bookings of slots that are
-- there do not take it.
create or replace function app_private.lock_calendar(hospital_id uuid, doctor_id uuid default null)
returns void
language plpgsql
as $$
begin
  if doctor_id is null then
    perform pg_advisory_xact_lock(hashtextextended(concat('calendar', hospital_id), 0));
  else
    perform pg_advisory_xact_lock_shared(hashtextextended(concat('calendar', hospital_id), 0));
    perform pg_advisory_xact_lock(hashtextextended(concat('calendar', hospital_id, doctor_id), 0));
  end if;
end
$$;

comment on function app_private.lock_calendar(uuid, uuid) is
  'Locks the calendar of one doctor, or of the whole hospital, until the end of the transaction.';

revoke execute on function app_private.lock_calendar(uuid, uuid) from public;
grant execute on function app_private.lock_calendar(uuid, uuid)
  to app_worker, app_doctor, app_nurse, app_receptionist, app_admin;
