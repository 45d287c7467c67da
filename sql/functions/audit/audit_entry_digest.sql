-- 16 bytes of SHA-256 over the salt and the text: enough that nobody finds another entry with the same, and
-- a third of what it takes to keep them for every entry.
create or replace function app_private.audit_entry_digest(salt bytea, entry app_public.audit_entry) returns bytea
language sql stable parallel safe
return substring(sha256(salt || convert_to(app_private.audit_entry_text(entry), 'UTF8')) from 1 for 16);

comment on function app_private.audit_entry_digest(bytea, app_public.audit_entry) is
  'Digest of an entry of the audit log under a salt.';

revoke execute on function app_private.audit_entry_digest(bytea, app_public.audit_entry) from public;
grant execute on function app_private.audit_entry_digest(bytea, app_public.audit_entry) to app_monitor;
