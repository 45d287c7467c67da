-- A patient arrives on the day of the visit, in the hospital's own days, and a visit is not over before
-- its day has come. An operator in psql may write down later what happened; an admin who undoes a no-show
-- says that the patient was there.
create or replace function app_private.guard_visit_day(
  actor text, visit app_public.appointment, to_status app_public.appointment_status, instant timestamptz)
returns void
language plpgsql stable
as $$
declare
  zone text;
  day date;
  today date;
begin
  if actor = 'operator' or to_status not in ('checked_in', 'completed') or visit.status = 'no_show' then
    return;
  end if;
  select hospital.time_zone into zone from app_public.hospital where hospital.id = visit.hospital_id;
  day := (visit.starts_at at time zone zone)::date;
  today := (instant at time zone zone)::date;
  if day > today or to_status = 'checked_in' and day <> today and visit.status in ('scheduled', 'confirmed') then
    perform app_private.refuse('not_the_day_of_the_visit', jsonb_build_object('day', day, 'today', today));
  end if;
end
$$;

comment on function app_private.guard_visit_day(
  text, app_public.appointment, app_public.appointment_status, timestamptz) is
  'Refuses to check a patient in on another day than that of the visit, and to complete a visit before its day.';

revoke execute on function app_private.guard_visit_day(
  text, app_public.appointment, app_public.appointment_status, timestamptz) from public;
