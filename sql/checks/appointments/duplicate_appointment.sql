-- The exclusion constraints of appointment forbid both kinds. Each of the two is named, so that whoever looks
-- at one of them is told. Twice on one day, in different slots, is two visits.
create or replace view checks.duplicate_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The patient has another appointment (%s) with the same doctor in the same slot or at the same time.', broken.other_status) as detail,
  jsonb_build_object(
    'other_appointment_id', broken.other_id,
    'patient_id', broken.patient_id,
    'doctor_id', broken.doctor_id,
    'slot_id', broken.slot_id,
    'status', broken.status,
    'starts_at', broken.starts_at) as metadata,
  concat_ws(':', entry.name, broken.id, broken.other_id) as cache_key
from (
  select one.hospital_id, one.id, other.id as other_id, one.patient_id, one.doctor_id, one.slot_id, one.status,
    other.status as other_status, one.starts_at
  from app_public.appointment as one
  join app_public.appointment as other
    on other.hospital_id = one.hospital_id
    and other.patient_id = one.patient_id
    and other.doctor_id = one.doctor_id
    and other.id <> one.id
    and (other.slot_id = one.slot_id or other.starts_at = one.starts_at)
  where one.holds_seat and other.holds_seat
  union all
  select one.hospital_id, one.id, other.id, one.patient_id, one.doctor_id, one.slot_id, one.status, other.status, one.starts_at
  from app_public.appointment as one
  join app_public.appointment as other
    on other.hospital_id = one.hospital_id
    and other.patient_id = one.patient_id
    and other.doctor_id = one.doctor_id
    and other.id <> one.id
    and (other.slot_id = one.slot_id or other.starts_at = one.starts_at)
  where one.status = 'requested' and other.status = 'requested'
) as broken
join app_public.health_check as entry on entry.name = 'duplicate_appointment';

comment on view checks.duplicate_appointment is 'Active appointments of one patient with one doctor in the same slot or at the same time.';
revoke all on checks.duplicate_appointment from public;
grant select on checks.duplicate_appointment to app_monitor;

select app_private.declare_check(
  name => 'duplicate_appointment', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'The same appointment twice',
  meaning => 'A patient has two active appointments with the same doctor in the same slot or at the same time: one of them is a copy. A request was carried out twice past its idempotency key, or rows were imported past the constraints.',
  importance => 'The copy takes a seat from somebody else, is reminded of twice, and one of the two will count as a missed visit of a patient who came.',
  resolution => 'Keep the one that the patient was told of (it has notifications; look at created_at and source) and cancel the other with cancel_appointment. Then check that a_patient_is_in_one_place_at_a_time and a_patient_asks_a_doctor_once_for_a_time are there (missing_guard).',
  remedy => 'review',
  is_event_driven => true);
