-- For a scheduler outside, which the server lets in by its key: a run for all hospitals, of the jobs
-- that the catalog names. Definer, so that this is all that the role of that route can do.
create or replace function app_private.request_job(job text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
begin
  insert into app_public.job_run (hospital_id, job, started_by, outcome)
  values (app_private.machinery(), request_job.job, 'external', 'waiting')
  returning * into run;
  return run.id;
end
$$;

comment on function app_private.request_job(text) is
  'Asks for a run of a job for all hospitals, and returns its id; refused while one runs.';

revoke execute on function app_private.request_job(text) from public;
grant execute on function app_private.request_job(text) to app_scheduler;
