-- A patient's own account: record, login and password hash at once, or nothing. Always a new record,
-- never one that reception made: an address proves nothing about whose record it is. Definer, because
-- nobody who is not logged in may write patients or accounts.
create or replace function app_private.register_patient(
  hospital_slug text, email text, name text, password_hash text, phone text default null,
  date_of_birth date default null)
returns table (hospital_id uuid, account_id uuid)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid;
  record_number text;
  patient uuid;
  created uuid;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  if not found then
    perform app_private.refuse('hospital_not_found', jsonb_build_object('hospital', hospital_slug));
  end if;

  loop
    record_number := 'R-' || upper(left(replace(gen_random_uuid()::text, '-', ''), 12));
    exit when not exists (
      select from app_public.patient
      where patient.hospital_id = hospital and patient.medical_record_number = record_number);
  end loop;
  insert into app_public.patient (hospital_id, medical_record_number, name, phone, email, date_of_birth)
  values (hospital, record_number, register_patient.name, register_patient.phone, register_patient.email,
    register_patient.date_of_birth)
  returning patient.id into patient;

  insert into app_public.account (hospital_id, email, display_name, role, patient_id)
  values (hospital, register_patient.email, register_patient.name, 'patient', patient)
  on conflict on constraint an_email_is_one_account_in_its_hospital do nothing
  returning account.id into created;
  if created is null then
    perform app_private.refuse('email_taken');
  end if;

  insert into app_private.account_secret (hospital_id, account_id, password_hash)
  values (hospital, created, register_patient.password_hash);
  return query select hospital, created;
end
$$;

comment on function app_private.register_patient(text, text, text, text, text, date) is
  'Makes a patient with an account; refuses an address that has one in this hospital.';

revoke execute on function app_private.register_patient(text, text, text, text, text, date) from public;
grant execute on function app_private.register_patient(text, text, text, text, text, date) to app_login;
