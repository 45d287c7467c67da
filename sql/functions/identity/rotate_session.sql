-- One refresh token for the next. A token that was used before is in two hands, and nobody can tell
-- whose: the whole session ends. It must end for good, so this is told by a row and never raised: an
-- error would roll the end back. Whatever else is wrong (unknown, expired, ended, account inactive) is
-- no row. Lock order: account, session; so two uses of one token stand in line, and a deactivation of
-- the account is either seen or ends what is made here. Definer, because no role may read sessions.
create or replace function app_private.rotate_session(
  hospital_id uuid, old_token_hash bytea, new_token_hash bytea)
returns table (
  is_reused boolean, session_id uuid, account_id uuid, role app_public.account_role, doctor_id uuid,
  patient_id uuid, email text, display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  owner_id uuid;
  family uuid;
  present app_public.account;
  is_used boolean;
begin
  select session.account_id, session.id into owner_id, family
  from app_private.refresh_token
  join app_private.session
    on session.hospital_id = rotate_session.hospital_id and session.id = refresh_token.session_id
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  if not found then
    return;
  end if;

  select * into present
  from app_public.account
  where account.hospital_id = rotate_session.hospital_id and account.id = owner_id
  for share;
  perform from app_private.session
  where session.hospital_id = rotate_session.hospital_id and session.id = family
    and session.ended_at is null and session.expires_at > instant
  for update;
  if not found or not present.is_active then
    return;
  end if;

  -- Asked again under the lock: somebody may have used it while this waited.
  select refresh_token.used_at is not null into is_used
  from app_private.refresh_token
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  if is_used then
    update app_private.session
    set ended_at = instant, end_reason = 'refresh_token_reused'
    where session.hospital_id = rotate_session.hospital_id and session.id = family;
    perform app_private.record_security_event(
      rotate_session.hospital_id, 'refresh_reuse', owner_id, jsonb_build_object('session_id', family));
    return query select true, family, owner_id, null::app_public.account_role, null::uuid, null::uuid, null, null;
    return;
  end if;

  update app_private.refresh_token
  set used_at = instant
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  insert into app_private.refresh_token (hospital_id, token_hash, session_id)
  values (rotate_session.hospital_id, new_token_hash, family);
  update app_private.session
  set last_used_at = instant, ip_prefix = coalesce(app_private.claim_ip_prefix(), session.ip_prefix)
  where session.hospital_id = rotate_session.hospital_id and session.id = family;
  return query
    select false, family, owner_id, present.role, present.doctor_id, present.patient_id, present.email,
      present.display_name;
end
$$;

comment on function app_private.rotate_session(uuid, bytea, bytea) is
  'Uses up a refresh token for a new one and returns the account as it is now; a second use ends the session.';

revoke execute on function app_private.rotate_session(uuid, bytea, bytea) from public;
grant execute on function app_private.rotate_session(uuid, bytea, bytea) to app_login;
