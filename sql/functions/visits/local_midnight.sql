-- The start of the local day in which an instant lies; the offset is that of midnight itself.
create or replace function app_private.local_midnight(instant timestamptz, time_zone text) returns timestamptz
language sql stable parallel safe
return (instant at time zone time_zone)::date::timestamp at time zone time_zone;

comment on function app_private.local_midnight(timestamptz, text) is
  'Start of the local day in which an instant lies.';

revoke execute on function app_private.local_midnight(timestamptz, text) from public;
