-- A consultation is open while its visit is in progress: starting one begins the visit, ending one ends it, in
-- one transaction. Open consultations are few, and have an index.
create or replace view checks.open_consultation_without_visit as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.appointment_id as entity_id,
  format('The consultation is open (%s), but its visit is %s.', broken.consultation_status, broken.status) as detail,
  jsonb_build_object(
    'consultation_id', broken.consultation_id,
    'consultation_status', broken.consultation_status,
    'started_at', broken.started_at,
    'status', broken.status,
    'doctor_id', broken.doctor_id) as metadata,
  concat_ws(':', entry.name, broken.appointment_id, broken.consultation_id) as cache_key
from (
  select consultation.hospital_id, consultation.appointment_id, consultation.id as consultation_id,
    consultation.doctor_id, consultation.status as consultation_status, consultation.started_at, appointment.status
  from app_public.consultation
  join app_public.appointment
    on appointment.hospital_id = consultation.hospital_id and appointment.id = consultation.appointment_id
  where consultation.status in ('started', 'in_progress')
    and appointment.status <> 'in_progress'
) as broken
join app_public.health_check as entry on entry.name = 'open_consultation_without_visit';

comment on view checks.open_consultation_without_visit is 'Open consultations of visits that are not in progress.';
revoke all on checks.open_consultation_without_visit from public;
grant select on checks.open_consultation_without_visit to app_monitor;

select app_private.declare_check(
  name => 'open_consultation_without_visit', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'An open consultation without its visit',
  meaning => 'A consultation is started or in progress, while its visit is not: the state of one of them was written past the triggers.',
  importance => 'The doctor cannot end the visit through the consultation, what was found is never closed, and the patient cannot be erased.',
  resolution => 'Ask the doctor. If the consultation is over, it is completed or abandoned by its doctor once the visit is in progress again; put the visit back (an operator may) and let the doctor end the consultation.',
  remedy => 'review',
  is_event_driven => true);
