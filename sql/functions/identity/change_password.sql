-- A new password by somebody who is logged in and gave the present one. known_hash is the one that was
-- compared: should it have changed since, nothing happens. All other sessions end. Definer, because no role
-- may write secrets.
create or replace function app_private.change_password(
  hospital_id uuid, account_id uuid, known_hash text, password_hash text, session_id uuid)
returns uuid[]
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform from app_public.account
  where account.hospital_id = change_password.hospital_id and account.id = change_password.account_id
    and account.is_active
  for no key update;
  update app_private.account_secret
  set password_hash = change_password.password_hash, password_changed_at = app_private.clock(),
      failed_attempts = 0, locked_until = null
  where account_secret.hospital_id = change_password.hospital_id
    and account_secret.account_id = change_password.account_id
    and account_secret.password_hash = known_hash;
  if not found then
    perform app_private.refuse('invalid_credentials');
  end if;
  delete from app_private.login_token
  where login_token.hospital_id = change_password.hospital_id
    and login_token.account_id = change_password.account_id;
  perform app_private.record_security_event(
    change_password.hospital_id, 'password_changed', change_password.account_id, '{"by": "password"}');
  perform app_private.tell_account(change_password.hospital_id, change_password.account_id, 'password_changed');
  return app_private.end_sessions(
    change_password.hospital_id, change_password.account_id, 'password_changed', change_password.session_id);
end
$$;

comment on function app_private.change_password(uuid, uuid, text, text, uuid) is
  'Changes a password whose present hash is known_hash; returns the sessions that ended, all but this one.';

revoke execute on function app_private.change_password(uuid, uuid, text, text, uuid) from public;
grant execute on function app_private.change_password(uuid, uuid, text, text, uuid) to app_login;
