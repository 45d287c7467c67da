-- What nobody can switch off: a visit that does not take place today, and what may be somebody else at
-- one's account.
create or replace function app_private.is_essential(topic text) returns boolean
language sql immutable parallel safe
return topic in ('doctor_emergency', 'doctor_unavailable', 'security')
  or app_private.event_group(topic) = 'security';

comment on function app_private.is_essential(text) is 'Whether an event, or a group of events, cannot be switched off.';

revoke execute on function app_private.is_essential(text) from public;
grant execute on function app_private.is_essential(text)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
