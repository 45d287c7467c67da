-- What book_series would find, without a lock or a write: a day that is not made real yet is judged by
-- the slots that it would have (slots_of_days).
create or replace function app_public.explain_series(
  doctor_id uuid,
  first_starts_at timestamptz,
  every_days integer,
  occurrence_count integer,
  patient_id uuid,
  service_id uuid default null)
returns setof app_public.occurrence_verdict
language plpgsql stable rows 10
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_question(patient_id, doctor_id);
  perform app_private.guard_series(first_starts_at, every_days, occurrence_count);

  return query
  with wanted as materialized (
    select starts.number, starts.starts_at, starts.day, starts.slot_id
    from app_private.series_starts(hospital, explain_series.doctor_id, first_starts_at, every_days, occurrence_count) as starts
  ), planned as materialized (
    select slots_of_days.starts_at
    from app_private.slots_of_days(
      hospital, array[explain_series.doctor_id],
      (select array_agg(wanted.day) from wanted where wanted.slot_id is null)) as slots_of_days
    where slots_of_days.slot_id is null
  ), judged as (
    select wanted.number, wanted.starts_at, wanted.slot_id,
      app_private.broken_rules(
        hospital, wanted.slot_id, explain_series.patient_id, explain_series.service_id,
        explain_series.doctor_id, wanted.starts_at) as violations,
      wanted.slot_id is not null or exists (
        select from planned where planned.starts_at = wanted.starts_at) as has_slot
    from wanted
  )
  select judged.number, judged.starts_at, judged.slot_id,
    coalesce(judged.violations -> 0 ->> 'scenario', case when not judged.has_slot then 'slot_not_found' end),
    case
      when judged.violations <> '[]'
        then coalesce(judged.violations -> 0 -> 'details', '{}') || jsonb_build_object('violations', judged.violations)
      when not judged.has_slot then jsonb_build_object('starts_at', judged.starts_at, 'violations', judged.violations)
    end
  from judged
  order by judged.number;
end
$$;

comment on function app_public.explain_series(uuid, timestamptz, integer, integer, uuid, uuid) is
  'What bookSeries would say of each occurrence now; nothing is changed. Of a day whose slots are not stored yet, a visit that needs more than one slot is judged by its first.';

revoke execute on function app_public.explain_series(uuid, timestamptz, integer, integer, uuid, uuid) from public;
grant execute on function app_public.explain_series(uuid, timestamptz, integer, integer, uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
