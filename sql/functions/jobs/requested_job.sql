-- Definer, because runs of the machinery are seen by nobody: it tells of those alone that were asked
-- for from outside.
create or replace function app_private.requested_job(run_id uuid)
returns app_public.job_run
language plpgsql stable security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
  run app_public.job_run;
begin
  select * into run
  from app_public.job_run
  where job_run.hospital_id = machinery and job_run.id = requested_job.run_id and job_run.started_by = 'external';
  return run;
end
$$;

comment on function app_private.requested_job(uuid) is 'How a run stands that was asked for from outside.';

revoke execute on function app_private.requested_job(uuid) from public;
grant execute on function app_private.requested_job(uuid) to app_scheduler;
