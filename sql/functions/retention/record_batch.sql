-- One entry in the log for a whole batch of housekeeping, instead of one a row with the row's data: what
-- was moved or removed, how many and up to when. Its record is the hospital. The rows themselves are
-- explained by what the log has of them already, and archived ones by their row in the archive.
create or replace function app_private.record_batch(
  hospital_id uuid, table_name text, operation app_public.audit_operation, facts jsonb)
returns void
language plpgsql
as $$
begin
  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, old_state, new_state,
    actor_account_id, actor_role, request_id, transaction_id, recorded_at)
  values (
    hospital_id, table_name, hospital_id, operation,
    case when operation = 'delete' then facts end,
    case when operation <> 'delete' then facts end,
    app_private.claim_account_id(), app_private.actor_role(), app_private.claim_request_id(),
    pg_current_xact_id()::text::bigint, app_private.clock());
end
$$;

comment on function app_private.record_batch(uuid, text, app_public.audit_operation, jsonb) is
  'Leaves one audit entry for a batch of rows that housekeeping moved or removed.';

revoke execute on function app_private.record_batch(uuid, text, app_public.audit_operation, jsonb) from public;
