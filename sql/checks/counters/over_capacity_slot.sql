-- Seats are counted as slot_seats does, but only where two are taken: a slot has room for one at least, and
-- most have no more. The second half finds a count that is too high whoever sits there.
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
  select slot.hospital_id, counted.slot_id, slot.doctor_id, slot.starts_at, slot.capacity, slot.booked_count, counted.seated
  from (
    select seat.hospital_id, seat.slot_id, count(*)::integer as seated
    from (
      select appointment.hospital_id, appointment.slot_id
      from app_public.appointment
      where appointment.holds_seat
      union all
      select further.hospital_id, further.slot_id
      from app_public.appointment_seat as further
      join app_public.appointment as visit
        on visit.hospital_id = further.hospital_id and visit.id = further.appointment_id
      where visit.holds_seat
    ) as seat
    group by seat.hospital_id, seat.slot_id
    having count(*) > 1
  ) as counted
  join app_public.slot on slot.hospital_id = counted.hospital_id and slot.id = counted.slot_id
  where counted.seated > slot.capacity and slot.booked_count <= slot.capacity
  union all
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.capacity, slot.booked_count, seats.seated
  from app_public.slot
  cross join lateral (
    select coalesce(sum(counted.seated), 0)::integer as seated
    from checks.slot_seats as counted
    where counted.hospital_id = slot.hospital_id and counted.slot_id = slot.id
  ) as seats
  where slot.booked_count > slot.capacity
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
