create or replace function app_public.reset_second_factor(account_id uuid)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = hospital and account.id = account_id;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  perform app_private.remove_second_factor(hospital, account_id);
  return present;
end
$$;

comment on function app_public.reset_second_factor(uuid) is
  'Takes away the second factor of somebody who lost it; their sessions end, and they are told. Never one''s own. For admins.';

revoke execute on function app_public.reset_second_factor(uuid) from public;
grant execute on function app_public.reset_second_factor(uuid) to app_admin;
