-- Volatile, because it leaves a trace: to GraphQL it is a mutation. Granted to all staff: most of them are
-- refused unless they treat the patient, and are told how to get in when it has to be.
create or replace function app_public.open_patient_record(patient_id uuid, purpose text)
returns app_public.patient_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('purpose', case
    when length(btrim(coalesce(purpose, ''))) = 0 then 'is required'
    when length(purpose) > 500 then 'at most 500 characters' end));
  return app_private.read_patient_record(hospital, patient_id, purpose);
end
$$;

comment on function app_public.open_patient_record(uuid, text) is
  'Opens the medical record of a patient: visits, vital signs, consultations. For doctors who have or had an appointment with the patient or took part in a consultation, and for nurses while the patient has a visit within a day. The patient and the hospital''s admins see who opened it and what for.';

revoke execute on function app_public.open_patient_record(uuid, text) from public;
grant execute on function app_public.open_patient_record(uuid, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
