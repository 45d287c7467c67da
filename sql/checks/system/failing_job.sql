-- Three failures in a row, as admins are told; a run that gives no sign of life counts as one at once, also
-- before the sweep has marked it. One scan of the states, and the runs that are open.
create or replace view checks.failing_job as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, null::uuid as entity_id,
  case
    when broken.silent > 0 then format('A run of %s has given no sign of life since %s UTC.', broken.job,
      to_char(broken.silent_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
    else format('The last %s runs of %s failed.', broken.failures, broken.job)
  end as detail,
  jsonb_build_object('job', broken.job, 'failures', broken.failures, 'silent', broken.silent,
    'last_outcome', broken.last_outcome, 'last_success_at', broken.last_success_at) as metadata,
  concat_ws(':', entry.name, broken.job) as cache_key
from (
  select facts.hospital_id, facts.job, sum(facts.failures)::integer as failures, sum(facts.silent)::integer as silent,
    min(facts.silent_since) as silent_since, max(facts.last_outcome) as last_outcome, max(facts.last_success_at) as last_success_at
  from (
    select state.hospital_id, state.job, state.consecutive_failures as failures, 0 as silent, null::timestamptz as silent_since,
      state.last_outcome, state.last_success_at
    from app_private.job_state as state
    where state.consecutive_failures > 0
    union all
    select run.hospital_id, run.job, 0, 1, coalesce(run.heartbeat_at, run.created_at), null, null
    from app_public.job_run as run
    join app_public.job on job.name = run.job
    where run.outcome in ('waiting', 'running')
      and coalesce(run.heartbeat_at, run.created_at) < now() - job.stuck_after) as facts
  group by facts.hospital_id, facts.job) as broken
join app_public.health_check as entry on entry.name = 'failing_job'
where broken.failures >= 3 or broken.silent > 0;

comment on view checks.failing_job is 'Jobs whose last three runs failed, or of which a run gives no sign of life.';
revoke all on checks.failing_job from public;
grant select on checks.failing_job to app_monitor;

select app_private.declare_check(
  name => 'failing_job', domain => 'system', severity => 'warning', entity_type => 'job',
  title => 'A job keeps failing',
  meaning => 'The last three runs of a job failed, or one of its runs gives no sign of life.',
  importance => 'What the job does is not done for this hospital, or for all of them.',
  resolution => 'Read the error of its last runs (jobRuns, the log by kind job) and remove the cause; the queue tries it again by itself. The finding goes with the next success.',
  remedy => 'operator');
