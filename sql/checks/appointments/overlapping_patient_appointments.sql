-- A patient is in one place at a time, whoever the doctor is; copies of one appointment are told by
-- duplicate_appointment. Ranges are half-open, so that a visit may begin when another one ends.
create or replace view checks.overlapping_patient_appointments as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The patient has another appointment (%s) at a time that overlaps with this one.', broken.other_status) as detail,
  jsonb_build_object(
    'other_appointment_id', broken.other_id,
    'patient_id', broken.patient_id,
    'doctor_id', broken.doctor_id,
    'other_doctor_id', broken.other_doctor_id,
    'slot_id', broken.slot_id,
    'status', broken.status,
    'starts_at', broken.starts_at,
    'other_starts_at', broken.other_starts_at) as metadata,
  concat_ws(':', entry.name, broken.id, broken.other_id) as cache_key
from (
  select one.hospital_id, one.id, other.id as other_id, one.patient_id, one.doctor_id, other.doctor_id as other_doctor_id,
    one.slot_id, one.status, other.status as other_status, one.starts_at, other.starts_at as other_starts_at
  from app_public.appointment as one
  join app_public.appointment as other
    on other.hospital_id = one.hospital_id
    and other.patient_id = one.patient_id
    and other.id <> one.id
    and other.during && one.during
  where one.holds_seat and other.holds_seat
    and (other.doctor_id = one.doctor_id and (other.slot_id = one.slot_id or other.starts_at = one.starts_at)) is not true
) as broken
join app_public.health_check as entry on entry.name = 'overlapping_patient_appointments';

comment on view checks.overlapping_patient_appointments is 'Active appointments of one patient whose times overlap.';
revoke all on checks.overlapping_patient_appointments from public;
grant select on checks.overlapping_patient_appointments to app_monitor;

select app_private.declare_check(
  name => 'overlapping_patient_appointments', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'A patient in two places at a time',
  meaning => 'A patient has two active appointments whose times overlap. The constraint a_patient_is_in_one_place_at_a_time forbids it: it is gone, or rows were written past it.',
  importance => 'The patient can come to one of them only; the other doctor waits in vain, and the patient is marked as missing.',
  resolution => 'Ask the patient which one to keep, move the other with reschedule_appointment or cancel it with cancel_appointment. Then check that the constraint is there (missing_guard).',
  remedy => 'review',
  is_event_driven => true);
