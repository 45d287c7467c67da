-- Cancelled visits in a slot that others have booked since are right. Wrong is a slot that is full only
-- because its count still has them: those whose count is too high are asked who ended in them.
create or replace view checks.booked_slot_with_inactive_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot says that it is booked and counts %s seats, but appointments hold %s; %s in it have ended.',
    broken.booked_count, broken.seated, cardinality(broken.ended)) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'starts_at', broken.starts_at, 'capacity', broken.capacity,
    'booked_count', broken.booked_count, 'seated', broken.seated, 'appointment_ids', broken.ended[1:10]) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, seats.booked_count, seats.seated, slot.doctor_id, slot.starts_at,
    slot.capacity, slot.ended
  from checks.slot_seats as seats
  cross join lateral (
    select slot.doctor_id, slot.starts_at, slot.capacity, array(
      select appointment.id
      from app_public.appointment
      where appointment.hospital_id = seats.hospital_id and appointment.slot_id = seats.slot_id
        and not appointment.holds_seat
      union
      select appointment.id
      from app_public.appointment_seat
      join app_public.appointment
        on appointment.hospital_id = seats.hospital_id and appointment.id = appointment_seat.appointment_id
      where appointment_seat.hospital_id = seats.hospital_id and appointment_seat.slot_id = seats.slot_id
        and not appointment.holds_seat
      order by id desc) as ended
    from app_public.slot
    where slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id and slot.status = 'booked'
    offset 0
  ) as slot
  where seats.booked_count > seats.seated and slot.ended <> '{}'
) as broken
join app_public.health_check as entry on entry.name = 'booked_slot_with_inactive_appointment';

comment on view checks.booked_slot_with_inactive_appointment is
  'Slots that are booked only by appointments that were cancelled, expired, missed or completed.';
revoke all on checks.booked_slot_with_inactive_appointment from public;
grant select on checks.booked_slot_with_inactive_appointment to app_monitor;

select app_private.declare_check(
  name => 'booked_slot_with_inactive_appointment', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A slot is booked by visits that have ended',
  meaning => 'The slot says that all its seats are taken, but fewer appointments hold one; others in it were cancelled, expired, missed or completed, and their seats were not given back.',
  importance => 'The time that a patient gave up is offered to nobody, also not to those on the waitlist.',
  resolution => $$The repair gives back the seats of visits that have ended, counts anew and offers the slot again; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'booked_slot_with_inactive_appointment' and resolved_at is null; The appointments stand in metadata; their history tells who ended them: select * from app_public.audit_entry where table_name = 'appointment' and record_id = '<appointment>' order by recorded_at;$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
