-- By the time that really passes, not by clock(): a rehearsed day must not make the living look dead.
create or replace function app_private.record_heartbeat(worker_id text)
returns void
language sql volatile
as $$
  insert into app_private.worker_heartbeat (worker_id, started_at, beaten_at)
  values (record_heartbeat.worker_id, now(), now())
  on conflict on constraint worker_heartbeat_pkey do update set beaten_at = excluded.beaten_at;
$$;

comment on function app_private.record_heartbeat(text) is 'Notes that a worker lives; its jobs stay its own.';

revoke execute on function app_private.record_heartbeat(text) from public;
grant execute on function app_private.record_heartbeat(text) to app_worker;
