-- What runs remembered, for people in psql: open and not ignored, worst first. The clock is asked once.
create or replace view checks.open_findings as
select hospital.slug as hospital, finding.check_name, finding.severity, finding.entity_type, finding.entity_id,
  finding.detail, finding.first_seen_at, finding.last_seen_at, finding.times_seen, finding.repair_error,
  finding.metadata, finding.hospital_id, finding.id as finding_id
from app_public.finding
left join app_public.hospital on hospital.id = finding.hospital_id
where finding.resolved_at is null
  and (finding.ignored_at is null or finding.ignored_until <= (select app_private.clock()))
order by finding.severity desc, finding.first_seen_at desc, finding.id desc;

comment on view checks.open_findings is
  'What the last runs found and nobody has resolved or chosen to ignore, worst first. Without a hospital: of the whole system.';
revoke all on checks.open_findings from public;
grant select on checks.open_findings to app_monitor;
