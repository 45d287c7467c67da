-- Row-level security says here whether the caller may see the appointment; the checks run with raised
-- rights in find_faults, which asks itself again. An archived visit is over: there is nothing to verify.
create or replace function app_public.verify_appointment(appointment_id uuid)
returns app_public.verification
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  began timestamptz := clock_timestamp();
  verified app_public.verification;
begin
  if not exists (
    select from app_public.appointment
    where appointment.hospital_id = hospital and appointment.id = verify_appointment.appointment_id)
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;
  verified.details := app_private.find_faults(hospital, appointment_id);
  verified.is_valid := verified.details = '[]';
  verified.reason := verified.details -> 0 ->> 'check';
  verified.duration_ms := extract(epoch from clock_timestamp() - began) * 1000;
  return verified;
end
$$;

comment on function app_public.verify_appointment(uuid) is
  'Verifies an appointment now: it is linked to its slot, the times fit, the counters agree. Patients ask about their own.';

revoke execute on function app_public.verify_appointment(uuid) from public;
grant execute on function app_public.verify_appointment(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
