-- The second line behind the limiter of the server, which may have forgotten: from the tenth failure
-- in a row on, the account is locked for one minute, then two, four, eight, and at most fifteen. Tries
-- during a lock do not prolong it, a day of rest forgets all, and a login that succeeds does too:
-- nobody can lock somebody else out for good. Definer, because no role may write account_secret.
create or replace function app_private.record_failed_login(hospital_id uuid, account_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  secret app_private.account_secret;
begin
  select * into secret
  from app_private.account_secret
  where account_secret.hospital_id = record_failed_login.hospital_id
    and account_secret.account_id = record_failed_login.account_id
  for no key update;
  if not found then
    return;
  end if;
  perform app_private.record_security_event(
    record_failed_login.hospital_id, 'login_failed', record_failed_login.account_id);
  if secret.locked_until > instant then
    return;
  end if;

  secret.failed_attempts := 1 + case
    when secret.locked_until < instant - interval '1 day' then 0
    else least(secret.failed_attempts, 100)
  end;
  update app_private.account_secret
  set failed_attempts = secret.failed_attempts,
      locked_until = case
        when secret.failed_attempts >= 10
          then instant + least(interval '1 minute' * power(2, least(secret.failed_attempts - 10, 4)), interval '15 minutes')
      end
  where account_secret.hospital_id = record_failed_login.hospital_id
    and account_secret.account_id = record_failed_login.account_id;
  if secret.failed_attempts >= 10 then
    perform app_private.record_security_event(
      record_failed_login.hospital_id, 'locked', record_failed_login.account_id);
  end if;
end
$$;

comment on function app_private.record_failed_login(uuid, uuid) is
  'Counts a wrong password; many in a row lock the account for a while.';

revoke execute on function app_private.record_failed_login(uuid, uuid) from public;
grant execute on function app_private.record_failed_login(uuid, uuid) to app_login;
