-- A request without a seat, for somebody to answer; what no answer could mend refuses it at once
-- (admit_request). Two that are made at the same moment come in turn at the patient.
create or replace function app_private.leave_request(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, patient_id uuid, service_id uuid, reason text,
  idempotency_key uuid, fingerprint text)
returns app_public.appointment
language plpgsql
as $$
declare
  placed app_public.appointment;
begin
  insert into app_public.appointment (
    hospital_id, doctor_id, during, patient_id, service_id, reason, status, idempotency_key, request_fingerprint)
  values (
    leave_request.hospital_id, leave_request.doctor_id,
    app_private.request_time(
      leave_request.hospital_id, leave_request.doctor_id, leave_request.starts_at, leave_request.service_id),
    leave_request.patient_id, leave_request.service_id, leave_request.reason,
    'requested', leave_request.idempotency_key, leave_request.fingerprint)
  on conflict on constraint a_patient_asks_a_doctor_once_for_a_time do nothing
  returning * into placed;
  if placed.id is null then
    perform app_private.guard_request_is_new(hospital_id, doctor_id, starts_at, patient_id);
    perform app_private.refuse('request_already_made');
  end if;
  return placed;
end
$$;

comment on function app_private.leave_request(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) is
  'Leaves a request for a doctor and a time; refuses a second one for the same.';

revoke execute on function app_private.leave_request(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) from public;
grant execute on function app_private.leave_request(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
