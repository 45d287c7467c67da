-- Under the rights of the caller: everybody may read their own.
create or replace function app_private.has_emergency_access(hospital_id uuid, account_id uuid, patient_id uuid)
returns uuid
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
  in_force uuid;
begin
  select emergency_access.id into in_force
  from app_public.emergency_access
  where emergency_access.hospital_id = has_emergency_access.hospital_id
    and emergency_access.account_id = has_emergency_access.account_id
    and emergency_access.patient_id = has_emergency_access.patient_id
    and emergency_access.expires_at > instant and emergency_access.revoked_at is null
  order by emergency_access.expires_at desc
  limit 1;
  return in_force;
end
$$;

comment on function app_private.has_emergency_access(uuid, uuid, uuid) is
  'The emergency access of this account to this patient''s record that is in force; null when there is none.';

revoke execute on function app_private.has_emergency_access(uuid, uuid, uuid) from public;
grant execute on function app_private.has_emergency_access(uuid, uuid, uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
