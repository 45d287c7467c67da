-- What a member of the staff can be: never a patient, and a doctor only as a doctor of the hospital whose
-- login nobody else has.
create or replace function app_private.guard_staff_role(
  hospital_id uuid, role app_public.account_role, doctor_id uuid, except_account_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  if role = 'patient' or (role = 'doctor') <> (doctor_id is not null) then
    perform app_private.refuse('role_not_possible', jsonb_build_object('role', role));
  end if;
  if doctor_id is null then
    return;
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = guard_staff_role.hospital_id and doctor.id = guard_staff_role.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  if exists (
    select from app_public.account
    where account.hospital_id = guard_staff_role.hospital_id and account.doctor_id = guard_staff_role.doctor_id
      and account.id is distinct from except_account_id)
  then
    perform app_private.refuse('doctor_has_account', jsonb_build_object('doctor_id', doctor_id));
  end if;
end
$$;

comment on function app_private.guard_staff_role(uuid, app_public.account_role, uuid, uuid) is
  'Refuses a role that a member of the staff cannot have.';

revoke execute on function app_private.guard_staff_role(uuid, app_public.account_role, uuid, uuid) from public;
