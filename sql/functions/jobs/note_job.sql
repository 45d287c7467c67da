-- Every run that ended comes through here: it is counted, and the third failure in a row is told, once
-- until a success between. The row of the state is locked by the first write, so that of runs that end
-- together each sees what the others left. Only functions of this area call it.
create or replace function app_private.note_job(
  hospital_id uuid, job text, outcome app_public.job_outcome, started_at timestamptz, items integer, duration_ms integer,
  error text)
returns void
language plpgsql
as $$
declare
  is_success boolean := outcome = 'succeeded';
  state app_private.job_state;
begin
  insert into app_private.job_hour (hospital_id, job, hour, runs, failures, items, total_ms, longest_ms)
  values (
    note_job.hospital_id, note_job.job, date_trunc('hour', now(), 'UTC'), 1, case when is_success then 0 else 1 end,
    coalesce(note_job.items, 0), coalesce(note_job.duration_ms, 0), coalesce(note_job.duration_ms, 0))
  on conflict on constraint job_hour_pkey do update
  set runs = job_hour.runs + 1,
      failures = job_hour.failures + excluded.failures,
      items = job_hour.items + excluded.items,
      total_ms = job_hour.total_ms + excluded.total_ms,
      longest_ms = greatest(job_hour.longest_ms, excluded.longest_ms);

  insert into app_private.job_state (
    hospital_id, job, consecutive_failures, last_started_at, last_finished_at, last_outcome, last_error,
    last_success_at, last_success_ms, last_success_items)
  values (
    note_job.hospital_id, note_job.job, case when is_success then 0 else 1 end, note_job.started_at, now(), note_job.outcome,
    note_job.error, case when is_success then now() end, case when is_success then note_job.duration_ms end,
    case when is_success then note_job.items end)
  on conflict on constraint job_state_pkey do update
  set consecutive_failures = case when is_success then 0 else job_state.consecutive_failures + 1 end,
      last_started_at = greatest(job_state.last_started_at, excluded.last_started_at),
      last_finished_at = excluded.last_finished_at,
      last_outcome = excluded.last_outcome,
      last_error = excluded.last_error,
      last_success_at = coalesce(excluded.last_success_at, job_state.last_success_at),
      last_success_ms = case when is_success then excluded.last_success_ms else job_state.last_success_ms end,
      last_success_items = case when is_success then excluded.last_success_items else job_state.last_success_items end
  returning * into state;

  if is_success and state.told_at is not null then
    update app_private.job_state set told_at = null
    where job_state.hospital_id = note_job.hospital_id and job_state.job = note_job.job;
    perform app_private.tell_of_job(note_job.hospital_id, note_job.job, 'job_recovered');
  elsif state.consecutive_failures >= 3 and state.told_at is null then
    update app_private.job_state set told_at = now()
    where job_state.hospital_id = note_job.hospital_id and job_state.job = note_job.job;
    perform app_private.tell_of_job(note_job.hospital_id, note_job.job, 'job_failing');
  end if;
end
$$;

comment on function app_private.note_job(uuid, text, app_public.job_outcome, timestamptz, integer, integer, text) is
  'Counts a run that ended; tells admins of the third failure in a row, and of the recovery after it.';

revoke execute on function
  app_private.note_job(uuid, text, app_public.job_outcome, timestamptz, integer, integer, text) from public;
