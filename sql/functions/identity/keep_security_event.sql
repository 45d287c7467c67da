-- The log is append-only for every client, psql included; only housekeeping and erasing take rows away.
create or replace function app_private.keep_security_event() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('audit_is_append_only', jsonb_build_object('security_event', old.id));
  return null;
end
$$;

comment on function app_private.keep_security_event() is 'Trigger: refuses update and delete of security events.';

revoke execute on function app_private.keep_security_event() from public;

create or replace trigger security_event_is_append_only
  before update on app_public.security_event
  for each row execute function app_private.keep_security_event();

create or replace trigger security_event_is_never_lost
  before delete on app_public.security_event
  for each row when (coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_security_event();
