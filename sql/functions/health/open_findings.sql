create or replace function app_public.open_findings()
returns setof app_public.finding
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  moment timestamptz := app_private.clock();
begin
  return query
  select * from app_public.finding
  where finding.hospital_id = hospital and finding.resolved_at is null
    and (finding.ignored_at is null or finding.ignored_until <= moment)
  order by finding.severity desc, finding.first_seen_at desc, finding.id desc;
end
$$;

comment on function app_public.open_findings() is
  'What is wrong in your hospital now, by the last look: neither resolved nor ignored, worst first, then newest first.';

revoke execute on function app_public.open_findings() from public;
grant execute on function app_public.open_findings() to app_admin;
