-- The counts of a patient follow the standing rows of the log, those of archived visits included. Counts and rows
-- are added up side by side, by patient; a log of a patient who does not exist is another check's.
create or replace view checks.patient_no_show_count_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.patient_id as entity_id,
  format('The patient counts %s missed visits (%s forgiven), but the log has %s (%s forgiven).', broken.no_show_count,
    broken.no_shows_forgiven, broken.logged, broken.logged_forgiven) as detail,
  jsonb_build_object(
    'no_show_count', broken.no_show_count,
    'no_shows_forgiven', broken.no_shows_forgiven,
    'logged', broken.logged,
    'logged_forgiven', broken.logged_forgiven) as metadata,
  concat_ws(':', entry.name, broken.patient_id) as cache_key
from (
  select counted.hospital_id, counted.patient_id, sum(counted.no_show_count)::integer as no_show_count,
    sum(counted.no_shows_forgiven)::integer as no_shows_forgiven, sum(counted.logged)::integer as logged,
    sum(counted.logged_forgiven)::integer as logged_forgiven
  from (
    select patient.hospital_id, patient.id as patient_id, patient.no_show_count, patient.no_shows_forgiven,
      0 as logged, 0 as logged_forgiven, 1 as patients
    from app_public.patient
    union all
    select log.hospital_id, log.patient_id, 0, 0, 1, log.is_forgiven::integer, 0
    from app_public.no_show_log as log
    where log.undone_at is null
  ) as counted
  group by counted.hospital_id, counted.patient_id
  having sum(counted.patients) = 1
    and (sum(counted.no_show_count) <> sum(counted.logged) or sum(counted.no_shows_forgiven) <> sum(counted.logged_forgiven))
) as broken
join app_public.health_check as entry on entry.name = 'patient_no_show_count_mismatch';

comment on view checks.patient_no_show_count_mismatch is 'Patients whose counts of missed visits are not what the log says.';
revoke all on checks.patient_no_show_count_mismatch from public;
grant select on checks.patient_no_show_count_mismatch to app_monitor;

select app_private.declare_check(
  name => 'patient_no_show_count_mismatch', domain => 'counters', severity => 'critical', entity_type => 'patient',
  title => 'A patient''s missed visits are counted wrongly',
  meaning => 'no_show_count or no_shows_forgiven of the patient is not the number of standing rows in no_show_log.',
  importance => 'The count decides when a patient is blocked: a patient who always comes is refused, or one who never comes goes on booking.',
  resolution => 'The patient is counted anew by itself (repair_no_show_counts). Whether the patient should be blocked or not is left to people: compare the count with the hospital''s no_show_block_threshold, and use block_patient or unblock_patient.',
  repair => 'repair_no_show_counts',
  is_event_driven => true);
