-- What accepting, proposing and declining share: one plain update under the caller's own rights, of a
-- request that is still open when its row is ours. Two who answer at once come in turn at the row, and
-- the second finds it answered. Whom it is not for is told so before its state is.
create or replace function app_private.answer_request(
  appointment_id uuid, to_status app_public.appointment_status,
  slot_id uuid default null, cancellation_reason text default null)
returns app_public.appointment
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  answered app_public.appointment;
begin
  update app_public.appointment
  set status = to_status,
    slot_id = answer_request.slot_id,
    cancellation_reason = answer_request.cancellation_reason
  where appointment.hospital_id = hospital
    and appointment.id = appointment_id
    and appointment.status = 'requested'
  returning * into answered;
  if found then
    return answered;
  end if;

  select * into answered
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = appointment_id;
  if answered.id is null
    or app_private.actor_role() = 'doctor' and answered.doctor_id is distinct from app_private.claim_doctor_id()
  then
    perform app_private.refuse_unreachable_appointment(hospital, appointment_id);
  end if;
  perform app_private.refuse('illegal_transition', jsonb_build_object('from', answered.status, 'to', to_status));
  return null;
end
$$;

comment on function app_private.answer_request(uuid, app_public.appointment_status, uuid, text) is
  'Answers an open request, or refuses.';

revoke execute on function app_private.answer_request(uuid, app_public.appointment_status, uuid, text) from public;
grant execute on function app_private.answer_request(uuid, app_public.appointment_status, uuid, text)
  to app_doctor, app_receptionist, app_admin;
