-- Who has seen what is never changed, by nobody: request roles have no privilege, and this trigger stops
-- the owner and a superuser's slip. The one exception is the redaction of an erased person (see
-- audit/keep_audit), whose purpose may have been told in words about them.
create or replace function app_private.keep_record_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('access_log_is_append_only', jsonb_build_object('record_access', old.id));
  return null;
end
$$;

comment on function app_private.keep_record_access() is 'Trigger: refuses update and delete of the log of readings.';

revoke execute on function app_private.keep_record_access() from public;

create or replace trigger access_log_is_append_only
  before update on app_public.record_access
  for each row when (current_user <> 'app_eraser')
  execute function app_private.keep_record_access();

create or replace trigger access_log_never_loses_a_row
  before delete on app_public.record_access
  for each row execute function app_private.keep_record_access();
