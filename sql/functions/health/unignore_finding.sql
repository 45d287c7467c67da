create or replace function app_public.unignore_finding(finding_id uuid)
returns app_public.finding
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.set_finding_noticed(hospital, finding_id);
end
$$;

comment on function app_public.unignore_finding(uuid) is 'Lets a finding that was ignored count again.';

revoke execute on function app_public.unignore_finding(uuid) from public;
grant execute on function app_public.unignore_finding(uuid) to app_admin;
