-- The rules, the seat and the log are the table's own work; see admit_appointment.
create or replace function app_public.book_appointment(
  slot_id uuid,
  patient_id uuid,
  idempotency_key uuid,
  service_id uuid default null,
  reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.place_appointment('scheduled', slot_id, patient_id, idempotency_key, service_id, reason);
end
$$;

comment on function app_public.book_appointment(uuid, uuid, uuid, uuid, text) is
  'Books a seat of a named slot for a patient. All booking rules are judged; the first broken one is raised and all are listed in details.violations. Give a new random UUID as idempotencyKey for every new wish and the same one when you repeat a request whose answer you did not get: it returns the same appointment.';

revoke execute on function app_public.book_appointment(uuid, uuid, uuid, uuid, text) from public;
grant execute on function app_public.book_appointment(uuid, uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
