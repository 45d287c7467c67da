-- Job by job, each by its index, so that a night costs as much as goes. By the time that really passes,
-- which runs are dated by. Definer, because no role may delete runs.
create or replace function app_private.remove_old_job_runs(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  too_old timestamptz := now() - interval '30 days';
  state record;
  removed integer := 0;
  count integer;
begin
  for state in
    select job_state.job from app_private.job_state
    where job_state.hospital_id = remove_old_job_runs.hospital_id
  loop
    delete from app_public.job_run
    where job_run.hospital_id = remove_old_job_runs.hospital_id and job_run.job = state.job
      and job_run.created_at < too_old;
    get diagnostics count = row_count;
    removed := removed + count;
    delete from app_private.job_hour
    where job_hour.hospital_id = remove_old_job_runs.hospital_id and job_hour.job = state.job
      and job_hour.hour < too_old;
  end loop;
  return removed;
end
$$;

comment on function app_private.remove_old_job_runs(uuid) is
  'Forgets the runs of a hospital''s jobs, or of the machinery''s, that are older than 30 days; returns how many.';

revoke execute on function app_private.remove_old_job_runs(uuid) from public;
grant execute on function app_private.remove_old_job_runs(uuid) to app_worker;
