-- What failed with a person on the line comes first, in the order in which it hurts them. Of what checks
-- find, what is critical counts like a visit whose validation failed; the rest comes behind it by severity.
create or replace function app_private.review_priority(
  reason text, severity app_public.check_severity default null)
returns smallint
language sql immutable parallel safe
return (case
  when reason = 'appointment_validation_failed' then 1
  when reason = 'external_booking_failed' then 2
  when reason = 'patient_creation_failed' then 3
  when reason = 'service_not_found' then 4
  when severity = 'critical' then 1
  when severity = 'warning' then 3
  else 5
end)::smallint;

comment on function app_private.review_priority(text, app_public.check_severity) is
  'How urgent a review is, from 1 (highest) to 5, by its reason, or by the severity of its finding.';

revoke execute on function app_private.review_priority(text, app_public.check_severity) from public;
