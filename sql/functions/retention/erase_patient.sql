-- Erasing cannot be undone and reaches what no role may write, the log included; the work stands in
-- erase_person. Only an admin may, and only in their own hospital.
create or replace function app_public.erase_patient(patient_id uuid, reason text default null)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.erase_person(hospital, patient_id, reason);
end
$$;

comment on function app_public.erase_patient(uuid, text) is
  'Erases a person for good: name, contact, birth date, record number, login, messages and everything written about them, also in the audit log. Visits stay as numbers. Refused while appointments lie ahead; done twice, it changes nothing. The reason is kept: give the number of the case, never particulars. For admins.';

revoke execute on function app_public.erase_patient(uuid, text) from public;
grant execute on function app_public.erase_patient(uuid, text) to app_admin;
