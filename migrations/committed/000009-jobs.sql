--! Previous: sha1:e150f5c47130b9f57a85ab9b4b383be1cfadb78b
--! Hash: sha1:982dab2b97360388ace20d5a810132323ce74755
--! Message: jobs

--! split: 09-jobs.sql
-- Background work: the relays claim and the heartbeats of workers.

set local role app_owner;

--! Included functions/jobs/claim_outbox.sql
-- The relay's claim: the oldest messages of the topics that it knows leave the outbox in the relay's own
-- transaction, and are there again when that fails. Relays side by side skip what another one is just
-- taking. Topics that nobody asks for stay where they are. Definer, because Postgres asks the right to
-- change a row of whoever locks it, and nobody may change a message; materialized, because a plan that
-- ran the subquery again would claim more than was asked for.
create or replace function app_private.claim_outbox(topics text[], most integer)
returns setof app_private.outbox
language sql volatile security definer
set search_path = ''
as $$
  with oldest as materialized (
    select message.hospital_id, message.id
    from app_private.outbox as message
    where message.topic = any (topics)
    order by message.id
    limit most
    for update skip locked
  )
  delete from app_private.outbox
  using oldest
  where outbox.hospital_id = oldest.hospital_id and outbox.id = oldest.id
  returning outbox.*;
$$;

comment on function app_private.claim_outbox(text[], integer) is
  'Takes the oldest messages of these topics out of the outbox, at most so many, and returns them.';

revoke execute on function app_private.claim_outbox(text[], integer) from public;
grant execute on function app_private.claim_outbox(text[], integer) to app_worker;
--! EndIncluded functions/jobs/claim_outbox.sql
--! Included functions/jobs/record_heartbeat.sql
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
--! EndIncluded functions/jobs/record_heartbeat.sql
--! Included functions/jobs/retire_worker.sql
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
--! EndIncluded functions/jobs/retire_worker.sql
--! Included functions/jobs/unlock_dead_workers.sql
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
--! EndIncluded functions/jobs/unlock_dead_workers.sql

reset role;
