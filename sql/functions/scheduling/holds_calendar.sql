-- Whether this transaction has locked the calendar of the whole hospital with lock_calendar: the sign
-- by which the wall around the time zone knows the flow that carries everything else along.
create or replace function app_private.holds_calendar(hospital_id uuid) returns boolean
language sql volatile
as $$
  select exists (
    select from pg_catalog.pg_locks
    where pg_locks.locktype = 'advisory'
      and pg_locks.pid = pg_catalog.pg_backend_pid()
      and pg_locks.database = (select pg_database.oid from pg_catalog.pg_database where pg_database.datname = pg_catalog.current_database())
      and pg_locks.mode = 'ExclusiveLock'
      and pg_locks.granted
      and pg_locks.objsubid = 1
      and (pg_locks.classid::bigint << 32) | pg_locks.objid::bigint
        = hashtextextended(concat('calendar', holds_calendar.hospital_id), 0));
$$;

comment on function app_private.holds_calendar(uuid) is
  'Whether the present transaction holds the calendar of the whole hospital.';

revoke execute on function app_private.holds_calendar(uuid) from public;
