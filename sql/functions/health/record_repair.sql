-- What follows appointments by itself is not audited when it changes; when a repair changes it, it is.
create or replace function app_private.record_repair(
  hospital_id uuid, table_name text, record_id uuid, old_state jsonb, new_state jsonb)
returns void
language plpgsql volatile
as $$
declare
  changed jsonb;
begin
  select jsonb_object_agg(field.key, field.value) into changed
  from jsonb_each(record_repair.new_state) as field
  where record_repair.old_state -> field.key is distinct from field.value;

  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, old_state, new_state, changed_columns,
    actor_account_id, actor_role, request_id, transaction_id, recorded_at)
  values (
    record_repair.hospital_id, record_repair.table_name, record_repair.record_id, 'update', record_repair.old_state,
    record_repair.new_state, changed, app_private.claim_account_id(), app_private.audited_role(),
    app_private.claim_request_id(), pg_current_xact_id()::text::bigint, app_private.clock());
end
$$;

comment on function app_private.record_repair(uuid, text, uuid, jsonb, jsonb) is
  'Writes what a repair changed to the audit, where no trigger does.';

revoke execute on function app_private.record_repair(uuid, text, uuid, jsonb, jsonb) from public;
