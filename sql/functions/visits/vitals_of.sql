-- The vital signs of a patient as a record shows them, newest first: the one place where readers of
-- records get them. There is no table of them here yet, so there are none; it is to read app_public.vitals
-- by hospital_id and patient_id, in the order of recorded_at. Called by functions that run as the owner.
create or replace function app_private.vitals_of(hospital_id uuid, patient_id uuid) returns jsonb
language sql stable
return '[]'::jsonb;

comment on function app_private.vitals_of(uuid, uuid) is
  'Vital signs of a patient, newest first, as a list of objects.';

revoke execute on function app_private.vitals_of(uuid, uuid) from public;
