-- By doctor and time instead of by slot. Locks in the usual order: the calendar (only where the day has
-- to be made real first), the key, then whatever the insert takes. The fingerprint holds the instant
-- itself, not its text, which follows the session's time zone.
create or replace function app_public.request_appointment(
  doctor_id uuid,
  starts_at timestamptz,
  patient_id uuid,
  idempotency_key uuid,
  service_id uuid default null,
  reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  fingerprint text := app_private.request_fingerprint(
    'request', doctor_id::text, extract(epoch from starts_at)::text, patient_id::text, service_id::text, reason);
  placed app_public.appointment;
begin
  perform app_private.guard_instant('starts_at', starts_at);
  perform app_private.materialise_day(hospital, doctor_id, app_private.local_day(hospital, starts_at));
  placed := app_private.replayed_appointment(idempotency_key, fingerprint);
  if placed.id is not null then
    return placed;
  end if;

  perform app_private.guard_request_is_new(hospital, doctor_id, starts_at, patient_id);
  placed := app_private.take_slot_at(
    hospital, doctor_id, starts_at, patient_id, service_id, reason, idempotency_key, fingerprint);
  if placed.id is null then
    placed := app_private.leave_request(
      hospital, doctor_id, starts_at, patient_id, service_id, reason, idempotency_key, fingerprint);
  end if;
  return placed;
end
$$;

comment on function app_public.request_appointment(uuid, timestamptz, uuid, uuid, uuid, text) is
  'Asks for an appointment by doctor and time. If a free slot begins then, it is booked (status scheduled); otherwise a request is left for the doctor or reception to answer (status requested, without a seat). Rules 1 to 10 refuse it outright, because no answer could mend them. Takes an idempotencyKey like bookAppointment.';

revoke execute on function app_public.request_appointment(uuid, timestamptz, uuid, uuid, uuid, text) from public;
grant execute on function app_public.request_appointment(uuid, timestamptz, uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
