-- An invitation's life: pending; then accepted (with the account that only accept_invitation can write),
-- revoked or expired; sent again, it is pending anew with a new link. Who invited, and until when, is
-- written here. Definer, because it looks at all accounts and doctors.
create or replace function app_private.admit_invitation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  if tg_op = 'INSERT' then
    perform app_private.guard_staff_role(new.hospital_id, new.role, new.doctor_id);
    if exists (
      select from app_public.account
      where account.hospital_id = new.hospital_id and account.email = new.email)
    then
      perform app_private.refuse('email_taken');
    end if;
    if exists (
      select from app_public.invitation
      where invitation.hospital_id = new.hospital_id and invitation.email = new.email
        and invitation.status = 'pending')
    then
      perform app_private.refuse('already_invited');
    end if;
    new.invited_by := app_private.claim_account_id();
    new.created_at := instant;
    new.sent_at := instant;
    new.expires_at := instant + interval '7 days';
    return new;
  end if;

  if old.status in ('accepted', 'revoked') then
    perform app_private.refuse('invitation_not_pending', jsonb_build_object('status', old.status));
  end if;
  if new.sent_at is distinct from old.sent_at then
    new.status := 'pending';
    new.sent_at := instant;
    new.expires_at := instant + interval '7 days';
  end if;
  new.decided_at := case when new.status <> 'pending' then instant end;
  return new;
end
$$;

comment on function app_private.admit_invitation() is
  'Trigger: judges a new invitation and changes of one, and writes who invited and until when.';

revoke execute on function app_private.admit_invitation() from public;

create or replace trigger invitation_is_admitted
  before insert or update of status, sent_at on app_public.invitation
  for each row execute function app_private.admit_invitation();
