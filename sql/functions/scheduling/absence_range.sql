-- When an absence is, by its local dates and hours in a zone. An end that the clocks moved before its
-- start leaves a minute, because an absence is never empty.
create or replace function app_private.absence_range(
  time_zone text, first_day date, last_day date, start_time time, end_time time)
returns tstzrange
language sql immutable parallel safe
as $$
  select tstzrange(boundary.opening, greatest(boundary.closing, boundary.opening + interval '1 minute'))
  from (
    select
      (first_day + coalesce(start_time, '00:00')) at time zone time_zone as opening,
      case
        when end_time is null then (last_day + 1)::timestamp at time zone time_zone
        else (last_day + end_time) at time zone time_zone
      end as closing
  ) as boundary;
$$;

comment on function app_private.absence_range(text, date, date, time, time) is
  'From the start (included) to the end (excluded) of an absence, by its local dates and hours.';

revoke execute on function app_private.absence_range(text, date, date, time, time) from public;
grant execute on function app_private.absence_range(text, date, date, time, time)
  to app_worker, app_doctor, app_receptionist, app_admin;
