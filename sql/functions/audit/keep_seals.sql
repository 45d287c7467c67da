-- Seals are append-only for everybody, the owner and a superuser's slip included: what a legal erasure
-- changes in sealed entries is told by another seal, never by changing one.
create or replace function app_private.keep_seals() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('audit_is_append_only', jsonb_build_object('audit_seal', old.number));
  return null;
end
$$;

comment on function app_private.keep_seals() is 'Trigger: refuses update and delete of seals of the audit log.';

revoke execute on function app_private.keep_seals() from public;

create or replace trigger seals_are_append_only
  before update of hospital_id, id, number, kind, batch_number, patient_id, entry_count, first_entry_id, last_entry_id, entries_hash, replaced_hash, previous_hash, hash, sealed_at on app_public.audit_seal
  for each row execute function app_private.keep_seals();

create or replace trigger seals_are_never_lost
  before delete on app_public.audit_seal
  for each row execute function app_private.keep_seals();
