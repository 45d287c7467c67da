-- repairFinding in GraphQL; the engine's function has the short name.
create or replace function app_public.repair_finding(finding_id uuid)
returns app_public.finding_repair
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.repair_wanted(hospital, finding_id);
end
$$;

comment on function app_public.repair_finding(uuid) is
  'Repairs a finding of your hospital whose check has a safe repair, under the locks of a booking, and looks again: it is repaired only when the check is silent.';

revoke execute on function app_public.repair_finding(uuid) from public;
grant execute on function app_public.repair_finding(uuid) to app_admin;
