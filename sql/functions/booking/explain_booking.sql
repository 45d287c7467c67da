-- The same judge that booking asks, with every verdict, for whoever may book there. A slot that is not
-- there is nobody's: the verdicts say so themselves.
create or replace function app_public.explain_booking(slot_id uuid, patient_id uuid, service_id uuid default null)
returns setof app_public.booking_verdict
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  doctor uuid;
begin
  select slot.doctor_id into doctor
  from app_public.slot
  where slot.hospital_id = hospital and slot.id = explain_booking.slot_id;
  perform app_private.guard_question(patient_id, coalesce(doctor, app_private.claim_doctor_id()));
  return query
  select verdict.*
  from app_private.judge_booking(hospital, slot_id, patient_id, service_id) as verdict;
end
$$;

comment on function app_public.explain_booking(uuid, uuid, uuid) is
  'Verdicts of all booking rules on booking this slot for this patient, in the order in which they are judged; nothing is changed. Patients ask about themselves, doctors about their own slots.';

revoke execute on function app_public.explain_booking(uuid, uuid, uuid) from public;
grant execute on function app_public.explain_booking(uuid, uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
