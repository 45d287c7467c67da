-- Raises the first broken rule and lists all of them, so that a client can show everything that
-- stands in the way at once. Where none is broken any more, a seat was taken between two looks.
create or replace function app_private.refuse_booking(
  hospital_id uuid, slot_id uuid, patient_id uuid, service_id uuid,
  wanted tstzrange, except_appointment_id uuid, doctor_id uuid default null)
returns void
language plpgsql
as $$
declare
  violations jsonb;
begin
  select jsonb_agg(jsonb_build_object('rule', verdict.rule, 'scenario', verdict.scenario, 'details', verdict.details))
  into violations
  from app_private.judge_booking(
    hospital_id, slot_id, patient_id, service_id, wanted, except_appointment_id,
    only_broken => true, doctor_id => refuse_booking.doctor_id) as verdict;

  perform app_private.refuse(
    coalesce(violations -> 0 ->> 'scenario', 'slot_booked'),
    coalesce(violations -> 0 -> 'details', '{}')
      || jsonb_build_object('violations', coalesce(violations, '[]')));
end
$$;

comment on function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, uuid) is
  'Raises the first broken booking rule with all of them in details.violations; never returns.';

revoke execute on function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, uuid) from public;
