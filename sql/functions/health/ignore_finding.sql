create or replace function app_public.ignore_finding(finding_id uuid, reason text, until timestamptz default null)
returns app_public.finding
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.set_finding_ignored(hospital, finding_id, reason, until);
end
$$;

comment on function app_public.ignore_finding(uuid, text, timestamptz) is
  'Stops a finding from counting, from being repaired and from raising alerts, until a time or for good. It is still looked for, and logged who chose so and why.';

revoke execute on function app_public.ignore_finding(uuid, text, timestamptz) from public;
grant execute on function app_public.ignore_finding(uuid, text, timestamptz) to app_admin;
