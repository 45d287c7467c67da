-- What booking and holding share: the request's key first, then one plain insert under the caller's
-- own rights. Everything else happens in the triggers of the table.
create or replace function app_private.place_appointment(
  status app_public.appointment_status, slot_id uuid, patient_id uuid, idempotency_key uuid,
  service_id uuid, reason text)
returns app_public.appointment
language plpgsql
as $$
declare
  fingerprint text := app_private.request_fingerprint(
    status::text, slot_id::text, patient_id::text, service_id::text, reason);
  placed app_public.appointment := app_private.replayed_appointment(idempotency_key, fingerprint);
begin
  if placed.id is null then
    insert into app_public.appointment (
      hospital_id, slot_id, patient_id, service_id, reason, status, idempotency_key, request_fingerprint)
    values (
      app_private.request_hospital_id(), slot_id, patient_id, service_id, reason, status, idempotency_key, fingerprint)
    returning * into placed;
  end if;
  return placed;
end
$$;

comment on function app_private.place_appointment(app_public.appointment_status, uuid, uuid, uuid, uuid, text) is
  'Inserts an appointment in its first state, once for every idempotency key.';

revoke execute on function app_private.place_appointment(app_public.appointment_status, uuid, uuid, uuid, uuid, text) from public;
grant execute on function app_private.place_appointment(app_public.appointment_status, uuid, uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
