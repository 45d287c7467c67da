-- As cronHealth judges it: two runs may be missed and a minute. Counted from when a worker came, so that
-- one that has just been started is given the time to begin; where none lives worker_absent says so. By
-- the time that really passes, which runs are dated by.
create or replace view checks.overdue_job as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  format('%s should run every %s and %s.', broken.job, broken.expected_interval,
    coalesce(format('last began at %s UTC', to_char(broken.last_began_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')), 'has never run')) as detail,
  jsonb_build_object('job', broken.job, 'expected_interval', broken.expected_interval, 'last_began_at', broken.last_began_at) as metadata,
  concat_ws(':', entry.name, broken.job) as cache_key
from (
  select job.name as job, job.expected_interval, greatest(state.last_started_at, open.began_at) as last_began_at
  from app_public.job
  join (
    select min(beat.started_at) as started_at
    from app_private.worker_heartbeat as beat
    where beat.beaten_at > now() - interval '60 seconds') as worker
    on worker.started_at + 2 * job.expected_interval + interval '1 minute' < now()
  left join app_private.job_state as state
    on state.hospital_id = app_private.machinery() and state.job = job.name
  cross join lateral (
    select max(job_run.started_at) as began_at,
      coalesce(bool_or(job_run.started_at is not null
        and coalesce(job_run.heartbeat_at, job_run.created_at) >= now() - job.stuck_after), false) as is_running
    from app_public.job_run
    where job_run.hospital_id = app_private.machinery() and job_run.job = job.name
      and job_run.outcome in ('waiting', 'running')) as open
  where job.expected_interval is not null and not open.is_running
    and coalesce(greatest(state.last_started_at, open.began_at) + 2 * job.expected_interval + interval '1 minute' < now(), true)) as broken
join app_public.health_check as entry on entry.name = 'overdue_job';

comment on view checks.overdue_job is 'Jobs by the clock that have missed more than two runs although a worker lives.';
revoke all on checks.overdue_job from public;
grant select on checks.overdue_job to app_monitor;

select app_private.declare_check(
  name => 'overdue_job', domain => 'system', severity => 'warning', entity_type => 'job',
  title => 'A job is overdue',
  meaning => 'A job that runs by the clock has missed more than two of its runs although a worker lives.',
  importance => 'Nobody does what it does: holds do not lapse, no-shows are not marked, nights are not planned.',
  resolution => 'Look at cronHealth for its last run, at queue_backlog for jobs that stand in its way, and at the worker''s log for a crontab that was not read.',
  remedy => 'operator');
