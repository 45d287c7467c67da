-- How people are told a time: always on the hospital's own clock, in English, without a zone, as it
-- hangs on the hospital's wall.
create or replace function app_private.local_time(instant timestamptz, time_zone text) returns text
language sql stable parallel safe
return to_char(instant at time zone time_zone, 'FMDay, FMDD FMMonth YYYY, HH24:MI');

comment on function app_private.local_time(timestamptz, text) is 'An instant as people of this time zone say it.';

revoke execute on function app_private.local_time(timestamptz, text) from public;
