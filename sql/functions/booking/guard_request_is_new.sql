-- A patient who asks a doctor for the same time again is told so, before the constraint
-- a_patient_asks_a_doctor_once_for_a_time has to. Of somebody else's requests a patient sees none.
create or replace function app_private.guard_request_is_new(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, patient_id uuid)
returns void
language plpgsql stable
as $$
declare
  open_request uuid;
begin
  select appointment.id into open_request
  from app_public.appointment
  where appointment.hospital_id = guard_request_is_new.hospital_id
    and appointment.doctor_id = guard_request_is_new.doctor_id
    and appointment.starts_at = guard_request_is_new.starts_at
    and appointment.patient_id = guard_request_is_new.patient_id
    and appointment.status = 'requested';
  if open_request is not null then
    perform app_private.refuse('request_already_made', jsonb_build_object('appointment_id', open_request));
  end if;
end
$$;

comment on function app_private.guard_request_is_new(uuid, uuid, timestamptz, uuid) is
  'Refuses when the patient has an open request with this doctor for this time.';

revoke execute on function app_private.guard_request_is_new(uuid, uuid, timestamptz, uuid) from public;
grant execute on function app_private.guard_request_is_new(uuid, uuid, timestamptz, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
