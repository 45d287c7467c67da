-- A requested time is a booking where a slot begins then and the rules let it be taken: the same insert
-- as book_appointment's. A seat that somebody else got a moment before is no error but the answer "no
-- seat", under a savepoint, so that the request can still be left. Other refusals are not answered here.
create or replace function app_private.take_slot_at(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, patient_id uuid, service_id uuid, reason text,
  idempotency_key uuid, fingerprint text)
returns app_public.appointment
language plpgsql
as $$
declare
  slot_there uuid;
  placed app_public.appointment;
  refusal text;
begin
  select slot.id into slot_there
  from app_public.slot
  where slot.hospital_id = take_slot_at.hospital_id
    and slot.doctor_id = take_slot_at.doctor_id
    and slot.starts_at = take_slot_at.starts_at
    and slot.withdrawn_at is null;
  if slot_there is null then
    return null;
  end if;

  begin
    insert into app_public.appointment (
      hospital_id, slot_id, patient_id, service_id, reason, status, idempotency_key, request_fingerprint)
    values (
      take_slot_at.hospital_id, slot_there, take_slot_at.patient_id, take_slot_at.service_id, take_slot_at.reason,
      'scheduled', take_slot_at.idempotency_key, take_slot_at.fingerprint)
    returning * into placed;
  exception when sqlstate 'SK404' or sqlstate 'SK409' or sqlstate 'SK422' then
    get stacked diagnostics refusal = pg_exception_detail;
    if app_private.rule_violations(refusal) is null then
      raise;
    end if;
    return null;
  end;
  return placed;
end
$$;

comment on function app_private.take_slot_at(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) is
  'Books the slot of a doctor that begins at a time, if the rules allow it; null when there is none to be had.';

revoke execute on function app_private.take_slot_at(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) from public;
grant execute on function app_private.take_slot_at(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
