-- The invited person chooses a password and has an account: all of it, or nothing. The invitation is locked
-- first, so of two who accept at once one waits and finds it accepted. Definer, because nobody who is not
-- logged in may write accounts.
create or replace function app_private.accept_invitation(hospital_id uuid, token_hash bytea, password_hash text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  invited uuid;
  present app_public.invitation;
  created uuid;
begin
  select login_token.invitation_id into invited
  from app_private.login_token
  where login_token.hospital_id = accept_invitation.hospital_id
    and login_token.token_hash = accept_invitation.token_hash and login_token.purpose = 'invitation';
  select * into present
  from app_public.invitation
  where invitation.hospital_id = accept_invitation.hospital_id and invitation.id = invited
  for update;
  -- Asked again under the lock: the link may have been voided while this waited.
  if present.status is distinct from 'pending' or present.expires_at <= instant or not exists (
    select from app_private.login_token
    where login_token.hospital_id = accept_invitation.hospital_id
      and login_token.token_hash = accept_invitation.token_hash
      and login_token.used_at is null and login_token.expires_at > instant)
  then
    perform app_private.refuse('link_not_valid');
  end if;

  perform app_private.guard_staff_role(present.hospital_id, present.role, present.doctor_id);
  insert into app_public.account (hospital_id, email, display_name, role, doctor_id)
  values (present.hospital_id, present.email, present.display_name, present.role, present.doctor_id)
  on conflict on constraint an_email_is_one_account_in_its_hospital do nothing
  returning account.id into created;
  if created is null then
    perform app_private.refuse('email_taken');
  end if;
  insert into app_private.account_secret (hospital_id, account_id, password_hash)
  values (present.hospital_id, created, accept_invitation.password_hash);
  update app_public.invitation
  set status = 'accepted', account_id = created
  where invitation.hospital_id = accept_invitation.hospital_id and invitation.id = present.id;
  perform app_private.record_security_event(
    present.hospital_id, 'invitation_accepted', created, jsonb_build_object('invitation_id', present.id));
  return created;
end
$$;

comment on function app_private.accept_invitation(uuid, bytea, text) is
  'Makes the account of an invitation by its link, once, and returns it.';

revoke execute on function app_private.accept_invitation(uuid, bytea, text) from public;
grant execute on function app_private.accept_invitation(uuid, bytea, text) to app_login;
