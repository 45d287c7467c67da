create or replace function app_private.guard_quiet_hours() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.time_zone is not null
    and not exists (select from pg_catalog.pg_timezone_names where pg_timezone_names.name = new.time_zone)
  then
    perform app_private.refuse('unknown_time_zone', jsonb_build_object('time_zone', new.time_zone));
  end if;
  if (new.quiet_from is null) <> (new.quiet_until is null) or new.quiet_from = new.quiet_until then
    perform app_private.refuse('quiet_hours_not_valid',
      jsonb_build_object('quiet_from', new.quiet_from, 'quiet_until', new.quiet_until));
  end if;
  new.changed_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.guard_quiet_hours() is
  'Trigger: quiet hours have a start and another end, in a zone that Postgres knows.';

revoke execute on function app_private.guard_quiet_hours() from public;

create or replace trigger quiet_hours_are_possible
  before insert or update on app_public.notification_setting
  for each row execute function app_private.guard_quiet_hours();
