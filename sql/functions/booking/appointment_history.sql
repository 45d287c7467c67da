-- Asked twice, because the log is read with raised rights: row-level security says here whether the
-- caller may see the appointment or its archived row, and read_appointment_history asks the log itself.
create or replace function app_public.appointment_history(appointment_id uuid)
returns setof app_public.appointment_event
language plpgsql stable rows 10
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if not exists (
      select from app_public.appointment
      where appointment.hospital_id = hospital and appointment.id = appointment_history.appointment_id)
    and not exists (
      select from app_public.appointment_archive
      where appointment_archive.hospital_id = hospital and appointment_archive.id = appointment_history.appointment_id)
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;
  return query
  select event.*
  from app_private.read_appointment_history(hospital, appointment_history.appointment_id) as event;
end
$$;

comment on function app_public.appointment_history(uuid) is
  'Everything that happened to an appointment, oldest first, also of an archived one: states, times, doctors, reasons and who acted. Patients read that of their own and see only the role of who acted.';

revoke execute on function app_public.appointment_history(uuid) from public;
grant execute on function app_public.appointment_history(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
