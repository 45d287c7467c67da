-- One plain insert; triggers judge it and send the mail.
create or replace function app_public.invite_account(
  email text, display_name text, role app_public.account_role, doctor_id uuid default null)
returns app_public.invitation
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  invited app_public.invitation;
begin
  insert into app_public.invitation (hospital_id, email, display_name, role, doctor_id)
  values (hospital, lower(btrim(email)), btrim(display_name), role, doctor_id)
  returning * into invited;
  return invited;
end
$$;

comment on function app_public.invite_account(text, text, app_public.account_role, uuid) is
  'Invites a member of the staff to an account, by a mail with a link that is good for seven days. For admins.';

revoke execute on function app_public.invite_account(text, text, app_public.account_role, uuid) from public;
grant execute on function app_public.invite_account(text, text, app_public.account_role, uuid) to app_admin;
