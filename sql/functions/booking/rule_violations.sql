-- What refused a booking, told apart: a refusal by the booking rules lists them in details.violations;
-- every other one (who may not, a key used twice) does not, and is nobody's to mend by asking otherwise.
create or replace function app_private.rule_violations(refusal text) returns jsonb
language sql immutable parallel safe
return refusal::jsonb -> 'details' -> 'violations';

comment on function app_private.rule_violations(text) is
  'The broken booking rules that a refusal (the detail of its error) lists; null when it was not about the rules.';

revoke execute on function app_private.rule_violations(text) from public;
grant execute on function app_private.rule_violations(text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
