-- Reception registers who has no login of their own.
create or replace function app_public.create_patient(
  medical_record_number text, name text, phone text default null, email text default null,
  date_of_birth date default null)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.patient;
begin
  if exists (
    select from app_public.patient
    where patient.hospital_id = hospital
      and patient.medical_record_number = create_patient.medical_record_number)
  then
    perform app_private.refuse('medical_record_number_taken',
      jsonb_build_object('medical_record_number', medical_record_number));
  end if;
  insert into app_public.patient (hospital_id, medical_record_number, name, phone, email, date_of_birth)
  values (hospital, medical_record_number, name, phone, lower(email), date_of_birth)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_patient(text, text, text, text, date) is
  'Registers a patient with the hospital''s own record number. For receptionists and admins.';

revoke execute on function app_public.create_patient(text, text, text, text, date) from public;
grant execute on function app_public.create_patient(text, text, text, text, date) to app_receptionist, app_admin;
