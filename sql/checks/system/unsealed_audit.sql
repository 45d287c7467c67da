-- The first entry beyond what is sealed, one look a hospital. Somebody seals every minute; an hour late,
-- nobody does.
create or replace view checks.unsealed_audit as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.hospital_id as entity_id,
  format('Entries of the audit log wait since %s to be sealed.', to_char(broken.recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) as detail,
  jsonb_build_object('audit_entry_id', broken.id, 'recorded_at', broken.recorded_at) as metadata,
  concat_ws(':', entry.name, broken.hospital_id) as cache_key
from (
  select hospital.id as hospital_id, oldest.id, oldest.recorded_at
  from app_public.hospital
  left join app_private.audit_seal_mark as mark on mark.hospital_id = hospital.id
  cross join lateral (
    select log.id, log.recorded_at
    from app_public.audit_entry as log
    where log.hospital_id = hospital.id and log.id > coalesce(mark.last_entry_id, 0)
    order by log.id
    limit 1
  ) as oldest
  where oldest.recorded_at < (select app_private.clock()) - interval '1 hour'
) as broken
join app_public.health_check as entry on entry.name = 'unsealed_audit';

comment on view checks.unsealed_audit is 'Hospitals whose audit log has entries older than an hour that no seal closes.';
revoke all on checks.unsealed_audit from public;
grant select on checks.unsealed_audit to app_monitor;

select app_private.declare_check(
  name => 'unsealed_audit', domain => 'system', severity => 'warning', entity_type => 'hospital',
  title => 'The audit log is not being sealed',
  meaning => 'Entries of the audit log are older than an hour and no seal closes them.',
  importance => 'What is not sealed can be changed by somebody with rights on the database without being found.',
  resolution => 'See that a worker runs, and what cronHealth says of sweep_audit and seal_audit; ask for seal_audit by hand.',
  remedy => 'operator');
