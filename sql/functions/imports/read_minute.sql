-- Seconds are let pass as zeros, because spreadsheets write them.
create or replace function app_private.read_minute(cell text) returns time
language sql immutable parallel safe
return case
  when cell ~ '^(([01]?[0-9]|2[0-3]):[0-5][0-9](:00)?|24:00(:00)?)$' then cell::time
end;

comment on function app_private.read_minute(text) is 'The local time that a cell HH:MM says, up to 24:00; null when it says none.';

revoke execute on function app_private.read_minute(text) from public;
grant execute on function app_private.read_minute(text) to app_admin;
