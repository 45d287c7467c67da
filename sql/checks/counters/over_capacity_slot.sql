-- Seats are counted in one place (slot_seats): those that the slot counts, and those that are held in it.
create or replace view checks.over_capacity_slot as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot has room for %s, but %s sit in it, and it counts %s.', broken.capacity, broken.seated, broken.booked_count) as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'starts_at', broken.starts_at,
    'capacity', broken.capacity,
    'booked_count', broken.booked_count,
    'seated', broken.seated) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, slot.doctor_id, slot.starts_at, slot.capacity, seats.booked_count, seats.seated
  from checks.slot_seats as seats
  join app_public.slot on slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id
  where greatest(seats.booked_count, seats.seated) > slot.capacity
) as broken
join app_public.health_check as entry on entry.name = 'over_capacity_slot';

comment on view checks.over_capacity_slot is 'Slots in which more patients sit, or are counted, than there is room for.';
revoke all on checks.over_capacity_slot from public;
grant select on checks.over_capacity_slot to app_monitor;

select app_private.declare_check(
  name => 'over_capacity_slot', domain => 'counters', severity => 'critical', entity_type => 'slot',
  title => 'A slot is overbooked',
  meaning => 'More appointments hold a seat of the slot than it has room for, or its count says so. Neither can be written past its constraint and its triggers.',
  importance => 'Two patients come at the same time to a doctor who has time for one.',
  resolution => 'If only the count is wrong, it is counted anew by itself (repair_slot_count). If there are really too many, decide who stays: give the slot another seat (add_seat, with a reason), or move somebody with reschedule_appointment; then look why a_slot_never_holds_more_than_its_capacity did not refuse it (missing_guard).',
  repair => 'repair_slot_count',
  is_event_driven => true);
