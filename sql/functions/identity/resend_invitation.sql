create or replace function app_public.resend_invitation(invitation_id uuid)
returns app_public.invitation
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.invitation;
begin
  -- 'infinity' only says: now. The trigger writes the instant.
  update app_public.invitation
  set sent_at = 'infinity'
  where invitation.hospital_id = hospital and invitation.id = invitation_id
  returning * into changed;
  if not found then
    perform app_private.refuse('invitation_not_found', jsonb_build_object('invitation_id', invitation_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resend_invitation(uuid) is
  'Mails a new link, good for seven days, to who was invited and has not accepted; earlier links are void. For admins.';

revoke execute on function app_public.resend_invitation(uuid) from public;
grant execute on function app_public.resend_invitation(uuid) to app_admin;
