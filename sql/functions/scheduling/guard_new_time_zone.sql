-- Asked by the change of zone and by its preview, with the word of the wall.
create or replace function app_private.guard_new_time_zone(time_zone text) returns void
language plpgsql stable
as $$
begin
  if not exists (
    select from pg_catalog.pg_timezone_names where pg_timezone_names.name = guard_new_time_zone.time_zone)
  then
    perform app_private.refuse('unknown_time_zone', jsonb_build_object('time_zone', time_zone));
  end if;
end
$$;

comment on function app_private.guard_new_time_zone(text) is 'Refuses a time zone that Postgres does not know.';

revoke execute on function app_private.guard_new_time_zone(text) from public;
grant execute on function app_private.guard_new_time_zone(text) to app_admin;
