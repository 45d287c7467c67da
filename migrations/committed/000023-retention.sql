--! Previous: sha1:8b22ff5e29266101bbacd3eacb83636ab43daaaf
--! Hash: sha1:f86a39cc8c804830b4dcdb6415331c6a74b19abf
--! Message: retention

--! split: 1-current.sql
-- What is kept, and for how long: ended appointments of past years move to an archive, and a person
-- can be erased everywhere, from the log as well.

--! Included roles.sql
-- The roles of the house. They belong to the whole cluster, not to one database, so they are
-- created only where missing. Only the two login roles can connect; neither has a password until
-- the migrator sets one, and neither owns anything of the application.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('app_owner', 'nologin noinherit'),
      ('app_authenticator', 'login noinherit'),
      ('app_worker', 'login noinherit'),
      ('app_login', 'nologin noinherit'),
      ('app_anonymous', 'nologin noinherit'),
      ('app_patient', 'nologin noinherit'),
      ('app_doctor', 'nologin noinherit'),
      ('app_nurse', 'nologin noinherit'),
      ('app_receptionist', 'nologin noinherit'),
      ('app_admin', 'nologin noinherit'),
      ('app_monitor', 'nologin noinherit'),
      ('app_eraser', 'nologin noinherit')
    ) as role_list (name, options)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.options);
    end if;
  end loop;

  -- Whoever migrates must be able to act as the owner and as the eraser (nobody is a member of it, so
  -- that only its one function can redact), and to give the worker its schema. A superuser already
  -- can; another role grants itself what CREATEROLE entitles it to.
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute format('grant app_owner, app_worker, app_eraser to %I', current_user);
  end if;

  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to app_authenticator, app_worker, app_monitor', current_database());
end
$$;

-- The server logs in as app_authenticator and becomes, for one transaction, one of these.
grant app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  to app_authenticator;

-- Timeouts stand on the login role, because SET ROLE does not apply a role's own settings.
alter role app_authenticator set statement_timeout = '5s';
alter role app_authenticator set lock_timeout = '2s';
alter role app_authenticator set idle_in_transaction_session_timeout = '10s';
alter role app_authenticator set client_connection_check_interval = '1s';
alter role app_worker set statement_timeout = '5min';
alter role app_worker set lock_timeout = '10s';
alter role app_worker set idle_in_transaction_session_timeout = '1min';
alter role app_worker set client_connection_check_interval = '1s';
--! EndIncluded roles.sql

set local role app_owner;

grant usage on schema app_public, app_private to app_eraser;

alter table app_public.patient
  add column erased_at timestamptz,
  add column erasure_reason text
    constraint an_erasure_reason_is_at_most_2000_characters check (length(erasure_reason) <= 2000),
  add constraint an_erased_patient_is_nobody check (erased_at is null or (
    name = 'Erased patient' and medical_record_number = 'erased-' || id::text
    and phone is null and email is null and date_of_birth is null and blocked_reason is null and not is_active)),
  add constraint only_an_erased_patient_has_an_erasure_reason check (erased_at is not null or erasure_reason is null);
comment on column app_public.patient.erased_at is 'When the person was erased: particulars and free text are gone, visits stay as numbers; null while they are known.';
comment on column app_public.patient.erasure_reason is 'Why the person was erased, such as the number of the case.';

create table app_public.appointment_archive (
  hospital_id uuid not null,
  id uuid not null,
  slot_id uuid,
  doctor_id uuid not null,
  patient_id uuid not null,
  location_id uuid,
  service_id uuid,
  series_id uuid,
  occurrence_number integer,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  status app_public.appointment_status not null
    constraint only_what_has_ended_is_archived check (status in ('completed', 'cancelled', 'no_show', 'expired')),
  source app_public.appointment_source not null,
  reason text,
  notes text,
  checked_in_at timestamptz,
  vitals_recorded_at timestamptz,
  completed_at timestamptz,
  cancelled_at timestamptz,
  cancelled_by uuid,
  cancellation_reason text,
  cancellation_cause app_public.cancellation_cause,
  rescheduled_from uuid,
  created_by uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  moves jsonb not null default '[]'
    constraint archived_moves_are_a_list check (jsonb_typeof(moves) = 'array'),
  waitlist_offer jsonb,
  archived_at timestamptz not null,
  primary key (hospital_id, id),
  constraint archived_appointment_with_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint archived_appointment_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint archived_appointment_at_a_location foreign key (hospital_id, location_id) references app_public.location (hospital_id, id),
  constraint archived_appointment_for_a_service foreign key (hospital_id, service_id) references app_public.service (hospital_id, id),
  constraint archived_appointment_of_a_series foreign key (hospital_id, series_id) references app_public.appointment_series (hospital_id, id),
  constraint archived_appointment_created_by_an_account foreign key (hospital_id, created_by) references app_public.account (hospital_id, id),
  constraint archived_appointment_cancelled_by_an_account foreign key (hospital_id, cancelled_by) references app_public.account (hospital_id, id),
  constraint an_archived_visit_starts_before_it_ends check (starts_at < ends_at)
);
create index archive_of_a_patient_by_time on app_public.appointment_archive (hospital_id, patient_id, starts_at);
create index archive_of_a_doctor_by_time on app_public.appointment_archive (hospital_id, doctor_id, starts_at);
comment on table app_public.appointment_archive is
  'An appointment of a past year, as it ended: kept apart from those that still matter, with its moves, and never changed again.';
comment on column app_public.appointment_archive.slot_id is 'The slot whose seat it held; the slot itself may be gone.';
comment on column app_public.appointment_archive.occurrence_number is 'Which occurrence of its series it was, from 1.';
comment on column app_public.appointment_archive.starts_at is 'Start of the visit.';
comment on column app_public.appointment_archive.ends_at is 'End of the visit.';
comment on column app_public.appointment_archive.status is 'State in which it ended.';
comment on column app_public.appointment_archive.source is 'Through which door it came.';
comment on column app_public.appointment_archive.reason is 'Why the patient came, in their own words.';
comment on column app_public.appointment_archive.notes is 'Notes of the staff.';
comment on column app_public.appointment_archive.checked_in_at is 'When the patient was checked in.';
comment on column app_public.appointment_archive.vitals_recorded_at is 'When the vital signs were taken.';
comment on column app_public.appointment_archive.completed_at is 'When the visit was completed.';
comment on column app_public.appointment_archive.cancelled_at is 'When it was cancelled.';
comment on column app_public.appointment_archive.cancelled_by is 'Account that cancelled it; null when a job or an operator did.';
comment on column app_public.appointment_archive.cancellation_reason is 'Why it was cancelled.';
comment on column app_public.appointment_archive.cancellation_cause is 'What ended it.';
comment on column app_public.appointment_archive.rescheduled_from is 'The slot that it was moved from last; the slot itself may be gone.';
comment on column app_public.appointment_archive.created_by is 'Account that booked it; null when a job or an operator did.';
comment on column app_public.appointment_archive.created_at is 'When it was booked.';
comment on column app_public.appointment_archive.updated_at is 'When it changed last.';
comment on column app_public.appointment_archive.moves is
  'Its reschedulings, oldest first: id, doctor_id, from_slot_id, from_starts_at, to_slot_id, to_starts_at, reason, moved_by, moved_at.';
comment on column app_public.appointment_archive.waitlist_offer is
  'The offer by which its seat came from the waitlist: id, entry_id, slot_id, outcome, offered_at, decided_at; null when it did not.';
comment on column app_public.appointment_archive.archived_at is 'When it was moved here.';

--! Included functions/foundation/claims.sql
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
--! EndIncluded functions/foundation/claims.sql
--! Included catalog/error_catalog.sql
-- Every refusal, its words and what to do about it: the only place where they stand.
with wanted (code, scenario, is_recoverable, message, hint) as (
  values
    -- Who
    ('SK401', 'not_logged_in', true, 'You are not logged in.', 'Log in at /auth/login and send the access token as Authorization: Bearer.'),
    ('SK401', 'token_expired', true, 'Your access token has expired.', 'Get a new one at /auth/refresh.'),
    ('SK401', 'invalid_token', true, 'The access token is not valid.', 'Log in again.'),
    ('SK401', 'session_ended', true, 'Your session has ended.', 'Log in again.'),
    ('SK401', 'invalid_credentials', true, 'Hospital, e-mail and password do not match an account.', 'Check all three; after several failures wait before you try again.'),
    ('SK401', 'invalid_refresh_token', true, 'The refresh token is not valid.', 'Log in again.'),
    ('SK403', 'forbidden', false, 'You may not do this.', 'Log in with an account that has the right role.'),
    ('SK429', 'too_many_attempts', true, 'Too many attempts.', 'Wait for the time given in Retry-After, then try again.'),

    -- What
    ('SK400', 'invalid_input', true, 'The input is not valid.', 'See details for each field at fault.'),
    ('SK400', 'invalid_range', true, 'The range is empty, reversed or too long.', 'Give a start before the end, at most a year apart.'),
    ('SK400', 'idempotency_key_required', true, 'An idempotency key is required.', 'Send a new random UUID with every new request, and the same one when you repeat it.'),
    ('SK409', 'idempotency_key_reused', true, 'This idempotency key was already used for another request.', 'Use a new key for a new request; repeat a request exactly to get its first answer.'),
    ('SK404', 'hospital_not_found', true, 'There is no such hospital.', 'Check the hospital''s short name.'),
    ('SK409', 'email_taken', true, 'This e-mail address already has an account in this hospital.', 'Log in, or use another address.'),
    ('SK409', 'medical_record_number_taken', true, 'This medical record number is already in use in this hospital.', 'Find the patient with this number, or give another one.'),
    ('SK409', 'name_taken', true, 'This name is already in use in this hospital.', 'Choose another name.'),
    ('SK409', 'staff_number_taken', true, 'This staff number already belongs to another doctor.', 'Check the number, or change the other doctor''s first.'),
    ('SK422', 'password_too_weak', true, 'The password is too short or too common.', 'Choose at least 12 characters that are not a common password.'),
    ('SK422', 'unknown_time_zone', true, 'The time zone is not known.', 'Give an IANA name such as Asia/Kolkata.'),
    ('SK409', 'time_zone_in_use', false, 'The time zone does not change by itself while slots lie ahead.', 'Use changeTimeZone, which carries slots, absences and counts along.'),

    -- Booking rules, in the order in which they are judged
    ('SK404', 'slot_not_found', true, 'There is no such slot.', 'Choose a slot from freeSlots.'),
    ('SK404', 'patient_not_found', true, 'There is no such patient.', 'Check the patient''s id.'),
    ('SK422', 'patient_inactive', false, 'This patient is no longer active here.', 'Ask reception to reactivate the patient.'),
    ('SK422', 'patient_blocked', false, 'This patient is blocked from booking.', 'Ask the hospital to lift the block.'),
    ('SK409', 'patient_double_booked', true, 'The patient already has an appointment at this time.', 'Choose another time, or reschedule the other appointment.'),
    ('SK404', 'doctor_not_found', true, 'There is no such doctor.', 'Check the doctor''s id.'),
    ('SK422', 'doctor_unavailable', true, 'The doctor takes no new appointments at present.', 'Choose another doctor.'),
    ('SK422', 'doctor_inactive', false, 'The doctor no longer works here.', 'Choose another doctor.'),
    ('SK422', 'slot_in_past', true, 'The slot has already begun.', 'Choose a slot that starts later.'),
    ('SK422', 'beyond_booking_horizon', true, 'The slot is too far ahead.', 'Choose a day up to details.last_day, or come back later.'),
    ('SK422', 'hospital_holiday', true, 'The hospital is closed on this day.', 'Choose another day; details.holiday names the holiday.'),
    ('SK422', 'doctor_absent', true, 'The doctor is away at this time.', 'Choose another time or another doctor.'),
    ('SK422', 'outside_schedule', true, 'The slot is outside the doctor''s working hours.', 'Choose a slot within the schedule.'),
    ('SK422', 'during_break', true, 'The slot falls into the doctor''s break.', 'Choose a slot before or after the break.'),
    ('SK409', 'slot_withdrawn', true, 'The slot is no longer offered.', 'Choose another slot.'),
    ('SK409', 'slot_blocked', true, 'The slot is blocked.', 'Choose another slot.'),
    ('SK409', 'slot_booked', true, 'The slot is fully booked.', 'Choose another slot.'),
    ('SK404', 'service_not_found', true, 'There is no such service, or it is not offered any more.', 'Choose an active service.'),
    ('SK422', 'time_outside_slot', true, 'The visit does not fit into the slot.', 'Choose a longer slot or a shorter service.'),
    ('SK409', 'daily_limit_reached', true, 'The doctor''s day is full.', 'Choose another day or another doctor.'),

    -- Requests, series, the waitlist
    ('SK409', 'request_already_made', true, 'The patient has already asked this doctor for this time.', 'Wait for the answer, or ask for another time.'),
    ('SK409', 'series_refused', true, 'Not every occurrence of the series can be booked, so none was.', 'See details.occurrences for each; choose other times, or book at best effort.'),
    ('SK409', 'slot_is_largest', true, 'The slot has as many seats as a slot can have.', 'Choose another slot.'),
    ('SK404', 'series_not_found', true, 'There is no such series.', 'Check the series'' id.'),
    ('SK409', 'already_waiting', true, 'The patient already waits for this on some of these days.', 'Leave the waitlist first to wait with other wishes.'),
    ('SK404', 'waitlist_entry_not_found', true, 'There is no such place on the waitlist.', 'Check its id.'),
    ('SK409', 'no_longer_waiting', false, 'This wait has already ended.', 'Join the waitlist again.'),
    ('SK404', 'notification_not_found', true, 'There is no such notification.', 'Check the notification''s id.'),
    ('SK422', 'waitlist_days_in_past', true, 'These days have passed.', 'Wait for today or later days.'),

    -- The calendar
    ('SK422', 'schedule_invalid', true, 'The week is not valid, so nothing was changed.', 'See details.rows: the row, the field and what is wrong with it.'),
    ('SK422', 'schedule_in_past', true, 'A schedule cannot change in the past.', 'Let it begin today or later.'),
    ('SK404', 'location_not_found', true, 'There is no such location, or it is closed.', 'Choose an active location.'),
    ('SK422', 'absence_in_past', true, 'An absence cannot begin in the past.', 'Let it begin today or later.'),
    ('SK409', 'absence_overlaps', true, 'The doctor is already away at this time.', 'Cancel or choose around the absence in details.'),
    ('SK404', 'absence_not_found', true, 'There is no such absence.', 'Check its id.'),
    ('SK409', 'absence_is_cancelled', false, 'The absence is already cancelled.', 'Enter a new one.'),
    ('SK422', 'holiday_in_past', true, 'A holiday cannot be entered for a day that has passed.', 'Choose today or a later day.'),
    ('SK409', 'holiday_overlaps', true, 'This day is already a holiday.', 'Cancel the holiday in details first.'),
    ('SK404', 'holiday_not_found', true, 'There is no such holiday.', 'Check its id.'),
    ('SK409', 'holiday_is_cancelled', false, 'The holiday is already cancelled.', 'Enter a new one.'),
    ('SK409', 'doctor_has_appointments', true, 'The doctor still has appointments ahead.', 'Move or cancel them first; details.appointment_count says how many there are.'),
    ('SK409', 'patient_has_appointments', true, 'The patient still has appointments ahead.', 'Cancel them first; details.appointment_count says how many there are.'),

    -- Imports
    ('SK409', 'import_running', true, 'Another import into this hospital is under way.', 'Wait until it has ended, then try again.'),
    ('SK422', 'import_refused', true, 'The import was refused, and nothing was stored.', 'Correct the rows at fault and import again.'),
    ('SK409', 'already_imported', false, 'The same rows were imported already.', 'There is nothing left to do; import only what is new.'),
    ('SK400', 'wrong_number_of_cells', true, 'The row has more or fewer cells than the header.', 'Look for a missing or extra comma, and put texts with commas into quotes.'),
    ('SK400', 'cell_missing', true, 'A value is needed here.', 'Fill in the cell.'),
    ('SK400', 'cell_invalid', true, 'The value is not valid here.', 'Correct the cell as the message says.'),
    ('SK409', 'repeated_in_import', true, 'An earlier row of the same import has this already.', 'Leave one of the two rows out.'),
    ('SK409', 'schedule_overlaps', true, 'The hours overlap other hours of the doctor.', 'Correct the times or the days on which they hold.'),
    ('SK422', 'local_time_skipped', true, 'The clocks skip this local time.', 'Correct the time.'),
    ('SK422', 'local_time_ambiguous', true, 'The clocks pass this local time twice.', 'Add the offset, such as +02:00.'),
    ('SK409', 'external_id_taken', false, 'An appointment of this name was imported already.', 'Leave the row out.'),

    -- State
    ('SK404', 'appointment_not_found', true, 'There is no such appointment.', 'Check the appointment''s id.'),
    ('SK409', 'illegal_transition', false, 'The appointment cannot change in this way from its present state.', 'Read the appointment again; appointmentTransitions lists what is possible.'),
    ('SK409', 'hold_expired', true, 'The hold has lapsed.', 'Hold the slot again, if it is still free.'),
    ('SK409', 'already_in_slot', true, 'The appointment is already in this slot.', 'Choose another slot.'),
    ('SK409', 'appointment_holds_a_seat', true, 'An appointment that holds a seat cannot be deleted.', 'Cancel it first.'),
    ('SK409', 'slot_is_blocked', true, 'The slot is already blocked.', 'Unblock it first to give another reason.'),
    ('SK409', 'slot_is_not_blocked', true, 'The slot is not blocked.', 'Read the slot again.'),

    -- Walls that only a hand in psql meets
    ('SK403', 'immutable_column', false, 'This column never changes.', 'Make a new row instead.'),
    ('SK403', 'counter_is_derived', false, 'Counters change only with appointments.', 'Book or cancel; a wrong count is repaired by the repair functions.'),
    ('SK403', 'archive_is_append_only', false, 'The archive is never changed.', 'Read it; what is current stands among the appointments.'),
    ('SK403', 'audit_is_append_only', false, 'The audit log is never changed.', 'Add, never edit.'),
    ('SK403', 'waitlist_follows_offers', false, 'Places on the waitlist and offers change only with what they are about.', 'Join, leave, confirm or cancel instead.'),

    -- Transport: raised by the server, with the same words
    ('SK400', 'invalid_query', false, 'The GraphQL request is not valid.', 'Check the request against the schema.'),
    ('SK400', 'invalid_request', false, 'This is not a request that the GraphQL endpoint understands.', 'Send a POST request with {"query": text, "variables": object, "operationName": text}.'),
    ('SK400', 'invalid_value', false, 'A value has a form that its type does not allow.', 'Check the values you sent.'),
    ('SK400', 'malformed_json', false, 'The body is not JSON.', 'Check quotes and brackets.'),
    ('SK400', 'batching_disabled', false, 'A request carries one operation.', 'Send each operation in a request of its own.'),
    ('SK400', 'method_not_allowed', false, 'GraphQL is asked with POST here.', 'Send a POST request.'),
    ('SK400', 'unsupported_media_type', false, 'Only application/json in UTF-8, not packed, is understood.', 'Set the header content-type: application/json.'),
    ('SK400', 'body_too_large', false, 'The request is too large.', 'Send fewer or smaller variables.'),
    ('SK400', 'introspection_disabled', false, 'This server does not describe its schema.', 'The schema is part of the documentation.'),
    ('SK400', 'operation_not_allowed', false, 'This server runs listed operations only.', 'Name a listed operation by its documentId.'),
    ('SK400', 'wrong_transport', false, 'Queries and mutations are served over HTTP, subscriptions over websockets.', 'Send queries and mutations with POST; subscribe with the graphql-transport-ws protocol.'),
    ('SK400', 'one_mutation_a_request', false, 'A request carries exactly one mutation.', 'Send each mutation in a request of its own.'),
    ('SK400', 'too_many_tokens', false, 'The query is too long.', 'Leave fields out, or ask in several requests.'),
    ('SK400', 'too_many_directives', false, 'The query has too many directives.', 'Leave directives out, or ask in several requests.'),
    ('SK400', 'too_many_aliases', false, 'The query has too many aliases.', 'Ask in several requests.'),
    ('SK400', 'too_many_root_fields', false, 'The query asks for too many things at once.', 'Ask in several requests.'),
    ('SK400', 'query_too_deep', false, 'The query is nested too deep.', 'Ask in several requests.'),
    ('SK400', 'query_too_costly', false, 'The query asks for too much at once.', 'Ask for smaller pages or fewer fields; a list counts its length times its fields.'),
    ('SK400', 'page_too_large', false, 'A page is too large.', 'Ask for less with first or last, and read on with a cursor.'),
    ('SK400', 'offset_too_large', false, 'An offset is too large.', 'Read on with a cursor (after, before), or narrow the query.'),
    ('SK400', 'negative_paging', false, 'A page or offset cannot be negative.', 'Use first, last and offset from zero upwards.'),
    ('SK400', 'too_many_subscriptions', false, 'The websocket has too many subscriptions.', 'End one before you start another.'),
    ('SK409', 'try_again', true, 'Something else was changing the same data at this moment.', 'Repeat the request unchanged, with the same idempotency key.'),
    ('SK409', 'constraint_violated', false, 'This contradicts something that is already stored.', 'Read the current state again before you repeat the request.'),
    ('SK422', 'value_not_allowed', false, 'This is not allowed by the rules of the data.', 'Check the values you sent.'),
    ('SK503', 'took_too_long', true, 'The request took too long and was stopped.', 'Ask for less at once, or repeat the request with the same idempotency key.'),
    ('SK503', 'service_unavailable', true, 'The service cannot answer at this moment.', 'Repeat the request after a second, with the same idempotency key.'),
    ('SK404', 'not_found', false, 'There is nothing at this address.', 'GraphQL is at /graphql, login at /auth/login.'),
    ('SK500', 'unexpected_error', false, 'An unexpected error occurred', 'Report the error id if this happens again.')
)
insert into app_public.error_catalog (scenario, code, is_recoverable, message, hint)
select scenario, code, is_recoverable, message, hint
from wanted
on conflict (scenario) do update
set code = excluded.code,
    is_recoverable = excluded.is_recoverable,
    message = excluded.message,
    hint = excluded.hint
where (error_catalog.code, error_catalog.is_recoverable, error_catalog.message, error_catalog.hint)
  is distinct from (excluded.code, excluded.is_recoverable, excluded.message, excluded.hint);
--! EndIncluded catalog/error_catalog.sql
--! Included functions/retention/retention_boundary.sql
-- The instant at which the first kept year begins: 1 January, 00:00 on the hospital's own wall clock,
-- of this local year less the years that stay. What started before it is of a past year; a year that
-- is a day longer or a zone off by hours changes nothing, because no length of a year is reckoned with.
create or replace function app_private.retention_boundary(hospital_id uuid) returns timestamptz
language plpgsql stable
as $$
declare
  boundary timestamptz;
begin
  select make_timestamp(
    extract(year from app_private.clock() at time zone hospital.time_zone)::integer - hospital.kept_years,
    1, 1, 0, 0, 0) at time zone hospital.time_zone
  into boundary
  from app_public.hospital
  where hospital.id = retention_boundary.hospital_id;
  return boundary;
end
$$;

comment on function app_private.retention_boundary(uuid) is
  'Start of the first year that a hospital keeps among the current ones; what began earlier may be archived.';

revoke execute on function app_private.retention_boundary(uuid) from public;
--! EndIncluded functions/retention/retention_boundary.sql
--! Included functions/retention/record_batch.sql
-- One entry in the log for a whole batch of housekeeping, instead of one a row with the row's data: what
-- was moved or removed, how many and up to when. Its record is the hospital. The rows themselves are
-- explained by what the log has of them already, and archived ones by their row in the archive.
create or replace function app_private.record_batch(
  hospital_id uuid, table_name text, operation app_public.audit_operation, facts jsonb)
returns void
language plpgsql
as $$
begin
  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, old_state, new_state,
    actor_account_id, actor_role, request_id, transaction_id, recorded_at)
  values (
    hospital_id, table_name, hospital_id, operation,
    case when operation = 'delete' then facts end,
    case when operation <> 'delete' then facts end,
    app_private.claim_account_id(), app_private.actor_role(), app_private.claim_request_id(),
    pg_current_xact_id()::text::bigint, app_private.clock());
end
$$;

comment on function app_private.record_batch(uuid, text, app_public.audit_operation, jsonb) is
  'Leaves one audit entry for a batch of rows that housekeeping moved or removed.';

revoke execute on function app_private.record_batch(uuid, text, app_public.audit_operation, jsonb) from public;
--! EndIncluded functions/retention/record_batch.sql
--! Included functions/retention/personal_fields.sql
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
  else array[]::text[]
end;

comment on function app_private.personal_fields(text) is
  'Columns of a table that identify a person or hold what they said: those that erasing redacts in the audit log.';

revoke execute on function app_private.personal_fields(text) from public;
grant execute on function app_private.personal_fields(text) to app_eraser;
--! EndIncluded functions/retention/personal_fields.sql
--! Included functions/retention/redacted_state.sql
-- A recorded state of a row without what is personal in it. What was null stays null and what is erased
-- already stays as it is, so that the log still explains the row as it now stands, and redacting twice
-- is redacting once.
create or replace function app_private.redacted_state(table_name text, state jsonb) returns jsonb
language sql immutable parallel safe
return case
  when jsonb_typeof(state) <> 'object' then state
  else state || coalesce((
    select jsonb_object_agg(field, '[erased]')
    from unnest(app_private.personal_fields(table_name)) as field
    where jsonb_typeof(state -> field) <> 'null'
      and state ->> field !~ '^(\[erased\]|Erased patient|erased-[0-9a-f-]{36}(@erased\.invalid)?)$'), '{}')
end;

comment on function app_private.redacted_state(text, jsonb) is
  'A state of a row of this table as the audit log has it, with every personal value replaced by [erased].';

revoke execute on function app_private.redacted_state(text, jsonb) from public;
grant execute on function app_private.redacted_state(text, jsonb) to app_eraser;
--! EndIncluded functions/retention/redacted_state.sql
--! Included functions/retention/redacted_row.sql
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
      from jsonb_array_elements(stored -> 'moves') with ordinality as archived (move, number)), '[]'))
end;

comment on function app_private.redacted_row(text, jsonb) is
  'A row of audit_entry or appointment_archive as it is once its person is erased.';

revoke execute on function app_private.redacted_row(text, jsonb) from public;
grant execute on function app_private.redacted_row(text, jsonb) to app_eraser;
--! EndIncluded functions/retention/redacted_row.sql
--! Included functions/retention/guard_redaction.sql
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
    when tg_argv[0] = 'appointment_archive' then before ->> 'patient_id'
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
--! EndIncluded functions/retention/guard_redaction.sql
--! Included functions/audit/keep_audit.sql
-- The log is append-only for everybody. Request roles have no privilege to change it; this trigger
-- stops the owner and a superuser's slip as well. The one exception is the redaction of an erased
-- person: only the role app_eraser, which nobody can become and which owns one function
-- (retention/redact_history), and only to what guard_redaction lets pass.
-- Whoever seals the log by a chain of hashes must seal the digest of each personal field (see
-- retention/personal_fields), not its text: the text can be redacted later, the seal must still hold.
create or replace function app_private.keep_audit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('audit_is_append_only', jsonb_build_object('audit_entry', old.id));
  return null;
end
$$;

comment on function app_private.keep_audit() is 'Trigger: refuses update and delete of audit entries.';

revoke execute on function app_private.keep_audit() from public;

create or replace trigger audit_is_append_only
  before update on app_public.audit_entry
  for each row when (current_user <> 'app_eraser')
  execute function app_private.keep_audit();

create or replace trigger audit_never_loses_an_entry
  before delete on app_public.audit_entry
  for each row execute function app_private.keep_audit();
--! EndIncluded functions/audit/keep_audit.sql
--! Included functions/audit/record_audit.sql
-- One audit entry a changed row, in the same transaction, for every client. Runs as the owner, so
-- that no request role needs a right to write the log, and takes the actor from the claims.
-- Trigger arguments: the table's name; the column that identifies a record within its hospital.
create or replace function app_private.record_audit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  stored jsonb := coalesce(after, before);
  changed jsonb;
begin
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(field.key, field.value) into changed
    from jsonb_each(after) as field
    where before -> field.key is distinct from field.value;
    if changed is null then
      return null;
    end if;
  end if;

  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, old_state, new_state, changed_columns,
    actor_account_id, actor_role, request_id, transaction_id, recorded_at)
  values (
    coalesce(stored ->> 'hospital_id', stored ->> 'id')::uuid,
    tg_argv[0],
    (stored ->> coalesce(tg_argv[1], 'id'))::uuid,
    lower(tg_op)::app_public.audit_operation,
    before,
    after,
    changed,
    app_private.claim_account_id(),
    app_private.actor_role(),
    app_private.claim_request_id(),
    pg_current_xact_id()::text::bigint,
    app_private.clock());
  return null;
end
$$;

comment on function app_private.record_audit() is
  'Trigger: writes old and new state of a changed row to audit_entry, with its actor.';

revoke execute on function app_private.record_audit() from public;

-- What is audited: everything that people decide. Not the counters of slots and days, which only
-- follow appointments, not the generation of slots, which follows schedules, and not offers of the
-- waitlist, which follow their appointments.

create or replace trigger hospital_is_audited
  after insert or update or delete on app_public.hospital
  for each row execute function app_private.record_audit('hospital');

create or replace trigger location_is_audited
  after insert or update or delete on app_public.location
  for each row execute function app_private.record_audit('location');

create or replace trigger doctor_is_audited
  after insert or update or delete on app_public.doctor
  for each row execute function app_private.record_audit('doctor');

create or replace trigger patient_is_audited
  after insert or update or delete on app_public.patient
  for each row execute function app_private.record_audit('patient');

create or replace trigger account_is_audited
  after insert or update or delete on app_public.account
  for each row execute function app_private.record_audit('account');

create or replace trigger service_is_audited
  after insert or update or delete on app_public.service
  for each row execute function app_private.record_audit('service');

create or replace trigger schedule_is_audited
  after insert or update or delete on app_public.schedule
  for each row execute function app_private.record_audit('schedule');

create or replace trigger appointment_is_audited
  after insert or update on app_public.appointment
  for each row execute function app_private.record_audit('appointment');

create or replace trigger slot_is_audited
  after update of blocked_at, blocked_reason, withdrawn_at, is_retired, capacity on app_public.slot
  for each row execute function app_private.record_audit('slot');

-- Slots that a schedule no longer has go by the hundred: what says why is the change of the schedule.
-- Of one that somebody had blocked, retired or withdrawn the last state is kept.
create or replace trigger slot_deletion_is_audited
  after delete on app_public.slot
  for each row when (
    (old.blocked_at is not null or old.is_retired or old.withdrawn_at is not null)
    and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('slot');

create or replace trigger absence_is_audited
  after insert or update or delete on app_public.absence
  for each row execute function app_private.record_audit('absence');

create or replace trigger holiday_is_audited
  after insert or update or delete on app_public.holiday
  for each row execute function app_private.record_audit('holiday');

create or replace trigger waitlist_entry_is_audited
  after insert or update or delete on app_public.waitlist_entry
  for each row execute function app_private.record_audit('waitlist_entry');

-- A row that goes is recorded with its last state, unless housekeeping of past years takes it, which
-- leaves one entry a batch (retention/record_batch) and, of an appointment, its row in the archive.
-- No client can delete either, so none gains by the setting.
create or replace trigger appointment_removal_is_audited
  after delete on app_public.appointment
  for each row when (coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('appointment');

-- One entry an import; what it made has its own.
create or replace trigger import_run_is_audited
  after insert or update or delete on app_public.import_run
  for each row execute function app_private.record_audit('import_run');

create or replace trigger appointment_series_is_audited
  after insert or update or delete on app_public.appointment_series
  for each row execute function app_private.record_audit('appointment_series');

create or replace trigger added_seat_is_audited
  after insert or delete on app_public.added_seat
  for each row execute function app_private.record_audit('added_seat');
--! EndIncluded functions/audit/record_audit.sql
--! Included functions/retention/keep_archive.sql
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
--! EndIncluded functions/retention/keep_archive.sql
--! Included functions/retention/archive_appointments.sql
-- Moves ended appointments of past years to the archive, one batch a call: whoever calls again goes on,
-- and a call that dies has done nothing. It reads, doctor by doctor, the stretch of the index that lies
-- before the first kept year, which the archive itself keeps nearly empty; so a night with nothing due
-- costs one look a doctor, whatever is stored. Rows that somebody has locked are left to the next call:
-- it waits for no appointment and takes no lock on patients' or slots' counts, so no booking waits for
-- it. An appointment of a past year that never ended is not touched.
-- The row in the archive explains the one that left; the log gets one entry a batch (record_batch)
-- and not each row's data once more. Moves, the number within a series and the offer of the waitlist
-- go along; seats are held no more, and messages of the inbox go. An idempotency key is forgotten with
-- its appointment: its slot lies in the past by then, so that a very late repetition is refused and
-- never books again.
-- Definer, because nobody may delete an appointment or write the archive.
create or replace function app_private.archive_appointments(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  boundary timestamptz := app_private.retention_boundary(hospital_id);
  instant timestamptz := app_private.clock();
  due uuid[];
begin
  select array_agg(ended.id) into due
  from (
    select of_doctor.id
    from app_public.doctor
    cross join lateral (
      select appointment.id
      from app_public.appointment
      where appointment.hospital_id = archive_appointments.hospital_id
        and appointment.doctor_id = doctor.id
        and appointment.starts_at < boundary
        and appointment.status in ('completed', 'cancelled', 'no_show', 'expired')
      order by appointment.starts_at
      limit most
      for update skip locked
    ) as of_doctor
    where doctor.hospital_id = archive_appointments.hospital_id
    limit most
  ) as ended;
  if due is null then
    return 0;
  end if;

  insert into app_public.appointment_archive (
    hospital_id, id, slot_id, doctor_id, patient_id, location_id, service_id, series_id, occurrence_number,
    starts_at, ends_at, status, source, reason, notes, checked_in_at, vitals_recorded_at, completed_at,
    cancelled_at, cancelled_by, cancellation_reason, cancellation_cause, rescheduled_from,
    created_by, created_at, updated_at, moves, waitlist_offer, archived_at)
  select
    appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.patient_id,
    appointment.location_id, appointment.service_id, appointment.series_id,
    (select min(occurrence.number)
     from app_public.series_occurrence as occurrence
     where occurrence.hospital_id = archive_appointments.hospital_id
       and occurrence.appointment_id = appointment.id),
    appointment.starts_at, appointment.ends_at, appointment.status, appointment.source, appointment.reason,
    appointment.notes, appointment.checked_in_at, appointment.vitals_recorded_at, appointment.completed_at,
    appointment.cancelled_at, appointment.cancelled_by, appointment.cancellation_reason,
    appointment.cancellation_cause, appointment.rescheduled_from,
    appointment.created_by, appointment.created_at, appointment.updated_at,
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'id', move.id, 'doctor_id', move.doctor_id,
        'from_slot_id', move.from_slot_id, 'from_starts_at', from_slot.starts_at,
        'to_slot_id', move.to_slot_id, 'to_starts_at', to_slot.starts_at,
        'reason', move.reason, 'moved_by', move.moved_by, 'moved_at', move.moved_at)
        order by move.moved_at, move.id)
      from app_public.appointment_move as move
      join app_public.slot as from_slot
        on from_slot.hospital_id = archive_appointments.hospital_id and from_slot.id = move.from_slot_id
      join app_public.slot as to_slot
        on to_slot.hospital_id = archive_appointments.hospital_id and to_slot.id = move.to_slot_id
      where move.hospital_id = archive_appointments.hospital_id and move.appointment_id = appointment.id), '[]'),
    (select jsonb_build_object(
       'id', offer.id, 'entry_id', offer.entry_id, 'slot_id', offer.slot_id, 'outcome', offer.outcome,
       'offered_at', offer.offered_at, 'decided_at', offer.decided_at)
     from app_public.waitlist_offer as offer
     where offer.hospital_id = archive_appointments.hospital_id and offer.appointment_id = appointment.id),
    instant
  from app_public.appointment
  where appointment.hospital_id = archive_appointments.hospital_id and appointment.id = any (due);

  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.appointment
  where appointment.hospital_id = archive_appointments.hospital_id and appointment.id = any (due);
  perform set_config('slotkeeper.housekeeping', '', true);

  perform app_private.record_batch(hospital_id, 'appointment_archive', 'insert',
    jsonb_build_object('archived_count', cardinality(due), 'archived_at', instant, 'starting_before', boundary));
  return cardinality(due);
end
$$;

comment on function app_private.archive_appointments(uuid, integer) is
  'Moves ended appointments of a hospital''s past years to the archive, at most so many, and returns how many.';

revoke execute on function app_private.archive_appointments(uuid, integer) from public;
grant execute on function app_private.archive_appointments(uuid, integer) to app_worker;
--! EndIncluded functions/retention/archive_appointments.sql
--! Included functions/retention/remove_past_slots.sql
-- Removes slots of past years that nothing refers to any more, one batch a call; see
-- archive_appointments for why it can be called again, and by whom it is not waited for. A slot that an
-- appointment, a move, a further seat or an offer still names stays. Whoever is just coming to refer to
-- one has its row locked, and it is skipped; whoever comes later finds no slot.
-- A slot tells of working hours and of nobody; the log, which never heard of its making, gets one
-- entry a batch. Definer, because nobody may delete slots.
create or replace function app_private.remove_past_slots(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  boundary timestamptz := app_private.retention_boundary(hospital_id);
  due uuid[];
begin
  select array_agg(unused.id) into due
  from (
    select of_doctor.id
    from app_public.doctor
    cross join lateral (
      select slot.id
      from app_public.slot
      where slot.hospital_id = remove_past_slots.hospital_id
        and slot.doctor_id = doctor.id
        and slot.starts_at < boundary
        and slot.booked_count = 0
        and not exists (
          select from app_public.appointment as visit
          where visit.hospital_id = remove_past_slots.hospital_id and visit.slot_id = slot.id)
        and not exists (
          select from app_public.appointment as moved
          where moved.hospital_id = remove_past_slots.hospital_id and moved.rescheduled_from = slot.id)
        and not exists (
          select from app_public.appointment_move as departure
          where departure.hospital_id = remove_past_slots.hospital_id and departure.from_slot_id = slot.id)
        and not exists (
          select from app_public.appointment_move as arrival
          where arrival.hospital_id = remove_past_slots.hospital_id and arrival.to_slot_id = slot.id)
        and not exists (
          select from app_public.appointment_seat as seat
          where seat.hospital_id = remove_past_slots.hospital_id and seat.slot_id = slot.id)
        and not exists (
          select from app_public.waitlist_offer as offer
          where offer.hospital_id = remove_past_slots.hospital_id and offer.slot_id = slot.id)
      order by slot.starts_at
      limit most
      for update of slot skip locked
    ) as of_doctor
    where doctor.hospital_id = remove_past_slots.hospital_id
    limit most
  ) as unused;
  if due is null then
    return 0;
  end if;

  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.slot
  where slot.hospital_id = remove_past_slots.hospital_id and slot.id = any (due);
  perform set_config('slotkeeper.housekeeping', '', true);

  perform app_private.record_batch(hospital_id, 'slot', 'delete',
    jsonb_build_object('removed_count', cardinality(due), 'starting_before', boundary));
  return cardinality(due);
end
$$;

comment on function app_private.remove_past_slots(uuid, integer) is
  'Removes slots of a hospital''s past years that nothing refers to, at most so many, and returns how many.';

revoke execute on function app_private.remove_past_slots(uuid, integer) from public;
grant execute on function app_private.remove_past_slots(uuid, integer) to app_worker;
--! EndIncluded functions/retention/remove_past_slots.sql
--! Included functions/retention/remove_past_days.sql
-- Removes doctors' days of past years, one batch a call. A day counts the appointments that hold a seat,
-- and guards how many may; once they have ended it counts none and guards nothing. A day that still
-- counts one, an appointment that never ended, stays. Definer, because nobody may delete days.
create or replace function app_private.remove_past_days(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  first_kept_day date;
  removed integer;
begin
  select (app_private.retention_boundary(hospital.id) at time zone hospital.time_zone)::date into first_kept_day
  from app_public.hospital
  where hospital.id = remove_past_days.hospital_id;

  with past as materialized (
    select of_doctor.doctor_id, of_doctor.day
    from app_public.doctor
    cross join lateral (
      select doctor_day.doctor_id, doctor_day.day
      from app_public.doctor_day
      where doctor_day.hospital_id = remove_past_days.hospital_id
        and doctor_day.doctor_id = doctor.id
        and doctor_day.day < first_kept_day
        and doctor_day.booked_count = 0
      order by doctor_day.day
      limit most
      for update skip locked
    ) as of_doctor
    where doctor.hospital_id = remove_past_days.hospital_id
    limit most
  )
  delete from app_public.doctor_day
  using past
  where doctor_day.hospital_id = remove_past_days.hospital_id
    and doctor_day.doctor_id = past.doctor_id
    and doctor_day.day = past.day;
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_past_days(uuid, integer) is
  'Removes doctors'' days of a hospital''s past years that count nothing any more, at most so many, and returns how many.';

revoke execute on function app_private.remove_past_days(uuid, integer) from public;
grant execute on function app_private.remove_past_days(uuid, integer) to app_worker;
--! EndIncluded functions/retention/remove_past_days.sql
--! Included functions/retention/redact_history.sql
-- The one function that changes what is otherwise never changed: entries of the log and rows of the
-- archive. It belongs to app_eraser, a role that nobody is a member of, and the triggers of both tables
-- let that role do nothing but redact rows about a person who has been erased (guard_redaction). Its
-- policies reach no further than the hospital of the request. Only erase_person calls it. Entries are
-- found by the records that they tell of, through the index, never by searching the log.
grant create on schema app_private to app_eraser;
set local role app_eraser;

create or replace function app_private.redact_history(hospital_id uuid, patient_id uuid, record_ids uuid[])
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  redacted integer;
begin
  update app_public.appointment_archive
  set reason = null,
      notes = null,
      cancellation_reason = null,
      moves = app_private.redacted_row('appointment_archive', jsonb_build_object('moves', appointment_archive.moves)) -> 'moves'
  where appointment_archive.hospital_id = redact_history.hospital_id
    and appointment_archive.patient_id = redact_history.patient_id
    and (num_nonnulls(appointment_archive.reason, appointment_archive.notes, appointment_archive.cancellation_reason) > 0
      or appointment_archive.moves @? '$[*].reason ? (@ != null)');

  update app_public.audit_entry
  set old_state = app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
      new_state = app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
      changed_columns = app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns)
  where audit_entry.hospital_id = redact_history.hospital_id
    and audit_entry.record_id = any (redact_history.record_ids)
    and (audit_entry.old_state, audit_entry.new_state, audit_entry.changed_columns) is distinct from (
      app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
      app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
      app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns));
  get diagnostics redacted = row_count;
  return redacted;
end
$$;

comment on function app_private.redact_history(uuid, uuid, uuid[]) is
  'Redacts what the archive and the audit log have of an erased person; returns how many audit entries changed.';

revoke execute on function app_private.redact_history(uuid, uuid, uuid[]) from public;
grant execute on function app_private.redact_history(uuid, uuid, uuid[]) to app_owner;

set local role app_owner;
revoke create on schema app_private from app_eraser;
--! EndIncluded functions/retention/redact_history.sql
--! Included functions/retention/erase_person.sql
-- Takes a person out of everything that is stored about them and leaves what can be counted: who was
-- seen when by which doctor, how it ended. Appointments are locked before the patient, as everywhere;
-- the patient then FOR UPDATE, so that nothing that refers to them is being written at this moment and
-- whoever comes next finds them inactive. Upcoming appointments stand in the way: somebody has to
-- cancel them first and tell the people concerned. What erasing itself adds to the log (the old values
-- of every changed row) is redacted with the rest, in the same transaction; what stays of it is who
-- erased whom, when, and which columns changed. The second time it changes nothing, or finishes what
-- came up since.
-- Definer, because nobody may write most of this; the log and the archive are redacted by a role of
-- their own (redact_history), for the hospital of the request only.
create or replace function app_private.erase_person(hospital_id uuid, patient_id uuid, reason text)
returns app_public.patient
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  person app_public.patient;
  upcoming integer;
  visits uuid[];
  records uuid[];
begin
  if hospital_id is distinct from app_private.request_hospital_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.appointment
  where appointment.hospital_id = erase_person.hospital_id and appointment.patient_id = erase_person.patient_id
  order by appointment.id
  for no key update;
  select * into person
  from app_public.patient
  where patient.hospital_id = erase_person.hospital_id and patient.id = erase_person.patient_id
  for update;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;

  select array_agg(appointment.id), count(*) filter (where
    appointment.holds_seat and appointment.ends_at > instant
    or appointment.status = 'requested' and appointment.starts_at > instant)
  into visits, upcoming
  from app_public.appointment
  where appointment.hospital_id = erase_person.hospital_id and appointment.patient_id = erase_person.patient_id;
  if upcoming > 0 then
    perform app_private.refuse('patient_has_appointments',
      jsonb_build_object('patient_id', patient_id, 'appointment_count', upcoming));
  end if;

  update app_public.patient
  set name = 'Erased patient', medical_record_number = 'erased-' || patient.id::text,
      phone = null, email = null, date_of_birth = null,
      status = 'active', blocked_at = null, blocked_reason = null, is_active = false,
      erased_at = instant, erasure_reason = erase_person.reason
  where patient.hospital_id = erase_person.hospital_id and patient.id = erase_person.patient_id
    and patient.erased_at is null;

  update app_public.account
  set email = 'erased-' || account.id::text || '@erased.invalid', display_name = 'Erased patient', is_active = false
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and account.display_name <> 'Erased patient';
  delete from app_private.account_secret
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and account_secret.hospital_id = erase_person.hospital_id and account_secret.account_id = account.id;

  update app_public.appointment
  set reason = null, notes = null, cancellation_reason = null
  where appointment.hospital_id = erase_person.hospital_id and appointment.patient_id = erase_person.patient_id
    and num_nonnulls(appointment.reason, appointment.notes, appointment.cancellation_reason) > 0;
  update app_public.appointment_move
  set reason = null
  where appointment_move.hospital_id = erase_person.hospital_id and appointment_move.appointment_id = any (visits)
    and appointment_move.reason is not null;
  update app_public.appointment_series
  set reason = null
  where appointment_series.hospital_id = erase_person.hospital_id
    and appointment_series.patient_id = erase_person.patient_id and appointment_series.reason is not null;
  update app_public.waitlist_entry
  set reason = null,
      status = case when waitlist_entry.ended_at is null then 'cancelled' else waitlist_entry.status end,
      ended_at = coalesce(waitlist_entry.ended_at, instant)
  where waitlist_entry.hospital_id = erase_person.hospital_id and waitlist_entry.patient_id = erase_person.patient_id
    and (waitlist_entry.reason is not null or waitlist_entry.ended_at is null);

  -- The person's own messages, and those that name them to a doctor or to the staff.
  delete from app_public.notification
  where notification.hospital_id = erase_person.hospital_id and notification.patient_id = erase_person.patient_id;
  delete from app_public.notification
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and notification.hospital_id = erase_person.hospital_id and notification.account_id = account.id;
  delete from app_public.notification
  where notification.hospital_id = erase_person.hospital_id and notification.appointment_id = any (visits);

  select array_agg(record.id) into records
  from (
    select patient_id as id
    union all
    select unnest(visits)
    union all
    select account.id from app_public.account
    where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    union all
    select appointment_move.id from app_public.appointment_move
    where appointment_move.hospital_id = erase_person.hospital_id and appointment_move.appointment_id = any (visits)
    union all
    select appointment_series.id from app_public.appointment_series
    where appointment_series.hospital_id = erase_person.hospital_id
      and appointment_series.patient_id = erase_person.patient_id
    union all
    select waitlist_entry.id from app_public.waitlist_entry
    where waitlist_entry.hospital_id = erase_person.hospital_id and waitlist_entry.patient_id = erase_person.patient_id
    union all
    select archived.id from app_public.appointment_archive as archived
    where archived.hospital_id = erase_person.hospital_id and archived.patient_id = erase_person.patient_id
    union all
    select (move ->> 'id')::uuid
    from app_public.appointment_archive as archived cross join jsonb_array_elements(archived.moves) as move
    where archived.hospital_id = erase_person.hospital_id and archived.patient_id = erase_person.patient_id
  ) as record;
  perform app_private.redact_history(hospital_id, patient_id, records);

  select * into person
  from app_public.patient
  where patient.hospital_id = erase_person.hospital_id and patient.id = erase_person.patient_id;
  return person;
end
$$;

comment on function app_private.erase_person(uuid, uuid, text) is
  'Erases a person of the request''s hospital everywhere, the log and the archive included; returns the patient as nobody.';

revoke execute on function app_private.erase_person(uuid, uuid, text) from public;
grant execute on function app_private.erase_person(uuid, uuid, text) to app_admin;
--! EndIncluded functions/retention/erase_person.sql
--! Included functions/retention/erase_patient.sql
-- Erasing cannot be undone and reaches what no role may write, the log included; the work stands in
-- erase_person. Only an admin may, and only in their own hospital.
create or replace function app_public.erase_patient(patient_id uuid, reason text default null)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.erase_person(hospital, patient_id, reason);
end
$$;

comment on function app_public.erase_patient(uuid, text) is
  'Erases a person for good: name, contact, birth date, record number, login, messages and everything written about them, also in the audit log. Visits stay as numbers. Refused while appointments lie ahead; done twice, it changes nothing. The reason is kept: give the number of the case, never particulars. For admins.';

revoke execute on function app_public.erase_patient(uuid, text) from public;
grant execute on function app_public.erase_patient(uuid, text) to app_admin;
--! EndIncluded functions/retention/erase_patient.sql
--! Included functions/retention/export_patient.sql
-- Everything that is stored about a person, for the person: read under the admin's own rights, so it
-- holds nothing that the admin could not see row by row. Hashes and keys of requests are left out; they
-- tell nothing of a person.
create or replace function app_public.export_patient(patient_id uuid) returns jsonb
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  exported jsonb;
begin
  select jsonb_build_object(
    'exported_at', app_private.clock(),
    'patient', to_jsonb(patient),
    'accounts', (
      select coalesce(jsonb_agg(to_jsonb(account) order by account.id), '[]')
      from app_public.account
      where account.hospital_id = hospital and account.patient_id = export_patient.patient_id),
    'appointments', (
      select coalesce(jsonb_agg(to_jsonb(appointment) - array['idempotency_key', 'request_fingerprint', 'during']
        order by appointment.starts_at, appointment.id), '[]')
      from app_public.appointment
      where appointment.hospital_id = hospital and appointment.patient_id = export_patient.patient_id),
    'moves', (
      select coalesce(jsonb_agg(to_jsonb(move) - array['idempotency_key', 'request_fingerprint']
        order by move.moved_at, move.id), '[]')
      from app_public.appointment
      join app_public.appointment_move as move
        on move.hospital_id = hospital and move.appointment_id = appointment.id
      where appointment.hospital_id = hospital and appointment.patient_id = export_patient.patient_id),
    'archived_appointments', (
      select coalesce(jsonb_agg(to_jsonb(archived) order by archived.starts_at, archived.id), '[]')
      from app_public.appointment_archive as archived
      where archived.hospital_id = hospital and archived.patient_id = export_patient.patient_id),
    'series', (
      select coalesce(jsonb_agg(to_jsonb(series) - array['idempotency_key', 'request_fingerprint']
        order by series.created_at, series.id), '[]')
      from app_public.appointment_series as series
      where series.hospital_id = hospital and series.patient_id = export_patient.patient_id),
    'waitlist', (
      select coalesce(jsonb_agg(to_jsonb(entry) order by entry.created_at, entry.id), '[]')
      from app_public.waitlist_entry as entry
      where entry.hospital_id = hospital and entry.patient_id = export_patient.patient_id))
  into exported
  from app_public.patient
  where patient.hospital_id = hospital and patient.id = export_patient.patient_id;
  if exported is null then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return exported;
end
$$;

comment on function app_public.export_patient(uuid) is
  'Everything that the hospital stores about a person: particulars, login, appointments with the archived ones, moves, series and waitlist. For admins.';

revoke execute on function app_public.export_patient(uuid) from public;
grant execute on function app_public.export_patient(uuid) to app_admin;
--! EndIncluded functions/retention/export_patient.sql
--! Included policies/audit_entry.sql
-- Admins read the log of their hospital. Nobody is granted to write it: triggers do, as the owner,
-- who may add and read but neither change nor remove. Only the eraser changes it, in the hospital of the
-- request, and only as guard_redaction lets it.
alter table app_public.audit_entry enable row level security;
alter table app_public.audit_entry force row level security;

grant select on app_public.audit_entry to app_admin, app_eraser;
grant update (old_state, new_state, changed_columns) on app_public.audit_entry to app_eraser;
revoke update, delete, truncate on app_public.audit_entry from app_owner;

drop policy if exists admins_read_their_hospital on app_public.audit_entry;
create policy admins_read_their_hospital on app_public.audit_entry for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_reads_its_hospital on app_public.audit_entry;
create policy eraser_reads_its_hospital on app_public.audit_entry for select to app_eraser
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_redacts_in_its_hospital on app_public.audit_entry;
create policy eraser_redacts_in_its_hospital on app_public.audit_entry for update to app_eraser
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.audit_entry;
create policy owner_reads on app_public.audit_entry for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.audit_entry;
create policy owner_appends on app_public.audit_entry for insert to app_owner
  with check (true);
--! EndIncluded policies/audit_entry.sql
--! Included policies/appointment_archive.sql
-- Who may see an appointment may see it in the archive: patients their own, staff those of their
-- hospital. Nobody writes it; the nightly job adds as the owner, who may add and read but neither change
-- nor remove, and the eraser redacts within the hospital of the request.
alter table app_public.appointment_archive enable row level security;
alter table app_public.appointment_archive force row level security;

grant select on app_public.appointment_archive to app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_eraser;
grant update (reason, notes, cancellation_reason, moves) on app_public.appointment_archive to app_eraser;
revoke delete, truncate on app_public.appointment_archive from app_owner;
-- The owner keeps the privilege of update, without a policy for it and against the trigger keep_archive:
-- Postgres asks it of whoever holds a row that the archive refers to.

drop policy if exists patients_read_their_own on app_public.appointment_archive;
create policy patients_read_their_own on app_public.appointment_archive for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment_archive;
create policy staff_read_their_hospital on app_public.appointment_archive for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_reads_its_hospital on app_public.appointment_archive;
create policy eraser_reads_its_hospital on app_public.appointment_archive for select to app_eraser
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_redacts_in_its_hospital on app_public.appointment_archive;
create policy eraser_redacts_in_its_hospital on app_public.appointment_archive for update to app_eraser
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.appointment_archive;
create policy owner_reads on app_public.appointment_archive for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.appointment_archive;
create policy owner_appends on app_public.appointment_archive for insert to app_owner
  with check (true);
--! EndIncluded policies/appointment_archive.sql

reset role;
