-- The server's transactions end after seconds and the longest job's statement after five minutes; what is
-- open for longer was left open, mostly by a hand. Another time may be set for a database with
-- alter database … set slotkeeper.long_transaction = '1 hour'.
create or replace view checks.long_open_transaction as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  format('A transaction of %s (%s, process %s) has been open since %s UTC.', open.role_name,
    coalesce(nullif(open.application, ''), 'no name'), open.process_id,
    to_char(open.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')) as detail,
  jsonb_build_object('process_id', open.process_id, 'role', open.role_name, 'application', open.application,
    'state', open.state, 'started_at', open.started_at) as metadata,
  concat_ws(':', entry.name, open.process_id, extract(epoch from open.started_at)::bigint) as cache_key
from app_private.open_transactions(
  coalesce(nullif(current_setting('slotkeeper.long_transaction', true), ''), '10 minutes')::interval) as open
join app_public.health_check as entry on entry.name = 'long_open_transaction';

comment on view checks.long_open_transaction is 'Transactions that have been open for longer than ten minutes.';
revoke all on checks.long_open_transaction from public;
grant select on checks.long_open_transaction to app_monitor;

select app_private.declare_check(
  name => 'long_open_transaction', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'A transaction is left open',
  meaning => 'A transaction of this database has been open for longer than ten minutes.',
  importance => 'It may hold locks that bookings wait for, and it keeps Postgres from cleaning up, which makes everything slower the longer it stays.',
  resolution => 'Find out whose session it is (role, application, process) and let them end it, or end it: select pg_terminate_backend(process).',
  remedy => 'operator');
