-- The end of a run, in a transaction of its own after the work's. A run that was taken for stuck and
-- ends after all gets its true outcome; its failure was counted already then, so that only a success
-- still counts. Ending twice changes nothing. Definer, because no role may write runs.
create or replace function app_private.end_job_run(
  hospital_id uuid, run_id uuid, is_success boolean, items integer, duration_ms integer, hospitals integer default 0,
  error_code text default null, scenario text default null, error text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
  was_stuck boolean;
begin
  select * into run
  from app_public.job_run
  where job_run.hospital_id = end_job_run.hospital_id and job_run.id = end_job_run.run_id
    and job_run.outcome in ('running', 'stuck')
  for update;
  if not found then
    return;
  end if;
  was_stuck := run.outcome = 'stuck';

  update app_public.job_run
  set outcome = case when is_success then 'succeeded' else 'failed' end::app_public.job_outcome,
      finished_at = now(),
      heartbeat_at = now(),
      items = end_job_run.items,
      duration_ms = end_job_run.duration_ms,
      hospitals = end_job_run.hospitals,
      error_code = end_job_run.error_code,
      scenario = end_job_run.scenario,
      error = left(end_job_run.error, 500)
  where job_run.hospital_id = end_job_run.hospital_id and job_run.id = end_job_run.run_id
  returning * into run;

  if is_success or not was_stuck then
    perform app_private.note_job(
      run.hospital_id, run.job, run.outcome, run.started_at, run.items, run.duration_ms, run.error);
  end if;
end
$$;

comment on function app_private.end_job_run(uuid, uuid, boolean, integer, integer, integer, text, text, text) is
  'Notes how a run ended.';

revoke execute on function
  app_private.end_job_run(uuid, uuid, boolean, integer, integer, integer, text, text, text) from public;
grant execute on function
  app_private.end_job_run(uuid, uuid, boolean, integer, integer, integer, text, text, text) to app_worker;
