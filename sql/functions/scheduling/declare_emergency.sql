-- An emergency from now on, in the hospital's own days. To the end of today it begins at this minute, so
-- that an absence earlier today is not in its way; in the hour that the clocks repeat, this minute could
-- be read as an hour later, and the whole day is taken. What has passed is untouched either way.
create or replace function app_public.declare_emergency(
  doctor_id uuid, last_day date default null, reason text default null)
returns app_public.entered_absence
language plpgsql volatile
as $$
declare
  tenant uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  zone text;
  today date;
  minute time;
begin
  select hospital.time_zone, (instant at time zone hospital.time_zone)::date,
    date_trunc('minute', instant at time zone hospital.time_zone)::time
  into zone, today, minute
  from app_public.hospital
  where hospital.id = tenant;

  if coalesce(last_day, today) <> today or (today + minute) at time zone zone > instant then
    minute := null;
  end if;
  return app_public.create_absence(
    doctor_id, 'emergency', today, coalesce(last_day, today), minute, case when minute is not null then '24:00'::time end, reason);
end
$$;

comment on function app_public.declare_emergency(uuid, date, text) is
  'A doctor has to leave now: an emergency absence from this moment to the end of today, or of lastDay. Affected appointments are cancelled and their patients told at once. For receptionists and admins; doctors for themselves.';

revoke execute on function app_public.declare_emergency(uuid, date, text) from public;
grant execute on function app_public.declare_emergency(uuid, date, text) to app_doctor, app_receptionist, app_admin;
