create or replace function app_private.read_number(cell text) returns integer
language sql immutable parallel safe
return case when cell ~ '^[0-9]{1,6}$' then cell::integer end;

comment on function app_private.read_number(text) is 'The whole number that a cell says, up to 999999; null when it says none.';

revoke execute on function app_private.read_number(text) from public;
grant execute on function app_private.read_number(text) to app_admin;
