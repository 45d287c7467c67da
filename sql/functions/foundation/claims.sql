-- What the server says of a request, as settings of its transaction. Plain stable expressions
-- without a table, so that policies stay index conditions; a missing claim is null, and null fails
-- closed in every policy.
create or replace function app_private.claim_hospital_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.hospital_id', true), '')::uuid;

create or replace function app_private.claim_account_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.account_id', true), '')::uuid;

create or replace function app_private.claim_doctor_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.doctor_id', true), '')::uuid;

create or replace function app_private.claim_patient_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.patient_id', true), '')::uuid;

create or replace function app_private.claim_request_id() returns text
language sql stable parallel safe
return nullif(current_setting('claims.request_id', true), '');

-- Who acts, for the state machine and the audit: the role of the claims; without claims the
-- worker's login, or an operator in psql. The server's login without a claim is nobody.
create or replace function app_private.actor_role() returns text
language sql stable parallel safe
return coalesce(
  nullif(current_setting('claims.role', true), ''),
  case session_user
    when 'app_authenticator' then 'anonymous'
    when 'app_worker' then 'worker'
    else 'operator'
  end);

comment on function app_private.claim_hospital_id() is 'Hospital of the request, or null.';
comment on function app_private.claim_account_id() is 'Account of the request, or null.';
comment on function app_private.claim_doctor_id() is 'Doctor that the request''s account is, or null.';
comment on function app_private.claim_patient_id() is 'Patient that the request''s account is, or null.';
comment on function app_private.claim_request_id() is 'Identifier of the request, shared with the server''s log, or null.';
comment on function app_private.actor_role() is
  'Who acts: patient, doctor, nurse, receptionist, admin, anonymous, worker or operator (psql without claims).';

revoke execute on function
  app_private.claim_hospital_id(), app_private.claim_account_id(), app_private.claim_doctor_id(),
  app_private.claim_patient_id(), app_private.claim_request_id(), app_private.actor_role()
  from public;
grant execute on function
  app_private.claim_hospital_id(), app_private.claim_account_id(), app_private.claim_doctor_id(),
  app_private.claim_patient_id(), app_private.claim_request_id(), app_private.actor_role()
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

-- The eraser's policies compare with the hospital of the request; it needs no other claim.
grant execute on function app_private.claim_hospital_id() to app_eraser;
