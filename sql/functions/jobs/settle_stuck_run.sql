-- A run without a sign of life for longer than its job allows counts as stuck, and as failed. One guarded
-- update: of two who settle it, or of one who settles while it beats, only one finds it so. A run that
-- waits for a worker longer than that counts as well: whoever asked for it is told so. Definer, because
-- no role may write runs.
create or replace function app_private.settle_stuck_run(hospital_id uuid, run_id uuid)
returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
begin
  update app_public.job_run
  set outcome = 'stuck',
      finished_at = now(),
      error = case job_run.outcome
        when 'waiting' then 'No worker has taken it.'
        else 'No sign of life since ' || to_char(job_run.heartbeat_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC."')
      end
  where job_run.hospital_id = settle_stuck_run.hospital_id and job_run.id = settle_stuck_run.run_id
    and job_run.outcome in ('waiting', 'running')
    and coalesce(job_run.heartbeat_at, job_run.created_at) < now() - coalesce(
      (select entry.stuck_after from app_public.job as entry where entry.name = job_run.job), interval '5 minutes')
  returning * into run;
  if not found then
    return false;
  end if;
  perform app_private.note_job(
    run.hospital_id, run.job, run.outcome, coalesce(run.started_at, run.created_at), null, null, run.error);
  return true;
end
$$;

comment on function app_private.settle_stuck_run(uuid, uuid) is
  'Marks a run that gives no sign of life as stuck; false where it does, or has ended.';

revoke execute on function app_private.settle_stuck_run(uuid, uuid) from public;
grant execute on function app_private.settle_stuck_run(uuid, uuid) to app_worker;
