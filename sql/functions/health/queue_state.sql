-- The job queue has a schema of its own, which belongs to the worker and may not be there yet; hence the
-- dynamic SQL, and no row while it is not there or not open to app_observer (the migrator opens the view
-- of jobs to it, which has no payloads). Cheap: the queue is empty most of the time.
grant create on schema app_private to app_observer;
set local role app_observer;

create or replace function app_private.queue_state(due_for interval)
returns table (waiting integer, late integer, oldest_due timestamptz, given_up integer, given_up_tasks text[])
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if not exists (
    select
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_namespace.nspname = 'graphile_worker' and pg_class.relname = 'jobs'
      and has_schema_privilege(pg_namespace.oid, 'usage') and has_table_privilege(pg_class.oid, 'select'))
  then
    return;
  end if;
  return query execute format(
    'select count(*) filter (where job.attempts < job.max_attempts)::integer,
       count(*) filter (where job.attempts < job.max_attempts and job.locked_at is null and job.run_at < now() - $1)::integer,
       min(job.run_at) filter (where job.attempts < job.max_attempts and job.locked_at is null),
       count(*) filter (where job.attempts >= job.max_attempts and job.locked_at is null)::integer,
       coalesce(array_agg(distinct job.task_identifier) filter (where job.attempts >= job.max_attempts and job.locked_at is null), array[]::text[])
     from %I.jobs as job', 'graphile_worker')
  using due_for;
end
$$;

comment on function app_private.queue_state(interval) is
  'How many jobs wait, how many of them have been due for longer than this, since when, and which were given up.';

revoke execute on function app_private.queue_state(interval) from public;
grant execute on function app_private.queue_state(interval) to app_monitor, app_owner;

set local role app_owner;
revoke create on schema app_private from app_observer;
