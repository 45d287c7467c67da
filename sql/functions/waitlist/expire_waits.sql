-- Ends the waits of a hospital whose last day has passed there. Whom somebody is just serving is
-- skipped, and found again by the next sweep. An entry with an open offer waits for its answer first.
create or replace function app_private.expire_waits(hospital_id uuid)
returns integer
language plpgsql
as $$
declare
  today date;
  expired integer;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = expire_waits.hospital_id;

  with over as materialized (
    select waitlist_entry.hospital_id, waitlist_entry.id
    from app_public.waitlist_entry
    where waitlist_entry.hospital_id = expire_waits.hospital_id
      and waitlist_entry.status = 'waiting'
      and waitlist_entry.last_day < today
    order by waitlist_entry.id
    for no key update skip locked
  )
  update app_public.waitlist_entry
  set status = 'expired'
  from over
  where waitlist_entry.hospital_id = over.hospital_id and waitlist_entry.id = over.id;
  get diagnostics expired = row_count;
  return expired;
end
$$;

comment on function app_private.expire_waits(uuid) is
  'Ends the waits of a hospital whose days have passed; returns how many.';

revoke execute on function app_private.expire_waits(uuid) from public;
grant execute on function app_private.expire_waits(uuid) to app_worker;
