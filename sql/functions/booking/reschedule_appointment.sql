-- The appointment stays the same and moves: old seat freed and new one taken in one transaction by
-- move_appointment. The move is remembered, with its key.
create or replace function app_public.reschedule_appointment(
  appointment_id uuid,
  new_slot_id uuid,
  idempotency_key uuid,
  reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  fingerprint text := app_private.request_fingerprint('reschedule', appointment_id::text, new_slot_id::text, reason);
  moved app_public.appointment := app_private.replayed_appointment(idempotency_key, fingerprint);
begin
  if moved.id is not null then
    return moved;
  end if;

  update app_public.appointment
  set slot_id = new_slot_id
  where appointment.hospital_id = hospital and appointment.id = appointment_id
  returning * into moved;
  if not found then
    perform app_private.refuse_unreachable_appointment(hospital, appointment_id);
  end if;

  insert into app_public.appointment_move (
    hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, reason,
    moved_by, moved_at, idempotency_key, request_fingerprint)
  values (
    hospital, moved.id, moved.patient_id, moved.doctor_id, moved.rescheduled_from, moved.slot_id, reason,
    app_private.claim_account_id(), moved.updated_at, idempotency_key, fingerprint);
  return moved;
end
$$;

comment on function app_public.reschedule_appointment(uuid, uuid, uuid, text) is
  'Moves an appointment to another slot: the same appointment, the old seat freed and the new one taken together. All booking rules are judged on the new slot. Takes an idempotencyKey like bookAppointment.';

revoke execute on function app_public.reschedule_appointment(uuid, uuid, uuid, text) from public;
grant execute on function app_public.reschedule_appointment(uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
