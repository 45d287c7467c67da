-- Everything a seal says but its own hash; the hash of the seal before is part of it, and makes the chain.
create or replace function app_private.seal_hash(seal app_public.audit_seal) returns text
language sql stable parallel safe
return encode(sha256(convert_to(jsonb_build_array(
  seal.hospital_id, seal.id, seal.number, seal.kind, seal.batch_number, seal.patient_id, seal.entry_count,
  seal.first_entry_id, seal.last_entry_id, seal.entries_hash, seal.replaced_hash, seal.previous_hash,
  extract(epoch from seal.sealed_at))::text, 'UTF8')), 'hex');

comment on function app_private.seal_hash(app_public.audit_seal) is 'SHA-256 of a seal of the audit log.';

revoke execute on function app_private.seal_hash(app_public.audit_seal) from public;
grant execute on function app_private.seal_hash(app_public.audit_seal) to app_monitor;
