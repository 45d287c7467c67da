-- What changed is verified through the very views of the nightly audit, restricted to the appointments, the
-- slots and further seats they sit in or sat in, their doctors and their patients. One look asks all checks at
-- once; nearly always it finds nothing, nothing is known, and that is all. Otherwise each check is run by
-- itself, so that it is remembered, told, and kept apart from one that fails. Only then the run leaves a row.
-- Definer, because checks read every table; jobs call it.
create or replace function app_private.verify_entities(
  hospital_id uuid, appointment_ids uuid[], slot_ids uuid[], changed_at timestamptz default null)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  began timestamptz := app_private.check_instant();
  run app_public.check_run;
  entry app_public.health_check;
  outcome app_private.check_outcome;
  slots uuid[];
  doctors uuid[];
  patients uuid[];
  entities uuid[];
begin
  select array_agg(distinct touched.slot_id) into slots
  from (
    select unnest(verify_entities.slot_ids)
    union all
    select appointment.slot_id from app_public.appointment
    where appointment.hospital_id = verify_entities.hospital_id and appointment.id = any (appointment_ids)
    union all
    select appointment_seat.slot_id from app_public.appointment_seat
    where appointment_seat.hospital_id = verify_entities.hospital_id
      and appointment_seat.appointment_id = any (appointment_ids)
  ) as touched (slot_id)
  where touched.slot_id is not null;
  select array_agg(distinct appointment.patient_id), array_agg(distinct appointment.doctor_id) into patients, doctors
  from app_public.appointment
  where appointment.hospital_id = verify_entities.hospital_id and appointment.id = any (appointment_ids);
  select array_agg(distinct doctor.id) into doctors
  from (
    select unnest(doctors)
    union all
    select slot.doctor_id from app_public.slot
    where slot.hospital_id = verify_entities.hospital_id and slot.id = any (slots)
  ) as doctor (id);

  begin
    if not exists (
        select from app_private.look_at_entities(verify_entities.hospital_id, appointment_ids, slots, doctors, patients))
      and not exists (
        select from app_public.finding as known
        where known.hospital_id = verify_entities.hospital_id and known.resolved_at is null
          and known.entity_id = any (appointment_ids || slots || doctors || patients))
    then
      return 0;
    end if;
  exception when others then
    -- One of the checks cannot be run; which one is told below.
    null;
  end;

  run.check_names := '{}';
  run.failed_checks := '{}';
  run.finding_count := 0;
  run.new_count := 0;
  run.resolved_count := 0;
  for entry in
    select * from app_public.health_check as declared where declared.is_event_driven order by declared.name
  loop
    entities := case entry.entity_type
      when 'appointment' then appointment_ids
      when 'slot' then slots
      when 'doctor' then doctors
      when 'patient' then patients end;
    continue when coalesce(cardinality(entities), 0) = 0;
    outcome := app_private.run_check(entry, verify_entities.hospital_id, entities, changed_at);
    run.check_names := run.check_names || entry.name;
    if outcome.error is not null then
      run.failed_checks := run.failed_checks || entry.name;
    end if;
    run.finding_count := run.finding_count + outcome.row_count;
    run.new_count := run.new_count + outcome.new_count;
    run.resolved_count := run.resolved_count + outcome.resolved_count;
  end loop;

  if run.finding_count > 0 or run.resolved_count > 0 or run.failed_checks <> '{}' then
    run.finished_at := app_private.check_instant();
    insert into app_public.check_run (
      hospital_id, trigger, check_names, started_at, finished_at, duration_ms, finding_count, new_count, resolved_count,
      failed_checks)
    values (
      verify_entities.hospital_id, 'event', run.check_names, began, run.finished_at,
      extract(epoch from run.finished_at - began) * 1000, run.finding_count, run.new_count, run.resolved_count,
      run.failed_checks);
  end if;
  return run.finding_count;
end
$$;

comment on function app_private.verify_entities(uuid, uuid[], uuid[], timestamptz) is
  'Runs the event-driven checks for appointments and slots that changed, and all that hangs on them; returns how many problems there are.';

revoke execute on function app_private.verify_entities(uuid, uuid[], uuid[], timestamptz) from public;
grant execute on function app_private.verify_entities(uuid, uuid[], uuid[], timestamptz) to app_worker;
