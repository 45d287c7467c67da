-- The one place where weekly hours become slots: each part of a day before and after the break is cut
-- by the doctor's slot duration, in absolute time. Plain SQL, so that a caller's query takes it in and
-- cuts a whole hospital's month in one statement.
create or replace function app_private.wanted_slots(
  hospital_id uuid, time_zone text, hours app_private.working_hours[], first_day date, last_day date)
returns table (
  doctor_id uuid, location_id uuid, schedule_id uuid, day date, during tstzrange, capacity integer)
language sql stable rows 1000
as $$
  select schedule.doctor_id, schedule.location_id, schedule.schedule_id, calendar.midnight::date,
    tstzrange(
      lower(part.during) + step.number * doctor.slot_duration,
      lower(part.during) + (step.number + 1) * doctor.slot_duration),
    schedule.slot_capacity
  from unnest(wanted_slots.hours) as schedule
  join app_public.doctor
    on doctor.hospital_id = wanted_slots.hospital_id
    and doctor.id = schedule.doctor_id
    and doctor.is_active
  join app_public.location
    on location.hospital_id = wanted_slots.hospital_id
    and location.id = schedule.location_id
    and location.is_active
  cross join lateral (
    select greatest(wanted_slots.first_day, schedule.effective_from) as day
  ) as earliest
  cross join lateral generate_series(
    (earliest.day + (schedule.weekday + 7 - extract(isodow from earliest.day)::integer) % 7)::timestamp,
    least(wanted_slots.last_day, schedule.effective_until)::timestamp,
    interval '7 days') as calendar (midnight)
  cross join lateral app_private.hours_of_day(
    wanted_slots.time_zone, calendar.midnight::date,
    schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time) as hours_of_day
  cross join lateral (
    select hours_of_day.before_break as during
    union all
    select hours_of_day.after_break where schedule.break_start is not null
  ) as part
  cross join lateral generate_series(
    0,
    floor(extract(epoch from upper(part.during) - lower(part.during))
      / extract(epoch from doctor.slot_duration))::integer - 1) as step (number);
$$;

comment on function app_private.wanted_slots(uuid, text, app_private.working_hours[], date, date) is
  'The slots that weekly hours give on the local days from the first to the last, whether they exist or not; of active doctors at active locations.';

revoke execute on function app_private.wanted_slots(uuid, text, app_private.working_hours[], date, date) from public;
grant execute on function app_private.wanted_slots(uuid, text, app_private.working_hours[], date, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
