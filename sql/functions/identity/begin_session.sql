-- Begins the session of somebody who has shown all that is asked of them. The account is locked first,
-- shared: a deactivation, a change of role or a new password at the same moment either waits and then ends
-- this session, or has happened and is seen here. Lock order: account, session. Functions that run as the
-- owner call it; no role may.
create or replace function app_private.begin_session(
  hospital_id uuid, account_id uuid, token_hash bytea, lifetime interval)
returns table (
  session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text, display_name text)
language plpgsql volatile
as $$
declare
  instant timestamptz := app_private.clock();
  present app_public.account;
  opened uuid;
begin
  select * into present
  from app_public.account
  where account.hospital_id = begin_session.hospital_id and account.id = begin_session.account_id
    and account.is_active
  for share;
  if not found then
    perform app_private.refuse('invalid_credentials');
  end if;

  insert into app_private.session (hospital_id, account_id, expires_at, last_used_at, device, ip_prefix)
  values (
    begin_session.hospital_id, begin_session.account_id, instant + lifetime, instant, app_private.claim_device(),
    app_private.claim_ip_prefix())
  returning session.id into opened;
  insert into app_private.refresh_token (hospital_id, token_hash, session_id)
  values (begin_session.hospital_id, begin_session.token_hash, opened);

  update app_private.account_secret
  set failed_attempts = 0, locked_until = null
  where account_secret.hospital_id = begin_session.hospital_id
    and account_secret.account_id = begin_session.account_id
    and (account_secret.failed_attempts > 0 or account_secret.locked_until is not null);
  perform app_private.record_security_event(
    begin_session.hospital_id, 'login', begin_session.account_id, jsonb_build_object('session_id', opened));

  return query select opened, present.role, present.doctor_id, present.patient_id, present.email, present.display_name;
end
$$;

comment on function app_private.begin_session(uuid, uuid, bytea, interval) is
  'Begins a session with its first refresh token, forgets failed tries, and returns what the access token says.';

revoke execute on function app_private.begin_session(uuid, uuid, bytea, interval) from public;
