-- A worker that is done with its work, or that stands up again under another name: whatever it still
-- held is free at once, instead of a minute later.
create or replace function app_private.retire_worker(worker_id text)
returns void
language plpgsql volatile
as $$
begin
  delete from app_private.worker_heartbeat where worker_heartbeat.worker_id = retire_worker.worker_id;
  perform graphile_worker.force_unlock_workers(array[retire_worker.worker_id]);
end
$$;

comment on function app_private.retire_worker(text) is 'Forgets a worker that ended, and unlocks what it still held.';

revoke execute on function app_private.retire_worker(text) from public;
grant execute on function app_private.retire_worker(text) to app_worker;
