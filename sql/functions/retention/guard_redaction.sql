-- The log and the archive change in one way only: a row about a person who has been erased becomes its
-- own redaction, exactly, with nothing added, nothing left out and nothing else touched. It is judged
-- here, by the result, so that even the function that redacts can do nothing else.
-- Trigger arguments: the table's name; the scenario of the refusal.
create or replace function app_private.guard_redaction() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  before jsonb := to_jsonb(old);
  person uuid := (case
    when tg_argv[0] in ('appointment_archive', 'record_access') then before ->> 'patient_id'
    when before ->> 'table_name' = 'patient' then before ->> 'record_id'
    else coalesce(before #>> '{new_state,patient_id}', before #>> '{old_state,patient_id}')
  end)::uuid;
begin
  if to_jsonb(new) <> app_private.redacted_row(tg_argv[0], before)
    or not exists (
      select from app_public.patient
      where patient.hospital_id = old.hospital_id and patient.id = person and patient.erased_at is not null)
  then
    perform app_private.refuse(tg_argv[1], jsonb_build_object(tg_argv[0], old.id));
  end if;
  return new;
end
$$;

comment on function app_private.guard_redaction() is
  'Trigger: refuses every change that is not the redaction of a row about an erased person.';

revoke execute on function app_private.guard_redaction() from public;

create or replace trigger audit_changes_only_by_redaction
  before update on app_public.audit_entry
  for each row when (current_user = 'app_eraser')
  execute function app_private.guard_redaction('audit_entry', 'audit_is_append_only');

create or replace trigger archive_changes_only_by_redaction
  before update on app_public.appointment_archive
  for each row when (current_user = 'app_eraser')
  execute function app_private.guard_redaction('appointment_archive', 'archive_is_append_only');

create or replace trigger access_log_changes_only_by_redaction
  before update on app_public.record_access
  for each row when (current_user = 'app_eraser')
  execute function app_private.guard_redaction('record_access', 'access_log_is_append_only');
