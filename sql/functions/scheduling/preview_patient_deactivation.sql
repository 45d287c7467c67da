-- The appointments that the wall of deactivation counts, one by one.
create or replace function app_public.preview_patient_deactivation(patient_id uuid)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if not exists (
    select from app_public.patient
    where patient.hospital_id = hospital and patient.id = preview_patient_deactivation.patient_id)
  then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return app_private.closing_change(0, app_private.upcoming_of_patient(hospital, patient_id), is_cancelling => false, is_telling => false);
end
$$;

comment on function app_public.preview_patient_deactivation(uuid) is
  'The appointments and requests that stand in the way of deactivatePatient; none: it would be done. Nothing is changed.';

revoke execute on function app_public.preview_patient_deactivation(uuid) from public;
grant execute on function app_public.preview_patient_deactivation(uuid) to app_receptionist, app_admin;
