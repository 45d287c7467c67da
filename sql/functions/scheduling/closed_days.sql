-- The days of a range on which the hospital is closed. Each day asks the index for its month and day,
-- so the cost follows the range and not how many holidays were ever entered.
create or replace function app_private.closed_days(hospital_id uuid, first_day date, last_day date)
returns table (day date, holiday_id uuid)
language sql stable
as $$
  select calendar.midnight::date, holiday.id
  from generate_series(closed_days.first_day::timestamp, closed_days.last_day::timestamp, interval '1 day')
    as calendar (midnight)
  join app_public.holiday
    on holiday.hospital_id = closed_days.hospital_id
    and holiday.is_active
    and holiday.month_day = extract(month from calendar.midnight)::integer * 100
      + extract(day from calendar.midnight)::integer
    and (holiday.is_recurring or holiday.date = calendar.midnight::date);
$$;

comment on function app_private.closed_days(uuid, date, date) is
  'Local days from the first to the last on which the hospital is closed, with their holidays.';

revoke execute on function app_private.closed_days(uuid, date, date) from public;
grant execute on function app_private.closed_days(uuid, date, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
