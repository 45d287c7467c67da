-- A job that fails is due again later, so whatever is due and not taken for five minutes waits for a free
-- place. What was given up after its last try stays in the queue until somebody looks at it.
create or replace view checks.queue_backlog as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id, broken.detail, broken.metadata, concat_ws(':', entry.name, broken.what) as cache_key
from (
  select 'late' as what,
    format('%s jobs are due for more than five minutes, the oldest since %s UTC; %s wait in all.',
      state.late, to_char(state.oldest_due at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), state.waiting) as detail,
    jsonb_build_object('late', state.late, 'waiting', state.waiting, 'oldest_due', state.oldest_due) as metadata
  from app_private.queue_state(interval '5 minutes') as state
  where state.late > 0
    and exists (
      select from app_private.worker_heartbeat as beat
      where beat.beaten_at > now() - interval '60 seconds' and beat.started_at < now() - interval '5 minutes')
  union all
  select 'given_up', format('%s jobs were given up after their last try: %s.', state.given_up, array_to_string(state.given_up_tasks, ', ')),
    jsonb_build_object('given_up', state.given_up, 'tasks', to_jsonb(state.given_up_tasks))
  from app_private.queue_state(interval '5 minutes') as state
  where state.given_up > 0) as broken
join app_public.health_check as entry on entry.name = 'queue_backlog';

comment on view checks.queue_backlog is 'That jobs wait in the queue although they have long been due, or were given up.';
revoke all on checks.queue_backlog from public;
grant select on checks.queue_backlog to app_monitor;

select app_private.declare_check(
  name => 'queue_backlog', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'Jobs pile up',
  meaning => 'Jobs have been due for more than five minutes and no worker takes them, or jobs were given up after their last try.',
  importance => 'What jobs do comes late: slots, reminders, messages, webhooks. What was given up is not done at all.',
  resolution => 'Start another worker, or find the jobs that take so long (jobRuns, cronHealth). A job that was given up is tried again with graphile_worker.reschedule_jobs, or removed with graphile_worker.complete_jobs, once its cause is gone.',
  remedy => 'operator');
