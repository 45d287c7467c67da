-- One plain update; triggers judge it and end the account's sessions.
create or replace function app_public.change_account_role(
  account_id uuid, role app_public.account_role, doctor_id uuid default null)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.account;
begin
  update app_public.account
  set role = change_account_role.role, doctor_id = change_account_role.doctor_id
  where account.hospital_id = hospital and account.id = account_id
  returning * into changed;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  return changed;
end
$$;

comment on function app_public.change_account_role(uuid, app_public.account_role, uuid) is
  'Changes what a member of the staff may do; its sessions end at once. Never one''s own role, nor that of the last active admin. For admins.';

revoke execute on function app_public.change_account_role(uuid, app_public.account_role, uuid) from public;
grant execute on function app_public.change_account_role(uuid, app_public.account_role, uuid) to app_admin;
