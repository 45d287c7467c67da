-- The appointments that the wall of deactivation counts, one by one.
create or replace function app_public.preview_doctor_deactivation(doctor_id uuid)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = hospital and doctor.id = preview_doctor_deactivation.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return app_private.closing_change(0, app_private.upcoming_of_doctor(hospital, doctor_id, is_leaving => true), is_cancelling => false, is_telling => false);
end
$$;

comment on function app_public.preview_doctor_deactivation(uuid) is
  'The appointments and requests that stand in the way of deactivateDoctor; none: it would be done. Nothing is changed.';

revoke execute on function app_public.preview_doctor_deactivation(uuid) from public;
grant execute on function app_public.preview_doctor_deactivation(uuid) to app_admin;
