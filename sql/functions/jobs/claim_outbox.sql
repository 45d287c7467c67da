-- The relay's claim: the oldest messages of the topics that it knows leave the outbox in the relay's own
-- transaction, and are there again when that fails. Relays side by side skip what another one is just
-- taking. Topics that nobody asks for stay where they are. Definer, because Postgres asks the right to
-- change a row of whoever locks it, and nobody may change a message; materialized, because a plan that
-- ran the subquery again would claim more than was asked for. It reads by the index of ids, whatever the
-- planner knows of a table that is empty most of the time.
create or replace function app_private.claim_outbox(topics text[], most integer)
returns setof app_private.outbox
language sql volatile security definer
set search_path = ''
set enable_seqscan = off
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
