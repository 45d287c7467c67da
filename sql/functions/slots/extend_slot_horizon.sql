-- Every hospital's slots reach as far ahead as it wants them stored; unless told otherwise, from its
-- today to its last bookable day.
create or replace function app_private.extend_slot_horizon(hospital_id uuid, doctor_id uuid default null)
returns integer
language plpgsql
as $$
declare
  today date;
  days_ahead integer;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date,
    coalesce(hospital.generated_days, hospital.booking_horizon_days)
  into today, days_ahead
  from app_public.hospital
  where hospital.id = hospital_id;
  return app_private.cut_slots(hospital_id, today, today + days_ahead, doctor_id);
end
$$;

comment on function app_private.extend_slot_horizon(uuid, uuid) is
  'Generates the missing slots of a hospital (or of one doctor) from today as many days ahead as the hospital stores; returns how many.';

revoke execute on function app_private.extend_slot_horizon(uuid, uuid) from public;
grant execute on function app_private.extend_slot_horizon(uuid, uuid) to app_worker, app_admin;
