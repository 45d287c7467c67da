-- What Postgres shows of other roles' transactions only to those who may read all statistics. That right
-- belongs to app_observer, a role that nobody is a member of and that owns nothing but what stands here and
-- in queue_state: no text of a query comes out, only who is how long in a transaction. A dump takes its time
-- and locks nobody out. Where whoever migrates may not give that right, transactions of others are not seen.
grant create on schema app_private to app_observer;
set local role app_observer;

create or replace function app_private.open_transactions(older_than interval)
returns table (process_id integer, role_name text, application text, state text, started_at timestamptz)
language sql stable security definer
set search_path = ''
as $$
  select activity.pid, activity.usename::text, left(activity.application_name, 63), activity.state, activity.xact_start
  from pg_catalog.pg_stat_activity as activity
  where activity.datname = pg_catalog.current_database()
    and activity.backend_type = 'client backend'
    and activity.application_name <> 'pg_dump'
    and activity.xact_start < pg_catalog.clock_timestamp() - older_than;
$$;

comment on function app_private.open_transactions(interval) is
  'Transactions of this database that have been open for longer than this: who, how, since when.';

revoke execute on function app_private.open_transactions(interval) from public;
grant execute on function app_private.open_transactions(interval) to app_monitor, app_owner;

set local role app_owner;
revoke create on schema app_private from app_observer;
