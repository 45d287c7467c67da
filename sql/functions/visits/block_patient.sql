-- Appointments that the patient has already stay: whoever blocks decides on them one by one.
create or replace function app_public.block_patient(patient_id uuid, reason text)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  if length(btrim(coalesce(reason, ''))) = 0 or length(reason) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is not 1 to 2000 characters long'));
  end if;
  update app_public.patient
  set status = 'blocked', blocked_reason = block_patient.reason
  where patient.hospital_id = hospital and patient.id = patient_id and patient.status = 'active'
  returning * into changed;
  if found then
    return changed;
  end if;
  if exists (select from app_public.patient where patient.hospital_id = hospital and patient.id = patient_id) then
    perform app_private.refuse('patient_is_blocked', jsonb_build_object('patient_id', patient_id));
  end if;
  perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  return null;
end
$$;

comment on function app_public.block_patient(uuid, text) is
  'Blocks a patient from booking, with a reason. Appointments that exist stay. For receptionists and admins.';

revoke execute on function app_public.block_patient(uuid, text) from public;
grant execute on function app_public.block_patient(uuid, text) to app_receptionist, app_admin;
