-- A code of the new secret was right: from now on the account needs it. sealed_secret is the one that the code
-- was compared with. The code is used up, and the recovery codes are kept by their hashes. Definer, because no
-- role may write secrets.
create or replace function app_private.confirm_second_factor(
  hospital_id uuid, account_id uuid, sealed_secret text, step bigint, code_hashes bytea[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform from app_public.account
  where account.hospital_id = confirm_second_factor.hospital_id and account.id = confirm_second_factor.account_id
  for no key update;
  update app_private.second_factor
  set confirmed_at = app_private.clock(), last_used_step = step
  where second_factor.hospital_id = confirm_second_factor.hospital_id
    and second_factor.account_id = confirm_second_factor.account_id
    and second_factor.sealed_secret = confirm_second_factor.sealed_secret and second_factor.confirmed_at is null;
  if not found then
    perform app_private.refuse('second_factor_exists');
  end if;
  delete from app_private.recovery_code
  where recovery_code.hospital_id = confirm_second_factor.hospital_id
    and recovery_code.account_id = confirm_second_factor.account_id;
  insert into app_private.recovery_code (hospital_id, account_id, code_hash)
  select confirm_second_factor.hospital_id, confirm_second_factor.account_id, code.hash
  from unnest(code_hashes) as code (hash);
  perform app_private.record_security_event(
    confirm_second_factor.hospital_id, 'second_factor_enabled', confirm_second_factor.account_id);
  perform app_private.tell_account(
    confirm_second_factor.hospital_id, confirm_second_factor.account_id, 'second_factor_enabled');
end
$$;

comment on function app_private.confirm_second_factor(uuid, uuid, text, bigint, bytea[]) is
  'Puts a second factor into force after a right code, with the hashes of its recovery codes.';

revoke execute on function app_private.confirm_second_factor(uuid, uuid, text, bigint, bytea[]) from public;
grant execute on function app_private.confirm_second_factor(uuid, uuid, text, bigint, bytea[]) to app_login;
