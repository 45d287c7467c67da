-- A cell is a text that anybody may have written: what it should be is asked of its form first, so that
-- no cast is ever tried that could fail.
create or replace function app_private.read_day(cell text) returns date
language plpgsql immutable parallel safe
as $$
declare
  part text[] := regexp_match(cell, '^([0-9]{4})-([0-9]{2})-([0-9]{2})$');
  first_of_month date;
begin
  if part is null or part[1]::integer < 1 or part[2]::integer not between 1 and 12 then
    return null;
  end if;
  first_of_month := make_date(part[1]::integer, part[2]::integer, 1);
  if part[3]::integer not between 1 and extract(day from first_of_month + interval '1 month' - interval '1 day') then
    return null;
  end if;
  return first_of_month + (part[3]::integer - 1);
end
$$;

comment on function app_private.read_day(text) is 'The day that a cell YYYY-MM-DD names; null when it names none.';

revoke execute on function app_private.read_day(text) from public;
grant execute on function app_private.read_day(text) to app_admin;
