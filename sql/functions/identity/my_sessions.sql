create or replace function app_public.my_sessions()
returns setof app_public.login_session
language plpgsql stable
as $$
begin
  perform app_private.request_hospital_id();
  return query select * from app_private.own_sessions();
end
$$;

comment on function app_public.my_sessions() is 'One''s own logins that are still good, last used first.';

revoke execute on function app_public.my_sessions() from public;
grant execute on function app_public.my_sessions()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
