-- The link to a new password goes to the account's own address, and to nobody else: not to who asked, nor into
-- an answer. Who asks is answered before this runs, so it may take the time it takes. A new link voids the
-- last one. Definer, because no role may write tokens or mails.
create or replace function app_private.request_password_reset(hospital_slug text, email text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid;
  present app_public.account;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  select * into present
  from app_public.account
  where account.hospital_id = hospital and account.email = request_password_reset.email and account.is_active
  for share;
  if not found then
    return;
  end if;
  perform app_private.send_mail(hospital, present.email, 'a new password',
    E'Choose a new password here, within 30 minutes:\n\n{public_url}/password/' ||
    app_private.issue_login_token(hospital, 'password_reset', interval '30 minutes', account_id => present.id) ||
    E'\n\nIf you did not ask for this, leave it alone; your password stays as it is.\n',
    interval '30 minutes');
  perform app_private.record_security_event(hospital, 'reset_requested', present.id);
end
$$;

comment on function app_private.request_password_reset(text, text) is
  'Mails a link to a new password to the account of this address, where there is one.';

revoke execute on function app_private.request_password_reset(text, text) from public;
grant execute on function app_private.request_password_reset(text, text) to app_login;
