-- The next link of a hospital's chain. Whoever calls holds lock_seals, so no two links are made at once.
-- The mark is the second place that knows the newest seal: the end of the chain cannot be cut off unseen.
create or replace function app_private.write_seal(seal app_public.audit_seal) returns app_public.audit_seal
language plpgsql
as $$
declare
  mark app_private.audit_seal_mark;
begin
  select * into mark
  from app_private.audit_seal_mark
  where audit_seal_mark.hospital_id = seal.hospital_id;

  seal.id := app_private.new_id();
  seal.number := mark.last_number + 1;
  seal.batch_number := coalesce(seal.batch_number, seal.number);
  seal.previous_hash := mark.last_hash;
  seal.sealed_at := app_private.clock();
  seal.hash := app_private.seal_hash(seal);
  insert into app_public.audit_seal (
    hospital_id, id, number, kind, batch_number, patient_id, entry_count, first_entry_id, last_entry_id,
    entries_hash, replaced_hash, previous_hash, hash, sealed_at)
  values (
    seal.hospital_id, seal.id, seal.number, seal.kind, seal.batch_number, seal.patient_id, seal.entry_count,
    seal.first_entry_id, seal.last_entry_id, seal.entries_hash, seal.replaced_hash, seal.previous_hash,
    seal.hash, seal.sealed_at);
  update app_private.audit_seal_mark
  set last_number = seal.number, last_hash = seal.hash,
      last_entry_id = greatest(audit_seal_mark.last_entry_id, seal.last_entry_id)
  where audit_seal_mark.hospital_id = seal.hospital_id;
  return seal;
end
$$;

comment on function app_private.write_seal(app_public.audit_seal) is
  'Adds a seal to the chain of a hospital and returns it with its number and hashes.';

revoke execute on function app_private.write_seal(app_public.audit_seal) from public;
