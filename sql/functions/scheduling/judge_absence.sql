-- What an absence has to be like, for the table's door and for the preview alike: it begins today or
-- later in the hospital's zone, its days and hours make sense, and no other one is in its way. Returns
-- its time. Safe against a second absence at the same moment only under lock_calendar, which the door
-- takes first; the exclusion constraint is the last line.
create or replace function app_private.judge_absence(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date, start_time time, end_time time)
returns tstzrange
language plpgsql stable
as $$
declare
  zone text;
  today date;
  away tstzrange;
  faults jsonb;
  other app_public.absence;
begin
  select hospital.time_zone, (app_private.clock() at time zone hospital.time_zone)::date
  into zone, today
  from app_public.hospital
  where hospital.id = judge_absence.hospital_id;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = judge_absence.hospital_id and doctor.id = judge_absence.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;

  faults := jsonb_strip_nulls(jsonb_build_object(
    'first_day', case when first_day is null then 'is missing' when not isfinite(first_day) then 'is not a day' end,
    'last_day', case
      when last_day is null then 'is missing'
      when not isfinite(last_day) then 'is not a day'
      when last_day < first_day then 'is before the first day'
      when isfinite(first_day) and last_day - first_day > 731 then 'is more than two years after the first day' end,
    'start_time', case
      when start_time is null and end_time is not null then 'is missing'
      when start_time is not null and first_day <> last_day then 'is for hours of one day only' end,
    'end_time', case
      when end_time is null and start_time is not null then 'is missing'
      when end_time <= start_time then 'is not after the start time' end));
  if faults <> '{}' then
    perform app_private.refuse('invalid_input', faults);
  end if;
  if first_day < today then
    perform app_private.refuse('absence_in_past', jsonb_build_object('first_day', first_day, 'today', today));
  end if;

  if (first_day + start_time) at time zone zone >= (last_day + end_time) at time zone zone then
    perform app_private.refuse('invalid_input', jsonb_build_object('start_time', 'does not exist on this day: the clocks change'));
  end if;

  away := app_private.absence_range(zone, first_day, last_day, start_time, end_time);
  select absence.* into other
  from app_public.absence
  where absence.hospital_id = judge_absence.hospital_id
    and absence.doctor_id = judge_absence.doctor_id
    and absence.during && away
    and absence.status = 'active'
  order by absence.first_day
  limit 1;
  if found then
    perform app_private.refuse('absence_overlaps', jsonb_strip_nulls(jsonb_build_object(
      'absence_id', other.id, 'type', other.type, 'first_day', other.first_day, 'last_day', other.last_day,
      'start_time', other.start_time, 'end_time', other.end_time)));
  end if;
  return away;
end
$$;

comment on function app_private.judge_absence(uuid, uuid, date, date, time, time) is
  'The time of an absence that could be entered, or its refusal.';

revoke execute on function app_private.judge_absence(uuid, uuid, date, date, time, time) from public;
grant execute on function app_private.judge_absence(uuid, uuid, date, date, time, time)
  to app_doctor, app_receptionist, app_admin;
