-- For somebody who asks for one repair. Definer, because the engine is granted to nobody; only findings of
-- the caller's hospital are reached, and those that nobody chose to ignore.
create or replace function app_private.repair_wanted(hospital_id uuid, finding_id uuid)
returns app_public.finding_repair
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  wanted app_public.finding := app_private.find_finding(hospital_id, finding_id);
  moment timestamptz := app_private.clock();
begin
  if wanted.resolved_at is not null then
    perform app_private.refuse('finding_is_resolved', jsonb_build_object('resolved_at', wanted.resolved_at));
  end if;
  if wanted.ignored_at is not null and coalesce(wanted.ignored_until > moment, true) then
    perform app_private.refuse('finding_is_ignored', jsonb_build_object('until', wanted.ignored_until));
  end if;
  if not exists (
    select from app_public.health_check
    where health_check.name = wanted.check_name and health_check.remedy = 'repair')
  then
    perform app_private.refuse('finding_needs_a_person', jsonb_build_object('check_name', wanted.check_name));
  end if;
  return app_private.describe_repair(app_private.repair_finding(hospital_id, finding_id));
end
$$;

comment on function app_private.repair_wanted(uuid, uuid) is
  'Repairs one finding of a hospital, and tells what became of it; refuses what is resolved, ignored or not safe to repair.';

revoke execute on function app_private.repair_wanted(uuid, uuid) from public;
grant execute on function app_private.repair_wanted(uuid, uuid) to app_admin;
