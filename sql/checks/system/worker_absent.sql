-- Somebody has to have been there, or something to wait for somebody: a database that no worker was ever
-- started for, and where nothing waits, misses nobody.
create or replace view checks.worker_absent as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  case
    when seen.beaten_at is null then 'No worker has ever run, and messages wait for one.'
    else format('No worker has given a sign of life since %s UTC.', to_char(seen.beaten_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
  end as detail,
  jsonb_build_object('last_beat_at', seen.beaten_at, 'oldest_message_at', waiting.created_at) as metadata,
  entry.name as cache_key
from (
  select max(life.beaten_at) as beaten_at
  from (
    select process.beaten_at from app_private.process_heartbeat as process where process.kind = 'worker'
    union all
    select beat.beaten_at from app_private.worker_heartbeat as beat) as life) as seen
left join lateral (
  select message.created_at from app_private.outbox as message order by message.id limit 1) as waiting on true
join app_public.health_check as entry on entry.name = 'worker_absent'
where seen.beaten_at < now() - interval '60 seconds'
  or seen.beaten_at is null and waiting.created_at < now() - interval '5 minutes';

comment on view checks.worker_absent is 'That no worker lives, where one has lived within a week or messages wait for one.';
revoke all on checks.worker_absent from public;
grant select on checks.worker_absent to app_monitor;

select app_private.declare_check(
  name => 'worker_absent', domain => 'system', severity => 'critical', entity_type => 'system',
  title => 'No worker runs',
  meaning => 'No worker process has given a sign of life for a minute.',
  importance => 'Without a worker no message leaves the house, holds do not lapse, nobody is offered a free seat, no slots are generated, and the checks of the night do not run.',
  resolution => 'Start a worker (npm run worker) and look at its log if it does not stay.',
  remedy => 'operator');
