-- A repair that did not help is tried again after one hour, three, seven and fifteen since the problem
-- was found, and then no more: people have been asked by then. Nobody repairs what somebody chose to
-- ignore. Definer, because the worker reads no finding.
create or replace function app_private.findings_to_repair(hospital_id uuid, most integer default 1000)
returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select finding.id
  from app_public.finding
  join app_public.health_check as entry on entry.name = finding.check_name and entry.remedy = 'repair'
  where finding.hospital_id = findings_to_repair.hospital_id
    and finding.resolved_at is null
    and (finding.ignored_at is null or finding.ignored_until <= app_private.clock())
    and finding.repair_attempts < 5
    and finding.first_seen_at + (2 ^ finding.repair_attempts - 1) * interval '1 hour' <= app_private.check_instant()
  order by entry.severity desc, finding.first_seen_at, finding.id
  limit most;
$$;

comment on function app_private.findings_to_repair(uuid, integer) is
  'Open problems of a hospital that a repair is due for now, the worst and oldest first, at most so many.';

revoke execute on function app_private.findings_to_repair(uuid, integer) from public;
grant execute on function app_private.findings_to_repair(uuid, integer) to app_worker;
