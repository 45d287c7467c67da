-- A row that waits; the triggers judge it and tell the relay.
create or replace function app_public.run_job(job text)
returns app_public.job_run
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  run app_public.job_run;
begin
  insert into app_public.job_run (hospital_id, job, started_by, outcome)
  values (hospital, run_job.job, 'manual', 'waiting')
  returning * into run;
  return run;
end
$$;

comment on function app_public.run_job(text) is
  'Asks for a run of a job in your hospital, at most once a minute and not while it runs. Read the run again by its id to see how it stands.';

revoke execute on function app_public.run_job(text) from public;
grant execute on function app_public.run_job(text) to app_admin;
