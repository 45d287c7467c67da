-- Cancel first, then change: the wall on the doctor's row refuses while anything is ahead. Both happen
-- in one transaction, under the same locks, so nothing can come in between.
create or replace function app_public.set_doctor_availability(
  doctor_id uuid, is_available boolean, reason text default null)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  change app_public.calendar_change := app_private.closing_change(0, '{}', is_cancelling => false, is_telling => false);
begin
  if is_available is null then
    perform app_private.refuse('invalid_input', jsonb_build_object('is_available', 'is missing'));
  end if;
  if not is_available then
    change := app_private.vacate_doctor(hospital, doctor_id, reason);
  end if;
  update app_public.doctor
  set is_available = set_doctor_availability.is_available
  where doctor.hospital_id = hospital and doctor.id = doctor_id;
  if not found then
    perform app_private.refuse_unreachable_doctor(hospital, doctor_id);
  end if;
  return change;
end
$$;

comment on function app_public.set_doctor_availability(uuid, boolean, text) is
  'Says whether a doctor takes appointments. A doctor who becomes unavailable has all appointments and requests ahead cancelled and their patients told at once; who is already checked in is still seen. For receptionists and admins; doctors for themselves. previewDoctorAvailability tells beforehand what it would do.';

revoke execute on function app_public.set_doctor_availability(uuid, boolean, text) from public;
grant execute on function app_public.set_doctor_availability(uuid, boolean, text)
  to app_doctor, app_receptionist, app_admin;
