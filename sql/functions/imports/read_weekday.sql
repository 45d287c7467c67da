create or replace function app_private.read_weekday(cell text) returns smallint
language sql immutable parallel safe
return case
  when cell ~ '^[1-7]$' then cell::smallint
  else ((array_position(
    array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday',
      'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    lower(cell)) - 1) % 7 + 1)::smallint
end;

comment on function app_private.read_weekday(text) is
  'The day of the week, 1 Monday to 7 Sunday, that a cell says by number or by its English name; null when it says none.';

revoke execute on function app_private.read_weekday(text) from public;
grant execute on function app_private.read_weekday(text) to app_admin;
