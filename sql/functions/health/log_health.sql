-- Health writes to the same log as everything else, in its own transactions, never in a booking's.
create or replace function app_private.log_health(
  hospital_id uuid, kind app_public.log_kind, level app_public.log_level, name text, outcome text, message text,
  entity_type text default null, entity_id uuid default null, details jsonb default '{}', duration_ms integer default null)
returns void
language plpgsql volatile
as $$
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, message, entity_type, entity_id, details, duration_ms, request_id,
    actor_account_id, actor_role)
  values (
    log_health.hospital_id, log_health.kind, log_health.level, log_health.name, log_health.outcome,
    left(log_health.message, 1000), log_health.entity_type, log_health.entity_id, log_health.details,
    log_health.duration_ms, app_private.claim_request_id(), app_private.claim_account_id(), app_private.audited_role());
end
$$;

comment on function app_private.log_health(
  uuid, app_public.log_kind, app_public.log_level, text, text, text, text, uuid, jsonb, integer) is
  'Writes an entry about the system''s health to the log.';

revoke execute on function app_private.log_health(
  uuid, app_public.log_kind, app_public.log_level, text, text, text, text, uuid, jsonb, integer) from public;
