-- Nobody leaves while appointments are ahead (guard_doctor_leave, guard_patient_leave), so only what is still to
-- come is looked at for people who left: visits of the past stay with them. A doctor who is unavailable for a
-- while may have a visit back that was taken for missed, a closed place keeps its appointments, a blocked
-- patient too, and who made the appointment may have left: there only a missing row is wrong. Rows are outer-joined one by one, each by its key.
create or replace view checks.appointment_of_missing_or_inactive_party as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The appointment is %s, but: %s.', broken.status, replace(replace(broken.problems, '+', ', '), '_', ' ')) as detail,
  jsonb_build_object(
    'problems', to_jsonb(string_to_array(broken.problems, '+')),
    'status', broken.status,
    'starts_at', broken.starts_at,
    'doctor_id', broken.doctor_id,
    'patient_id', broken.patient_id,
    'location_id', broken.location_id,
    'created_by', broken.created_by,
    'slot_id', broken.slot_id) as metadata,
  concat_ws(':', entry.name, broken.id, broken.problems) as cache_key
from (
  select party.*
  from (
    select appointment.hospital_id, appointment.id, appointment.status, appointment.starts_at, appointment.doctor_id,
      appointment.patient_id, appointment.location_id, appointment.created_by, appointment.slot_id,
      concat_ws('+',
        case
          when doctor.id is null then 'doctor_missing'
          when ahead.is_ahead and not doctor.is_active then 'doctor_inactive' end,
        case
          when patient.id is null then 'patient_missing'
          when ahead.is_ahead and patient.erased_at is not null then 'patient_erased'
          when ahead.is_ahead and not patient.is_active then 'patient_inactive' end,
        case when appointment.location_id is not null and location.id is null then 'location_missing' end,
        case when appointment.created_by is not null and account.id is null then 'account_missing' end) as problems
    from app_public.appointment
    left join app_public.doctor
      on doctor.hospital_id = appointment.hospital_id and doctor.id = appointment.doctor_id
    left join app_public.patient
      on patient.hospital_id = appointment.hospital_id and patient.id = appointment.patient_id
    left join app_public.location
      on location.hospital_id = appointment.hospital_id and location.id = appointment.location_id
    left join app_public.account
      on account.hospital_id = appointment.hospital_id and account.id = appointment.created_by
    cross join lateral (
      select (appointment.holds_seat or appointment.status = 'requested')
        and appointment.starts_at > (select app_private.clock())
        and (appointment.status <> 'held' or appointment.held_until > (select app_private.clock())) as is_ahead
    ) as ahead
    where doctor.id is null or patient.id is null
      or appointment.location_id is not null and location.id is null
      or appointment.created_by is not null and account.id is null
      or ahead.is_ahead and not (doctor.is_active and patient.is_active and patient.erased_at is null)
  ) as party
) as broken
join app_public.health_check as entry on entry.name = 'appointment_of_missing_or_inactive_party';

comment on view checks.appointment_of_missing_or_inactive_party is 'Appointments whose doctor, patient, place or account does not exist, and upcoming ones with a doctor or of a patient who has left.';
revoke all on checks.appointment_of_missing_or_inactive_party from public;
grant select on checks.appointment_of_missing_or_inactive_party to app_monitor;

select app_private.declare_check(
  name => 'appointment_of_missing_or_inactive_party', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'Appointment with somebody who is not there',
  meaning => 'The appointment names a doctor, patient, place or account that does not exist, or it is still to come and its doctor or patient has left. metadata.problems says which.',
  importance => 'The patient will come to nobody, or the doctor waits for nobody.',
  resolution => 'If the doctor has left, move the appointment to another doctor (preview_doctor_availability tells who could take it) or cancel it; if the patient has left, cancel it. If a row is missing, restore it from the backup: orphaned_row lists everything that refers to it. Reactivate who was deactivated by mistake.',
  remedy => 'review',
  is_event_driven => true);
