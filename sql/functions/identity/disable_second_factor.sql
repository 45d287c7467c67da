-- Who gave the password and a code may do without from now on, unless the hospital requires it of them.
-- Definer, because no role may write secrets.
create or replace function app_private.disable_second_factor(
  hospital_id uuid, account_id uuid, step bigint, code_hash bytea)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = disable_second_factor.hospital_id and account.id = disable_second_factor.account_id
  for no key update;
  if not app_private.use_second_factor(hospital_id, present.id, step, code_hash) then
    perform app_private.refuse('second_factor_wrong');
  end if;
  delete from app_private.second_factor
  where second_factor.hospital_id = disable_second_factor.hospital_id and second_factor.account_id = present.id;
  if app_private.second_factor_needed(present.hospital_id, present.id, present.role) is not null then
    perform app_private.refuse('second_factor_is_required');
  end if;
  perform app_private.record_security_event(present.hospital_id, 'second_factor_disabled', present.id);
  perform app_private.tell_account(present.hospital_id, present.id, 'second_factor_disabled');
end
$$;

comment on function app_private.disable_second_factor(uuid, uuid, bigint, bytea) is
  'Takes an account''s second factor away after a right code, where it is not required.';

revoke execute on function app_private.disable_second_factor(uuid, uuid, bigint, bytea) from public;
grant execute on function app_private.disable_second_factor(uuid, uuid, bigint, bytea) to app_login;
