-- The log is append-only for everybody. Request roles have no privilege to change it; this trigger
-- stops the owner and a superuser's slip as well.
create or replace function app_private.keep_audit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('audit_is_append_only', jsonb_build_object('audit_entry', old.id));
  return null;
end
$$;

comment on function app_private.keep_audit() is 'Trigger: refuses update and delete of audit entries.';

revoke execute on function app_private.keep_audit() from public;

create or replace trigger audit_is_append_only
  before update or delete on app_public.audit_entry
  for each row execute function app_private.keep_audit();
