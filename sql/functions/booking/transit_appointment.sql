-- What all transitions share: one plain update under the caller's own rights. A row that the caller
-- may see but not change is forbidden; one that the caller may not see does not exist for them.
create or replace function app_private.transit_appointment(
  appointment_id uuid, to_status app_public.appointment_status, cancellation_reason text default null)
returns app_public.appointment
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.appointment;
begin
  update app_public.appointment
  set status = to_status, cancellation_reason = transit_appointment.cancellation_reason
  where appointment.hospital_id = hospital and appointment.id = appointment_id
  returning * into changed;
  if not found then
    perform app_private.refuse_unreachable_appointment(hospital, appointment_id);
  end if;
  return changed;
end
$$;

comment on function app_private.transit_appointment(uuid, app_public.appointment_status, text) is
  'Changes the state of an appointment, or refuses.';

revoke execute on function app_private.transit_appointment(uuid, app_public.appointment_status, text) from public;
grant execute on function app_private.transit_appointment(uuid, app_public.appointment_status, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
