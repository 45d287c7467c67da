create or replace function app_public.revoke_emergency_access(emergency_access_id uuid)
returns app_public.emergency_access
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.emergency_access;
begin
  -- 'infinity' only says: now. The trigger writes the instant.
  update app_public.emergency_access
  set revoked_at = 'infinity'
  where emergency_access.hospital_id = hospital and emergency_access.id = emergency_access_id
  returning * into changed;
  if not found then
    perform app_private.refuse(
      'emergency_access_not_found', jsonb_build_object('emergency_access_id', emergency_access_id));
  end if;
  return changed;
end
$$;

comment on function app_public.revoke_emergency_access(uuid) is
  'Ends an emergency access that is in force. For admins.';

revoke execute on function app_public.revoke_emergency_access(uuid) from public;
grant execute on function app_public.revoke_emergency_access(uuid) to app_admin;
