--! Previous: sha1:d2342372193fd89caedd9badc3b3d09101248507
--! Hash: sha1:da52d196ec09e89f90dec1a3fbc354072fe9baf9
--! Message: health-united

--! split: 1-current.sql
-- All checks in one view, every foreign key in one check, and every guard in the manifest, which is empty
-- until here and takes everything. From here on every migration ends with the declaration.
set local role app_owner;

--! Included checks/references/orphaned_row.sql
-- Made from the catalog, so that every foreign key is in it; the function says which others are.
select app_private.rebuild_orphaned_row();

comment on view checks.orphaned_row is 'Rows that refer to a row that does not exist.';
revoke all on checks.orphaned_row from public;
grant select on checks.orphaned_row to app_monitor;

select app_private.declare_check(
  name => 'orphaned_row', domain => 'references', severity => 'critical', entity_type => 'row',
  title => 'Row whose reference leads nowhere',
  meaning => 'A row refers to another row that does not exist.',
  importance => 'Nothing can be said of a visit whose patient, doctor or slot is gone, and whoever reads it fails or leaves it out. Foreign keys forbid it: one was off, or a restore was partial.',
  resolution => 'Look at missing_guard and unenforced_foreign_key first. Bring the missing row back from a backup; where it was rightly removed, remove what refers to it.',
  remedy => 'review');
--! EndIncluded checks/references/orphaned_row.sql
--! Included checks/all_findings.sql
-- Everything that is wrong now, of all checks.
select app_private.unite_checks();

comment on view checks.all_findings is 'Everything that is wrong now: the findings of all checks. Empty while all is well.';
revoke all on checks.all_findings from public;
grant select on checks.all_findings to app_monitor;

comment on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'What the event-driven checks say of these appointments, slots, doctors and patients of a hospital.';
revoke execute on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) from public;
--! EndIncluded checks/all_findings.sql
--! Included checks/summary.sql
-- The first thing to type: what is wrong now, worst first, then the checks that are silent.
create or replace view checks.summary as
select entry.severity, entry.name as check_name, entry.domain, hospital.slug as hospital,
  count(found.cache_key)::integer as findings, min(found.detail) as example, entry.title
from app_public.health_check as entry
left join checks.all_findings as found on found.check_name = entry.name
left join app_public.hospital on hospital.id = found.hospital_id
group by entry.name, hospital.slug
order by count(found.cache_key) = 0, entry.severity desc, count(found.cache_key) desc, entry.name, hospital.slug;

comment on view checks.summary is
  'How many findings each check has now, by hospital, worst first; checks of the whole system have no hospital.';
revoke all on checks.summary from public;
grant select on checks.summary to app_monitor;
--! EndIncluded checks/summary.sql

select app_private.declare_guards();

reset role;
