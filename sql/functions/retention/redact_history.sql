-- The one function that changes what is otherwise never changed: entries of the log and rows of the
-- archive, and what for a record was read. It belongs to app_eraser, a role that nobody is a member of, and the triggers of both tables
-- let that role do nothing but redact rows about a person who has been erased (guard_redaction). Its
-- policies reach no further than the hospital of the request. Only erase_person calls it. Entries are
-- found by the records that they tell of, through the index, never by searching the log. While entries
-- are redacted nobody seals, so that each is sealed as it was before or as it is after, and what was sealed
-- before gets a seal of its redaction.
grant create on schema app_private to app_eraser;
set local role app_eraser;

create or replace function app_private.redact_history(hospital_id uuid, patient_id uuid, record_ids uuid[])
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  due bigint[];
  altered bigint[];
begin
  update app_public.appointment_archive
  set reason = null,
      notes = null,
      cancellation_reason = null,
      moves = app_private.redacted_row('appointment_archive', jsonb_build_object('moves', appointment_archive.moves)) -> 'moves',
      stage_alerts = app_private.redacted_row('appointment_archive',
        jsonb_build_object('stage_alerts', appointment_archive.stage_alerts)) -> 'stage_alerts'
  where appointment_archive.hospital_id = redact_history.hospital_id
    and appointment_archive.patient_id = redact_history.patient_id
    and (num_nonnulls(appointment_archive.reason, appointment_archive.notes, appointment_archive.cancellation_reason) > 0
      or appointment_archive.moves @? '$[*].reason ? (@ != null)'
      or appointment_archive.stage_alerts @? '$[*].note ? (@ != null)');

  -- Who has seen what stays; what for may have been said in words about the person.
  update app_public.record_access
  set purpose = '[erased]'
  where record_access.hospital_id = redact_history.hospital_id
    and record_access.patient_id = redact_history.patient_id
    and record_access.purpose <> '[erased]';

  perform app_private.lock_seals(hospital_id);
  due := array(
    select audit_entry.id
    from app_public.audit_entry
    where audit_entry.hospital_id = redact_history.hospital_id
      and audit_entry.record_id = any (redact_history.record_ids)
      and (audit_entry.old_state, audit_entry.new_state, audit_entry.changed_columns) is distinct from (
        app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
        app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
        app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns)));
  altered := app_private.altered_entries(hospital_id, due);
  update app_public.audit_entry
  set old_state = app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
      new_state = app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
      changed_columns = app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns)
  where audit_entry.hospital_id = redact_history.hospital_id and audit_entry.id = any (due);
  perform app_private.seal_redaction(hospital_id, patient_id, due, altered);
  return cardinality(due);
end
$$;

comment on function app_private.redact_history(uuid, uuid, uuid[]) is
  'Redacts what the archive and the audit log have of an erased person; returns how many audit entries changed.';

revoke execute on function app_private.redact_history(uuid, uuid, uuid[]) from public;
grant execute on function app_private.redact_history(uuid, uuid, uuid[]) to app_owner;

set local role app_owner;
revoke create on schema app_private from app_eraser;
