-- A new doctor has no hours yet: replace_schedule gives them.
create or replace function app_public.create_doctor(
  display_name text, specialty text default null, slot_duration interval default interval '30 minutes',
  max_patients_per_day integer default 30, staff_number text default null)
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.doctor;
begin
  perform app_private.guard_doctor(
    hospital, coalesce(display_name, ''), specialty, slot_duration, max_patients_per_day, staff_number);
  insert into app_public.doctor (hospital_id, display_name, specialty, slot_duration, max_patients_per_day, staff_number)
  values (hospital, display_name, specialty, coalesce(slot_duration, interval '30 minutes'),
    coalesce(max_patients_per_day, 30), staff_number)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_doctor(text, text, interval, integer, text) is
  'Adds a doctor: slots of 30 minutes and at most 30 patients a day unless told otherwise. Working hours come with replaceSchedule. For admins.';

revoke execute on function app_public.create_doctor(text, text, interval, integer, text) from public;
grant execute on function app_public.create_doctor(text, text, interval, integer, text) to app_admin;
