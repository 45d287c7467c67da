-- The state machine decides; see change_appointment_status.
-- Granted to all staff: the state machine lets only the doctor through, and tells the others so.
create or replace function app_public.complete_appointment(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'completed');
end
$$;

comment on function app_public.complete_appointment(uuid) is
  'Marks a visit as completed, by its doctor.';

revoke execute on function app_public.complete_appointment(uuid) from public;
grant execute on function app_public.complete_appointment(uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
