-- The hospital in which a request works. Without one there is no request: nobody is logged in.
create or replace function app_private.request_hospital_id() returns uuid
language plpgsql stable
as $$
begin
  if app_private.claim_hospital_id() is null then
    perform app_private.refuse('not_logged_in');
  end if;
  return app_private.claim_hospital_id();
end
$$;

comment on function app_private.request_hospital_id() is 'Hospital of the request; refuses when nobody is logged in.';

revoke execute on function app_private.request_hospital_id() from public;
grant execute on function app_private.request_hospital_id()
  to app_worker, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
