-- The same appointments and the same words as the change itself.
create or replace function app_public.preview_doctor_availability(doctor_id uuid, is_available boolean)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  if is_available is null then
    perform app_private.refuse('invalid_input', jsonb_build_object('is_available', 'is missing'));
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = hospital and doctor.id = preview_doctor_availability.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return app_private.closing_change(
    0,
    case when is_available then '{}'
      else app_private.upcoming_of_doctor(hospital, doctor_id, is_leaving => false) end,
    is_cancelling => not is_available, is_telling => not is_available);
end
$$;

comment on function app_public.preview_doctor_availability(uuid, boolean) is
  'What setDoctorAvailability with these arguments would do and which appointments it would touch, with other doctors who could take each; nothing is changed.';

revoke execute on function app_public.preview_doctor_availability(uuid, boolean) from public;
grant execute on function app_public.preview_doctor_availability(uuid, boolean)
  to app_doctor, app_receptionist, app_admin;
