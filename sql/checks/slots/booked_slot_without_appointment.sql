-- A slot that says it is full can be wrong only if its count is too high, so only those slots are asked
-- who is, or was, in them. Those who ended in it are another check's.
create or replace view checks.booked_slot_without_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  'The slot says that it is booked, but no appointment is in it.' as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'starts_at', broken.starts_at, 'capacity', broken.capacity,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, seats.booked_count, slot.doctor_id, slot.starts_at, slot.capacity
  from checks.slot_seats as seats
  cross join lateral (
    select slot.doctor_id, slot.starts_at, slot.capacity
    from app_public.slot
    where slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id and slot.status = 'booked'
      and not exists (
        select from app_public.appointment
        where appointment.hospital_id = seats.hospital_id and appointment.slot_id = seats.slot_id)
      and not exists (
        select from app_public.appointment_seat
        where appointment_seat.hospital_id = seats.hospital_id and appointment_seat.slot_id = seats.slot_id)
    offset 0
  ) as slot
  where seats.booked_count > seats.seated
) as broken
join app_public.health_check as entry on entry.name = 'booked_slot_without_appointment';

comment on view checks.booked_slot_without_appointment is 'Slots that say they are booked though no appointment is in them.';
revoke all on checks.booked_slot_without_appointment from public;
grant select on checks.booked_slot_without_appointment to app_monitor;

select app_private.declare_check(
  name => 'booked_slot_without_appointment', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A slot is booked by nobody',
  meaning => 'The slot says that all its seats are taken, but no appointment is in it, not even one that has ended.',
  importance => 'Nobody can book this time, and no visit will fill it: the doctor waits while patients are refused.',
  resolution => $$The repair counts the seats anew and offers the slot again; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'booked_slot_without_appointment' and resolved_at is null; Then look in the audit whether appointments were deleted by hand: select * from app_public.audit_entry where table_name = 'appointment' and operation = 'delete' order by recorded_at desc limit 20;$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
