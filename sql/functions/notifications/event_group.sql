-- The groups in which people choose what they are told. By the first word of the event, so that an event
-- that is added finds its group; what fits nowhere is about work.
create or replace function app_private.event_group(event text) returns text
language sql immutable parallel safe
return case
  when event ~ '^(security|password|account|login|role|invitation|session|totp|second_factor|break_glass)_' then 'security'
  when event ~ 'reminder' then 'reminders'
  when event ~ '^(request|time_proposed)' then 'requests'
  when event ~ '^(seat_offered|waitlist)' then 'waitlist'
  when event ~ '^(appointment|doctor|hospital|schedule|time_zone|no_show|patient)_' then 'appointments'
  else 'work'
end;

comment on function app_private.event_group(text) is
  'The group of an event: appointments, requests, waitlist, reminders, security or work.';

revoke execute on function app_private.event_group(text) from public;
grant execute on function app_private.event_group(text)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
