-- What can be booked now, by the same facts that booking judges: offered, ahead, within the horizon,
-- with room in the slot and in the day (a lapsed hold leaves room), of a doctor who takes
-- appointments. Cost follows the range asked for, not history: one index range of one doctor.
create or replace function app_public.free_slots(
  doctor_id uuid, starting_from timestamptz default null, starting_before timestamptz default null)
returns setof app_public.slot
language plpgsql stable rows 100
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  zone text;
  horizon timestamptz;
  lapsed uuid[];
  lapsed_days date[];
begin
  if starting_before <= starting_from then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('starting_from', starting_from, 'starting_before', starting_before));
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = hospital_of_request and doctor.id = free_slots.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;

  select hospital.time_zone,
    ((instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days + 1)::timestamp
      at time zone hospital.time_zone
  into zone, horizon
  from app_public.hospital
  where hospital.id = hospital_of_request;

  select array_agg(hold.slot_id), array_agg((hold.starts_at at time zone zone)::date)
  into lapsed, lapsed_days
  from app_private.lapsed_holds(hospital_of_request, free_slots.doctor_id) as hold;

  return query
  select slot.*
  from app_public.slot
  join app_public.doctor
    on doctor.hospital_id = hospital_of_request and doctor.id = slot.doctor_id
    and doctor.is_available and doctor.is_active
  left join app_public.doctor_day
    on doctor_day.hospital_id = hospital_of_request and doctor_day.doctor_id = slot.doctor_id
    and doctor_day.day = (slot.starts_at at time zone zone)::date
  where slot.hospital_id = hospital_of_request
    and slot.doctor_id = free_slots.doctor_id
    and slot.starts_at > instant
    and slot.starts_at >= coalesce(starting_from, instant)
    and slot.starts_at < least(starting_before, horizon)
    and (slot.status = 'available' or slot.status = 'booked' and slot.id = any (lapsed))
    and coalesce(
      doctor_day.booked_count - (
        select count(*) from unnest(lapsed_days) as lapsed_day where lapsed_day = doctor_day.day)
      < least(doctor_day.max_patients, doctor.max_patients_per_day), true)
  order by slot.starts_at;
end
$$;

comment on function app_public.free_slots(uuid, timestamptz, timestamptz) is
  'Slots of a doctor that can be booked now, soonest first, starting in [startingFrom, startingBefore): from now to the end of the booking horizon when these are not given.';

revoke execute on function app_public.free_slots(uuid, timestamptz, timestamptz) from public;
grant execute on function app_public.free_slots(uuid, timestamptz, timestamptz)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
