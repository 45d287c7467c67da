-- A request has no slot yet, and one that was cancelled or expired may never have had one; everything else was
-- in a slot once, and the foreign key keeps the slot as long as the appointment names it.
create or replace view checks.appointment_without_slot as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case when broken.slot_id is null
    then format('The appointment is %s, but is in no slot.', broken.status)
    else format('The appointment is %s in a slot that does not exist.', broken.status) end as detail,
  jsonb_build_object(
    'status', broken.status,
    'starts_at', broken.starts_at,
    'doctor_id', broken.doctor_id,
    'slot_id', broken.slot_id) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.status,
    appointment.starts_at
  from app_public.appointment
  left join app_public.slot
    on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
  where slot.id is null
    and (appointment.slot_id is not null or appointment.status not in ('requested', 'cancelled', 'expired'))
) as broken
join app_public.health_check as entry on entry.name = 'appointment_without_slot';

comment on view checks.appointment_without_slot is 'Appointments that need a slot and have none, or name one that does not exist.';
revoke all on checks.appointment_without_slot from public;
grant select on checks.appointment_without_slot to app_monitor;

select app_private.declare_check(
  name => 'appointment_without_slot', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'Appointment without a slot',
  meaning => 'The appointment holds or held a seat, but names no slot, or a slot that is not there. Something has deleted the slot, or written the appointment, past the foreign key: a restore, a hand with rights, a switched-off trigger.',
  importance => 'Nobody holds this time free for the patient: somebody else can be booked at the same time, and the doctor''s calendar may not show the visit at all.',
  resolution => 'Look at the history of the appointment (audit_entry with its record_id) for the slot that it was in. If it is still to come, move it with reschedule_appointment into a free slot, or cancel it with cancel_appointment and call the patient. If it is over, restore the slot from the backup, or book the truth by hand and write down why. Then run missing_guard: the foreign key appointment_in_a_slot must be there and valid.',
  remedy => 'review',
  is_event_driven => true);
