-- Every hospital's slots reach as far as its booking horizon: from its today to its last bookable day.
create or replace function app_private.extend_slot_horizon(hospital_id uuid, doctor_id uuid default null)
returns integer
language plpgsql
as $$
declare
  today date;
  horizon integer;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date, hospital.booking_horizon_days
  into today, horizon
  from app_public.hospital
  where hospital.id = hospital_id;
  return app_private.cut_slots(hospital_id, today, today + horizon, doctor_id);
end
$$;

comment on function app_private.extend_slot_horizon(uuid, uuid) is
  'Generates the missing slots of a hospital (or of one doctor) from today to its booking horizon; returns how many.';

revoke execute on function app_private.extend_slot_horizon(uuid, uuid) from public;
grant execute on function app_private.extend_slot_horizon(uuid, uuid) to app_worker, app_admin;
