-- Free seats of a doctor from the first to the last local day, soonest first, as far as they lie ahead and
-- within the horizon: one index range of one doctor.
create or replace function app_private.free_seats_between(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date)
returns table (slot_id uuid, room integer, location_id uuid, day date, local_time time)
language plpgsql stable rows 100
as $$
declare
  instant timestamptz := app_private.clock();
  house record;
begin
  select hospital.time_zone,
    (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days as last_bookable_day
  into house
  from app_public.hospital
  where hospital.id = free_seats_between.hospital_id;

  return query
  select slot.id, slot.capacity - slot.booked_count, slot.location_id,
    (slot.starts_at at time zone house.time_zone)::date,
    (slot.starts_at at time zone house.time_zone)::time
  from app_public.slot
  where slot.hospital_id = free_seats_between.hospital_id
    and slot.doctor_id = free_seats_between.doctor_id
    and slot.starts_at > instant
    and slot.starts_at >= first_day::timestamp at time zone house.time_zone
    and slot.starts_at < (least(last_day, house.last_bookable_day) + 1)::timestamp at time zone house.time_zone
    and slot.status = 'available'
  order by slot.starts_at, slot.id;
end
$$;

comment on function app_private.free_seats_between(uuid, uuid, date, date) is
  'Slots of a doctor with room on these local days, soonest first, with their room and their local time.';

revoke execute on function app_private.free_seats_between(uuid, uuid, date, date) from public;
