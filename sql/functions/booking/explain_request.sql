-- The judge of requests: what refuses one outright. Where a slot begins at this time its rules are added,
-- which say whether the request would be booked at once or left for an answer.
create or replace function app_public.explain_request(
  doctor_id uuid, starts_at timestamptz, patient_id uuid, service_id uuid default null)
returns setof app_public.booking_verdict
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  slot_there uuid;
begin
  perform app_private.guard_question(patient_id, doctor_id);
  perform app_private.guard_instant('starts_at', starts_at);
  select slot.id into slot_there
  from app_public.slot
  where slot.hospital_id = hospital
    and slot.doctor_id = explain_request.doctor_id
    and slot.starts_at = explain_request.starts_at
    and slot.withdrawn_at is null;

  return query
  select request.rule, request.scenario,
    case when request.rule between 1 and 10 then request.is_satisfied else coalesce(booking.is_satisfied, request.is_satisfied) end,
    case when request.rule between 1 and 10 then request.details else coalesce(booking.details, request.details) end
  from app_private.judge_booking(
    hospital, null, patient_id, service_id,
    app_private.request_time(hospital, doctor_id, starts_at, service_id),
    doctor_id => coalesce(explain_request.doctor_id, app_private.new_id())) with ordinality as request (rule, scenario, is_satisfied, details, place)
  left join app_private.judge_booking(hospital, slot_there, patient_id, service_id) as booking
    on slot_there is not null and booking.scenario = request.scenario
  where request.rule > 0
  order by request.place;
end
$$;

comment on function app_public.explain_request(uuid, timestamptz, uuid, uuid) is
  'Verdicts of the booking rules on asking this doctor for this time. A broken rule from 1 to 10 refuses the request outright; a broken one after that only means that somebody has to answer it. The rules after 10 are null where no slot begins at this time.';

revoke execute on function app_public.explain_request(uuid, timestamptz, uuid, uuid) from public;
grant execute on function app_public.explain_request(uuid, timestamptz, uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
