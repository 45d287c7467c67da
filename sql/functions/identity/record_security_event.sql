-- Writes down what happened to a login, in the transaction in which it happened. Functions that run as the
-- owner call it; no role may, so nobody can write what did not happen.
create or replace function app_private.record_security_event(
  hospital_id uuid, kind app_public.security_event_kind, account_id uuid default null, details jsonb default '{}')
returns void
language plpgsql volatile
as $$
begin
  insert into app_public.security_event (
    hospital_id, kind, account_id, actor_account_id, ip_prefix, device, request_id, details, occurred_at)
  values (
    record_security_event.hospital_id, record_security_event.kind, record_security_event.account_id,
    app_private.claim_account_id(), app_private.claim_ip_prefix(), app_private.claim_device(),
    app_private.claim_request_id(), record_security_event.details, app_private.clock());
end
$$;

comment on function app_private.record_security_event(uuid, app_public.security_event_kind, uuid, jsonb) is
  'Writes a security event of this request.';

revoke execute on function app_private.record_security_event(uuid, app_public.security_event_kind, uuid, jsonb) from public;
