-- The last entry of a record is the row as it now stands, in the columns that decide something; a row
-- without an entry was put there by a hand, and an entry without its row was left by one. Compared is only
-- what the log keeps in words: nothing that it withholds, nothing that an erased person takes out of it, and
-- nothing that its last entry does not tell (of a repaired counter it tells the counter). An archived
-- appointment stands in the archive, which got it without an entry of its own.
-- Reading the states of millions of entries is what takes time, so it is left to rows that need it: where
-- the very transaction that wrote a row left an entry about it, the row is explained. xmin is the lower
-- half of its number, or that of a savepoint, which fits no entry and only costs the longer look. What this
-- transaction itself has written is always looked at. After a restore every row is, once a night, until it
-- changes.
create or replace view checks.audit_gap as
select broken.hospital_id, entry.name as check_name, entry.severity, broken.table_name as entity_type,
  broken.record_id as entity_id, broken.detail,
  jsonb_build_object('audit_entry_id', broken.audit_entry_id, 'differences', broken.differences) as metadata,
  concat_ws(':', entry.name, broken.table_name, broken.record_id) as cache_key
from (
  select suspect.hospital_id, suspect.table_name, suspect.id as record_id, log.id as audit_entry_id, differing.fields as differences,
    case
      when log.id is null then format('The log knows nothing of this row of %s.', suspect.table_name)
      when log.operation = 'delete' then format('The log tells that this row of %s was removed, but it is there.', suspect.table_name)
      else format('This row of %s is not what the log last told: %s.', suspect.table_name,
        (select string_agg(field.key, ', ' order by field.key) from jsonb_each(differing.fields) as field))
    end as detail
  from (
    select visit.hospital_id, visit.id, 'appointment' as table_name, visit.xmin as writer from app_public.appointment as visit
    union all
    select patient.hospital_id, patient.id, 'patient', patient.xmin from app_public.patient
    union all
    select account.hospital_id, account.id, 'account', account.xmin from app_public.account
    union all
    select doctor.hospital_id, doctor.id, 'doctor', doctor.xmin from app_public.doctor
    union all
    select schedule.hospital_id, schedule.id, 'schedule', schedule.xmin from app_public.schedule
    union all
    select absence.hospital_id, absence.id, 'absence', absence.xmin from app_public.absence
  ) as suspect
  left join lateral (
    select written.id, written.operation, written.new_state
    from app_public.audit_entry as written
    where written.hospital_id = suspect.hospital_id and written.record_id = suspect.id
    order by written.id desc
    limit 1
  ) as log on true
  left join lateral (
    select jsonb_build_object('status', visit.status, 'slot_id', visit.slot_id, 'doctor_id', visit.doctor_id,
      'patient_id', visit.patient_id, 'starts_at', visit.starts_at, 'ends_at', visit.ends_at) as state
    from app_public.appointment as visit
    where suspect.table_name = 'appointment' and visit.hospital_id = suspect.hospital_id and visit.id = suspect.id
    union all
    select jsonb_build_object('status', patient.status, 'is_active', patient.is_active, 'no_show_count', patient.no_show_count)
    from app_public.patient
    where suspect.table_name = 'patient' and patient.hospital_id = suspect.hospital_id and patient.id = suspect.id
    union all
    select jsonb_build_object('role', account.role, 'is_active', account.is_active, 'doctor_id', account.doctor_id,
      'patient_id', account.patient_id)
    from app_public.account
    where suspect.table_name = 'account' and account.hospital_id = suspect.hospital_id and account.id = suspect.id
    union all
    select jsonb_build_object('is_active', doctor.is_active, 'is_available', doctor.is_available,
      'max_patients_per_day', doctor.max_patients_per_day)
    from app_public.doctor
    where suspect.table_name = 'doctor' and doctor.hospital_id = suspect.hospital_id and doctor.id = suspect.id
    union all
    select jsonb_build_object('is_active', schedule.is_active, 'weekday', schedule.weekday, 'start_time', schedule.start_time,
      'end_time', schedule.end_time, 'slot_capacity', schedule.slot_capacity)
    from app_public.schedule
    where suspect.table_name = 'schedule' and schedule.hospital_id = suspect.hospital_id and schedule.id = suspect.id
    union all
    select jsonb_build_object('status', absence.status, 'first_day', absence.first_day, 'last_day', absence.last_day)
    from app_public.absence
    where suspect.table_name = 'absence' and absence.hospital_id = suspect.hospital_id and absence.id = suspect.id
  ) as stored on true
  left join lateral (
    select jsonb_object_agg(field.key, jsonb_build_object('logged', log.new_state -> field.key, 'stored', field.value)) as fields
    from jsonb_each(stored.state) as field
    where log.new_state ? field.key
      and case when field.key in ('starts_at', 'ends_at')
        then (log.new_state ->> field.key)::timestamptz is distinct from (field.value #>> '{}')::timestamptz
        else log.new_state -> field.key <> field.value end
  ) as differing on true
  where not exists (
      select from app_public.audit_entry as explaining
      where explaining.hospital_id = suspect.hospital_id and explaining.record_id = suspect.id
        and (explaining.transaction_id & 4294967295) = nullif(
          suspect.writer::text::bigint, (select pg_current_xact_id_if_assigned()::text::bigint & 4294967295)))
    and (log.id is null or log.operation = 'delete' or differing.fields is not null)
  union all
  select gone.hospital_id, 'appointment', gone.record_id, log.id, null,
    'The log knows this appointment, but it is gone without a trace.'
  from (
    select written.hospital_id, written.record_id
    from app_public.audit_entry as written
    group by written.hospital_id, written.record_id
  ) as gone
  cross join lateral (
    select told.id, told.table_name, told.operation
    from app_public.audit_entry as told
    where told.hospital_id = gone.hospital_id and told.record_id = gone.record_id
    order by told.id desc
    limit 1
  ) as log
  where not exists (
      select from app_public.appointment as visit
      where visit.hospital_id = gone.hospital_id and visit.id = gone.record_id)
    and not exists (
      select from app_public.patient
      where patient.hospital_id = gone.hospital_id and patient.id = gone.record_id)
    and not exists (
      select from app_public.appointment_archive as archived
      where archived.hospital_id = gone.hospital_id and archived.id = gone.record_id)
    and log.table_name = 'appointment'
    and log.operation <> 'delete'
) as broken
join app_public.health_check as entry on entry.name = 'audit_gap';

comment on view checks.audit_gap is
  'Appointments, patients, accounts, doctors, schedules and absences whose state the audit log does not explain.';
revoke all on checks.audit_gap from public;
grant select on checks.audit_gap to app_monitor;

select app_private.declare_check(
  name => 'audit_gap', domain => 'history', severity => 'critical', entity_type => 'appointment',
  title => 'A state that the audit log does not explain',
  meaning => 'A row differs from what its last audit entry says, has no entry at all, or is gone while the log says it is there.',
  importance => 'Somebody changed data with the triggers off, or a restore brought tables of different moments together: nobody can tell who decided what.',
  resolution => 'Compare the row with its last entry, find out which is right, and bring the row there through the functions for it; then the log explains it again.',
  remedy => 'review');
