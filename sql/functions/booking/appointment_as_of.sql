-- Not for patients: appointment_history tells them what happened to their own.
create or replace function app_public.appointment_as_of(appointment_id uuid, instant timestamptz)
returns app_public.past_appointment
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.read_past_appointment(hospital, appointment_id, instant);
end
$$;

comment on function app_public.appointment_as_of(uuid, timestamptz) is
  'An appointment as it was at an instant: state, time, doctor, and who had made it so; also of an archived one. Null before it was made; at an instant ahead it is as it is now. For staff.';

revoke execute on function app_public.appointment_as_of(uuid, timestamptz) from public;
grant execute on function app_public.appointment_as_of(uuid, timestamptz)
  to app_doctor, app_nurse, app_receptionist, app_admin;
