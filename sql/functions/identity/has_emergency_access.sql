-- The grant of emergency access that lets this account open the record of this patient now, or null. No
-- such grants are given out yet. Called by functions that run as the owner.
create or replace function app_private.has_emergency_access(hospital_id uuid, account_id uuid, patient_id uuid)
returns uuid
language sql stable
return null::uuid;

comment on function app_private.has_emergency_access(uuid, uuid, uuid) is
  'The emergency access under which an account may open a patient''s record; null where there is none.';

revoke execute on function app_private.has_emergency_access(uuid, uuid, uuid) from public;
