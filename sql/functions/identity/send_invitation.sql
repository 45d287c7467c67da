-- A new or repeated invitation gets a new link, a revoked one loses its own. Link and mail are made here, in
-- one go: the admin who invites never sees the link. Definer, because no role may write tokens or mails.
create or replace function app_private.send_invitation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  token text;
begin
  if new.status <> 'pending' then
    delete from app_private.login_token
    where login_token.hospital_id = new.hospital_id and login_token.invitation_id = new.id;
    if new.status = 'revoked' then
      perform app_private.record_security_event(
        new.hospital_id, 'invitation_revoked', null, jsonb_build_object('invitation_id', new.id));
    end if;
    return null;
  end if;

  token := app_private.issue_login_token(
    new.hospital_id, 'invitation', interval '7 days', invitation_id => new.id);
  perform app_private.send_mail(new.hospital_id, new.email, 'your account',
    E'You are invited to an account. Choose a password here, within seven days:\n\n{public_url}/invitation/' ||
    token || E'\n\nIf you do not expect this, leave it alone; nothing happens then.\n',
    interval '7 days');
  perform app_private.record_security_event(
    new.hospital_id, 'invitation_sent', null, jsonb_build_object('invitation_id', new.id, 'role', new.role));
  return null;
end
$$;

comment on function app_private.send_invitation() is
  'Trigger: mails the link of a new or repeated invitation, and voids that of one that has ended.';

revoke execute on function app_private.send_invitation() from public;

create or replace trigger new_invitation_is_sent
  after insert on app_public.invitation
  for each row execute function app_private.send_invitation();

create or replace trigger changed_invitation_is_sent_or_voided
  after update of status, sent_at on app_public.invitation
  for each row when ((old.status, old.sent_at) is distinct from (new.status, new.sent_at))
  execute function app_private.send_invitation();
