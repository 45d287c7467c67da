create or replace function app_public.revoke_session(session_id uuid)
returns boolean
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if session_id is null or app_private.end_own_sessions(hospital, session_id) = 0 then
    perform app_private.refuse('session_not_found', jsonb_build_object('session_id', session_id));
  end if;
  return true;
end
$$;

comment on function app_public.revoke_session(uuid) is
  'Ends one of one''s own sessions; access tokens of it are refused at once.';

revoke execute on function app_public.revoke_session(uuid) from public;
grant execute on function app_public.revoke_session(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
