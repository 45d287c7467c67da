-- Every slot and every seat is counted once; only slots whose two counts differ are looked up.
create or replace view checks.slot_counter_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot counts %s seats, but %s are held.', broken.booked_count, broken.seated) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'starts_at', broken.starts_at, 'capacity', broken.capacity,
    'booked_count', broken.booked_count, 'seated', broken.seated) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, seats.booked_count, seats.seated, slot.doctor_id, slot.starts_at, slot.capacity
  from checks.slot_seats as seats
  cross join lateral (
    select slot.doctor_id, slot.starts_at, slot.capacity
    from app_public.slot
    where slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id
    offset 0
  ) as slot
  where seats.booked_count <> seats.seated
) as broken
join app_public.health_check as entry on entry.name = 'slot_counter_mismatch';

comment on view checks.slot_counter_mismatch is 'Slots whose count of seats is not the number of seats that appointments hold.';
revoke all on checks.slot_counter_mismatch from public;
grant select on checks.slot_counter_mismatch to app_monitor;

select app_private.declare_check(
  name => 'slot_counter_mismatch', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A slot counts its seats wrongly',
  meaning => 'The number of seats that a slot says are taken is not the number of appointments that hold one in it, further seats of long visits included.',
  importance => 'Bookings trust the count. Too high, and free time is refused to patients; too low, and a slot is booked over.',
  resolution => $$The repair counts anew under the lock of the slot, so it is safe beside bookings; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'slot_counter_mismatch' and resolved_at is null; If more sit in the slot than it has room for, it is left to people: add seats or move visits. If it comes back, look at checks.missing_guard: the triggers that count may be off.$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
