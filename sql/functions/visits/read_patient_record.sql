-- Opens the record of a patient for those who have to do with them, or have emergency access, and leaves a
-- trace in the same transaction: a reading that is rolled back was not shown to anybody. Definer, because
-- no member of the staff may read consultations, and nobody may write the log.
create or replace function app_private.read_patient_record(hospital_id uuid, patient_id uuid, purpose text)
returns app_public.patient_record
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  person app_public.patient;
  emergency_grant uuid;
  record app_public.patient_record;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into person
  from app_public.patient
  where patient.hospital_id = read_patient_record.hospital_id and patient.id = read_patient_record.patient_id;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  if not app_private.treats_patient(hospital_id, patient_id) then
    emergency_grant := app_private.has_emergency_access(hospital_id, app_private.claim_account_id(), patient_id);
    if emergency_grant is null then
      perform app_private.refuse('record_access_denied', jsonb_build_object('patient_id', patient_id));
    end if;
  end if;

  record.access_id := app_private.leave_trace(
    hospital_id, patient_id, 'patient_record', purpose, emergency_grant_id => emergency_grant);
  record.patient_id := person.id;
  record.medical_record_number := person.medical_record_number;
  record.name := person.name;
  record.date_of_birth := person.date_of_birth;
  record.phone := person.phone;
  record.email := person.email;
  record.vitals := app_private.vitals_of(hospital_id, patient_id);

  select coalesce(array_agg(
    row(visit.id, visit.doctor_id, doctor.display_name, visit.starts_at, visit.ends_at, visit.status,
      visit.reason, visit.notes)::app_public.recorded_visit
    order by visit.starts_at desc, visit.id), '{}')
  into record.visits
  from (
    select appointment.id, appointment.doctor_id, appointment.starts_at, appointment.ends_at,
      appointment.status, appointment.reason, appointment.notes
    from app_public.appointment
    where appointment.hospital_id = read_patient_record.hospital_id
      and appointment.patient_id = read_patient_record.patient_id
    union all
    select archived.id, archived.doctor_id, archived.starts_at, archived.ends_at,
      archived.status, archived.reason, archived.notes
    from app_public.appointment_archive as archived
    where archived.hospital_id = read_patient_record.hospital_id
      and archived.patient_id = read_patient_record.patient_id
  ) as visit
  join app_public.doctor on doctor.hospital_id = read_patient_record.hospital_id and doctor.id = visit.doctor_id;

  select coalesce(array_agg(
    app_private.show_consultation(read_patient_record.hospital_id, consultation.id)
    order by consultation.started_at desc, consultation.id), '{}')
  into record.consultations
  from app_public.consultation
  where consultation.hospital_id = read_patient_record.hospital_id
    and consultation.patient_id = read_patient_record.patient_id;
  return record;
end
$$;

comment on function app_private.read_patient_record(uuid, uuid, text) is
  'The record of a patient, for those who may open it; leaves a trace.';

revoke execute on function app_private.read_patient_record(uuid, uuid, text) from public;
grant execute on function app_private.read_patient_record(uuid, uuid, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
