-- The relay looks five times a second, so what is half a minute old was passed over. Where no worker lives
-- worker_absent says so. The oldest message stands first in the index of ids.
create or replace view checks.outbox_lag as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  format('The oldest message in the outbox has waited for %s s; %s wait.',
    round(extract(epoch from now() - oldest.created_at)),
    case when depth.messages > 10000 then 'more than 10000' else depth.messages::text end) as detail,
  jsonb_build_object('topic', oldest.topic, 'created_at', oldest.created_at, 'messages', depth.messages) as metadata,
  entry.name as cache_key
from (
  select message.created_at, message.topic
  from app_private.outbox as message
  order by message.id
  limit 1) as oldest
cross join lateral (
  select count(*)::integer as messages
  from (select from app_private.outbox limit 10001) as counted) as depth
join app_public.health_check as entry on entry.name = 'outbox_lag'
where oldest.created_at < now() - interval '30 seconds'
  and exists (
    select from app_private.worker_heartbeat as beat
    where beat.beaten_at > now() - interval '60 seconds' and beat.started_at < now() - interval '30 seconds');

comment on view checks.outbox_lag is 'That messages wait in the outbox for more than half a minute although a worker lives.';
revoke all on checks.outbox_lag from public;
grant select on checks.outbox_lag to app_monitor;

select app_private.declare_check(
  name => 'outbox_lag', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'Messages are not relayed',
  meaning => 'The oldest message in the outbox has waited for more than 30 seconds although a worker lives.',
  importance => 'Notifications, webhooks, subscriptions and offers of free seats come late or not at all.',
  resolution => 'Look at the topic of the oldest message: one that no worker knows waits for a newer worker (report_unknown_topics tells of it). Else look for errors of the relay in the worker''s log, and for locks in long_open_transaction.',
  remedy => 'operator');
