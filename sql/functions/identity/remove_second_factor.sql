-- For somebody who lost it: an admin takes the second factor of another account away. Its sessions end, and it
-- is told. The admin is read from the claims and asked of the database again. Definer, because no role may
-- write secrets.
create or replace function app_private.remove_second_factor(hospital_id uuid, account_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  actor_id uuid := app_private.claim_account_id();
begin
  if hospital_id is distinct from hospital then
    perform app_private.refuse('forbidden');
  end if;
  if actor_id = account_id then
    perform app_private.refuse('own_account');
  end if;
  if not exists (
    select from app_public.account
    where account.hospital_id = hospital and account.id = actor_id and account.role = 'admin' and account.is_active)
  then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.account
  where account.hospital_id = hospital and account.id = remove_second_factor.account_id
  for no key update;
  delete from app_private.second_factor
  where second_factor.hospital_id = hospital and second_factor.account_id = remove_second_factor.account_id;
  if not found then
    perform app_private.refuse('second_factor_not_found');
  end if;
  delete from app_private.login_token
  where login_token.hospital_id = hospital and login_token.account_id = remove_second_factor.account_id;
  perform app_private.end_sessions(hospital, remove_second_factor.account_id, 'second_factor_reset');
  perform app_private.record_security_event(hospital, 'second_factor_reset', remove_second_factor.account_id);
  perform app_private.tell_account(hospital, remove_second_factor.account_id, 'second_factor_reset');
end
$$;

comment on function app_private.remove_second_factor(uuid, uuid) is
  'Takes away the second factor of another account of the request''s hospital, and ends its sessions.';

revoke execute on function app_private.remove_second_factor(uuid, uuid) from public;
grant execute on function app_private.remove_second_factor(uuid, uuid) to app_admin;
