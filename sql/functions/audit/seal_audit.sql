-- Seals the next entries of a hospital, at most so many, and returns how many; whoever calls again goes
-- on. Bookings take no part in it: an entry is written as ever, and read here a moment later.
--
-- Every entry is sealed exactly once. What can be seen is committed and can be sealed, in the order of
-- ids; what is sealed already is known by the contents of the last seals. But an entry with a lower id may
-- be committed later, so ids are only done with (settled_id) when no transaction is left that could
-- still show one: first the counter of ids is read, then this transaction takes its number. Whoever has a
-- greater one draws ids beyond the counter (a transaction has its number when it writes the row that an
-- entry tells of); when all with lesser ones are over, whatever they have written is seen by the next
-- statement. A transaction that stays open delays that and nothing else: entries beside it are sealed.
--
-- Numbers of transactions belong to one cluster. A dump that is restored elsewhere begins with lower ones:
-- a number that is still to come tells it, and then nothing of the old cluster is running any more. No
-- number is compared with one that an entry carries.
-- Definer, because no role may write seals. Two at once: the second one returns and leaves it to the first.
create or replace function app_private.seal_audit(hospital_id uuid, most integer default 1000) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  mark app_private.audit_seal_mark;
  is_new_transaction boolean := pg_current_xact_id_if_assigned() is null
    and current_setting('transaction_isolation') = 'read committed';
  counted bigint;
  running pg_snapshot;
  batch record;
  seal app_public.audit_seal;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not app_private.lock_seals(hospital_id, is_waiting => false) then
    return 0;
  end if;
  select audit_entry_id_seq.last_value - (not audit_entry_id_seq.is_called)::integer into counted
  from app_public.audit_entry_id_seq;
  select pg_current_snapshot() into running;
  perform pg_current_xact_id();

  select * into mark from app_private.audit_seal_mark where audit_seal_mark.hospital_id = seal_audit.hospital_id;
  if not found then
    insert into app_private.audit_seal_mark (hospital_id) values (seal_audit.hospital_id) returning * into mark;
  end if;

  with sealed as materialized (
    select unnest(content.entry_ids) as id
    from app_public.audit_seal as recent
    join app_private.audit_seal_content as content
      on content.hospital_id = seal_audit.hospital_id and content.seal_id = recent.id
    where recent.hospital_id = seal_audit.hospital_id
      and recent.last_entry_id > mark.settled_id
      and recent.kind = 'entries'
  ), unsealed as materialized (
    select entry.id
    from app_public.audit_entry as entry
    where entry.hospital_id = seal_audit.hospital_id
      and entry.id > mark.settled_id
      and not exists (select from sealed where sealed.id = entry.id)
    order by entry.id
    limit most
  ), salted as materialized (
    select unsealed.id, uuid_send(gen_random_uuid()) as salt from unsealed
  ), due as (
    select salted.id, salted.salt, app_private.audit_entry_digest(salted.salt, entry) as digest
    from salted
    join app_public.audit_entry as entry
      on entry.hospital_id = seal_audit.hospital_id and entry.id = salted.id
  )
  select count(*)::integer as entry_count, array_agg(due.id order by due.id) as entry_ids,
    array_agg(due.salt order by due.id) as salts, array_agg(due.digest order by due.id) as digests
  into batch
  from due;

  if batch.entry_count > 0 then
    seal.hospital_id := seal_audit.hospital_id;
    seal.kind := 'entries';
    seal.entry_count := batch.entry_count;
    seal.first_entry_id := batch.entry_ids[1];
    seal.last_entry_id := batch.entry_ids[batch.entry_count];
    seal.entries_hash := app_private.entries_hash(batch.entry_ids, batch.digests);
    seal := app_private.write_seal(seal);
    insert into app_private.audit_seal_content (hospital_id, seal_id, entry_ids, salts, digests)
    values (seal_audit.hospital_id, seal.id, batch.entry_ids, batch.salts, batch.digests);
  end if;

  -- With more left than a batch takes, ids are done with up to its last one. A transaction that had its number
  -- before, or looks at one snapshot only, cannot tell.
  if is_new_transaction then
    if mark.reached_transaction <= pg_snapshot_xmin(running) or mark.reached_transaction >= pg_snapshot_xmax(running) then
      mark.settled_id := case when batch.entry_count = most
        then least(mark.reached_id, seal.last_entry_id) else mark.reached_id end;
      if mark.settled_id = mark.reached_id then
        mark.reached_id := null;
        mark.reached_transaction := null;
      end if;
    end if;
    if mark.reached_id is null and counted > mark.settled_id then
      mark.reached_id := counted;
      mark.reached_transaction := pg_current_xact_id();
    end if;
    update app_private.audit_seal_mark
    set settled_id = mark.settled_id, reached_id = mark.reached_id, reached_transaction = mark.reached_transaction
    where audit_seal_mark.hospital_id = seal_audit.hospital_id
      and (audit_seal_mark.settled_id, audit_seal_mark.reached_id) is distinct from (mark.settled_id, mark.reached_id);
  end if;
  return batch.entry_count;
end
$$;

comment on function app_private.seal_audit(uuid, integer) is
  'Seals the next entries of a hospital''s audit log, at most so many, and returns how many.';

revoke execute on function app_private.seal_audit(uuid, integer) from public;
grant execute on function app_private.seal_audit(uuid, integer) to app_worker;
