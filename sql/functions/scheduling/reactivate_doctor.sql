-- Back among those who can be booked; nothing that ended before comes back.
create or replace function app_public.reactivate_doctor(doctor_id uuid)
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.doctor;
begin
  update app_public.doctor
  set is_active = true
  where doctor.hospital_id = hospital and doctor.id = doctor_id
  returning * into changed;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return changed;
end
$$;

comment on function app_public.reactivate_doctor(uuid) is
  'A doctor who had left works here again. For admins.';

revoke execute on function app_public.reactivate_doctor(uuid) from public;
grant execute on function app_public.reactivate_doctor(uuid) to app_admin;
