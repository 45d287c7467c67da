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
