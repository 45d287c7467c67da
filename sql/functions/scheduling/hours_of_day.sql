-- The one place where wall-clock working hours become instants. Each boundary is read on the wall
-- clock of the hospital's zone; a boundary that falls into the hour skipped in spring could come to
-- lie after the next one, so each is at least as late as the one before it. Everything between two
-- boundaries is absolute time, so no slot cut from it can be doubled or empty.
create or replace function app_private.hours_of_day(
  time_zone text, day date, start_time time, break_start time, break_end time, end_time time)
returns table (whole tstzrange, before_break tstzrange, break_time tstzrange, after_break tstzrange)
language sql immutable parallel safe
begin atomic
  select
    tstzrange(opening, closing),
    tstzrange(opening, coalesce(pausing, closing)),
    tstzrange(pausing, resuming),
    tstzrange(resuming, closing)
  from (
    select
      boundary.opening,
      case when boundary.pausing is not null then greatest(boundary.opening, boundary.pausing) end as pausing,
      case when boundary.resuming is not null then greatest(boundary.opening, boundary.pausing, boundary.resuming) end as resuming,
      greatest(boundary.opening, boundary.pausing, boundary.resuming, boundary.closing) as closing
    from (
      select
        (day + start_time) at time zone time_zone as opening,
        (day + break_start) at time zone time_zone as pausing,
        (day + break_end) at time zone time_zone as resuming,
        (day + end_time) at time zone time_zone as closing
    ) as boundary
  ) as ordered;
end;

comment on function app_private.hours_of_day(text, date, time, time, time, time) is
  'Working hours of one local day as ranges of instants: the whole, the part before the break, the break, the part after it (unbounded ranges where there is no break).';

revoke execute on function app_private.hours_of_day(text, date, time, time, time, time) from public;
grant execute on function app_private.hours_of_day(text, date, time, time, time, time)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
