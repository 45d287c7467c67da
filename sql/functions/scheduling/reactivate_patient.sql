-- Back among those who can be booked; nothing that ended before comes back.
create or replace function app_public.reactivate_patient(patient_id uuid)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  update app_public.patient
  set is_active = true
  where patient.hospital_id = hospital and patient.id = patient_id
  returning * into changed;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return changed;
end
$$;

comment on function app_public.reactivate_patient(uuid) is
  'A patient who had left is one again. For receptionists and admins.';

revoke execute on function app_public.reactivate_patient(uuid) from public;
grant execute on function app_public.reactivate_patient(uuid) to app_receptionist, app_admin;
