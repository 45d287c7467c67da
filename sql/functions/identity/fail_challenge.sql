-- Counts a wrong code: the fifth ends the challenge, and the password is asked again. Without a challenge it
-- is somebody who is logged in. Definer, because no role may write tokens or events.
create or replace function app_private.fail_challenge(hospital_id uuid, account_id uuid, token_hash bytea default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  update app_private.login_token
  set failed_attempts = login_token.failed_attempts + 1
  where login_token.hospital_id = fail_challenge.hospital_id
    and login_token.token_hash = fail_challenge.token_hash and login_token.account_id = fail_challenge.account_id;
  perform app_private.record_security_event(
    fail_challenge.hospital_id, 'second_factor_failed', fail_challenge.account_id);
end
$$;

comment on function app_private.fail_challenge(uuid, uuid, bytea) is 'Counts a wrong code of a second factor.';

revoke execute on function app_private.fail_challenge(uuid, uuid, bytea) from public;
grant execute on function app_private.fail_challenge(uuid, uuid, bytea) to app_login;
