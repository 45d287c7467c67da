-- Refused by the table's own wall while appointments are ahead; see guard_patient_leave.
create or replace function app_public.deactivate_patient(patient_id uuid)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  update app_public.patient
  set is_active = false
  where patient.hospital_id = hospital and patient.id = patient_id
  returning * into changed;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return changed;
end
$$;

comment on function app_public.deactivate_patient(uuid) is
  'A patient leaves the hospital and cannot book any more. Refused with patient_has_appointments while appointments or requests are ahead or a visit is under way; previewPatientDeactivation lists them. For receptionists and admins.';

revoke execute on function app_public.deactivate_patient(uuid) from public;
grant execute on function app_public.deactivate_patient(uuid) to app_receptionist, app_admin;
