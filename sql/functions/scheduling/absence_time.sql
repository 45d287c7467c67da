-- The one place where the local days or hours of an absence become instants. Both ends are read on the
-- wall clock of the hospital's zone, as working hours are, so a day on which the clocks change is
-- closed from its first instant to its last, be it 23 or 25 hours long. An end that falls into the hour
-- skipped in spring comes no earlier than the start; hours that the day does not have are empty.
create or replace function app_private.absence_time(
  time_zone text, first_day date, last_day date, start_time time, end_time time)
returns tstzrange
language sql immutable parallel safe
begin atomic
  select tstzrange(boundary.starts_at, greatest(boundary.starts_at, boundary.ends_at))
  from (
    select
      (first_day + coalesce(start_time, '00:00')) at time zone time_zone as starts_at,
      case when end_time is null then (last_day + 1)::timestamp else last_day + end_time end at time zone time_zone as ends_at
  ) as boundary;
end;

comment on function app_private.absence_time(text, date, date, time, time) is
  'Local days, or hours of one day, as a range of instants of this time zone.';

revoke execute on function app_private.absence_time(text, date, date, time, time) from public;
grant execute on function app_private.absence_time(text, date, date, time, time)
  to app_doctor, app_receptionist, app_admin;
