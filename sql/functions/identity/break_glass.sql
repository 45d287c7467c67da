-- Asked again while one is in force, it returns that one: whoever repeats a request gets its first answer.
create or replace function app_public.break_glass(patient_id uuid, reason text)
returns app_public.emergency_access
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  granted app_public.emergency_access;
begin
  perform app_private.guard_input(jsonb_build_object(
    'reason', case when coalesce(length(btrim(reason)), 0) not between 10 and 2000 then 'is not 10 to 2000 characters long' end));
  select * into granted
  from app_public.emergency_access
  where emergency_access.hospital_id = hospital
    and emergency_access.id = app_private.has_emergency_access(hospital, own_id, break_glass.patient_id);
  if found then
    return granted;
  end if;
  insert into app_public.emergency_access (hospital_id, patient_id, reason)
  values (hospital, break_glass.patient_id, btrim(break_glass.reason))
  returning * into granted;
  return granted;
end
$$;

comment on function app_public.break_glass(uuid, text) is
  'Opens the record of a patient in an emergency, for a while; every admin is told at once, and one reviews it. At most five at a time. For doctors, nurses and admins.';

revoke execute on function app_public.break_glass(uuid, text) from public;
grant execute on function app_public.break_glass(uuid, text) to app_doctor, app_nurse, app_admin;
