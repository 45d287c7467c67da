-- The beginning of a run, committed before its work, so that a run that fails or dies has left its
-- trace. A run that was asked for is there already; one that waits no more (the queue tries it again)
-- gets a row of its own. A job that never runs twice at once holds a lock of the session, on the
-- connection that does the work: whatever becomes of the worker, the lock is gone when its connection
-- is, and nobody waits for a row of a dead one. Where a run that is stuck still holds it, this one fails
-- as well, so that a job that hangs is told and not skipped for ever. By the time that really passes,
-- not by clock(): a rehearsed day must not make what runs look dead. Definer, because no role may write
-- runs.
create or replace function app_private.begin_job_run(
  hospital_id uuid, job text, started_by app_public.job_trigger, worker_id text,
  run_id uuid default null, since interval default '0')
returns app_public.job_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
  how app_public.job_outcome := 'running'::app_public.job_outcome;
  problem text;
begin
  if exists (select from app_public.job as entry where entry.name = begin_job_run.job and entry.is_single)
    and not pg_try_advisory_lock(hashtextextended(concat('job', begin_job_run.job, begin_job_run.hospital_id), 0))
  then
    select case last.outcome when 'stuck' then last.outcome else 'skipped'::app_public.job_outcome end into how
    from app_public.job_run as last
    where last.hospital_id = begin_job_run.hospital_id and last.job = begin_job_run.job
      and last.outcome not in ('waiting', 'skipped')
    order by last.created_at desc
    limit 1;
    how := coalesce(how, 'skipped');
    if how = 'stuck' then
      problem := 'An earlier run is stuck and has not let go.';
    end if;
  end if;

  update app_public.job_run
  set outcome = how,
      started_at = now(),
      heartbeat_at = now(),
      finished_at = case when how <> 'running' then now() end,
      error = problem,
      worker_id = begin_job_run.worker_id
  where job_run.hospital_id = begin_job_run.hospital_id and job_run.id = begin_job_run.run_id
    and job_run.outcome = 'waiting'
  returning * into run;
  if not found then
    insert into app_public.job_run (
      hospital_id, job, started_by, outcome, created_at, started_at, heartbeat_at, finished_at, error, worker_id)
    values (
      begin_job_run.hospital_id, begin_job_run.job,
      case when begin_job_run.run_id is null then begin_job_run.started_by else 'event' end,
      how, now() - since, now() - since, now(), case when how <> 'running' then now() end, problem,
      begin_job_run.worker_id)
    returning * into run;
  end if;

  if run.outcome = 'stuck' then
    perform app_private.note_job(run.hospital_id, run.job, run.outcome, run.started_at, null, null, run.error);
  end if;
  return run;
end
$$;

comment on function app_private.begin_job_run(uuid, text, app_public.job_trigger, text, uuid, interval) is
  'Notes that a run of a job begins, or that it is skipped because another one runs. Whoever began it unlocks the session''s lock.';

revoke execute on function
  app_private.begin_job_run(uuid, text, app_public.job_trigger, text, uuid, interval) from public;
grant execute on function
  app_private.begin_job_run(uuid, text, app_public.job_trigger, text, uuid, interval) to app_worker;
