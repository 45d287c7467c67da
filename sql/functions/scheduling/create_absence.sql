-- Everything happens in the triggers of the table, for psql as for this function; it asks, and passes
-- on what they report.
create or replace function app_public.create_absence(
  doctor_id uuid,
  type app_public.absence_type,
  first_day date,
  last_day date,
  start_time time default null,
  end_time time default null,
  reason text default null)
returns app_public.entered_absence
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  entered app_public.entered_absence;
begin
  insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day, start_time, end_time, reason)
  values (hospital, doctor_id, type, first_day, last_day, start_time, end_time, reason)
  returning absence.id into entered.absence_id;
  entered.change := app_private.reported_change();
  return entered;
end
$$;

comment on function app_public.create_absence(uuid, app_public.absence_type, date, date, time, time, text) is
  'Enters an absence of a doctor: whole local days, or hours of one day. It closes the slots that it touches, as far as they are still ahead. The patients of affected appointments are told and their appointments stay, to be moved; an emergency cancels them. For receptionists and admins; doctors enter their own. previewAbsence tells beforehand what it would do.';

revoke execute on function app_public.create_absence(uuid, app_public.absence_type, date, date, time, time, text) from public;
grant execute on function app_public.create_absence(uuid, app_public.absence_type, date, date, time, time, text)
  to app_doctor, app_receptionist, app_admin;
