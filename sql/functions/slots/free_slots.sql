-- What can be booked now, by the same facts that booking judges: offered, ahead, within the horizon,
-- with room (a lapsed hold leaves room), of a doctor who takes appointments. Cost follows the range
-- asked for, not history: one index range of one doctor.
create or replace function app_public.free_slots(
  doctor_id uuid, starting_from timestamptz default null, starting_before timestamptz default null)
returns setof app_public.slot
language plpgsql stable rows 100
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  horizon timestamptz;
  lapsed uuid[];
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

  select ((instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days + 1)::timestamp
    at time zone hospital.time_zone
  into horizon
  from app_public.hospital
  where hospital.id = hospital_of_request;

  select array_agg(appointment.slot_id) into lapsed
  from app_public.appointment
  where appointment.hospital_id = hospital_of_request
    and appointment.status = 'held' and appointment.held_until <= instant;

  return query
  select slot.*
  from app_public.slot
  join app_public.doctor
    on doctor.hospital_id = hospital_of_request and doctor.id = slot.doctor_id
    and doctor.is_available and doctor.is_active
  where slot.hospital_id = hospital_of_request
    and slot.doctor_id = free_slots.doctor_id
    and slot.starts_at > instant
    and slot.starts_at >= coalesce(starting_from, instant)
    and slot.starts_at < least(starting_before, horizon)
    and (slot.status = 'available' or slot.status = 'booked' and slot.id = any (lapsed))
  order by slot.starts_at;
end
$$;

comment on function app_public.free_slots(uuid, timestamptz, timestamptz) is
  'Slots of a doctor that can be booked now, soonest first, starting in [startingFrom, startingBefore): from now to the end of the booking horizon when these are not given.';

revoke execute on function app_public.free_slots(uuid, timestamptz, timestamptz) from public;
grant execute on function app_public.free_slots(uuid, timestamptz, timestamptz)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
