-- A short run of a job that is counted by the hour: one transaction after its work and, when it
-- succeeded, no row of its own. One that failed gets it. Definer, because no role may write runs.
create or replace function app_private.count_job_run(
  hospital_id uuid, job text, worker_id text, is_success boolean, items integer, duration_ms integer,
  error_code text default null, scenario text default null, error text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  outcome app_public.job_outcome := case when is_success then 'succeeded' else 'failed' end::app_public.job_outcome;
  began timestamptz := now() - make_interval(secs => count_job_run.duration_ms / 1000.0);
begin
  if not is_success then
    insert into app_public.job_run (
      hospital_id, job, started_by, outcome, created_at, started_at, heartbeat_at, finished_at, duration_ms, items,
      error_code, scenario, error, worker_id)
    values (
      count_job_run.hospital_id, count_job_run.job, 'event', outcome, began, began, now(), now(),
      count_job_run.duration_ms, count_job_run.items, count_job_run.error_code, count_job_run.scenario,
      left(count_job_run.error, 500), count_job_run.worker_id);
  end if;
  perform app_private.note_job(
    count_job_run.hospital_id, count_job_run.job, outcome, began, count_job_run.items, count_job_run.duration_ms,
    left(count_job_run.error, 500));
end
$$;

comment on function app_private.count_job_run(uuid, text, text, boolean, integer, integer, text, text, text) is
  'Counts a short run by the hour; one that failed is recorded as well.';

revoke execute on function
  app_private.count_job_run(uuid, text, text, boolean, integer, integer, text, text, text) from public;
grant execute on function
  app_private.count_job_run(uuid, text, text, boolean, integer, integer, text, text, text) to app_worker;
