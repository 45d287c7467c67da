-- Days beyond what a hospital stores are free as their schedules say, and whoever waits for them came
-- before those who are yet to look: they are made real for those who wait, within the booking horizon. Does
-- nothing where slots are stored up to the horizon, or where nobody waits for later days.
create or replace function app_private.materialise_waited_days(hospital_id uuid, doctor_id uuid)
returns integer
language plpgsql
as $$
declare
  waited_for record;
  generated integer := 0;
begin
  select
    greatest(min(entry.first_day), min(house.today + house.generated_days) + 1) as first_day,
    least(max(entry.last_day), min(house.today + house.booking_horizon_days)) as last_day
  into waited_for
  from (
    select hospital.generated_days, hospital.booking_horizon_days,
      (app_private.clock() at time zone hospital.time_zone)::date as today
    from app_public.hospital
    where hospital.id = materialise_waited_days.hospital_id and hospital.generated_days is not null
  ) as house
  cross join lateral app_private.waits_for_doctor(
    materialise_waited_days.hospital_id, materialise_waited_days.doctor_id) as entry;

  for ahead in 0 .. coalesce(waited_for.last_day - waited_for.first_day, -1) loop
    generated := generated
      + app_private.materialise_day(hospital_id, doctor_id, waited_for.first_day + ahead);
  end loop;
  return generated;
end
$$;

comment on function app_private.materialise_waited_days(uuid, uuid) is
  'Generates the slots of a doctor''s days that are not stored yet and that somebody waits for; returns how many.';

revoke execute on function app_private.materialise_waited_days(uuid, uuid) from public;
grant execute on function app_private.materialise_waited_days(uuid, uuid) to app_worker;
