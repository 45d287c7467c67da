-- Definer, because no role may write runs.
create or replace function app_private.beat_job_run(hospital_id uuid, run_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  update app_public.job_run
  set heartbeat_at = now()
  where job_run.hospital_id = beat_job_run.hospital_id and job_run.id = beat_job_run.run_id
    and job_run.outcome = 'running';
end
$$;

comment on function app_private.beat_job_run(uuid, uuid) is 'Notes a sign of life of a run.';

revoke execute on function app_private.beat_job_run(uuid, uuid) from public;
grant execute on function app_private.beat_job_run(uuid, uuid) to app_worker;
