-- A slot that offers room it does not have counts too few seats, so only those slots are looked up.
create or replace view checks.available_slot_with_full_appointments as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot still offers seats, but appointments hold %s of its %s.', broken.seated, broken.capacity) as detail,
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
      and slot.status = 'available' and slot.capacity <= seats.seated
    offset 0
  ) as slot
  where seats.booked_count < seats.seated
) as broken
join app_public.health_check as entry on entry.name = 'available_slot_with_full_appointments';

comment on view checks.available_slot_with_full_appointments is
  'Slots that say they are available though appointments hold all their seats.';
revoke all on checks.available_slot_with_full_appointments from public;
grant select on checks.available_slot_with_full_appointments to app_monitor;

select app_private.declare_check(
  name => 'available_slot_with_full_appointments', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A full slot is still offered',
  meaning => 'Appointments hold every seat of the slot, but its count is lower, so it says that it is available.',
  importance => 'The next patient who asks gets the seat of somebody else: two people will sit in the waiting room for one place.',
  resolution => $$The repair counts the seats anew, which closes the slot; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'available_slot_with_full_appointments' and resolved_at is null; When more appointments than seats are in it already, the repair leaves it to people. See who they are: select id, status, created_at from app_public.appointment where slot_id = '<slot>' and holds_seat; and add seats or move visits.$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
