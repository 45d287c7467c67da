create or replace function app_public.deactivate_account(account_id uuid)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.account;
begin
  update app_public.account
  set is_active = false
  where account.hospital_id = hospital and account.id = account_id
  returning * into changed;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  return changed;
end
$$;

comment on function app_public.deactivate_account(uuid) is
  'Switches an account off: it cannot log in, and its sessions end at once. Never one''s own, nor the last active admin. For admins.';

revoke execute on function app_public.deactivate_account(uuid) from public;
grant execute on function app_public.deactivate_account(uuid) to app_admin;
