-- Makes a day real: a day beyond what is generated has no rows until somebody wants a seat of it. All
-- its slots are cut together, so a day has either all its rows or none. A day that is there costs one
-- look and no lock; of two who want the same one, the second waits for the calendar in cut_slots and
-- finds nothing left to cut. Runs as the owner, because who books writes no slots; it makes nothing
-- that the schedules do not say.
create or replace function app_private.materialise_day(hospital_id uuid, doctor_id uuid, day date)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  zone text;
  today date;
  horizon integer;
  midnight timestamptz;
  next_midnight timestamptz;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select hospital.time_zone, (app_private.clock() at time zone hospital.time_zone)::date, hospital.booking_horizon_days
  into zone, today, horizon
  from app_public.hospital
  where hospital.id = materialise_day.hospital_id;
  if doctor_id is null or day is null or day not between today and today + horizon then
    return 0;
  end if;

  midnight := day::timestamp at time zone zone;
  next_midnight := (day + 1)::timestamp at time zone zone;
  if exists (
    select from app_public.slot
    where slot.hospital_id = materialise_day.hospital_id
      and slot.doctor_id = materialise_day.doctor_id
      and slot.starts_at >= midnight
      and slot.starts_at < next_midnight
      and slot.withdrawn_at is null)
  then
    return 0;
  end if;
  return app_private.cut_slots(hospital_id, day, day, doctor_id);
end
$$;

comment on function app_private.materialise_day(uuid, uuid, date) is
  'Generates all slots of a doctor''s local day that has none yet, from today to the booking horizon; returns how many.';

revoke execute on function app_private.materialise_day(uuid, uuid, date) from public;
grant execute on function app_private.materialise_day(uuid, uuid, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
