-- Every run that has a row of its own comes into the log when it ends, by whatever way it ends: by its
-- worker, as a failure of a job that is counted, or as stuck. Short successful runs of jobs that are counted
-- have no row; the worker tells of them together. Definer, because no role may write the log.
create or replace function app_private.log_job_run() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, code, scenario, duration_ms, actor_account_id, actor_role, entity_type, entity_id,
    message, details)
  values (
    new.hospital_id, 'job',
    case
      when new.outcome in ('failed', 'stuck') then 'error'
      when new.outcome = 'skipped' or new.started_by = 'cron' and coalesce(new.items, 0) = 0 then 'debug'
      else 'info'
    end::app_public.log_level,
    new.job, case new.outcome when 'succeeded' then 'succeeded' when 'skipped' then 'noted' else 'failed' end,
    new.error_code, new.scenario, new.duration_ms, new.requested_by, 'worker', 'job_run', new.id,
    case new.outcome
      when 'succeeded' then format('%s succeeded.', new.job)
      when 'skipped' then format('%s was skipped: another run was under way.', new.job)
      when 'stuck' then format('%s gives no sign of life.', new.job)
      else format('%s failed: %s.', new.job, coalesce(new.scenario, new.error_code, 'unexpectedly'))
    end,
    jsonb_strip_nulls(jsonb_build_object('started_by', new.started_by, 'items', new.items)));
  return null;
end
$$;

comment on function app_private.log_job_run() is 'Trigger: writes the end of a run of a job to the log.';

revoke execute on function app_private.log_job_run() from public;

create or replace trigger run_that_ends_is_logged
  after update of outcome on app_public.job_run
  for each row when (old.outcome <> new.outcome and new.outcome in ('succeeded', 'failed', 'stuck', 'skipped'))
  execute function app_private.log_job_run();

create or replace trigger run_that_has_ended_is_logged
  after insert on app_public.job_run
  for each row when (new.outcome in ('succeeded', 'failed', 'stuck', 'skipped'))
  execute function app_private.log_job_run();
