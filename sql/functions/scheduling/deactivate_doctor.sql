-- Refused by the table's own wall while appointments are ahead; see guard_doctor_leave.
create or replace function app_public.deactivate_doctor(doctor_id uuid)
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.doctor;
begin
  update app_public.doctor
  set is_active = false
  where doctor.hospital_id = hospital and doctor.id = doctor_id
  returning * into changed;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return changed;
end
$$;

comment on function app_public.deactivate_doctor(uuid) is
  'A doctor leaves the hospital and cannot be booked any more. Refused with doctor_has_appointments while appointments or requests are ahead or patients are checked in; previewDoctorDeactivation lists them. For admins.';

revoke execute on function app_public.deactivate_doctor(uuid) from public;
grant execute on function app_public.deactivate_doctor(uuid) to app_admin;
