-- An import stores all of its rows or nothing. So a run has as many rows as it says, and each names a record
-- that is there, is archived, or was removed since by somebody whom the log names.
create or replace view checks.half_applied_import as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The import brought %s rows, but %s are remembered and %s of their records are missing.',
    broken.row_count, broken.remembered, broken.missing) as detail,
  jsonb_build_object('kind', broken.kind, 'row_count', broken.row_count, 'remembered', broken.remembered,
    'missing', broken.missing, 'first_missing_row', broken.first_missing_row, 'imported_at', broken.imported_at) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select run.hospital_id, run.id, run.kind, run.row_count, run.imported_at, brought.remembered, brought.missing,
    brought.first_missing_row
  from app_public.import_run as run
  cross join lateral (
    select count(*) as remembered,
      count(*) filter (where judged.is_missing) as missing,
      min(brought_row.row_number) filter (where judged.is_missing) as first_missing_row
    from app_public.imported_row as brought_row
    cross join lateral (
      select case run.kind
        when 'doctors' then not exists (
          select from app_public.doctor
          where doctor.hospital_id = run.hospital_id and doctor.id = brought_row.record_id)
        when 'patients' then not exists (
          select from app_public.patient
          where patient.hospital_id = run.hospital_id and patient.id = brought_row.record_id)
        when 'schedules' then not exists (
          select from app_public.schedule
          where schedule.hospital_id = run.hospital_id and schedule.id = brought_row.record_id)
        when 'appointments' then not exists (
            select from app_public.appointment
            where appointment.hospital_id = run.hospital_id and appointment.id = brought_row.record_id)
          and not exists (
            select from app_public.appointment_archive as archived
            where archived.hospital_id = run.hospital_id and archived.id = brought_row.record_id)
      end and not exists (
        select from app_public.audit_entry as log
        where log.hospital_id = run.hospital_id and log.record_id = brought_row.record_id and log.operation = 'delete'
      ) as is_missing
    ) as judged
    where brought_row.hospital_id = run.hospital_id and brought_row.run_id = run.id
  ) as brought
  where brought.remembered <> run.row_count or brought.missing > 0
) as broken
join app_public.health_check as entry on entry.name = 'half_applied_import';

comment on view checks.half_applied_import is
  'Imports of which not every row became a record, though an import stores all or nothing.';
revoke all on checks.half_applied_import from public;
grant select on checks.half_applied_import to app_monitor;

select app_private.declare_check(
  name => 'half_applied_import', domain => 'history', severity => 'critical', entity_type => 'import_run',
  title => 'An import is only half there',
  meaning => 'The import has fewer or more remembered rows than it brought, or records that it made are gone without a trace.',
  importance => 'Patients, doctors, hours or visits that everybody believes to be there are not, and the same file cannot be imported again.',
  resolution => 'Compare the file with the rows that are remembered, and enter what is missing; where a restore has lost it, restore again.',
  remedy => 'review');
