-- Whoever has not beaten for a minute is dead: the job queue by itself would keep its jobs, and every
-- queue that they stood in, locked for four hours. A worker takes no job without a fresh beat, so a lock
-- of somebody without a row does not come about; one that was only asleep may find its job done twice,
-- which jobs must bear anyway.
create or replace function app_private.unlock_dead_workers()
returns text[]
language plpgsql volatile
as $$
declare
  dead text[];
begin
  with buried as (
    delete from app_private.worker_heartbeat
    where worker_heartbeat.beaten_at < now() - interval '60 seconds'
    returning worker_heartbeat.worker_id
  )
  select array_agg(buried.worker_id) into dead from buried;
  if dead is not null then
    perform graphile_worker.force_unlock_workers(dead);
  end if;
  return coalesce(dead, '{}');
end
$$;

comment on function app_private.unlock_dead_workers() is
  'Unlocks the jobs and queues of workers without a heartbeat for a minute; returns their ids.';

revoke execute on function app_private.unlock_dead_workers() from public;
grant execute on function app_private.unlock_dead_workers() to app_worker;
