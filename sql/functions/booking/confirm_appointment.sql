-- The state machine decides; see change_appointment_status.
create or replace function app_public.confirm_appointment(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'confirmed');
end
$$;

comment on function app_public.confirm_appointment(uuid) is
  'Confirms that the patient will come.';

revoke execute on function app_public.confirm_appointment(uuid) from public;
grant execute on function app_public.confirm_appointment(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
