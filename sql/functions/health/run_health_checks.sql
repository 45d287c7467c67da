create or replace function app_public.run_health_checks(check_names text[] default null)
returns app_public.check_run
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.run_wanted_checks(hospital, check_names);
end
$$;

comment on function app_public.run_health_checks(text[]) is
  'Runs health checks in your hospital now, and remembers what they find. A hospital that takes longer than a request may is checked by runJob(job: "run_health_checks").';

revoke execute on function app_public.run_health_checks(text[]) from public;
grant execute on function app_public.run_health_checks(text[]) to app_admin;
