-- Why a change reached no doctor: there is none, or it is not this caller's to change.
create or replace function app_private.refuse_unreachable_doctor(hospital_id uuid, doctor_id uuid)
returns void
language plpgsql stable
as $$
begin
  perform app_private.refuse(
    case when exists (
      select from app_public.doctor
      where doctor.hospital_id = refuse_unreachable_doctor.hospital_id
        and doctor.id = refuse_unreachable_doctor.doctor_id)
    then 'forbidden' else 'doctor_not_found' end,
    jsonb_build_object('doctor_id', doctor_id));
end
$$;

comment on function app_private.refuse_unreachable_doctor(uuid, uuid) is
  'Refuses with forbidden or doctor_not_found; never returns.';

revoke execute on function app_private.refuse_unreachable_doctor(uuid, uuid) from public;
grant execute on function app_private.refuse_unreachable_doctor(uuid, uuid) to app_doctor, app_receptionist, app_admin;
