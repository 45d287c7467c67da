-- The text of an entry that is hashed: every column, in an order of its own, so that a column added later
-- does not break the seals of what was written before it. jsonb has one text for one value on every
-- version, instants are counted in seconds, and so neither a session's settings nor an upgrade change it.
create or replace function app_private.audit_entry_text(entry app_public.audit_entry) returns text
language sql stable parallel safe
return jsonb_build_array(
  entry.hospital_id, entry.id, entry.table_name, entry.record_id, entry.operation,
  entry.old_state, entry.new_state, entry.changed_columns,
  entry.actor_account_id, entry.actor_role, entry.request_id, entry.transaction_id,
  extract(epoch from entry.recorded_at))::text;

comment on function app_private.audit_entry_text(app_public.audit_entry) is
  'Everything that an entry of the audit log says, as one text that never changes by itself.';

revoke execute on function app_private.audit_entry_text(app_public.audit_entry) from public;
grant execute on function app_private.audit_entry_text(app_public.audit_entry) to app_monitor;
