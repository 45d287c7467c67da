-- The lost update of a booking that reads, decides and writes: the appointment is there and the slot does
-- not know. Only slots that say available are counted, and of those only such with room for more than one, so
-- that a full run counts next to nothing.
create or replace view checks.active_appointment_on_available_slot as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The appointment is %s in a slot whose %s, but the slot still says that it is available.', broken.status,
    case broken.capacity when 1 then 'only seat is taken' else broken.capacity || ' seats are taken' end) as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'status', broken.status,
    'starts_at', broken.starts_at,
    'capacity', broken.capacity,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.slot_id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.status, appointment.starts_at, slot.id as slot_id,
    slot.doctor_id, slot.capacity, slot.booked_count
  from app_public.appointment
  join app_public.slot on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
  where appointment.holds_seat
    and slot.status = 'available'
    and (slot.capacity = 1 or slot.capacity <= (
      select count(*)
      from (
        select from app_public.appointment as sitting
        where sitting.hospital_id = slot.hospital_id and sitting.slot_id = slot.id and sitting.holds_seat
        union all
        select from app_public.appointment_seat as further
        join app_public.appointment as visit
          on visit.hospital_id = further.hospital_id and visit.id = further.appointment_id
        where further.hospital_id = slot.hospital_id and further.slot_id = slot.id and visit.holds_seat
      ) as seat))
) as broken
join app_public.health_check as entry on entry.name = 'active_appointment_on_available_slot';

comment on view checks.active_appointment_on_available_slot is 'Appointments in a slot that is full by its appointments, but still says that it is available.';
revoke all on checks.active_appointment_on_available_slot from public;
grant select on checks.active_appointment_on_available_slot to app_monitor;

select app_private.declare_check(
  name => 'active_appointment_on_available_slot', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'Booked, but the slot is still available',
  meaning => 'The slot is full by the appointments in it, but its count says that there is room. Its count was lost when the appointment was written: a statement ran past the triggers, or a backup was restored in part.',
  importance => 'The next patient is offered the same seat and gets it: the classical double booking.',
  resolution => 'The slot is counted anew by itself (repair_slot_count). If that failed, block the slot with block_slot until somebody has compared select * from app_public.appointment where slot_id = … with the slot, and look whether the triggers of appointment and slot are enabled (missing_guard).',
  repair => 'repair_slot_count',
  is_event_driven => true);
