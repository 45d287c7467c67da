-- What can be booked with one doctor. Cost follows the range asked for, not history.
create or replace function app_public.free_slots(
  doctor_id uuid, starting_from timestamptz default null, starting_before timestamptz default null,
  service_id uuid default null)
returns setof app_public.free_slot
language plpgsql stable rows 100
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  days date[];
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

  select array(
    select calendar.midnight::date
    from generate_series(
      (greatest(starting_from, instant) at time zone hospital.time_zone)::date::timestamp,
      least(
        (starting_before at time zone hospital.time_zone)::date,
        (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days)::timestamp,
      interval '1 day') as calendar (midnight))
  into days
  from app_public.hospital
  where hospital.id = hospital_of_request;

  return query
  select slot.slot_id, slot.doctor_id, slot.location_id, slot.starts_at, slot.ends_at, slot.capacity,
    slot.seats_left, app_private.slot_position(slot.starts_at, slot.doctor_id)
  from app_private.bookable_starts(
    hospital_of_request, array[free_slots.doctor_id], days, free_slots.service_id) as slot
  where (starting_from is null or slot.starts_at >= starting_from)
    and (starting_before is null or slot.starts_at < starting_before)
  order by slot.starts_at;
end
$$;

comment on function app_public.free_slots(uuid, timestamptz, timestamptz, uuid) is
  'What can be booked with a doctor now, soonest first, starting in [startingFrom, startingBefore): from now to the end of the booking horizon when these are not given. With a service, only starts at which it fits.';

revoke execute on function app_public.free_slots(uuid, timestamptz, timestamptz, uuid) from public;
grant execute on function app_public.free_slots(uuid, timestamptz, timestamptz, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
