-- The same guards, the same hours and the same plan as replace_schedule, and then nothing: it only counts.
create or replace function app_public.preview_schedule(
  doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date default null)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  zone text;
begin
  perform app_private.guard_schedule_change(hospital_of_request, doctor_id, effective_from, rows, effective_until);
  select hospital.time_zone into zone from app_public.hospital where hospital.id = hospital_of_request;
  return app_private.preview_slots(
    hospital_of_request, doctor_id, effective_from, null,
    app_private.replaced_hours(hospital_of_request, doctor_id, effective_from, rows, effective_until),
    zone, with_alternatives => true);
end
$$;

comment on function app_public.preview_schedule(uuid, date, app_public.schedule_row[], date) is
  'What replaceSchedule would do with the same arguments: how many slots it deletes, withdraws, keeps for their appointments and generates, which appointments it affects and who else could take them. Changes nothing.';

revoke execute on function app_public.preview_schedule(uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_public.preview_schedule(uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
