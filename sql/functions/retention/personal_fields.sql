-- What says who somebody is, or what they said: the columns that erasing a person takes out of the
-- recorded states of each table. A table whose rows tell of a person and are audited belongs here.
create or replace function app_private.personal_fields(table_name text) returns text[]
language sql immutable parallel safe
return case table_name
  when 'patient' then array['name', 'medical_record_number', 'phone', 'email', 'date_of_birth', 'blocked_reason']
  when 'account' then array['email', 'display_name']
  when 'appointment' then array['reason', 'notes', 'cancellation_reason']
  when 'appointment_move' then array['reason']
  when 'appointment_series' then array['reason']
  when 'waitlist_entry' then array['reason']
  when 'notification' then array['title', 'body']
  when 'stage_alert' then array['note']
  when 'consultation' then array['chief_complaint', 'diagnosis', 'notes', 'abandon_reason']
  when 'consultation_addendum' then array['text']
  when 'record_access' then array['purpose']
  else array[]::text[]
end;

comment on function app_private.personal_fields(text) is
  'Columns of a table that identify a person or hold what they said: those that erasing redacts in the audit log.';

revoke execute on function app_private.personal_fields(text) from public;
grant execute on function app_private.personal_fields(text) to app_eraser;
