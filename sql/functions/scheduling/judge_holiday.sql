-- What a holiday has to be like, for the table's door and for the preview alike. Once: today or later in
-- the hospital's zone; every year: any date, of which month and day count. Safe against a second holiday
-- at the same moment only under lock_calendar, which the door takes first; the exclusion constraint is
-- the last line.
create or replace function app_private.judge_holiday(hospital_id uuid, name text, date date, is_recurring boolean)
returns void
language plpgsql stable
as $$
declare
  today date;
  faults jsonb;
  other app_public.holiday;
begin
  faults := jsonb_strip_nulls(jsonb_build_object(
    'name', case when length(btrim(coalesce(name, ''))) not between 1 and 200 then 'is empty or longer than 200 characters' end,
    'date', case when date is null then 'is missing' when not isfinite(date) then 'is not a day' end,
    'is_recurring', case when is_recurring is null then 'is missing' end));
  if faults <> '{}' then
    perform app_private.refuse('invalid_input', faults);
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = judge_holiday.hospital_id;
  if not is_recurring and date < today then
    perform app_private.refuse('holiday_in_past', jsonb_build_object('date', date, 'today', today));
  end if;

  select holiday.* into other
  from app_public.holiday
  where holiday.hospital_id = judge_holiday.hospital_id
    and holiday.month_day = extract(month from judge_holiday.date)::integer * 100 + extract(day from judge_holiday.date)::integer
    and (holiday.is_recurring or judge_holiday.is_recurring or holiday.date = judge_holiday.date)
    and holiday.is_active
  order by holiday.date
  limit 1;
  if found then
    perform app_private.refuse('holiday_overlaps', jsonb_build_object(
      'holiday_id', other.id, 'name', other.name, 'date', other.date, 'is_recurring', other.is_recurring));
  end if;
end
$$;

comment on function app_private.judge_holiday(uuid, text, date, boolean) is 'Refuses a holiday that could not be entered.';

revoke execute on function app_private.judge_holiday(uuid, text, date, boolean) from public;
grant execute on function app_private.judge_holiday(uuid, text, date, boolean) to app_receptionist, app_admin;
