create or replace function app_public.reactivate_account(account_id uuid)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.account;
begin
  update app_public.account
  set is_active = true
  where account.hospital_id = hospital and account.id = account_id
  returning * into changed;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  return changed;
end
$$;

comment on function app_public.reactivate_account(uuid) is
  'Lets a deactivated account log in again, with its old password. For admins.';

revoke execute on function app_public.reactivate_account(uuid) from public;
grant execute on function app_public.reactivate_account(uuid) to app_admin;
