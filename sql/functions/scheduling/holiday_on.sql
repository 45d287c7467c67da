-- The holiday of a local day: once on its date, or every year on its month and day. 29 February returns
-- in leap years only. There is at most one (two_holidays_never_fall_on_one_day).
create or replace function app_private.holiday_on(hospital_id uuid, day date) returns app_public.holiday
language plpgsql stable
as $$
declare
  found_holiday app_public.holiday;
begin
  select holiday.* into found_holiday
  from app_public.holiday
  where holiday.hospital_id = holiday_on.hospital_id
    and holiday.month_day = extract(month from holiday_on.day)::integer * 100 + extract(day from holiday_on.day)::integer
    and (holiday.is_recurring or holiday.date = holiday_on.day)
    and holiday.is_active;
  return found_holiday;
end
$$;

comment on function app_private.holiday_on(uuid, date) is 'The active holiday of a local day of a hospital, or null.';

revoke execute on function app_private.holiday_on(uuid, date) from public;
grant execute on function app_private.holiday_on(uuid, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
