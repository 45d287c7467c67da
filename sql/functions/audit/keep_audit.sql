-- The log is append-only for everybody. Request roles have no privilege to change it; this trigger
-- stops the owner and a superuser's slip as well. The one exception is the redaction of an erased
-- person: only the role app_eraser, which nobody can become and which owns one function
-- (retention/redact_history), and only to what guard_redaction lets pass.
-- Sealed entries (seal_audit) change in that way as well; seal_redaction tells it in the chain.
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
  before update on app_public.audit_entry
  for each row when (current_user <> 'app_eraser')
  execute function app_private.keep_audit();

create or replace trigger audit_never_loses_an_entry
  before delete on app_public.audit_entry
  for each row execute function app_private.keep_audit();
