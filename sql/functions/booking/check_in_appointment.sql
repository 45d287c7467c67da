-- The state machine decides; see change_appointment_status.
-- No grant to app_patient: patients do not check themselves in.
create or replace function app_public.check_in_appointment(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'checked_in');
end
$$;

comment on function app_public.check_in_appointment(uuid) is
  'Marks that the patient has arrived.';

revoke execute on function app_public.check_in_appointment(uuid) from public;
grant execute on function app_public.check_in_appointment(uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
