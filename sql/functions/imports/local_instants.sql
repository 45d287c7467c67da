-- A wall clock shows most times once, some never and some twice. The offsets of the day before and of
-- the day after are the ones that can hold: each gives an instant, and those at which the clock really
-- shows this time are the answer.
create or replace function app_private.local_instants(wall_time timestamp, time_zone text)
returns timestamptz[]
language sql stable
return (
  select coalesce(array_agg(distinct candidate.instant order by candidate.instant), '{}')
  from (
    select (wall_time - ((near at time zone time_zone) - (near at time zone 'UTC'))) at time zone 'UTC' as instant
    from unnest(array[
      wall_time at time zone time_zone - interval '1 day',
      wall_time at time zone time_zone + interval '1 day']) as near
  ) as candidate
  where candidate.instant at time zone time_zone = wall_time);

comment on function app_private.local_instants(timestamp, text) is
  'The instants at which the clocks of a zone show a local time: one; none or two on days on which they change.';

revoke execute on function app_private.local_instants(timestamp, text) from public;
grant execute on function app_private.local_instants(timestamp, text) to app_admin;
