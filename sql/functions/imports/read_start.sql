-- With an offset a start is one instant, whatever the clocks do; without one it is local time.
create or replace function app_private.read_start(cell text, time_zone text) returns timestamptz[]
language plpgsql stable
as $$
declare
  part text[] := regexp_match(cell,
    '^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T](([01]?[0-9]|2[0-3]):[0-5][0-9](:00)?) ?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?$');
begin
  if part is null or app_private.read_day(part[1]) is null then
    return null;
  end if;
  if part[5] is not null then
    return array[(part[1] || ' ' || part[2] || part[5])::timestamptz];
  end if;
  return app_private.local_instants((part[1] || ' ' || part[2])::timestamp, time_zone);
end
$$;

comment on function app_private.read_start(text, text) is
  'The instants that a cell YYYY-MM-DD HH:MM, with or without an offset, can mean; null when it has another form.';

revoke execute on function app_private.read_start(text, text) from public;
grant execute on function app_private.read_start(text, text) to app_admin;
