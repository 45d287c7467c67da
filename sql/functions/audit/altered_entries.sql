-- Which of these entries are not what was sealed: asked before they are redacted, so that a redaction
-- never makes an entry good that somebody had changed before.
-- Definer, because only the owner reads what seals close; for the eraser.
create or replace function app_private.altered_entries(hospital_id uuid, entry_ids bigint[]) returns bigint[]
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return array(
    select sealed.id
    from app_public.audit_seal as seal
    join app_private.audit_seal_content as content
      on content.hospital_id = altered_entries.hospital_id and content.seal_id = seal.id
    cross join lateral unnest(content.entry_ids, content.salts, content.digests) as sealed (id, salt, digest)
    left join app_public.audit_entry as entry
      on entry.hospital_id = altered_entries.hospital_id and entry.id = sealed.id
    where seal.hospital_id = altered_entries.hospital_id
      and seal.kind = 'entries'
      and exists (
        select from unnest(altered_entries.entry_ids) as wanted (id)
        where wanted.id between seal.first_entry_id and seal.last_entry_id)
      and sealed.id = any (altered_entries.entry_ids)
      and app_private.audit_entry_digest(sealed.salt, entry) is distinct from sealed.digest);
end
$$;

comment on function app_private.altered_entries(uuid, bigint[]) is
  'Those of these entries of the audit log that differ from what was sealed.';

revoke execute on function app_private.altered_entries(uuid, bigint[]) from public;
grant execute on function app_private.altered_entries(uuid, bigint[]) to app_eraser;
