-- What redaction makes of a whole row of the log or of the archive: everything else in it stays as it is.
create or replace function app_private.redacted_row(table_name text, stored jsonb) returns jsonb
language sql immutable parallel safe
return stored || case table_name
  when 'audit_entry' then jsonb_build_object(
    'old_state', app_private.redacted_state(stored ->> 'table_name', stored -> 'old_state'),
    'new_state', app_private.redacted_state(stored ->> 'table_name', stored -> 'new_state'),
    'changed_columns', app_private.redacted_state(stored ->> 'table_name', stored -> 'changed_columns'))
  when 'appointment_archive' then jsonb_build_object(
    'reason', null, 'notes', null, 'cancellation_reason', null,
    'moves', coalesce((
      select jsonb_agg(move || '{"reason": null}' order by number)
      from jsonb_array_elements(stored -> 'moves') with ordinality as archived (move, number)), '[]'),
    'stage_alerts', coalesce((
      select jsonb_agg(alert || '{"note": null}' order by number)
      from jsonb_array_elements(stored -> 'stage_alerts') with ordinality as archived (alert, number)), '[]'))
  when 'record_access' then app_private.redacted_state('record_access', stored)
end;

comment on function app_private.redacted_row(text, jsonb) is
  'A row of audit_entry, appointment_archive or record_access as it is once its person is erased.';

revoke execute on function app_private.redacted_row(text, jsonb) from public;
grant execute on function app_private.redacted_row(text, jsonb) to app_eraser;
