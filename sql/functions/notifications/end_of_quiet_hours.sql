-- Both ends are read on the wall clock of the zone, so that quiet hours are as long as the night is where
-- the clocks change. An end that the clocks skip becomes the instant at which they skip it or shortly
-- after; one that they pass twice never lies before the instant that was asked for.
create or replace function app_private.end_of_quiet_hours(
  instant timestamptz, quiet_from time, quiet_until time, time_zone text)
returns timestamptz
language sql stable parallel safe
return case
  when quiet_from < quiet_until
      and (instant at time zone time_zone)::time >= quiet_from
      and (instant at time zone time_zone)::time < quiet_until
    or quiet_from > quiet_until and (instant at time zone time_zone)::time < quiet_until
  then greatest(instant, ((instant at time zone time_zone)::date + quiet_until) at time zone time_zone)
  when quiet_from > quiet_until and (instant at time zone time_zone)::time >= quiet_from
  then greatest(instant, ((instant at time zone time_zone)::date + 1 + quiet_until) at time zone time_zone)
  else instant
end;

comment on function app_private.end_of_quiet_hours(timestamptz, time, time, text) is
  'The instant itself, or the end of the quiet hours in which it lies.';

revoke execute on function app_private.end_of_quiet_hours(timestamptz, time, time, text) from public;
