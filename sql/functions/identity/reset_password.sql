-- A new password by a link: the link is used up, every session of the account ends, a lock is lifted, and the
-- account is told. The account's row is locked first, so a login at the same moment comes before, and its
-- session ends, or after, and finds the new password; of two who use one link, one waits and is refused.
-- Definer, because no role may write secrets.
create or replace function app_private.reset_password(hospital_id uuid, token_hash bytea, password_hash text)
returns table (account_id uuid, session_ids uuid[])
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  owner_id uuid;
begin
  select login_token.account_id into owner_id
  from app_private.login_token
  where login_token.hospital_id = reset_password.hospital_id
    and login_token.token_hash = reset_password.token_hash and login_token.purpose = 'password_reset';
  perform from app_public.account
  where account.hospital_id = reset_password.hospital_id and account.id = owner_id and account.is_active
  for no key update;
  if not found then
    perform app_private.refuse('link_not_valid');
  end if;
  update app_private.login_token
  set used_at = instant
  where login_token.hospital_id = reset_password.hospital_id
    and login_token.token_hash = reset_password.token_hash
    and login_token.used_at is null and login_token.expires_at > instant;
  if not found then
    perform app_private.refuse('link_not_valid');
  end if;

  insert into app_private.account_secret (hospital_id, account_id, password_hash, password_changed_at)
  values (reset_password.hospital_id, owner_id, reset_password.password_hash, instant)
  on conflict on constraint account_secret_pkey do update
  set password_hash = excluded.password_hash, password_changed_at = excluded.password_changed_at,
      failed_attempts = 0, locked_until = null;
  -- Whoever knew the old password may stand before the second factor with it.
  delete from app_private.login_token
  where login_token.hospital_id = reset_password.hospital_id and login_token.account_id = owner_id;
  perform app_private.record_security_event(
    reset_password.hospital_id, 'password_changed', owner_id, '{"by": "link"}');
  perform app_private.tell_account(reset_password.hospital_id, owner_id, 'password_changed');
  return query
    select owner_id, app_private.end_sessions(reset_password.hospital_id, owner_id, 'password_changed');
end
$$;

comment on function app_private.reset_password(uuid, bytea, text) is
  'Sets a new password by its link, once; returns the account and the sessions that ended.';

revoke execute on function app_private.reset_password(uuid, bytea, text) from public;
grant execute on function app_private.reset_password(uuid, bytea, text) to app_login;
