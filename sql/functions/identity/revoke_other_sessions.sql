create or replace function app_public.revoke_other_sessions()
returns integer
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.end_own_sessions(hospital);
end
$$;

comment on function app_public.revoke_other_sessions() is
  'Ends all of one''s own sessions but the present one, and says how many that were.';

revoke execute on function app_public.revoke_other_sessions() from public;
grant execute on function app_public.revoke_other_sessions()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
