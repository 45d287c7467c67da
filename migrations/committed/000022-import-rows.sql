--! Previous: sha1:511d03c68b2ee6c7e76acbd05ad1d773c25b42df
--! Hash: sha1:8b22ff5e29266101bbacd3eacb83636ab43daaaf
--! Message: import-rows

--! split: 1-current.sql
-- Bulk import: all rows of a file or none, with every fault of every row told at once.

set local role app_owner;

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
--! Included functions/foundation/keep_columns.sql
-- Keeps columns as they were stored, for every client: a row never moves to another hospital, and
-- what identifies it never changes under those who refer to it.
-- Trigger arguments: the table's name, then the columns to keep (hospital_id and id always are).
create or replace function app_private.keep_columns() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  before jsonb := to_jsonb(old);
  after jsonb := to_jsonb(new);
  kept text;
begin
  foreach kept in array array['hospital_id', 'id'] || tg_argv[1:] loop
    if before -> kept is distinct from after -> kept then
      perform app_private.refuse('immutable_column',
        jsonb_build_object('table', tg_argv[0], 'column', kept));
    end if;
  end loop;
  return new;
end
$$;

comment on function app_private.keep_columns() is
  'Trigger: refuses a change of the columns named as arguments, of hospital_id and of id.';

revoke execute on function app_private.keep_columns() from public;

-- The function is entered only by a statement that names one of these columns, so that updates of
-- everything else cost nothing.
create or replace trigger hospital_keeps_its_identity
  before update of id on app_public.hospital
  for each row execute function app_private.keep_columns('hospital');

create or replace trigger location_keeps_its_identity
  before update of hospital_id, id on app_public.location
  for each row execute function app_private.keep_columns('location');

create or replace trigger doctor_keeps_its_identity
  before update of hospital_id, id on app_public.doctor
  for each row execute function app_private.keep_columns('doctor');

create or replace trigger patient_keeps_its_identity
  before update of hospital_id, id, created_at on app_public.patient
  for each row execute function app_private.keep_columns('patient', 'created_at');

create or replace trigger account_keeps_its_identity
  before update of hospital_id, id, created_at on app_public.account
  for each row execute function app_private.keep_columns('account', 'created_at');

create or replace trigger service_keeps_its_identity
  before update of hospital_id, id on app_public.service
  for each row execute function app_private.keep_columns('service');

create or replace trigger schedule_keeps_its_identity
  before update of hospital_id, id, doctor_id, location_id, created_at on app_public.schedule
  for each row execute function app_private.keep_columns('schedule', 'doctor_id', 'location_id', 'created_at');

-- A slot that a new schedule still has follows it: schedule_id may change, to a schedule of the same
-- doctor at the same place, as its foreign key says.
create or replace trigger slot_keeps_its_identity
  before update of hospital_id, id, doctor_id, location_id, during, created_at on app_public.slot
  for each row execute function app_private.keep_columns('slot', 'doctor_id', 'location_id', 'during', 'created_at');

create or replace trigger appointment_keeps_its_identity
  before update of hospital_id, id, patient_id, service_id, series_id, created_by, created_at, idempotency_key, request_fingerprint on app_public.appointment
  for each row execute function app_private.keep_columns('appointment', 'patient_id', 'service_id', 'series_id', 'created_by', 'created_at', 'idempotency_key', 'request_fingerprint');

create or replace trigger appointment_move_keeps_its_identity
  before update of hospital_id, id, appointment_id, from_slot_id, to_slot_id, moved_by, moved_at, idempotency_key, request_fingerprint on app_public.appointment_move
  for each row execute function app_private.keep_columns('appointment_move', 'appointment_id', 'from_slot_id', 'to_slot_id', 'moved_by', 'moved_at', 'idempotency_key', 'request_fingerprint');

create or replace trigger doctor_day_keeps_its_identity
  before update of hospital_id, doctor_id, day on app_public.doctor_day
  for each row execute function app_private.keep_columns('doctor_day', 'doctor_id', 'day');

create or replace trigger notification_keeps_all_but_its_reading
  before update of hospital_id, id, patient_id, doctor_id, account_id, event, priority, channels, title, body, appointment_id, created_at on app_public.notification
  for each row execute function app_private.keep_columns('notification', 'patient_id', 'doctor_id', 'account_id', 'event', 'priority', 'channels', 'title', 'body', 'appointment_id', 'created_at');

create or replace trigger absence_keeps_its_identity
  before update of hospital_id, id, doctor_id, type, first_day, last_day, start_time, end_time, created_by, created_at on app_public.absence
  for each row execute function app_private.keep_columns('absence', 'doctor_id', 'type', 'first_day', 'last_day', 'start_time', 'end_time', 'created_by', 'created_at');

create or replace trigger holiday_keeps_its_identity
  before update of hospital_id, id, date, is_recurring, created_at on app_public.holiday
  for each row execute function app_private.keep_columns('holiday', 'date', 'is_recurring', 'created_at');
create or replace trigger waitlist_entry_keeps_its_identity
  before update of hospital_id, id, patient_id, doctor_id, specialty, created_by, created_at on app_public.waitlist_entry
  for each row execute function app_private.keep_columns('waitlist_entry', 'patient_id', 'doctor_id', 'specialty', 'created_by', 'created_at');

create or replace trigger waitlist_offer_keeps_its_identity
  before update of hospital_id, id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at on app_public.waitlist_offer
  for each row execute function app_private.keep_columns('waitlist_offer', 'entry_id', 'patient_id', 'doctor_id', 'slot_id', 'appointment_id', 'offered_at');

create or replace trigger import_run_keeps_its_identity
  before update of hospital_id, id, kind, file_name, row_count, fingerprint, created_by, imported_at on app_public.import_run
  for each row execute function app_private.keep_columns('import_run', 'kind', 'file_name', 'row_count', 'fingerprint', 'created_by', 'imported_at');

create or replace trigger imported_row_keeps_its_identity
  before update of hospital_id, run_id, row_number, record_id, external_id on app_public.imported_row
  for each row execute function app_private.keep_columns('imported_row', 'run_id', 'row_number', 'record_id', 'external_id');

create or replace trigger import_row_keeps_its_identity
  before update of hospital_id, run_id, row_number on app_private.import_row
  for each row execute function app_private.keep_columns('import_row', 'run_id', 'row_number');

create or replace trigger appointment_series_keeps_its_identity
  before update of hospital_id, id, patient_id, doctor_id, service_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing, created_by, created_at, idempotency_key, request_fingerprint on app_public.appointment_series
  for each row execute function app_private.keep_columns('appointment_series', 'patient_id', 'doctor_id', 'service_id', 'first_starts_at', 'every_days', 'occurrence_count', 'is_all_or_nothing', 'created_by', 'created_at', 'idempotency_key', 'request_fingerprint');

create or replace trigger series_occurrence_keeps_what_happened
  before update of hospital_id, series_id, number, patient_id, doctor_id, starts_at, appointment_id, scenario, details on app_public.series_occurrence
  for each row execute function app_private.keep_columns('series_occurrence', 'series_id', 'number', 'patient_id', 'doctor_id', 'starts_at', 'appointment_id', 'scenario', 'details');

create or replace trigger added_seat_keeps_what_happened
  before update of hospital_id, id, slot_id, doctor_id, reason, added_by, added_at on app_public.added_seat
  for each row execute function app_private.keep_columns('added_seat', 'slot_id', 'doctor_id', 'reason', 'added_by', 'added_at');
--! EndIncluded functions/foundation/keep_columns.sql
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
--! Included policies/import_run.sql
-- Admins import, and see what was imported into their hospital. Who did it and when is granted to
-- nobody: the columns take it from the claims and the clock.
alter table app_public.import_run enable row level security;
alter table app_public.import_run force row level security;

grant select on app_public.import_run to app_admin, app_monitor;
grant insert (hospital_id, id, kind, file_name, row_count, fingerprint) on app_public.import_run to app_admin;
-- No grant of update or delete to anybody: what was imported stays imported.

drop policy if exists admins_read_their_hospital on app_public.import_run;
create policy admins_read_their_hospital on app_public.import_run for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_import_into_their_hospital on app_public.import_run;
create policy admins_import_into_their_hospital on app_public.import_run for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.import_run;
create policy monitor_reads_all on app_public.import_run for select to app_monitor
  using (true);

-- Operators import as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.import_run;
create policy owner_maintains on app_public.import_run for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/import_run.sql
--! Included policies/imported_row.sql
-- Admins write it while they import, and see where a record came from; it names records by id only.
alter table app_public.imported_row enable row level security;
alter table app_public.imported_row force row level security;

grant select on app_public.imported_row to app_admin, app_monitor;
grant insert (hospital_id, run_id, row_number, record_id, external_id) on app_public.imported_row to app_admin;
-- No grant of update or delete to anybody: what was imported stays imported.

drop policy if exists admins_read_their_hospital on app_public.imported_row;
create policy admins_read_their_hospital on app_public.imported_row for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_import_into_their_hospital on app_public.imported_row;
create policy admins_import_into_their_hospital on app_public.imported_row for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.imported_row;
create policy monitor_reads_all on app_public.imported_row for select to app_monitor
  using (true);

-- Operators import as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.imported_row;
create policy owner_maintains on app_public.imported_row for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/imported_row.sql
--! Included policies/import_row.sql
-- The rows of an import while it runs, for the transaction that imports; no row is ever committed.
alter table app_private.import_row enable row level security;
alter table app_private.import_row force row level security;

grant select, insert, delete on app_private.import_row to app_admin;
grant update (found, faults) on app_private.import_row to app_admin;

drop policy if exists admins_read_their_hospital on app_private.import_row;
create policy admins_read_their_hospital on app_private.import_row for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_import_into_their_hospital on app_private.import_row;
create policy admins_import_into_their_hospital on app_private.import_row for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_judge_in_their_hospital on app_private.import_row;
create policy admins_judge_in_their_hospital on app_private.import_row for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_clear_in_their_hospital on app_private.import_row;
create policy admins_clear_in_their_hospital on app_private.import_row for delete to app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Operators import as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_private.import_row;
create policy owner_maintains on app_private.import_row for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/import_row.sql
--! Included policies/appointment.sql
-- Patients see and change their own appointments; staff see those of their hospital; doctors
-- change their own, the others of the staff all. What a change may be, the triggers decide. Only the
-- columns that a function passes on are granted: no client sets a time, a doctor or a canceller.
alter table app_public.appointment enable row level security;
alter table app_public.appointment force row level security;

grant select on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, slot_id, doctor_id, during, patient_id, service_id, series_id, reason, status, idempotency_key, request_fingerprint) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (source, held_until) on app_public.appointment to app_worker;
-- For imports: the table takes no other source from an admin.
grant insert (source) on app_public.appointment to app_admin;
grant update (status, slot_id, cancellation_reason) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of delete to anybody: an appointment ends, it does not vanish.

drop policy if exists patients_read_their_own on app_public.appointment;
create policy patients_read_their_own on app_public.appointment for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_book_for_themselves on app_public.appointment;
create policy patients_book_for_themselves on app_public.appointment for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_change_their_own on app_public.appointment;
create policy patients_change_their_own on app_public.appointment for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment;
create policy staff_read_their_hospital on app_public.appointment for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_book_with_themselves on app_public.appointment;
create policy doctors_book_with_themselves on app_public.appointment for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_change_their_own on app_public.appointment;
create policy doctors_change_their_own on app_public.appointment for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_book on app_public.appointment;
create policy nurses_receptionists_and_admins_book on app_public.appointment for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists nurses_receptionists_and_admins_change on app_public.appointment;
create policy nurses_receptionists_and_admins_change on app_public.appointment for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment;
create policy worker_reads_all on app_public.appointment for select to app_worker
  using (true);

drop policy if exists worker_books on app_public.appointment;
create policy worker_books on app_public.appointment for insert to app_worker
  with check (true);

drop policy if exists worker_changes on app_public.appointment;
create policy worker_changes on app_public.appointment for update to app_worker
  using (true)
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment;
create policy owner_maintains on app_public.appointment for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/appointment.sql
--! Included functions/booking/admit_appointment.sql
-- The door of the appointment table, for every client: who may enter, with which state, into which
-- seat. It runs as the owner, before row-level security looks at the row, so it repeats the two
-- walls that matter for what a refusal may tell: the hospital and the patient of the claims.
-- A request names a doctor and a time, whose length is never the client's to say; everything else
-- takes doctor, place and time from its slot. Only jobs and operators may bring a source or a time within
-- the slot, and only jobs hold a seat as long as an offer lasts. What an admin imports says so.
create or replace function app_private.admit_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  is_trusted boolean := actor in ('worker', 'operator');
  instant timestamptz := app_private.clock();
  is_offer boolean := actor = 'worker' and new.held_until is not null;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.guard_transition(actor, null, new.status);

  new.source := coalesce(
    case when is_trusted or actor = 'admin' and new.source = 'import' then new.source end,
    case actor when 'patient' then 'patient' when 'operator' then 'import' else 'staff' end::app_public.appointment_source);
  new.created_by := app_private.claim_account_id();
  new.created_at := instant;
  new.updated_at := instant;
  new.held_until := null;

  if new.status = 'requested' then
    return app_private.admit_request(new);
  end if;
  if not is_trusted then
    new.doctor_id := null;
    new.location_id := null;
    new.during := null;
  end if;
  new := app_private.seat_appointment(new);
  if new.status = 'held' then
    new.held_until := app_private.held_until(new, is_offer);
  end if;
  return new;
end
$$;

comment on function app_private.admit_appointment() is
  'Trigger: admits a new appointment into its seat, or refuses it with its scenario.';

revoke execute on function app_private.admit_appointment() from public;

create or replace trigger appointment_is_admitted
  before insert on app_public.appointment
  for each row execute function app_private.admit_appointment();
--! EndIncluded functions/booking/admit_appointment.sql
--! Included functions/imports/read_day.sql
-- A cell is a text that anybody may have written: what it should be is asked of its form first, so that
-- no cast is ever tried that could fail.
create or replace function app_private.read_day(cell text) returns date
language plpgsql immutable parallel safe
as $$
declare
  part text[] := regexp_match(cell, '^([0-9]{4})-([0-9]{2})-([0-9]{2})$');
  first_of_month date;
begin
  if part is null or part[1]::integer < 1 or part[2]::integer not between 1 and 12 then
    return null;
  end if;
  first_of_month := make_date(part[1]::integer, part[2]::integer, 1);
  if part[3]::integer not between 1 and extract(day from first_of_month + interval '1 month' - interval '1 day') then
    return null;
  end if;
  return first_of_month + (part[3]::integer - 1);
end
$$;

comment on function app_private.read_day(text) is 'The day that a cell YYYY-MM-DD names; null when it names none.';

revoke execute on function app_private.read_day(text) from public;
grant execute on function app_private.read_day(text) to app_admin;
--! EndIncluded functions/imports/read_day.sql
--! Included functions/imports/read_minute.sql
-- Seconds are let pass as zeros, because spreadsheets write them.
create or replace function app_private.read_minute(cell text) returns time
language sql immutable parallel safe
return case
  when cell ~ '^(([01]?[0-9]|2[0-3]):[0-5][0-9](:00)?|24:00(:00)?)$' then cell::time
end;

comment on function app_private.read_minute(text) is 'The local time that a cell HH:MM says, up to 24:00; null when it says none.';

revoke execute on function app_private.read_minute(text) from public;
grant execute on function app_private.read_minute(text) to app_admin;
--! EndIncluded functions/imports/read_minute.sql
--! Included functions/imports/read_number.sql
create or replace function app_private.read_number(cell text) returns integer
language sql immutable parallel safe
return case when cell ~ '^[0-9]{1,6}$' then cell::integer end;

comment on function app_private.read_number(text) is 'The whole number that a cell says, up to 999999; null when it says none.';

revoke execute on function app_private.read_number(text) from public;
grant execute on function app_private.read_number(text) to app_admin;
--! EndIncluded functions/imports/read_number.sql
--! Included functions/imports/read_weekday.sql
create or replace function app_private.read_weekday(cell text) returns smallint
language sql immutable parallel safe
return case
  when cell ~ '^[1-7]$' then cell::smallint
  else ((array_position(
    array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday',
      'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    lower(cell)) - 1) % 7 + 1)::smallint
end;

comment on function app_private.read_weekday(text) is
  'The day of the week, 1 Monday to 7 Sunday, that a cell says by number or by its English name; null when it says none.';

revoke execute on function app_private.read_weekday(text) from public;
grant execute on function app_private.read_weekday(text) to app_admin;
--! EndIncluded functions/imports/read_weekday.sql
--! Included functions/imports/local_instants.sql
-- A wall clock shows most times once, some never and some twice. The offsets of the day before and of
-- the day after are the ones that can hold: each gives an instant, and those at which the clock really
-- shows this time are the answer.
create or replace function app_private.local_instants(wall_time timestamp, time_zone text)
returns timestamptz[]
language sql stable
return (
  select coalesce(array_agg(distinct candidate.instant order by candidate.instant), '{}')
  from (
    select (wall_time - ((near at time zone time_zone) - (near at time zone 'UTC'))) at time zone 'UTC' as instant
    from unnest(array[
      wall_time at time zone time_zone - interval '1 day',
      wall_time at time zone time_zone + interval '1 day']) as near
  ) as candidate
  where candidate.instant at time zone time_zone = wall_time);

comment on function app_private.local_instants(timestamp, text) is
  'The instants at which the clocks of a zone show a local time: one; none or two on days on which they change.';

revoke execute on function app_private.local_instants(timestamp, text) from public;
grant execute on function app_private.local_instants(timestamp, text) to app_admin;
--! EndIncluded functions/imports/local_instants.sql
--! Included functions/imports/read_start.sql
-- With an offset a start is one instant, whatever the clocks do; without one it is local time.
create or replace function app_private.read_start(cell text, time_zone text) returns timestamptz[]
language plpgsql stable
as $$
declare
  part text[] := regexp_match(cell,
    '^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T](([01]?[0-9]|2[0-3]):[0-5][0-9](:00)?) ?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?$');
begin
  if part is null or app_private.read_day(part[1]) is null then
    return null;
  end if;
  if part[5] is not null then
    return array[(part[1] || ' ' || part[2] || part[5])::timestamptz];
  end if;
  return app_private.local_instants((part[1] || ' ' || part[2])::timestamp, time_zone);
end
$$;

comment on function app_private.read_start(text, text) is
  'The instants that a cell YYYY-MM-DD HH:MM, with or without an offset, can mean; null when it has another form.';

revoke execute on function app_private.read_start(text, text) from public;
grant execute on function app_private.read_start(text, text) to app_admin;
--! EndIncluded functions/imports/read_start.sql
--! Included functions/imports/start_import.sql
-- One import at a time into a hospital: it is the very first lock, before the calendar, and nobody waits
-- for it. So two imports never wait for each other's rows, and of two that bring the same rows the second
-- sees what the first has made.
create or replace function app_private.start_import(hospital_id uuid) returns uuid
language plpgsql volatile
as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended(concat('import', hospital_id), 0)) then
    perform app_private.refuse('import_running');
  end if;
  return app_private.new_id();
end
$$;

comment on function app_private.start_import(uuid) is
  'Begins an import into a hospital, the only one until this transaction ends; returns the id of the run.';

revoke execute on function app_private.start_import(uuid) from public;
grant execute on function app_private.start_import(uuid) to app_admin;
--! EndIncluded functions/imports/start_import.sql
--! Included functions/imports/stage_rows.sql
-- What is empty, what is only blank and what is not there mean the same: nothing.
create or replace function app_private.stage_rows(hospital_id uuid, run_id uuid, row_numbers integer[], rows jsonb)
returns void
language plpgsql volatile
as $$
begin
  insert into app_private.import_row (hospital_id, run_id, row_number, fields)
  select stage_rows.hospital_id, stage_rows.run_id, row_numbers[staged.position::integer], cells.fields
  from jsonb_array_elements(stage_rows.rows) with ordinality as staged (cells, position)
  cross join lateral (
    select jsonb_strip_nulls(jsonb_object_agg(cell.key, nullif(btrim(cell.value, E' \t\r\n'), ''))) as fields
    from jsonb_each_text(case when jsonb_typeof(staged.cells) = 'object' then staged.cells end) as cell
  ) as cells;
end
$$;

comment on function app_private.stage_rows(uuid, uuid, integer[], jsonb) is
  'Takes rows of an import with their numbers: a list of objects of cells by column; null for a row that does not fit the header.';

revoke execute on function app_private.stage_rows(uuid, uuid, integer[], jsonb) from public;
grant execute on function app_private.stage_rows(uuid, uuid, integer[], jsonb) to app_admin;
--! EndIncluded functions/imports/stage_rows.sql
--! Included functions/imports/import_fault.sql
-- The words of a fault are those of the catalog, unless the judge can say it more exactly. Of a row it
-- repeats the cell at fault and nothing else.
create or replace function app_private.import_fault(
  row_number integer, fields jsonb, column_name text, scenario text, message text default null)
returns app_public.import_fault
language plpgsql stable
as $$
begin
  return row(
    row_number,
    column_name,
    scenario,
    coalesce(message, (
      select error_catalog.message from app_public.error_catalog
      where error_catalog.scenario = import_fault.scenario)),
    left(fields ->> column_name, 100))::app_public.import_fault;
end
$$;

comment on function app_private.import_fault(integer, jsonb, text, text, text) is 'A fault of a row of an import.';

revoke execute on function app_private.import_fault(integer, jsonb, text, text, text) from public;
grant execute on function app_private.import_fault(integer, jsonb, text, text, text) to app_admin;
--! EndIncluded functions/imports/import_fault.sql
--! Included functions/imports/judge_doctors.sql
-- Looks at every cell of every row in one statement, against the other rows and against what is stored.
-- The constraints of the table say the same, but for one row, and only the first fault of it.
create or replace function app_private.judge_doctors(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
begin
  with wished as (
    select import_row.row_number, import_row.fields, cell.*,
      min(import_row.row_number) over (partition by cell.staff_number) as first_row,
      doctor.id as taken_by
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.doctor_import_row, import_row.fields) as cell
    left join app_public.doctor
      on doctor.hospital_id = judge_doctors.hospital_id and doctor.staff_number = cell.staff_number
    where import_row.hospital_id = judge_doctors.hospital_id and import_row.run_id = judge_doctors.run_id
      and import_row.fields is not null
  ), judged as (
    select wished.row_number, array_agg(
      app_private.import_fault(wished.row_number, wished.fields, verdict.column_name, verdict.scenario, verdict.message)
      order by verdict.position) as faults
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'staff_number', wished.staff_number is null, null),
      (2, 'cell_invalid', 'staff_number', length(wished.staff_number) > 50,
        'A staff number has at most 50 characters.'),
      (3, 'repeated_in_import', 'staff_number', wished.staff_number is not null and wished.first_row < wished.row_number,
        format('Row %s has this staff number already.', wished.first_row)),
      (4, 'staff_number_taken', 'staff_number', wished.taken_by is not null, null),
      (5, 'cell_missing', 'display_name', wished.display_name is null, null),
      (6, 'cell_invalid', 'display_name', length(wished.display_name) > 200, 'A name has at most 200 characters.'),
      (7, 'cell_invalid', 'specialty', length(wished.specialty) > 100, 'A specialty has at most 100 characters.'),
      (8, 'cell_invalid', 'slot_minutes',
        wished.slot_minutes is not null and coalesce(app_private.read_number(wished.slot_minutes), 0) not between 5 and 480,
        'Slots last 5 to 480 minutes.'),
      (9, 'cell_invalid', 'max_patients_per_day',
        wished.max_patients_per_day is not null
          and coalesce(app_private.read_number(wished.max_patients_per_day), 0) not between 1 and 500,
        'A day holds 1 to 500 patients.')
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    group by wished.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || judged.faults
  from judged
  where import_row.hospital_id = judge_doctors.hospital_id and import_row.run_id = judge_doctors.run_id
    and import_row.row_number = judged.row_number;
end
$$;

comment on function app_private.judge_doctors(uuid, uuid) is 'Notes every fault of every doctor to import.';

revoke execute on function app_private.judge_doctors(uuid, uuid) from public;
grant execute on function app_private.judge_doctors(uuid, uuid) to app_admin;
--! EndIncluded functions/imports/judge_doctors.sql
--! Included functions/imports/judge_patients.sql
-- Looks at every cell of every row in one statement, against the other rows and against what is stored.
-- The constraints of the table say the same, but for one row, and only the first fault of it.
create or replace function app_private.judge_patients(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = judge_patients.hospital_id;

  with wished as (
    select import_row.row_number, import_row.fields, cell.*,
      min(import_row.row_number) over (partition by cell.medical_record_number) as first_row,
      patient.id as taken_by
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.patient_import_row, import_row.fields) as cell
    left join app_public.patient
      on patient.hospital_id = judge_patients.hospital_id and patient.medical_record_number = cell.medical_record_number
    where import_row.hospital_id = judge_patients.hospital_id and import_row.run_id = judge_patients.run_id
      and import_row.fields is not null
  ), judged as (
    select wished.row_number, array_agg(
      app_private.import_fault(wished.row_number, wished.fields, verdict.column_name, verdict.scenario, verdict.message)
      order by verdict.position) as faults
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'medical_record_number', wished.medical_record_number is null, null),
      (2, 'cell_invalid', 'medical_record_number', length(wished.medical_record_number) > 64,
        'A medical record number has at most 64 characters.'),
      (3, 'repeated_in_import', 'medical_record_number',
        wished.medical_record_number is not null and wished.first_row < wished.row_number,
        format('Row %s has this medical record number already.', wished.first_row)),
      (4, 'medical_record_number_taken', 'medical_record_number', wished.taken_by is not null, null),
      (5, 'cell_missing', 'name', wished.name is null, null),
      (6, 'cell_invalid', 'name', length(wished.name) > 200, 'A name has at most 200 characters.'),
      (7, 'cell_invalid', 'phone', wished.phone !~ '^\+?[0-9][0-9 ()/.-]{2,30}$',
        'A telephone number has 3 to 31 digits, spaces and ( ) / . - and may begin with +.'),
      (8, 'cell_invalid', 'email', wished.email !~ '^[^@\s]+@[^@\s]+$' or length(wished.email) > 254,
        'This is not an e-mail address.'),
      (9, 'cell_invalid', 'date_of_birth',
        wished.date_of_birth is not null
          and coalesce(app_private.read_day(wished.date_of_birth) not between '1850-01-01' and today, true),
        'A date of birth is a day YYYY-MM-DD, from 1850 to today.')
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    group by wished.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || judged.faults
  from judged
  where import_row.hospital_id = judge_patients.hospital_id and import_row.run_id = judge_patients.run_id
    and import_row.row_number = judged.row_number;
end
$$;

comment on function app_private.judge_patients(uuid, uuid) is 'Notes every fault of every patient to import.';

revoke execute on function app_private.judge_patients(uuid, uuid) from public;
grant execute on function app_private.judge_patients(uuid, uuid) to app_admin;
--! EndIncluded functions/imports/judge_patients.sql
--! Included functions/imports/judge_schedules.sql
-- Looks at every cell of every row in one statement; rows whose cells are right are then laid beside each
-- other and beside the hours that the doctors have. Nobody changes hours meanwhile: the calendar of the
-- whole hospital is locked first. The constraints of the table say the same, for one row at a time.
create or replace function app_private.judge_schedules(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
declare
  today date;
begin
  perform app_private.lock_calendar(hospital_id);
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = judge_schedules.hospital_id;

  with wished as materialized (
    select import_row.row_number, import_row.fields, cell.*,
      doctor.id as doctor_id, doctor.is_active as doctor_is_active, location.id as location_id,
      app_private.read_weekday(cell.weekday) as day_of_week,
      app_private.read_minute(cell.start_time) as starts, app_private.read_minute(cell.end_time) as ends,
      app_private.read_minute(cell.break_start) as pause_starts, app_private.read_minute(cell.break_end) as pause_ends,
      case when cell.effective_from is null then today else app_private.read_day(cell.effective_from) end as holds_from,
      app_private.read_day(cell.effective_until) as holds_until
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.schedule_import_row, import_row.fields) as cell
    left join app_public.doctor
      on doctor.hospital_id = judge_schedules.hospital_id and doctor.staff_number = cell.staff_number
    left join app_public.location
      on location.hospital_id = judge_schedules.hospital_id and location.name = cell.location and location.is_active
    where import_row.hospital_id = judge_schedules.hospital_id and import_row.run_id = judge_schedules.run_id
      and import_row.fields is not null
  ), complete as materialized (
    select wished.row_number, wished.doctor_id, wished.day_of_week,
      app_private.time_range(wished.starts, wished.ends) as hours,
      daterange(wished.holds_from, wished.holds_until, '[]') as days
    from wished
    where wished.doctor_id is not null and wished.day_of_week is not null
      and wished.starts < wished.ends
      and (wished.holds_until >= wished.holds_from or wished.effective_until is null and wished.holds_from is not null)
  ), clash as (
    select complete.row_number, min(other.row_number) as other_row
    from complete
    join complete as other
      on other.doctor_id = complete.doctor_id and other.day_of_week = complete.day_of_week
      and other.row_number < complete.row_number
      and other.hours && complete.hours and other.days && complete.days
    group by complete.row_number
    union all
    select complete.row_number, null
    from complete
    where exists (
      select from app_public.schedule
      where schedule.hospital_id = judge_schedules.hospital_id
        and schedule.doctor_id = complete.doctor_id and schedule.weekday = complete.day_of_week
        and schedule.is_active
        and app_private.time_range(schedule.start_time, schedule.end_time) && complete.hours
        and daterange(schedule.effective_from, schedule.effective_until, '[]') && complete.days)
  ), fault as (
    select wished.row_number, wished.fields, verdict.position, verdict.scenario, verdict.column_name, verdict.message
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'staff_number', wished.staff_number is null, null),
      (2, 'doctor_not_found', 'staff_number', wished.staff_number is not null and wished.doctor_id is null,
        'There is no doctor with this staff number.'),
      (3, 'doctor_inactive', 'staff_number', not wished.doctor_is_active, null),
      (4, 'cell_missing', 'location', wished.location is null, null),
      (5, 'location_not_found', 'location', wished.location is not null and wished.location_id is null,
        'There is no location of this name, or it is closed.'),
      (6, 'cell_missing', 'weekday', wished.weekday is null, null),
      (7, 'cell_invalid', 'weekday', wished.weekday is not null and wished.day_of_week is null,
        'A weekday is 1 (Monday) to 7 (Sunday), or its English name.'),
      (8, 'cell_missing', 'start_time', wished.start_time is null, null),
      (9, 'cell_invalid', 'start_time', wished.start_time is not null and wished.starts is null, 'A time is HH:MM.'),
      (10, 'cell_missing', 'end_time', wished.end_time is null, null),
      (11, 'cell_invalid', 'end_time', wished.end_time is not null and wished.ends is null, 'A time is HH:MM, up to 24:00.'),
      (12, 'cell_invalid', 'end_time', wished.ends <= wished.starts, 'Work ends after it starts, on the same day.'),
      (13, 'cell_missing', 'break_start', wished.break_start is null and wished.break_end is not null,
        'A break needs a start as well.'),
      (14, 'cell_invalid', 'break_start', wished.break_start is not null and wished.pause_starts is null, 'A time is HH:MM.'),
      (15, 'cell_invalid', 'break_start', wished.pause_starts < wished.starts or wished.pause_starts > wished.ends,
        'A break starts within the working hours.'),
      (16, 'cell_missing', 'break_end', wished.break_end is null and wished.break_start is not null,
        'A break needs an end as well.'),
      (17, 'cell_invalid', 'break_end', wished.break_end is not null and wished.pause_ends is null, 'A time is HH:MM.'),
      (18, 'cell_invalid', 'break_end', wished.pause_ends <= wished.pause_starts, 'A break ends after it starts.'),
      (19, 'cell_invalid', 'break_end', wished.pause_ends > wished.ends, 'A break ends within the working hours.'),
      (20, 'cell_invalid', 'slot_capacity',
        wished.slot_capacity is not null and coalesce(app_private.read_number(wished.slot_capacity), 0) not between 1 and 100,
        'A slot takes 1 to 100 patients.'),
      (21, 'cell_invalid', 'effective_from', wished.effective_from is not null and wished.holds_from is null,
        'This is not a day YYYY-MM-DD.'),
      (22, 'schedule_in_past', 'effective_from', wished.holds_from < today, null),
      (23, 'cell_invalid', 'effective_until', wished.effective_until is not null and wished.holds_until is null,
        'This is not a day YYYY-MM-DD.'),
      (24, 'cell_invalid', 'effective_until', wished.holds_until < wished.holds_from,
        'The last day comes before the first.')
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    union all
    select wished.row_number, wished.fields, 25, 'schedule_overlaps', 'start_time',
      case
        when clash.other_row is null then 'The doctor has hours at this time already.'
        else format('The hours overlap those of row %s.', clash.other_row)
      end
    from clash
    join wished on wished.row_number = clash.row_number
  ), judged as (
    select fault.row_number, array_agg(
      app_private.import_fault(fault.row_number, fault.fields, fault.column_name, fault.scenario, fault.message)
      order by fault.position, fault.message) as faults
    from fault
    group by fault.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || judged.faults
  from judged
  where import_row.hospital_id = judge_schedules.hospital_id and import_row.run_id = judge_schedules.run_id
    and import_row.row_number = judged.row_number;
end
$$;

comment on function app_private.judge_schedules(uuid, uuid) is 'Notes every fault of all weekly hours to import.';

revoke execute on function app_private.judge_schedules(uuid, uuid) from public;
grant execute on function app_private.judge_schedules(uuid, uuid) to app_admin;
--! EndIncluded functions/imports/judge_schedules.sql
--! Included functions/imports/lock_imported_seats.sql
-- Everything that the appointments of an import will touch is locked before the first one is booked, in
-- the order that every booking keeps: the calendar, patients, slots by id, days by key. From then on the
-- import waits for nobody, however long it takes, and others wait for it: no circle can close.
-- Days without slots are made real first, in stretches of a doctor's days; where doctors are very many,
-- of the whole hospital's, because each doctor is one lock more. Lapsed holds go now, together with the locks of their seats, because later their
-- slots would be locked out of order; no further hold lapses meanwhile, because the clock of this
-- transaction stands still.
-- Runs as the owner, because the locks need rights that no request role has; it writes nothing but what
-- generation and the sweeper of holds would.
create or replace function app_private.lock_imported_seats(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  most_single_doctors constant integer := 1000;
  zone text;
  today date;
  last_day date;
  missing record;
  stretch record;
  generated integer := 0;
  planned_for integer := 0;
  seats uuid[];
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select hospital.time_zone, (app_private.clock() at time zone hospital.time_zone)::date,
    (app_private.clock() at time zone hospital.time_zone)::date + hospital.booking_horizon_days
  into zone, today, last_day
  from app_public.hospital
  where hospital.id = lock_imported_seats.hospital_id;

  select array_agg(wish.doctor_id order by wish.doctor_id, wish.day) as doctor_ids,
    array_agg(wish.day order by wish.doctor_id, wish.day) as days
  into missing
  from (
    select distinct (import_row.found ->> 'doctor_id')::uuid as doctor_id,
      ((import_row.found ->> 'starts_at')::timestamptz at time zone zone)::date as day
    from app_private.import_row
    where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id
      and import_row.found ? 'doctor_id' and import_row.found ? 'starts_at'
  ) as wish
  where wish.day between today and last_day
    and not exists (
      select from app_public.slot
      where slot.hospital_id = lock_imported_seats.hospital_id
        and slot.doctor_id = wish.doctor_id
        and slot.starts_at >= wish.day::timestamp at time zone zone
        and slot.starts_at < (wish.day + 1)::timestamp at time zone zone
        and slot.withdrawn_at is null);
  if cardinality(missing.days) > 0 then
    perform app_private.lock_calendar(hospital_id);
    for stretch in
      select island.doctor_id, min(island.day) as first_day, max(island.day) as last_day
      from (
        select wish.doctor_id, wish.day,
          wish.day - (row_number() over (partition by wish.doctor_id order by wish.day))::integer as island
        from (
          select distinct case when doctor_count.number <= most_single_doctors then each_wish.doctor_id end as doctor_id,
            each_wish.day
          from unnest(missing.doctor_ids, missing.days) as each_wish (doctor_id, day)
          cross join (select count(distinct doctor_id) as number from unnest(missing.doctor_ids) as doctor_id) as doctor_count
        ) as wish
      ) as island
      group by island.doctor_id, island.island
      order by island.doctor_id, first_day
    loop
      generated := generated + app_private.cut_slots(hospital_id, stretch.first_day, stretch.last_day, stretch.doctor_id);
      -- Planned for as few slots as there were before, each stretch would take longer than the last.
      if generated > 4 * planned_for + 1000 then
        analyze (skip_locked) app_public.slot;
        planned_for := generated;
      end if;
    end loop;
    if generated > planned_for + 1000 then
      analyze (skip_locked) app_public.slot;
    end if;
  end if;

  update app_private.import_row
  set found = import_row.found || jsonb_build_object('slot_id', slot.id)
  from app_public.slot
  where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id
    and slot.hospital_id = lock_imported_seats.hospital_id
    and slot.doctor_id = (import_row.found ->> 'doctor_id')::uuid
    and slot.starts_at = (import_row.found ->> 'starts_at')::timestamptz
    and slot.withdrawn_at is null;

  perform from app_public.patient
  where patient.hospital_id = lock_imported_seats.hospital_id
    and patient.id in (
      select (import_row.found ->> 'patient_id')::uuid
      from app_private.import_row
      where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id)
  order by patient.id
  for no key update;

  select array_agg(distinct seat.slot_id) into seats
  from app_private.import_row
  cross join lateral unnest(
    (import_row.found ->> 'slot_id')::uuid
      || case when import_row.found ? 'service_id' then app_private.needed_slots(
        lock_imported_seats.hospital_id, (import_row.found ->> 'slot_id')::uuid,
        (import_row.found ->> 'service_id')::uuid)
      end) as seat (slot_id)
  where import_row.hospital_id = lock_imported_seats.hospital_id and import_row.run_id = lock_imported_seats.run_id
    and import_row.found ? 'slot_id';
  perform app_private.expire_lapsed_holds(hospital_id, other_slot_ids => seats);
  perform app_private.lock_seats(hospital_id, seats);
end
$$;

comment on function app_private.lock_imported_seats(uuid, uuid) is
  'Finds the slots of the appointments to import, and locks all that booking them will touch.';

revoke execute on function app_private.lock_imported_seats(uuid, uuid) from public;
grant execute on function app_private.lock_imported_seats(uuid, uuid) to app_admin;
--! EndIncluded functions/imports/lock_imported_seats.sql
--! Included functions/imports/judge_appointments.sql
-- What the cells stand for is looked up for all rows together; whether the visits can take place is left
-- to booking itself, which comes after. Everything is locked in between.
create or replace function app_private.judge_appointments(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
declare
  zone text;
begin
  select hospital.time_zone into zone
  from app_public.hospital
  where hospital.id = judge_appointments.hospital_id;

  with wished as materialized (
    select import_row.row_number, import_row.fields, cell.*,
      min(import_row.row_number) over (partition by cell.external_id) as first_row,
      app_private.read_start(cell.starts_at, zone) as starts,
      patient.id as patient_id, doctor.id as doctor_id, service.id as service_id, imported_row.run_id as imported_by
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.appointment_import_row, import_row.fields) as cell
    left join app_public.patient
      on patient.hospital_id = judge_appointments.hospital_id and patient.medical_record_number = cell.medical_record_number
    left join app_public.doctor
      on doctor.hospital_id = judge_appointments.hospital_id and doctor.staff_number = cell.staff_number
    left join app_public.service
      on service.hospital_id = judge_appointments.hospital_id and service.name = cell.service and service.is_active
    left join app_public.imported_row
      on imported_row.hospital_id = judge_appointments.hospital_id and imported_row.external_id = cell.external_id
    where import_row.hospital_id = judge_appointments.hospital_id and import_row.run_id = judge_appointments.run_id
      and import_row.fields is not null
  ), judged as (
    select wished.row_number, array_agg(
      app_private.import_fault(wished.row_number, wished.fields, verdict.column_name, verdict.scenario, verdict.message)
      order by verdict.position) as faults
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'medical_record_number', wished.medical_record_number is null, null),
      (2, 'patient_not_found', 'medical_record_number', wished.medical_record_number is not null and wished.patient_id is null,
        'There is no patient with this medical record number.'),
      (3, 'cell_missing', 'staff_number', wished.staff_number is null, null),
      (4, 'doctor_not_found', 'staff_number', wished.staff_number is not null and wished.doctor_id is null,
        'There is no doctor with this staff number.'),
      (5, 'cell_missing', 'starts_at', wished.starts_at is null, null),
      (6, 'cell_invalid', 'starts_at', wished.starts_at is not null and wished.starts is null,
        'A start is YYYY-MM-DD HH:MM, with or without an offset such as +02:00.'),
      (7, 'local_time_skipped', 'starts_at', cardinality(wished.starts) = 0, null),
      (8, 'local_time_ambiguous', 'starts_at', cardinality(wished.starts) = 2, null),
      (9, 'service_not_found', 'service', wished.service is not null and wished.service_id is null, null),
      (10, 'cell_invalid', 'reason', length(wished.reason) > 2000, 'A reason has at most 2000 characters.'),
      (11, 'cell_invalid', 'external_id', length(wished.external_id) > 100, 'An external id has at most 100 characters.'),
      (12, 'repeated_in_import', 'external_id',
        wished.external_id is not null and wished.first_row < wished.row_number,
        format('Row %s has this external id already.', wished.first_row)),
      (13, 'external_id_taken', 'external_id', wished.imported_by is not null, null)
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    group by wished.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || coalesce(judged.faults, '{}'),
      found = jsonb_strip_nulls(jsonb_build_object(
        'patient_id', wished.patient_id,
        'doctor_id', wished.doctor_id,
        'service_id', wished.service_id,
        'starts_at', case when cardinality(wished.starts) = 1 then wished.starts[1] end))
  from wished
  left join judged on judged.row_number = wished.row_number
  where import_row.hospital_id = judge_appointments.hospital_id and import_row.run_id = judge_appointments.run_id
    and import_row.row_number = wished.row_number;

  perform app_private.lock_imported_seats(hospital_id, run_id);
end
$$;

comment on function app_private.judge_appointments(uuid, uuid) is
  'Looks up what the cells of all appointments to import stand for, notes every fault, and locks what booking them will touch.';

revoke execute on function app_private.judge_appointments(uuid, uuid) from public;
grant execute on function app_private.judge_appointments(uuid, uuid) to app_admin;
--! EndIncluded functions/imports/judge_appointments.sql
--! Included functions/imports/judge_import.sql
-- Every row is looked at before the first one is stored. The run is entered when there is a chance that
-- it will be carried out: appointments are booked even beside rows at fault, to hear what booking says of
-- them all, and then undone together.
create or replace function app_private.judge_import(
  hospital_id uuid, run_id uuid, kind app_public.import_kind, file_name text default null)
returns void
language plpgsql volatile
as $$
declare
  content record;
  earlier record;
begin
  select count(*)::integer as row_count, min(import_row.row_number) as first_row,
    encode(sha256(convert_to(coalesce(string_agg(md5(import_row.fields::text), '' order by import_row.row_number), ''), 'UTF8')), 'hex') as fingerprint
  into content
  from app_private.import_row
  where import_row.hospital_id = judge_import.hospital_id and import_row.run_id = judge_import.run_id;
  if content.row_count = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('rows', 'are missing'));
  end if;

  select import_run.id, import_run.imported_at, import_run.file_name into earlier
  from app_public.import_run
  where import_run.hospital_id = judge_import.hospital_id
    and import_run.kind = judge_import.kind
    and import_run.fingerprint = content.fingerprint;
  if found then
    update app_private.import_row
    set faults = array[app_private.import_fault(null, null, null, 'already_imported', format(
      'The same rows were imported already, at %s by run %s%s.',
      to_char(earlier.imported_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), earlier.id,
      coalesce(' from ' || earlier.file_name, '')))]
    where import_row.hospital_id = judge_import.hospital_id
      and import_row.run_id = judge_import.run_id and import_row.row_number = content.first_row;
    return;
  end if;

  insert into app_public.import_run (hospital_id, id, kind, file_name, row_count, fingerprint)
  values (hospital_id, run_id, kind, file_name, content.row_count, content.fingerprint);

  update app_private.import_row
  set faults = array[app_private.import_fault(import_row.row_number, null, null, 'wrong_number_of_cells')]
  where import_row.hospital_id = judge_import.hospital_id
    and import_row.run_id = judge_import.run_id and import_row.fields is null;
  case kind
    when 'doctors' then perform app_private.judge_doctors(hospital_id, run_id);
    when 'patients' then perform app_private.judge_patients(hospital_id, run_id);
    when 'schedules' then perform app_private.judge_schedules(hospital_id, run_id);
    when 'appointments' then perform app_private.judge_appointments(hospital_id, run_id);
  end case;
end
$$;

comment on function app_private.judge_import(uuid, uuid, app_public.import_kind, text) is
  'Judges all rows of an import, after the last has been taken, and notes every fault.';

revoke execute on function app_private.judge_import(uuid, uuid, app_public.import_kind, text) from public;
grant execute on function app_private.judge_import(uuid, uuid, app_public.import_kind, text) to app_admin;
--! EndIncluded functions/imports/judge_import.sql
--! Included functions/imports/store_doctors.sql
-- Somebody else may have entered one of them since the rows were judged: then it is left out here, and
-- the row that brought it is at fault like any other.
create or replace function app_private.store_doctors(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
begin
  with wished as materialized (
    select import_row.row_number, cell.*
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.doctor_import_row, import_row.fields) as cell
    where import_row.hospital_id = store_doctors.hospital_id and import_row.run_id = store_doctors.run_id
      and import_row.row_number between first_row and last_row
  ), stored as (
    insert into app_public.doctor (hospital_id, staff_number, display_name, specialty, slot_duration, max_patients_per_day)
    select store_doctors.hospital_id, wished.staff_number, wished.display_name, wished.specialty,
      make_interval(mins => coalesce(wished.slot_minutes::integer, 30)), coalesce(wished.max_patients_per_day::integer, 30)
    from wished
    order by wished.row_number
    on conflict on constraint a_staff_number_is_unique_in_its_hospital do nothing
    returning doctor.id, doctor.staff_number
  )
  insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
  select store_doctors.hospital_id, store_doctors.run_id, wished.row_number, stored.id
  from stored
  join wished on wished.staff_number = stored.staff_number;

  update app_private.import_row
  set faults = array[app_private.import_fault(import_row.row_number, import_row.fields, 'staff_number', 'staff_number_taken')]
  where import_row.hospital_id = store_doctors.hospital_id and import_row.run_id = store_doctors.run_id
    and import_row.row_number between first_row and last_row
    and not exists (
      select from app_public.imported_row
      where imported_row.hospital_id = store_doctors.hospital_id and imported_row.run_id = store_doctors.run_id
        and imported_row.row_number = import_row.row_number);
end
$$;

comment on function app_private.store_doctors(uuid, uuid, integer, integer) is 'Stores some of the doctors of an import that has no fault.';

revoke execute on function app_private.store_doctors(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_doctors(uuid, uuid, integer, integer) to app_admin;
--! EndIncluded functions/imports/store_doctors.sql
--! Included functions/imports/store_patients.sql
-- Somebody else may have registered one of them since the rows were judged: then it is left out here, and
-- the row that brought it is at fault like any other.
create or replace function app_private.store_patients(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
begin
  with wished as materialized (
    select import_row.row_number, cell.*
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.patient_import_row, import_row.fields) as cell
    where import_row.hospital_id = store_patients.hospital_id and import_row.run_id = store_patients.run_id
      and import_row.row_number between first_row and last_row
  ), stored as (
    insert into app_public.patient (hospital_id, medical_record_number, name, phone, email, date_of_birth)
    select store_patients.hospital_id, wished.medical_record_number, wished.name, wished.phone, lower(wished.email),
      app_private.read_day(wished.date_of_birth)
    from wished
    order by wished.row_number
    on conflict on constraint a_medical_record_number_is_unique_in_its_hospital do nothing
    returning patient.id, patient.medical_record_number
  )
  insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
  select store_patients.hospital_id, store_patients.run_id, wished.row_number, stored.id
  from stored
  join wished on wished.medical_record_number = stored.medical_record_number;

  update app_private.import_row
  set faults = array[app_private.import_fault(
    import_row.row_number, import_row.fields, 'medical_record_number', 'medical_record_number_taken')]
  where import_row.hospital_id = store_patients.hospital_id and import_row.run_id = store_patients.run_id
    and import_row.row_number between first_row and last_row
    and not exists (
      select from app_public.imported_row
      where imported_row.hospital_id = store_patients.hospital_id and imported_row.run_id = store_patients.run_id
        and imported_row.row_number = import_row.row_number);
end
$$;

comment on function app_private.store_patients(uuid, uuid, integer, integer) is 'Stores some of the patients of an import that has no fault.';

revoke execute on function app_private.store_patients(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_patients(uuid, uuid, integer, integer) to app_admin;
--! EndIncluded functions/imports/store_patients.sql
--! Included functions/imports/store_schedules.sql
-- New hours beside those that there are; nobody else can have entered any since they were judged, because
-- the calendar is locked. Two of one doctor never begin at the same time of the same days, so that tells
-- which row became which. The slots follow by the background job, once a doctor.
create or replace function app_private.store_schedules(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = store_schedules.hospital_id;

  with wished as materialized (
    select import_row.row_number, doctor.id as doctor_id, location.id as location_id,
      app_private.read_weekday(cell.weekday) as weekday,
      cell.start_time::time as start_time, cell.end_time::time as end_time,
      cell.break_start::time as break_start, cell.break_end::time as break_end,
      coalesce(cell.slot_capacity::integer, 1) as slot_capacity,
      coalesce(app_private.read_day(cell.effective_from), today) as effective_from,
      app_private.read_day(cell.effective_until) as effective_until
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.schedule_import_row, import_row.fields) as cell
    join app_public.doctor
      on doctor.hospital_id = store_schedules.hospital_id and doctor.staff_number = cell.staff_number
    join app_public.location
      on location.hospital_id = store_schedules.hospital_id and location.name = cell.location
    where import_row.hospital_id = store_schedules.hospital_id and import_row.run_id = store_schedules.run_id
      and import_row.row_number between first_row and last_row
  ), stored as (
    insert into app_public.schedule (
      hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end,
      slot_capacity, effective_from, effective_until)
    select store_schedules.hospital_id, wished.doctor_id, wished.location_id, wished.weekday, wished.start_time,
      wished.end_time, wished.break_start, wished.break_end, wished.slot_capacity, wished.effective_from,
      wished.effective_until
    from wished
    order by wished.row_number
    returning schedule.id, schedule.doctor_id, schedule.weekday, schedule.start_time, schedule.effective_from
  )
  insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
  select store_schedules.hospital_id, store_schedules.run_id, wished.row_number, stored.id
  from stored
  join wished
    on wished.doctor_id = stored.doctor_id and wished.weekday = stored.weekday
    and wished.start_time = stored.start_time and wished.effective_from = stored.effective_from;
end
$$;

comment on function app_private.store_schedules(uuid, uuid, integer, integer) is 'Stores some of the weekly hours of an import that has no fault.';

revoke execute on function app_private.store_schedules(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_schedules(uuid, uuid, integer, integer) to app_admin;
--! EndIncluded functions/imports/store_schedules.sql
--! Included functions/imports/booking_faults.sql
-- Booking rules speak of a slot and a patient; in a file they are cells of a row. A visit that stands in
-- the way because an earlier row brought it is named by that row.
create or replace function app_private.booking_faults(
  hospital_id uuid, run_id uuid, row_number integer, fields jsonb, verdicts app_public.booking_verdict[])
returns app_public.import_fault[]
language plpgsql stable
as $$
begin
  return array(
    select app_private.import_fault(
      booking_faults.row_number, booking_faults.fields,
      case
        when verdict.scenario ~ '^patient_' then 'medical_record_number'
        when verdict.scenario ~ '^doctor_(not_found|unavailable|inactive)$' then 'staff_number'
        when verdict.scenario = 'service_not_found' then 'service'
        else 'starts_at'
      end,
      verdict.scenario,
      case
        when verdict.scenario = 'slot_not_found' then 'No slot of the doctor begins at this time.'
        when imported_row.row_number is not null then
          format('Row %s brings the patient an appointment at this time already.', imported_row.row_number)
        when verdict.scenario = 'hospital_holiday' and verdict.details ? 'holiday' then
          format('The hospital is closed on this day: %s.', verdict.details ->> 'holiday')
        when verdict.scenario = 'beyond_booking_horizon' then
          format('The day is too far ahead; the last one that can be booked is %s.', verdict.details ->> 'last_day')
      end)
    from unnest(verdicts) with ordinality as verdict (rule, scenario, is_satisfied, details, position)
    left join app_public.imported_row
      on imported_row.hospital_id = booking_faults.hospital_id
      and imported_row.run_id = booking_faults.run_id
      and imported_row.record_id = (verdict.details ->> 'appointment_id')::uuid
    order by verdict.position);
end
$$;

comment on function app_private.booking_faults(uuid, uuid, integer, jsonb, app_public.booking_verdict[]) is
  'The broken booking rules of a row of an import, as faults of its cells.';

revoke execute on function app_private.booking_faults(uuid, uuid, integer, jsonb, app_public.booking_verdict[]) from public;
grant execute on function app_private.booking_faults(uuid, uuid, integer, jsonb, app_public.booking_verdict[]) to app_admin;
--! EndIncluded functions/imports/booking_faults.sql
--! Included functions/imports/store_appointments.sql
-- Row by row through the wall of the table. The judge is asked before, so that a row that cannot be booked
-- is told with every broken rule and the next one goes on without a savepoint: everything is locked
-- already, so the wall says what the judge has said. A row without a slot is judged as a request for its
-- doctor and time, because that tells a holiday from a time at which nothing begins.
-- The plans of this transaction are made while tables are empty that are full at its end: without
-- sequential scans they stay right.
create or replace function app_private.store_appointments(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
set enable_seqscan = off
as $$
declare
  wish record;
  verdicts app_public.booking_verdict[];
  booked uuid;
begin
  for wish in
    select import_row.row_number, import_row.fields,
      (import_row.found ->> 'slot_id')::uuid as slot_id,
      (import_row.found ->> 'patient_id')::uuid as patient_id,
      (import_row.found ->> 'doctor_id')::uuid as doctor_id,
      (import_row.found ->> 'service_id')::uuid as service_id,
      (import_row.found ->> 'starts_at')::timestamptz as starts_at
    from app_private.import_row
    where import_row.hospital_id = store_appointments.hospital_id and import_row.run_id = store_appointments.run_id
      and import_row.row_number between first_row and last_row
      and import_row.faults = '{}'
    order by import_row.row_number
  loop
    if wish.slot_id is not null then
      verdicts := array(
        select verdict
        from app_private.judge_booking(
          store_appointments.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, only_broken => true) as verdict);
    else
      verdicts := array(
        select verdict
        from app_private.judge_booking(
          store_appointments.hospital_id, null, wish.patient_id, wish.service_id,
          tstzrange(wish.starts_at, wish.starts_at + interval '5 minutes'), only_broken => true,
          doctor_id => wish.doctor_id) as verdict);
      if not exists (
        select from unnest(verdicts) as verdict
        where verdict.scenario in ('slot_in_past', 'beyond_booking_horizon', 'hospital_holiday', 'doctor_absent'))
      then
        verdicts := verdicts || row(0, 'slot_not_found', false, null)::app_public.booking_verdict;
      end if;
    end if;

    if cardinality(verdicts) = 0 then
      insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, reason, status, source)
      values (store_appointments.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, wish.fields ->> 'reason',
        'scheduled', 'import')
      returning appointment.id into booked;
      insert into app_public.imported_row (hospital_id, run_id, row_number, record_id, external_id)
      values (store_appointments.hospital_id, store_appointments.run_id, wish.row_number, booked, wish.fields ->> 'external_id');
    else
      update app_private.import_row
      set faults = app_private.booking_faults(
        store_appointments.hospital_id, store_appointments.run_id, wish.row_number, wish.fields, verdicts)
      where import_row.hospital_id = store_appointments.hospital_id and import_row.run_id = store_appointments.run_id
        and import_row.row_number = wish.row_number;
    end if;
  end loop;
end
$$;

comment on function app_private.store_appointments(uuid, uuid, integer, integer) is
  'Books some of the appointments of an import, and notes what stands in the way of the others.';

revoke execute on function app_private.store_appointments(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_appointments(uuid, uuid, integer, integer) to app_admin;
--! EndIncluded functions/imports/store_appointments.sql
--! Included functions/imports/store_rows.sql
-- One fault anywhere, and rows that only have to be written are not written any more: nothing can be
-- learnt from it. Appointments are tried nevertheless, for what booking says of them.
create or replace function app_private.store_rows(
  hospital_id uuid, run_id uuid, kind app_public.import_kind, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
begin
  if not exists (
    select from app_public.import_run
    where import_run.hospital_id = store_rows.hospital_id and import_run.id = store_rows.run_id)
  then
    return;
  end if;
  if kind = 'appointments' then
    perform app_private.store_appointments(hospital_id, run_id, first_row, last_row);
    return;
  end if;
  if exists (
    select from app_private.import_row
    where import_row.hospital_id = store_rows.hospital_id and import_row.run_id = store_rows.run_id
      and import_row.faults <> '{}')
  then
    return;
  end if;
  case kind
    when 'doctors' then perform app_private.store_doctors(hospital_id, run_id, first_row, last_row);
    when 'patients' then perform app_private.store_patients(hospital_id, run_id, first_row, last_row);
    when 'schedules' then perform app_private.store_schedules(hospital_id, run_id, first_row, last_row);
  end case;
end
$$;

comment on function app_private.store_rows(uuid, uuid, app_public.import_kind, integer, integer) is
  'Stores the rows of an import from one number to another, after all were judged.';

revoke execute on function app_private.store_rows(uuid, uuid, app_public.import_kind, integer, integer) from public;
grant execute on function app_private.store_rows(uuid, uuid, app_public.import_kind, integer, integer) to app_admin;
--! EndIncluded functions/imports/store_rows.sql
--! Included functions/imports/report_import.sql
-- The last word on an import, before it is committed or rolled back: whoever hears that it is not accepted
-- rolls back.
create or replace function app_private.report_import(
  hospital_id uuid, run_id uuid, kind app_public.import_kind, is_dry_run boolean, max_faults integer default 1000)
returns app_public.import_report
language plpgsql stable
as $$
declare
  counted record;
  listed app_public.import_fault[];
begin
  select count(*)::integer as rows, coalesce(sum(cardinality(import_row.faults)), 0)::integer as faults into counted
  from app_private.import_row
  where import_row.hospital_id = report_import.hospital_id and import_row.run_id = report_import.run_id;

  select array_agg(fault.told order by fault.row_number, fault.position) into listed
  from (
    select import_row.row_number, told.position, row(
      told.row_number, told.column_name, told.scenario, told.message, told.value)::app_public.import_fault as told
    from app_private.import_row
    cross join lateral unnest(import_row.faults) with ordinality
      as told (row_number, column_name, scenario, message, value, position)
    where import_row.hospital_id = report_import.hospital_id and import_row.run_id = report_import.run_id
      and import_row.faults <> '{}'
    order by import_row.row_number, told.position
    limit report_import.max_faults
  ) as fault;

  return row(
    case when counted.faults = 0 and not report_import.is_dry_run then report_import.run_id end,
    report_import.kind,
    counted.faults = 0,
    report_import.is_dry_run,
    counted.rows,
    counted.faults,
    coalesce(listed, '{}'))::app_public.import_report;
end
$$;

comment on function app_private.report_import(uuid, uuid, app_public.import_kind, boolean, integer) is
  'What became of an import: how many rows, and which faults.';

revoke execute on function app_private.report_import(uuid, uuid, app_public.import_kind, boolean, integer) from public;
grant execute on function app_private.report_import(uuid, uuid, app_public.import_kind, boolean, integer) to app_admin;
--! EndIncluded functions/imports/report_import.sql
--! Included functions/imports/clear_rows.sql
create or replace function app_private.clear_rows(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
begin
  delete from app_private.import_row
  where import_row.hospital_id = clear_rows.hospital_id and import_row.run_id = clear_rows.run_id;
end
$$;

comment on function app_private.clear_rows(uuid, uuid) is 'Throws away the rows of an import that has been carried out.';

revoke execute on function app_private.clear_rows(uuid, uuid) from public;
grant execute on function app_private.clear_rows(uuid, uuid) to app_admin;
--! EndIncluded functions/imports/clear_rows.sql
--! Included functions/imports/import_rows.sql
-- A whole import in one call. What a refused import or a dry run did is undone by a refusal that goes no
-- further than this function; the report has been made by then and is answered as a result, because a
-- list of faults is what was asked for.
create or replace function app_private.import_rows(kind app_public.import_kind, rows jsonb, is_dry_run boolean)
returns app_public.import_report
language plpgsql volatile
as $$
declare
  most_rows constant integer := 1000;
  hospital uuid := app_private.request_hospital_id();
  row_count integer := coalesce(jsonb_array_length(rows), 0);
  run uuid;
  report app_public.import_report;
begin
  perform app_private.guard_input(jsonb_build_object('rows', case
    when row_count = 0 then 'are missing'
    when row_count > most_rows then format('are more than %s', most_rows)
  end));
  begin
    run := app_private.start_import(hospital);
    perform app_private.stage_rows(hospital, run, array(select generate_series(1, row_count)), rows);
    perform app_private.judge_import(hospital, run, kind);
    perform app_private.store_rows(hospital, run, kind, 1, row_count);
    report := app_private.report_import(hospital, run, kind, coalesce(is_dry_run, false));
    if report.run_id is null then
      perform app_private.refuse('import_refused');
    end if;
    perform app_private.clear_rows(hospital, run);
  exception when sqlstate 'SK422' then
    if report.kind is null then
      raise;
    end if;
  end;
  return report;
end
$$;

comment on function app_private.import_rows(app_public.import_kind, jsonb, boolean) is
  'Imports a list of rows, all or none, or only tries; returns the report.';

revoke execute on function app_private.import_rows(app_public.import_kind, jsonb, boolean) from public;
grant execute on function app_private.import_rows(app_public.import_kind, jsonb, boolean) to app_admin;
--! EndIncluded functions/imports/import_rows.sql
--! Included functions/imports/import_doctors.sql
-- See import_rows; the cells are texts, so that one judge reads files and mutations alike.
create or replace function app_public.import_doctors(rows app_public.doctor_import_row[], is_dry_run boolean default false)
returns app_public.import_report
language plpgsql volatile
as $$
begin
  return app_private.import_rows('doctors', to_jsonb(rows), is_dry_run);
end
$$;

comment on function app_public.import_doctors(app_public.doctor_import_row[], boolean) is
  'Adds doctors. Working hours come with importSchedules or replaceSchedule. All rows or none: with one fault in any row nothing is stored, and the report lists every fault by row and column. At most 1000 rows, as many as fit into a request; more by npm run import. For admins.';

revoke execute on function app_public.import_doctors(app_public.doctor_import_row[], boolean) from public;
grant execute on function app_public.import_doctors(app_public.doctor_import_row[], boolean) to app_admin;
--! EndIncluded functions/imports/import_doctors.sql
--! Included functions/imports/import_patients.sql
-- See import_rows; the cells are texts, so that one judge reads files and mutations alike.
create or replace function app_public.import_patients(rows app_public.patient_import_row[], is_dry_run boolean default false)
returns app_public.import_report
language plpgsql volatile
as $$
begin
  return app_private.import_rows('patients', to_jsonb(rows), is_dry_run);
end
$$;

comment on function app_public.import_patients(app_public.patient_import_row[], boolean) is
  'Registers patients. All rows or none: with one fault in any row nothing is stored, and the report lists every fault by row and column. At most 1000 rows, as many as fit into a request; more by npm run import. For admins.';

revoke execute on function app_public.import_patients(app_public.patient_import_row[], boolean) from public;
grant execute on function app_public.import_patients(app_public.patient_import_row[], boolean) to app_admin;
--! EndIncluded functions/imports/import_patients.sql
--! Included functions/imports/import_schedules.sql
-- See import_rows; the cells are texts, so that one judge reads files and mutations alike.
create or replace function app_public.import_schedules(rows app_public.schedule_import_row[], is_dry_run boolean default false)
returns app_public.import_report
language plpgsql volatile
as $$
begin
  return app_private.import_rows('schedules', to_jsonb(rows), is_dry_run);
end
$$;

comment on function app_public.import_schedules(app_public.schedule_import_row[], boolean) is
  'Adds weekly hours to those that the doctors have; it never replaces any. Slots follow in the background. All rows or none: with one fault in any row nothing is stored, and the report lists every fault by row and column. At most 1000 rows, as many as fit into a request; more by npm run import. For admins.';

revoke execute on function app_public.import_schedules(app_public.schedule_import_row[], boolean) from public;
grant execute on function app_public.import_schedules(app_public.schedule_import_row[], boolean) to app_admin;
--! EndIncluded functions/imports/import_schedules.sql
--! Included functions/imports/import_appointments.sql
-- See import_rows; the cells are texts, so that one judge reads files and mutations alike.
create or replace function app_public.import_appointments(rows app_public.appointment_import_row[], is_dry_run boolean default false)
returns app_public.import_report
language plpgsql volatile
as $$
begin
  return app_private.import_rows('appointments', to_jsonb(rows), is_dry_run);
end
$$;

comment on function app_public.import_appointments(app_public.appointment_import_row[], boolean) is
  'Books appointments by all the rules of booking, with the source import; nobody is notified. All rows or none: with one fault in any row nothing is stored, and the report lists every fault by row and column. At most 1000 rows, as many as fit into a request; more by npm run import. For admins.';

revoke execute on function app_public.import_appointments(app_public.appointment_import_row[], boolean) from public;
grant execute on function app_public.import_appointments(app_public.appointment_import_row[], boolean) to app_admin;
--! EndIncluded functions/imports/import_appointments.sql

reset role;
