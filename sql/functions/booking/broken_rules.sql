-- The broken rules of a wish as a refusal lists them: the first one speaks for all. Without a slot it is
-- a request that is judged, and a time at which the doctor has no slot at all is said last.
create or replace function app_private.broken_rules(
  hospital_id uuid, slot_id uuid, patient_id uuid, service_id uuid, doctor_id uuid, starts_at timestamptz)
returns jsonb
language plpgsql stable
as $$
declare
  violations jsonb;
begin
  select jsonb_agg(jsonb_build_object('rule', verdict.rule, 'scenario', verdict.scenario, 'details', verdict.details))
  into violations
  from app_private.judge_booking(
    hospital_id, slot_id, patient_id, service_id,
    case when slot_id is null then app_private.request_time(hospital_id, doctor_id, starts_at, service_id) end,
    only_broken => true,
    doctor_id => case when slot_id is null then broken_rules.doctor_id end) as verdict;
  return coalesce(violations, '[]');
end
$$;

comment on function app_private.broken_rules(uuid, uuid, uuid, uuid, uuid, timestamptz) is
  'The booking rules that stand in the way of a slot, or of a request for a doctor and a time, in their order: rule, scenario and details of each.';

revoke execute on function app_private.broken_rules(uuid, uuid, uuid, uuid, uuid, timestamptz) from public;
grant execute on function app_private.broken_rules(uuid, uuid, uuid, uuid, uuid, timestamptz)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
