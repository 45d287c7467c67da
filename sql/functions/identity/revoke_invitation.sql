create or replace function app_public.revoke_invitation(invitation_id uuid)
returns app_public.invitation
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.invitation;
begin
  update app_public.invitation
  set status = 'revoked'
  where invitation.hospital_id = hospital and invitation.id = invitation_id
  returning * into changed;
  if not found then
    perform app_private.refuse('invitation_not_found', jsonb_build_object('invitation_id', invitation_id));
  end if;
  return changed;
end
$$;

comment on function app_public.revoke_invitation(uuid) is
  'Takes back an invitation that was not accepted; its link is void at once. For admins.';

revoke execute on function app_public.revoke_invitation(uuid) from public;
grant execute on function app_public.revoke_invitation(uuid) to app_admin;
