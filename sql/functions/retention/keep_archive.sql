-- The archive is append-only for everybody, the owner and a superuser's slip included. The one exception
-- is the redaction of an erased person (guard_redaction), under the one role that nobody can become.
create or replace function app_private.keep_archive() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('archive_is_append_only', jsonb_build_object('appointment_archive', old.id));
  return null;
end
$$;

comment on function app_private.keep_archive() is 'Trigger: refuses update and delete of archived appointments.';

revoke execute on function app_private.keep_archive() from public;

create or replace trigger archive_is_append_only
  before update on app_public.appointment_archive
  for each row when (current_user <> 'app_eraser')
  execute function app_private.keep_archive();

create or replace trigger archive_never_loses_a_row
  before delete on app_public.appointment_archive
  for each row execute function app_private.keep_archive();
