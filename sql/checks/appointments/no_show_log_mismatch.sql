-- A missed visit has one standing row of the log, and no other has one. Both directions start at an index of
-- their own. Rows of the log of archived visits have no appointment any more and are not looked at: the archive
-- is append-only.
create or replace view checks.no_show_log_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.appointment_id as entity_id,
  case when broken.log_id is null then 'The visit counts as missed, but the log of missed visits does not have it.'
    else format('The log says that the visit was missed, but it is %s.', broken.status) end as detail,
  jsonb_build_object(
    'log_id', broken.log_id,
    'status', broken.status,
    'starts_at', broken.starts_at,
    'patient_id', broken.patient_id,
    'doctor_id', broken.doctor_id) as metadata,
  concat_ws(':', entry.name, broken.appointment_id, broken.log_id) as cache_key
from (
  select missed.hospital_id, missed.id as appointment_id, missed.patient_id, missed.doctor_id, missed.status,
    missed.starts_at, null::uuid as log_id
  from app_public.appointment as missed
  left join app_public.no_show_log as log
    on log.hospital_id = missed.hospital_id and log.appointment_id = missed.id and log.undone_at is null
  where missed.status = 'no_show' and log.id is null
  union all
  select log.hospital_id, log.appointment_id, log.patient_id, log.doctor_id, visit.status, visit.starts_at, log.id
  from app_public.no_show_log as log
  join app_public.appointment as visit
    on visit.hospital_id = log.hospital_id and visit.id = log.appointment_id
  where log.undone_at is null and visit.status <> 'no_show'
) as broken
join app_public.health_check as entry on entry.name = 'no_show_log_mismatch';

comment on view checks.no_show_log_mismatch is 'Missed visits without a standing row of the log, and standing rows of visits that were not missed.';
revoke all on checks.no_show_log_mismatch from public;
grant select on checks.no_show_log_mismatch to app_monitor;

select app_private.declare_check(
  name => 'no_show_log_mismatch', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'A missed visit and the log disagree',
  meaning => 'A visit is marked as missed without a standing row in no_show_log, or the log still says missed of a visit that took place. State and log are written in one transaction, so one of them was written past the triggers.',
  importance => 'The log decides how many visits a patient has missed, and so who is blocked; what it does not know cannot be undone by undo_no_show.',
  resolution => 'Find out what happened: the history of the appointment and the staff who were there. If the patient came, complete the visit or undo the no-show; if not, the log needs its row. Correct the one that is wrong as an operator, then let patient_no_show_count_mismatch count the patient anew.',
  remedy => 'review',
  is_event_driven => true);
