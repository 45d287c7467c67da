-- The same judge that booking asks, with every verdict. A patient may ask only about themselves: of
-- others not even the verdicts are theirs to know.
create or replace function app_public.explain_booking(slot_id uuid, patient_id uuid, service_id uuid default null)
returns setof app_public.booking_verdict
language plpgsql stable rows 20
as $$
begin
  if app_private.actor_role() = 'patient' and patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  return query
  select verdict.*
  from app_private.judge_booking(app_private.request_hospital_id(), slot_id, patient_id, service_id) as verdict;
end
$$;

comment on function app_public.explain_booking(uuid, uuid, uuid) is
  'Verdicts of all booking rules on booking this slot for this patient, in the order in which they are judged; nothing is changed.';

revoke execute on function app_public.explain_booking(uuid, uuid, uuid) from public;
grant execute on function app_public.explain_booking(uuid, uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
