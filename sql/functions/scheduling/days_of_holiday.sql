-- The local days on which a holiday closes something: from today to the last day that has slots or can
-- be booked. A recurring one falls on its month and day of every year that has them, so 29 February on
-- leap years only. Of today, what is still ahead. The last slot is found by one look a doctor.
create or replace function app_private.days_of_holiday(hospital_id uuid, date date, is_recurring boolean)
returns table (day date, during tstzrange)
language plpgsql stable rows 2
as $$
declare
  instant timestamptz := app_private.clock();
  zone text;
  today date;
  last_day date;
begin
  select hospital.time_zone, (instant at time zone hospital.time_zone)::date,
    (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days
  into zone, today, last_day
  from app_public.hospital
  where hospital.id = days_of_holiday.hospital_id;

  select greatest(last_day, (max(latest.starts_at) at time zone zone)::date) into last_day
  from app_public.doctor
  cross join lateral (
    select slot.starts_at
    from app_public.slot
    where slot.hospital_id = days_of_holiday.hospital_id and slot.doctor_id = doctor.id
    order by slot.starts_at desc
    limit 1
  ) as latest
  where doctor.hospital_id = days_of_holiday.hospital_id;

  return query
  select occurrence.day,
    tstzrange(occurrence.day::timestamp at time zone zone, (occurrence.day + 1)::timestamp at time zone zone)
      * tstzrange(instant, null)
  from (
    select days_of_holiday.date as day
    where not is_recurring
    union all
    select (days_of_holiday.date + make_interval(years => year - extract(year from days_of_holiday.date)::integer))::date
    from generate_series(extract(year from today)::integer, extract(year from last_day)::integer) as year
    where is_recurring
  ) as occurrence
  where occurrence.day between today and last_day
    and extract(day from occurrence.day) = extract(day from days_of_holiday.date);
end
$$;

comment on function app_private.days_of_holiday(uuid, date, boolean) is
  'Local days ahead on which a holiday falls, with what is still ahead of each, as far as slots reach.';

revoke execute on function app_private.days_of_holiday(uuid, date, boolean) from public;
grant execute on function app_private.days_of_holiday(uuid, date, boolean) to app_receptionist, app_admin;
