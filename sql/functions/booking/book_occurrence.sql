-- One occurrence: booked like any other appointment, by a plain insert into a named slot, or reported with
-- what refused it. A refusal by the rules undoes itself (the savepoint) and is kept as an answer; every
-- other refusal ends the whole series.
create or replace function app_private.book_occurrence(
  series app_public.appointment_series, wanted app_private.wanted_occurrence)
returns app_public.series_occurrence
language plpgsql
as $$
declare
  occurrence app_public.series_occurrence;
  violations jsonb;
  refusal text;
begin
  if wanted.slot_id is not null then
    begin
      insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, series_id, reason, status)
      values (series.hospital_id, wanted.slot_id, series.patient_id, series.service_id, series.id, series.reason, 'scheduled')
      returning appointment.id into occurrence.appointment_id;
    exception when sqlstate 'SK404' or sqlstate 'SK409' or sqlstate 'SK422' then
      get stacked diagnostics refusal = pg_exception_detail;
      violations := app_private.rule_violations(refusal);
      if violations is null then
        raise;
      end if;
      occurrence.scenario := refusal::jsonb ->> 'scenario';
      occurrence.details := refusal::jsonb -> 'details';
    end;
  else
    violations := app_private.broken_rules(
      series.hospital_id, null, series.patient_id, series.service_id, series.doctor_id, wanted.starts_at);
    occurrence.scenario := coalesce(violations -> 0 ->> 'scenario', 'slot_not_found');
    occurrence.details := coalesce(violations -> 0 -> 'details', jsonb_build_object('starts_at', wanted.starts_at))
      || jsonb_build_object('violations', violations);
  end if;

  insert into app_public.series_occurrence (
    hospital_id, series_id, number, patient_id, doctor_id, starts_at, appointment_id, scenario, details)
  values (
    series.hospital_id, series.id, wanted.number, series.patient_id, series.doctor_id, wanted.starts_at,
    occurrence.appointment_id, occurrence.scenario, occurrence.details)
  returning * into occurrence;
  return occurrence;
end
$$;

comment on function app_private.book_occurrence(app_public.appointment_series, app_private.wanted_occurrence) is
  'Books one occurrence of a series and records what became of it.';

revoke execute on function app_private.book_occurrence(app_public.appointment_series, app_private.wanted_occurrence) from public;
grant execute on function app_private.book_occurrence(app_public.appointment_series, app_private.wanted_occurrence)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
