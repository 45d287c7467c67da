-- The very views of the audit, restricted to one appointment, its slots, its doctor and its patient; the
-- worst fault first. One look asks all of them; only where one cannot be run each is asked by itself, and
-- that one is a fault: what could not be verified is not valid. The times at which it was made and changed
-- are looked at here, because only one appointment's can be told from a clock that was wrong. Definer,
-- because checks read what requests may not: so it asks itself whether the caller may see the appointment,
-- and a patient learns which check speaks, not of whom else.
create or replace function app_private.find_faults(hospital_id uuid, appointment_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
set jit = off
as $$
declare
  actor text := app_private.actor_role();
  own_patient_id uuid := app_private.claim_patient_id();
  for_staff boolean := actor in ('doctor', 'nurse', 'receptionist', 'admin', 'worker', 'operator');
  tolerance constant interval := interval '1 minute';
  visit app_public.appointment;
  entry app_public.health_check;
  slots uuid[];
  entities uuid[];
  faults jsonb := jsonb_build_array();
  found jsonb;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = find_faults.hospital_id and appointment.id = find_faults.appointment_id
    and (for_staff or actor = 'patient' and appointment.patient_id = own_patient_id);
  if visit.id is null then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;

  slots := array_remove(array(
    select visit.slot_id
    union
    select appointment_seat.slot_id from app_public.appointment_seat
    where appointment_seat.hospital_id = visit.hospital_id and appointment_seat.appointment_id = visit.id), null);
  if visit.created_at > app_private.clock() + tolerance or visit.updated_at > app_private.clock() + tolerance
    or visit.updated_at < visit.created_at - tolerance
  then
    faults := faults || jsonb_build_object(
      'check', 'timestamps', 'severity', 'warning', 'title', 'The appointment was made or changed at a time that cannot be',
      'entity_type', 'appointment', 'entity_id', visit.id);
  end if;

  begin
    select faults || coalesce(jsonb_agg(
      jsonb_build_object('check', found.check_name, 'severity', found.severity, 'title', declared.title)
      || case when for_staff
        then jsonb_build_object('entity_type', found.entity_type, 'entity_id', found.entity_id,
          'detail', found.detail, 'metadata', found.metadata)
        else '{}' end
      order by found.severity desc, found.check_name, found.cache_key), '[]')
    into faults
    from app_private.look_at_entities(
      visit.hospital_id, array[visit.id], slots, array[visit.doctor_id], array[visit.patient_id]) as found
    join app_public.health_check as declared on declared.name = found.check_name;
    return faults;
  exception when others then
    -- One of the checks cannot be run; which one is found out below.
    null;
  end;

  for entry in
    select * from app_public.health_check as declared
    where declared.is_event_driven
    order by declared.severity desc, declared.name
  loop
    entities := case entry.entity_type
      when 'appointment' then array[visit.id]
      when 'slot' then slots
      when 'doctor' then array[visit.doctor_id]
      when 'patient' then array[visit.patient_id] end;
    continue when coalesce(cardinality(entities), 0) = 0;
    begin
      execute format(
        'select jsonb_agg(jsonb_build_object(''entity_type'', found.entity_type, ''entity_id'', found.entity_id,
            ''detail'', found.detail, ''metadata'', found.metadata) order by found.cache_key)
          from checks.%I as found where found.hospital_id = $1 and found.entity_id = any ($2)', entry.name)
      into found using visit.hospital_id, entities;
    exception when others then
      found := jsonb_build_array(jsonb_build_object(
        'entity_type', entry.entity_type, 'entity_id', null, 'detail', 'The check could not be run.', 'metadata', '{}'::jsonb));
    end;
    if found is not null then
      select faults || jsonb_agg(
        jsonb_build_object('check', entry.name, 'severity', entry.severity, 'title', entry.title)
        || case when for_staff then each.fault else '{}' end)
      into faults
      from jsonb_array_elements(found) as each (fault);
    end if;
  end loop;
  return faults;
end
$$;

comment on function app_private.find_faults(uuid, uuid) is
  'What the event-driven checks say of an appointment, its slots, its doctor and its patient, the worst first; refuses an appointment that the caller may not see.';

revoke execute on function app_private.find_faults(uuid, uuid) from public;
grant execute on function app_private.find_faults(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
