-- Erasing a person changes sealed entries, lawfully. The chain tells it: for each batch concerned a seal
-- that names the person, the hash of the batch before and the hash after. Redacted entries get a new salt
-- and digest, and the old ones are forgotten: what is left, a hash under a salt that nobody has, cannot
-- be used to guess what an entry said. All others keep their digest, and so does an entry that was not
-- what had been sealed, or is not redacted now: its digest becomes one that fits nothing.
-- Only the eraser can call it, while it redacts. The same change by hand has no such seal, and a seal for
-- somebody who is not erased is found (redaction_unfounded).
-- Definer, because no role may write seals.
create or replace function app_private.seal_redaction(
  hospital_id uuid, patient_id uuid, redacted_ids bigint[], altered_ids bigint[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  touched record;
  anew record;
  seal app_public.audit_seal;
begin
  for touched in
    select batch.id, batch.number, batch.first_entry_id, batch.last_entry_id,
      content.entry_ids, content.salts, content.digests
    from app_public.audit_seal as batch
    join app_private.audit_seal_content as content
      on content.hospital_id = seal_redaction.hospital_id and content.seal_id = batch.id
    where batch.hospital_id = seal_redaction.hospital_id
      and batch.kind = 'entries'
      and exists (
        select from unnest(redacted_ids) as redacted (id)
        where redacted.id between batch.first_entry_id and batch.last_entry_id)
      and content.entry_ids && redacted_ids
    order by batch.number
  loop
    with sealed as materialized (
      select was.position, was.id, was.salt, was.digest,
        case when was.id = any (redacted_ids) then uuid_send(gen_random_uuid()) end as new_salt
      from unnest(touched.entry_ids, touched.salts, touched.digests) with ordinality as was (id, salt, digest, position)
    )
    select count(sealed.new_salt)::integer as entry_count,
      array_agg(coalesce(sealed.new_salt, sealed.salt) order by sealed.position) as salts,
      array_agg(case
        when sealed.new_salt is null then sealed.digest
        when sealed.id = any (altered_ids)
          or to_jsonb(entry) <> app_private.redacted_row('audit_entry', to_jsonb(entry)) then '\x00'
        else app_private.audit_entry_digest(sealed.new_salt, entry)
      end order by sealed.position) as digests
    into anew
    from sealed
    left join app_public.audit_entry as entry
      on entry.hospital_id = seal_redaction.hospital_id and entry.id = sealed.id and sealed.new_salt is not null;

    seal := null;
    seal.hospital_id := seal_redaction.hospital_id;
    seal.kind := 'redaction';
    seal.batch_number := touched.number;
    seal.patient_id := seal_redaction.patient_id;
    seal.entry_count := anew.entry_count;
    seal.first_entry_id := touched.first_entry_id;
    seal.last_entry_id := touched.last_entry_id;
    seal.replaced_hash := app_private.entries_hash(touched.entry_ids, touched.digests);
    seal.entries_hash := app_private.entries_hash(touched.entry_ids, anew.digests);
    perform app_private.write_seal(seal);
    update app_private.audit_seal_content
    set salts = anew.salts, digests = anew.digests
    where audit_seal_content.hospital_id = seal_redaction.hospital_id
      and audit_seal_content.seal_id = touched.id;
  end loop;
end
$$;

comment on function app_private.seal_redaction(uuid, uuid, bigint[], bigint[]) is
  'Seals that entries of the audit log were redacted because a person was erased.';

revoke execute on function app_private.seal_redaction(uuid, uuid, bigint[], bigint[]) from public;
grant execute on function app_private.seal_redaction(uuid, uuid, bigint[], bigint[]) to app_eraser;
