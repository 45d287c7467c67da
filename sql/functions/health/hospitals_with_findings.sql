-- Of open findings alone, by their index: what was resolved costs nothing. Definer, because the worker
-- reads no finding.
create or replace function app_private.hospitals_with_findings() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select distinct finding.hospital_id from app_public.finding where finding.resolved_at is null;
$$;

comment on function app_private.hospitals_with_findings() is
  'Hospitals, and the machinery, of which a problem is known that is not resolved.';

revoke execute on function app_private.hospitals_with_findings() from public;
grant execute on function app_private.hospitals_with_findings() to app_worker;
