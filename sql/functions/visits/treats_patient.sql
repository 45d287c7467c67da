-- Who has to do with a patient, and may open the record without more: a doctor with an appointment that
-- was not called off (also one of past years) or a part in a consultation; a nurse for those who are here
-- today, were yesterday or come tomorrow. Reception and admins have to do with the calendar and not with
-- the record. Called by functions that run as the owner.
create or replace function app_private.treats_patient(hospital_id uuid, patient_id uuid) returns boolean
language plpgsql stable
as $$
declare
  actor text := app_private.actor_role();
  asking uuid := app_private.claim_doctor_id();
  instant timestamptz := app_private.clock();
begin
  if actor = 'nurse' then
    return exists (
      select from app_public.appointment
      where appointment.hospital_id = treats_patient.hospital_id
        and appointment.patient_id = treats_patient.patient_id
        and appointment.starts_at between instant - interval '24 hours' and instant + interval '24 hours'
        and appointment.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed'));
  end if;
  return actor = 'doctor' and (
    exists (
      select from app_public.appointment
      where appointment.hospital_id = treats_patient.hospital_id
        and appointment.patient_id = treats_patient.patient_id
        and appointment.doctor_id = asking
        and appointment.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed', 'no_show'))
    or exists (
      select from app_public.consultation_participant as member
      where member.hospital_id = treats_patient.hospital_id
        and member.doctor_id = asking
        and member.patient_id = treats_patient.patient_id)
    or exists (
      select from app_public.appointment_archive as archived
      where archived.hospital_id = treats_patient.hospital_id
        and archived.patient_id = treats_patient.patient_id
        and archived.doctor_id = asking
        and archived.status in ('completed', 'no_show')));
end
$$;

comment on function app_private.treats_patient(uuid, uuid) is
  'Whether who asks has to do with a patient as a doctor or a nurse.';

revoke execute on function app_private.treats_patient(uuid, uuid) from public;
