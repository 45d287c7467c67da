--! Previous: sha1:0302721942ce0be4bbd1c32227a21a463b9719a2
--! Hash: sha1:5fe686990414f66d1edd441ef3a824a41818a51b
--! Message: schedules

--! split: 1-current.sql
-- Schedules that change as a whole, and slots that follow them; the hospital's zone; what admins set up.

set local role app_owner;

create type app_public.schedule_row as (
  location_id uuid,
  weekday integer,
  start_time time,
  end_time time,
  break_start time,
  break_end time,
  slot_capacity integer
);
comment on type app_public.schedule_row is 'One stretch of work in a doctor''s week, as it is wished for.';
comment on column app_public.schedule_row.location_id is 'Where the doctor works.';
comment on column app_public.schedule_row.weekday is 'Day of the week by ISO 8601: 1 Monday to 7 Sunday.';
comment on column app_public.schedule_row.start_time is 'Local time at which work starts.';
comment on column app_public.schedule_row.end_time is 'Local time at which work ends, after the start and on the same day; 24:00 is its end.';
comment on column app_public.schedule_row.break_start is 'Local time at which the break starts; left out without a break.';
comment on column app_public.schedule_row.break_end is 'Local time at which the break ends; left out without a break.';
comment on column app_public.schedule_row.slot_capacity is 'How many patients each slot takes; 1 unless given.';

create type app_private.working_hours as (
  schedule_id uuid,
  doctor_id uuid,
  location_id uuid,
  weekday integer,
  start_time time,
  end_time time,
  break_start time,
  break_end time,
  slot_capacity integer,
  effective_from date,
  effective_until date
);
comment on type app_private.working_hours is 'Weekly hours that slots are planned from, whether a schedule holds them already (schedule_id) or not.';

create type app_private.planned_slot as (
  slot_id uuid,
  fate text,
  doctor_id uuid,
  location_id uuid,
  schedule_id uuid,
  during tstzrange,
  capacity integer,
  absence_id uuid,
  holiday_id uuid,
  blocked_at timestamptz,
  blocked_reason text,
  was_closed boolean
);
comment on type app_private.planned_slot is
  'What becomes of a slot: generate, follow (it stays, with other particulars), restore (it was retired), retire, withdraw or delete.';

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
--! Included policies/hospital.sql
-- Members see the hospital they belong to; its admins change its settings.
alter table app_public.hospital enable row level security;
alter table app_public.hospital force row level security;

grant select on app_public.hospital to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant update (name, booking_horizon_days, generated_days, hold_duration, offer_duration, rebook_buffer, no_show_block_threshold, no_show_window_start, no_show_window_end, vitals_alert_buffer, doctor_alert_buffer, kept_years) on app_public.hospital to app_admin;
-- No grant of time_zone to anybody: change_time_zone carries along what is written in local time.

drop policy if exists members_read_their_hospital on app_public.hospital;
create policy members_read_their_hospital on app_public.hospital for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.hospital;
create policy worker_reads_all on app_public.hospital for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.hospital;
create policy monitor_reads_all on app_public.hospital for select to app_monitor
  using (true);

drop policy if exists admins_change_their_hospital on app_public.hospital;
create policy admins_change_their_hospital on app_public.hospital for update to app_admin
  using (id = app_private.claim_hospital_id())
  with check (id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.hospital;
create policy owner_maintains on app_public.hospital for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/hospital.sql
--! Included policies/location.sql
-- Members see the places of their hospital; admins add and change them.
alter table app_public.location enable row level security;
alter table app_public.location force row level security;

grant select on app_public.location to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, name) on app_public.location to app_admin;
grant update (name, is_active) on app_public.location to app_admin;

drop policy if exists members_read_their_hospital on app_public.location;
create policy members_read_their_hospital on app_public.location for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.location;
create policy worker_reads_all on app_public.location for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.location;
create policy monitor_reads_all on app_public.location for select to app_monitor
  using (true);

drop policy if exists admins_add_to_their_hospital on app_public.location;
create policy admins_add_to_their_hospital on app_public.location for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_their_hospital on app_public.location;
create policy admins_change_their_hospital on app_public.location for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.location;
create policy owner_maintains on app_public.location for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/location.sql
--! Included policies/doctor.sql
-- Members see the doctors of their hospital; admins add and change them.
alter table app_public.doctor enable row level security;
alter table app_public.doctor force row level security;

grant select on app_public.doctor to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, display_name, specialty, slot_duration, max_patients_per_day, staff_number) on app_public.doctor to app_admin;
grant update (display_name, specialty, slot_duration, max_patients_per_day, staff_number) on app_public.doctor to app_admin;
-- Who takes appointments is said by the doctor and by reception; who works here, by admins.
grant update (is_available) on app_public.doctor to app_doctor, app_receptionist, app_admin;
grant update (is_active) on app_public.doctor to app_admin;

drop policy if exists members_read_their_hospital on app_public.doctor;
create policy members_read_their_hospital on app_public.doctor for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.doctor;
create policy worker_reads_all on app_public.doctor for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.doctor;
create policy monitor_reads_all on app_public.doctor for select to app_monitor
  using (true);

drop policy if exists admins_add_to_their_hospital on app_public.doctor;
create policy admins_add_to_their_hospital on app_public.doctor for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_change_themselves on app_public.doctor;
create policy doctors_change_themselves on app_public.doctor for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_doctor_id());

drop policy if exists receptionists_and_admins_change on app_public.doctor;
create policy receptionists_and_admins_change on app_public.doctor for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.doctor;
create policy owner_maintains on app_public.doctor for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/doctor.sql
--! Included policies/service.sql
-- Members see the services of their hospital; admins add and change them.
alter table app_public.service enable row level security;
alter table app_public.service force row level security;

grant select on app_public.service to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, name, duration, buffer_before, buffer_after, external_event_type) on app_public.service to app_admin;
grant update (name, duration, buffer_before, buffer_after, external_event_type, is_active) on app_public.service to app_admin;

drop policy if exists members_read_their_hospital on app_public.service;
create policy members_read_their_hospital on app_public.service for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.service;
create policy worker_reads_all on app_public.service for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.service;
create policy monitor_reads_all on app_public.service for select to app_monitor
  using (true);

drop policy if exists admins_add_to_their_hospital on app_public.service;
create policy admins_add_to_their_hospital on app_public.service for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_their_hospital on app_public.service;
create policy admins_change_their_hospital on app_public.service for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.service;
create policy owner_maintains on app_public.service for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/service.sql
--! Included policies/schedule.sql
-- Members see the working hours in their hospital. Receptionists and admins write everybody's, doctors
-- their own: new rows, and until when a row holds; what a row says never changes.
alter table app_public.schedule enable row level security;
alter table app_public.schedule force row level security;

grant select on app_public.schedule to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end, slot_capacity, effective_from, effective_until) on app_public.schedule to app_doctor, app_receptionist, app_admin;
grant update (effective_from, effective_until, is_active) on app_public.schedule to app_doctor, app_receptionist, app_admin;
-- No grant of delete to anybody: slots refer to the schedule that they were cut from.

drop policy if exists members_read_their_hospital on app_public.schedule;
create policy members_read_their_hospital on app_public.schedule for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.schedule;
create policy worker_reads_all on app_public.schedule for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.schedule;
create policy monitor_reads_all on app_public.schedule for select to app_monitor
  using (true);

drop policy if exists receptionists_and_admins_add on app_public.schedule;
create policy receptionists_and_admins_add on app_public.schedule for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists receptionists_and_admins_change on app_public.schedule;
create policy receptionists_and_admins_change on app_public.schedule for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_add_their_own on app_public.schedule;
create policy doctors_add_their_own on app_public.schedule for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_change_their_own on app_public.schedule;
create policy doctors_change_their_own on app_public.schedule for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.schedule;
create policy owner_maintains on app_public.schedule for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/schedule.sql
--! Included policies/slot.sql
-- Members see the slots of their hospital: counts, never who holds them. Admins and jobs generate
-- them; staff block and unblock them; the count of seats is granted to nobody, it changes through
-- the triggers of appointments.
alter table app_public.slot enable row level security;
alter table app_public.slot force row level security;

grant select on app_public.slot to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, doctor_id, location_id, schedule_id, during, capacity, absence_id) on app_public.slot to app_worker, app_admin;
grant update (blocked_at, blocked_reason) on app_public.slot to app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists members_read_their_hospital on app_public.slot;
create policy members_read_their_hospital on app_public.slot for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.slot;
create policy worker_reads_all on app_public.slot for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.slot;
create policy monitor_reads_all on app_public.slot for select to app_monitor
  using (true);

drop policy if exists nurses_receptionists_and_admins_block on app_public.slot;
create policy nurses_receptionists_and_admins_block on app_public.slot for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_generate_in_their_hospital on app_public.slot;
create policy admins_generate_in_their_hospital on app_public.slot for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_generates on app_public.slot;
create policy worker_generates on app_public.slot for insert to app_worker
  with check (true);

drop policy if exists doctors_block_their_own on app_public.slot;
create policy doctors_block_their_own on app_public.slot for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.slot;
create policy owner_maintains on app_public.slot for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/slot.sql

--! Included functions/scheduling/guard_input.sql
-- One refusal with every field at fault: names of fields with what is wrong with them, null where
-- nothing is. The constraints of the tables say the same, one at a time.
create or replace function app_private.guard_input(faults jsonb) returns void
language plpgsql stable
as $$
begin
  if jsonb_strip_nulls(faults) <> '{}' then
    perform app_private.refuse('invalid_input', jsonb_strip_nulls(faults));
  end if;
end
$$;

comment on function app_private.guard_input(jsonb) is
  'Refuses input with all its faults: an object of fields with their faults, null where there is none.';

revoke execute on function app_private.guard_input(jsonb) from public;
grant execute on function app_private.guard_input(jsonb)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/guard_input.sql
--! Included functions/scheduling/guard_doctor.sql
-- What a doctor's details must be, for creating and for changing. A null is not looked at.
create or replace function app_private.guard_doctor(
  hospital_id uuid, display_name text, specialty text, slot_duration interval, max_patients_per_day integer,
  staff_number text, except_doctor_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  perform app_private.guard_input(jsonb_build_object(
    'display_name', case when length(btrim(display_name)) not between 1 and 200 then 'is not 1 to 200 characters long' end,
    'specialty', case when length(btrim(specialty)) not between 1 and 100 then 'is not 1 to 100 characters long' end,
    'slot_duration', case when slot_duration not between interval '5 minutes' and interval '8 hours' then 'is not 5 minutes to 8 hours' end,
    'max_patients_per_day', case when max_patients_per_day not between 1 and 500 then 'is not 1 to 500' end,
    'staff_number', case when length(btrim(staff_number)) not between 1 and 50 then 'is not 1 to 50 characters long' end));
  if exists (
    select from app_public.doctor
    where doctor.hospital_id = guard_doctor.hospital_id
      and doctor.staff_number = guard_doctor.staff_number
      and doctor.id is distinct from except_doctor_id)
  then
    perform app_private.refuse('staff_number_taken', jsonb_build_object('staff_number', staff_number));
  end if;
end
$$;

comment on function app_private.guard_doctor(uuid, text, text, interval, integer, text, uuid) is
  'Refuses details of a doctor that are not valid, all faults at once, or a staff number that another doctor has.';

revoke execute on function app_private.guard_doctor(uuid, text, text, interval, integer, text, uuid) from public;
grant execute on function app_private.guard_doctor(uuid, text, text, interval, integer, text, uuid) to app_admin;
--! EndIncluded functions/scheduling/guard_doctor.sql
--! Included functions/scheduling/create_doctor.sql
-- A new doctor has no hours yet: replace_schedule gives them.
create or replace function app_public.create_doctor(
  display_name text, specialty text default null, slot_duration interval default interval '30 minutes',
  max_patients_per_day integer default 30, staff_number text default null)
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.doctor;
begin
  perform app_private.guard_doctor(
    hospital, coalesce(display_name, ''), specialty, slot_duration, max_patients_per_day, staff_number);
  insert into app_public.doctor (hospital_id, display_name, specialty, slot_duration, max_patients_per_day, staff_number)
  values (hospital, display_name, specialty, coalesce(slot_duration, interval '30 minutes'),
    coalesce(max_patients_per_day, 30), staff_number)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_doctor(text, text, interval, integer, text) is
  'Adds a doctor: slots of 30 minutes and at most 30 patients a day unless told otherwise. Working hours come with replaceSchedule. For admins.';

revoke execute on function app_public.create_doctor(text, text, interval, integer, text) from public;
grant execute on function app_public.create_doctor(text, text, interval, integer, text) to app_admin;
--! EndIncluded functions/scheduling/create_doctor.sql
--! Included functions/scheduling/update_doctor.sql
-- Null leaves a detail as it is; clear empties what may be empty. A new slot duration is carried to the
-- slots ahead by the job that its message in the outbox starts; a new daily limit holds at once.
create or replace function app_public.update_doctor(
  doctor_id uuid, display_name text default null, specialty text default null,
  slot_duration interval default null, max_patients_per_day integer default null,
  staff_number text default null, clear text[] default '{}')
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.doctor;
begin
  perform app_private.guard_input(jsonb_build_object(
    'clear', case when not clear <@ array['specialty', 'staff_number'] then 'names more than specialty and staff_number' end));
  perform app_private.guard_doctor(
    hospital, display_name, specialty, slot_duration, max_patients_per_day, staff_number, doctor_id);
  update app_public.doctor
  set display_name = coalesce(update_doctor.display_name, doctor.display_name),
      specialty = coalesce(update_doctor.specialty, case when not 'specialty' = any (clear) then doctor.specialty end),
      slot_duration = coalesce(update_doctor.slot_duration, doctor.slot_duration),
      max_patients_per_day = coalesce(update_doctor.max_patients_per_day, doctor.max_patients_per_day),
      staff_number = coalesce(update_doctor.staff_number, case when not 'staff_number' = any (clear) then doctor.staff_number end)
  where doctor.hospital_id = hospital and doctor.id = doctor_id
  returning * into changed;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_doctor(uuid, text, text, interval, integer, text, text[]) is
  'Changes details of a doctor; what is left out or null stays as it is, and clear names what becomes empty: specialty, staff_number. A new slotDuration is carried to the slots ahead within moments, as replaceSchedule would. For admins.';

revoke execute on function app_public.update_doctor(uuid, text, text, interval, integer, text, text[]) from public;
grant execute on function app_public.update_doctor(uuid, text, text, interval, integer, text, text[]) to app_admin;
--! EndIncluded functions/scheduling/update_doctor.sql
--! Included functions/scheduling/guard_location.sql
-- What a location must be, for creating and for changing. A null name is not looked at.
create or replace function app_private.guard_location(
  hospital_id uuid, name text, except_location_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  perform app_private.guard_input(jsonb_build_object(
    'name', case when length(btrim(name)) not between 1 and 200 then 'is not 1 to 200 characters long' end));
  if exists (
    select from app_public.location
    where location.hospital_id = guard_location.hospital_id
      and location.name = guard_location.name
      and location.id is distinct from except_location_id)
  then
    perform app_private.refuse('name_taken', jsonb_build_object('name', name));
  end if;
end
$$;

comment on function app_private.guard_location(uuid, text, uuid) is
  'Refuses a name of a location that is not valid or that another one has.';

revoke execute on function app_private.guard_location(uuid, text, uuid) from public;
grant execute on function app_private.guard_location(uuid, text, uuid) to app_admin;
--! EndIncluded functions/scheduling/guard_location.sql
--! Included functions/scheduling/create_location.sql
-- A new place is open, and nobody works there yet.
create or replace function app_public.create_location(name text)
returns app_public.location
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.location;
begin
  perform app_private.guard_location(hospital, coalesce(name, ''));
  insert into app_public.location (hospital_id, name)
  values (hospital, name)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_location(text) is
  'Adds a place where doctors see patients. For admins.';

revoke execute on function app_public.create_location(text) from public;
grant execute on function app_public.create_location(text) to app_admin;
--! EndIncluded functions/scheduling/create_location.sql
--! Included functions/scheduling/update_location.sql
-- A place that closes keeps its schedules, which give no slots until it opens again: the job that its
-- messages in the outbox start brings the slots of every doctor who works there in line.
create or replace function app_public.update_location(
  location_id uuid, name text default null, is_active boolean default null)
returns app_public.location
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.location;
begin
  perform app_private.guard_location(hospital, name, location_id);
  update app_public.location
  set name = coalesce(update_location.name, location.name),
      is_active = coalesce(update_location.is_active, location.is_active)
  where location.hospital_id = hospital and location.id = location_id
  returning * into changed;
  if not found then
    perform app_private.refuse('location_not_found', jsonb_build_object('location_id', location_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_location(uuid, text, boolean) is
  'Renames, closes or opens a place; what is left out or null stays as it is. Within moments after it closes, free slots there go and those with appointments stay for them; after it opens, its schedules give slots again. For admins.';

revoke execute on function app_public.update_location(uuid, text, boolean) from public;
grant execute on function app_public.update_location(uuid, text, boolean) to app_admin;
--! EndIncluded functions/scheduling/update_location.sql
--! Included functions/scheduling/guard_service.sql
-- What a service must be, for creating and for changing. A null is not looked at.
create or replace function app_private.guard_service(
  hospital_id uuid, name text, duration interval, buffer_before interval, buffer_after interval,
  except_service_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  perform app_private.guard_input(jsonb_build_object(
    'name', case when length(btrim(name)) not between 1 and 200 then 'is not 1 to 200 characters long' end,
    'duration', case when duration not between interval '5 minutes' and interval '8 hours' then 'is not 5 minutes to 8 hours' end,
    'buffer_before', case when buffer_before not between interval '0' and interval '2 hours' then 'is not 0 to 2 hours' end,
    'buffer_after', case when buffer_after not between interval '0' and interval '2 hours' then 'is not 0 to 2 hours' end));
  if exists (
    select from app_public.service
    where service.hospital_id = guard_service.hospital_id
      and service.name = guard_service.name
      and service.id is distinct from except_service_id)
  then
    perform app_private.refuse('name_taken', jsonb_build_object('name', name));
  end if;
end
$$;

comment on function app_private.guard_service(uuid, text, interval, interval, interval, uuid) is
  'Refuses details of a service that are not valid, all faults at once, or a name that another one has.';

revoke execute on function app_private.guard_service(uuid, text, interval, interval, interval, uuid) from public;
grant execute on function app_private.guard_service(uuid, text, interval, interval, interval, uuid) to app_admin;
--! EndIncluded functions/scheduling/guard_service.sql
--! Included functions/scheduling/create_service.sql
-- A kind of visit; without a duration it is as long as the slot.
create or replace function app_public.create_service(
  name text, duration interval default null, buffer_before interval default interval '0',
  buffer_after interval default interval '0', external_event_type text default null)
returns app_public.service
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.service;
begin
  perform app_private.guard_service(hospital, coalesce(name, ''), duration, buffer_before, buffer_after);
  insert into app_public.service (hospital_id, name, duration, buffer_before, buffer_after, external_event_type)
  values (hospital, name, duration, coalesce(buffer_before, interval '0'), coalesce(buffer_after, interval '0'), external_event_type)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_service(text, interval, interval, interval, text) is
  'Adds a kind of visit; without a duration it is as long as the slot. Buffers keep time of the doctor free before and after it. For admins.';

revoke execute on function app_public.create_service(text, interval, interval, interval, text) from public;
grant execute on function app_public.create_service(text, interval, interval, interval, text) to app_admin;
--! EndIncluded functions/scheduling/create_service.sql
--! Included functions/scheduling/update_service.sql
-- Null leaves a detail as it is; clear empties what may be empty. Appointments keep the length that they
-- were booked with.
create or replace function app_public.update_service(
  service_id uuid, name text default null, duration interval default null, buffer_before interval default null,
  buffer_after interval default null, external_event_type text default null, is_active boolean default null,
  clear text[] default '{}')
returns app_public.service
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.service;
begin
  perform app_private.guard_input(jsonb_build_object(
    'clear', case when not clear <@ array['duration', 'external_event_type'] then 'names more than duration and external_event_type' end));
  perform app_private.guard_service(hospital, name, duration, buffer_before, buffer_after, service_id);
  update app_public.service
  set name = coalesce(update_service.name, service.name),
      duration = coalesce(update_service.duration, case when not 'duration' = any (clear) then service.duration end),
      buffer_before = coalesce(update_service.buffer_before, service.buffer_before),
      buffer_after = coalesce(update_service.buffer_after, service.buffer_after),
      external_event_type = coalesce(
        update_service.external_event_type, case when not 'external_event_type' = any (clear) then service.external_event_type end),
      is_active = coalesce(update_service.is_active, service.is_active)
  where service.hospital_id = hospital and service.id = service_id
  returning * into changed;
  if not found then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', service_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_service(uuid, text, interval, interval, interval, text, boolean, text[]) is
  'Changes a kind of visit, or stops or resumes offering it; what is left out or null stays as it is, and clear names what becomes empty: duration, external_event_type. Appointments keep the length they were booked with. For admins.';

revoke execute on function app_public.update_service(uuid, text, interval, interval, interval, text, boolean, text[]) from public;
grant execute on function app_public.update_service(uuid, text, interval, interval, interval, text, boolean, text[]) to app_admin;
--! EndIncluded functions/scheduling/update_service.sql
--! Included functions/scheduling/update_hospital_settings.sql
-- Null leaves a setting as it is; generated_days, which may be empty, is emptied by clear. The time zone
-- is not among them: change_time_zone carries along what is written in local time. More days ahead get
-- their slots from the job that the message in the outbox starts.
create or replace function app_public.update_hospital_settings(
  name text default null, booking_horizon_days integer default null, generated_days integer default null,
  hold_duration interval default null, offer_duration interval default null, rebook_buffer interval default null,
  no_show_block_threshold integer default null, no_show_window_start time default null,
  no_show_window_end time default null, vitals_alert_buffer interval default null,
  doctor_alert_buffer interval default null, kept_years integer default null, clear text[] default '{}')
returns app_public.hospital
language plpgsql volatile
as $$
declare
  own_id uuid := app_private.request_hospital_id();
  present app_public.hospital;
  changed app_public.hospital;
begin
  select * into present from app_public.hospital where hospital.id = own_id;
  perform app_private.guard_input(jsonb_build_object(
    'name', case when length(btrim(name)) not between 1 and 200 then 'is not 1 to 200 characters long' end,
    'booking_horizon_days', case when booking_horizon_days not between 1 and 365 then 'is not 1 to 365' end,
    'generated_days', case when generated_days not between 1 and 365 then 'is not 1 to 365' end,
    'hold_duration', case when hold_duration <= interval '0' or hold_duration > interval '1 hour' then 'is not above 0 and up to an hour' end,
    'offer_duration', case when offer_duration not between interval '5 minutes' and interval '3 days' then 'is not 5 minutes to 3 days' end,
    'rebook_buffer', case when rebook_buffer < interval '0' then 'is negative' end,
    'no_show_block_threshold', case when no_show_block_threshold < 1 then 'is not positive' end,
    'no_show_window_end', case
      when coalesce(no_show_window_end, present.no_show_window_end) <= coalesce(no_show_window_start, present.no_show_window_start)
      then 'is not after the start of the window' end,
    'vitals_alert_buffer', case when vitals_alert_buffer < interval '0' then 'is negative' end,
    'doctor_alert_buffer', case when doctor_alert_buffer < interval '0' then 'is negative' end,
    'kept_years', case when kept_years not between 0 and 50 then 'is not 0 to 50' end,
    'clear', case when not clear <@ array['generated_days'] then 'names more than generated_days' end));

  update app_public.hospital
  set name = coalesce(update_hospital_settings.name, hospital.name),
      booking_horizon_days = coalesce(update_hospital_settings.booking_horizon_days, hospital.booking_horizon_days),
      generated_days = coalesce(
        update_hospital_settings.generated_days, case when not 'generated_days' = any (clear) then hospital.generated_days end),
      hold_duration = coalesce(update_hospital_settings.hold_duration, hospital.hold_duration),
      offer_duration = coalesce(update_hospital_settings.offer_duration, hospital.offer_duration),
      rebook_buffer = coalesce(update_hospital_settings.rebook_buffer, hospital.rebook_buffer),
      no_show_block_threshold = coalesce(update_hospital_settings.no_show_block_threshold, hospital.no_show_block_threshold),
      no_show_window_start = coalesce(update_hospital_settings.no_show_window_start, hospital.no_show_window_start),
      no_show_window_end = coalesce(update_hospital_settings.no_show_window_end, hospital.no_show_window_end),
      vitals_alert_buffer = coalesce(update_hospital_settings.vitals_alert_buffer, hospital.vitals_alert_buffer),
      doctor_alert_buffer = coalesce(update_hospital_settings.doctor_alert_buffer, hospital.doctor_alert_buffer),
      kept_years = coalesce(update_hospital_settings.kept_years, hospital.kept_years)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, text[]) is
  'Changes settings of the hospital; what is left out or null stays as it is, and clear may name generated_days, to store slots to the booking horizon again. All faults come back together in details. The time zone has changeTimeZone. For admins.';

revoke execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, text[]) from public;
grant execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, text[]) to app_admin;
--! EndIncluded functions/scheduling/update_hospital_settings.sql

--! Included functions/scheduling/closed_days.sql
-- The days of a range on which the hospital is closed. Each day asks the index for its month and day,
-- so the cost follows the range and not how many holidays were ever entered.
create or replace function app_private.closed_days(hospital_id uuid, first_day date, last_day date)
returns table (day date, holiday_id uuid)
language sql stable
as $$
  select calendar.midnight::date, holiday.id
  from generate_series(closed_days.first_day::timestamp, closed_days.last_day::timestamp, interval '1 day')
    as calendar (midnight)
  join app_public.holiday
    on holiday.hospital_id = closed_days.hospital_id
    and holiday.is_active
    and holiday.month_day = extract(month from calendar.midnight)::integer * 100
      + extract(day from calendar.midnight)::integer
    and (holiday.is_recurring or holiday.date = calendar.midnight::date);
$$;

comment on function app_private.closed_days(uuid, date, date) is
  'Local days from the first to the last on which the hospital is closed, with their holidays.';

revoke execute on function app_private.closed_days(uuid, date, date) from public;
grant execute on function app_private.closed_days(uuid, date, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/closed_days.sql
--! Included functions/scheduling/working_hours_from.sql
-- The weekly hours that hold on some day from the first on, as they stand in the schedules now. What is
-- planned from them can be planned as well from hours that stand nowhere yet.
create or replace function app_private.working_hours_from(hospital_id uuid, doctor_id uuid, first_day date)
returns app_private.working_hours[]
language sql stable
as $$
  select coalesce(array_agg(row(
    schedule.id, schedule.doctor_id, schedule.location_id, schedule.weekday,
    schedule.start_time, schedule.end_time, schedule.break_start, schedule.break_end,
    schedule.slot_capacity, schedule.effective_from, schedule.effective_until)::app_private.working_hours), '{}')
  from app_public.schedule
  where schedule.hospital_id = working_hours_from.hospital_id
    and schedule.is_active
    and (working_hours_from.doctor_id is null or schedule.doctor_id = working_hours_from.doctor_id)
    and (schedule.effective_until is null or schedule.effective_until >= working_hours_from.first_day);
$$;

comment on function app_private.working_hours_from(uuid, uuid, date) is
  'Active weekly hours of a doctor (or of all) that hold on or after a day.';

revoke execute on function app_private.working_hours_from(uuid, uuid, date) from public;
grant execute on function app_private.working_hours_from(uuid, uuid, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/working_hours_from.sql
--! Included functions/slots/wanted_slots.sql
-- The one place where weekly hours become slots: each part of a day before and after the break is cut
-- by the doctor's slot duration, in absolute time. Plain SQL, so that a caller's query takes it in and
-- cuts a whole hospital's month in one statement.
create or replace function app_private.wanted_slots(
  hospital_id uuid, time_zone text, hours app_private.working_hours[], first_day date, last_day date)
returns table (
  doctor_id uuid, location_id uuid, schedule_id uuid, day date, during tstzrange, capacity integer)
language sql stable rows 1000
as $$
  select schedule.doctor_id, schedule.location_id, schedule.schedule_id, calendar.midnight::date,
    tstzrange(
      lower(part.during) + step.number * doctor.slot_duration,
      lower(part.during) + (step.number + 1) * doctor.slot_duration),
    schedule.slot_capacity
  from unnest(wanted_slots.hours) as schedule
  join app_public.doctor
    on doctor.hospital_id = wanted_slots.hospital_id
    and doctor.id = schedule.doctor_id
    and doctor.is_active
  join app_public.location
    on location.hospital_id = wanted_slots.hospital_id
    and location.id = schedule.location_id
    and location.is_active
  cross join lateral (
    select greatest(wanted_slots.first_day, schedule.effective_from) as day
  ) as earliest
  cross join lateral generate_series(
    (earliest.day + (schedule.weekday + 7 - extract(isodow from earliest.day)::integer) % 7)::timestamp,
    least(wanted_slots.last_day, schedule.effective_until)::timestamp,
    interval '7 days') as calendar (midnight)
  cross join lateral app_private.hours_of_day(
    wanted_slots.time_zone, calendar.midnight::date,
    schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time) as hours_of_day
  cross join lateral (
    select hours_of_day.before_break as during
    union all
    select hours_of_day.after_break where schedule.break_start is not null
  ) as part
  cross join lateral generate_series(
    0,
    floor(extract(epoch from upper(part.during) - lower(part.during))
      / extract(epoch from doctor.slot_duration))::integer - 1) as step (number);
$$;

comment on function app_private.wanted_slots(uuid, text, app_private.working_hours[], date, date) is
  'The slots that weekly hours give on the local days from the first to the last, whether they exist or not; of active doctors at active locations.';

revoke execute on function app_private.wanted_slots(uuid, text, app_private.working_hours[], date, date) from public;
grant execute on function app_private.wanted_slots(uuid, text, app_private.working_hours[], date, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/wanted_slots.sql
--! Included functions/slots/cut_slots.sql
-- Cuts slots from schedules, set-based: one statement for all doctors and days. Idempotent, because
-- what would overlap a slot that is still offered is left out; safe beside bookings, because it only
-- inserts; in turn with everything else that writes this calendar. What begins in the past and what
-- falls on a holiday is not generated; what falls into an absence exists, but is closed by it.
create or replace function app_private.cut_slots(
  hospital_id uuid, first_day date, last_day date, doctor_id uuid default null)
returns integer
language plpgsql
as $$
declare
  instant timestamptz := app_private.clock();
  zone text;
  beginning timestamptz;
  ending timestamptz;
  hours app_private.working_hours[];
  closed date[];
  away uuid[];
  generated integer;
begin
  perform app_private.lock_calendar(hospital_id, doctor_id);

  select hospital.time_zone into zone from app_public.hospital where hospital.id = cut_slots.hospital_id;
  beginning := first_day::timestamp at time zone zone;
  ending := (last_day + 1)::timestamp at time zone zone;
  hours := app_private.working_hours_from(hospital_id, doctor_id, first_day);
  select array_agg(closed_days.day) into closed
  from app_private.closed_days(cut_slots.hospital_id, first_day, last_day);
  select array_agg(distinct absence.doctor_id) into away
  from app_public.absence
  where absence.hospital_id = cut_slots.hospital_id
    and absence.status = 'active'
    and absence.during && tstzrange(beginning, ending)
    and (cut_slots.doctor_id is null or absence.doctor_id = cut_slots.doctor_id);

  -- What each doctor has in these days, joined to few long stretches: looking a slot up in them costs
  -- next to nothing, where looking for each among all of the doctor's would cost the square of them.
  with taken as materialized (
    select working.doctor_id, (
      select range_agg(slot.during)
      from app_public.slot
      where slot.hospital_id = cut_slots.hospital_id
        and slot.doctor_id = working.doctor_id
        and slot.starts_at > beginning - interval '1 day'
        and slot.starts_at < ending
        and slot.withdrawn_at is null) as during
    from (select distinct schedule.doctor_id from unnest(hours) as schedule) as working
  )
  insert into app_public.slot (hospital_id, doctor_id, location_id, schedule_id, during, capacity, absence_id)
  select cut_slots.hospital_id, wanted.doctor_id, wanted.location_id, wanted.schedule_id, wanted.during, wanted.capacity,
    case when wanted.doctor_id = any (away) then (
      select absence.id
      from app_public.absence
      where absence.hospital_id = cut_slots.hospital_id
        and absence.doctor_id = wanted.doctor_id
        and absence.status = 'active'
        and absence.during && wanted.during
      order by absence.during
      limit 1)
    end
  from app_private.wanted_slots(cut_slots.hospital_id, zone, hours, first_day, last_day) as wanted
  left join taken on taken.doctor_id = wanted.doctor_id
  where lower(wanted.during) > instant
    and (closed is null or wanted.day <> all (closed))
    and not coalesce(taken.during && wanted.during, false)
  order by wanted.doctor_id, wanted.during
  on conflict do nothing;
  get diagnostics generated = row_count;

  if generated > 0 then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (hospital_id, 'slots', coalesce(doctor_id, hospital_id)::text,
      jsonb_build_object('doctor_id', doctor_id));
  end if;
  return generated;
end
$$;

comment on function app_private.cut_slots(uuid, date, date, uuid) is
  'Generates the missing slots of a hospital (or of one doctor) on the local days from the first to the last; returns how many.';

revoke execute on function app_private.cut_slots(uuid, date, date, uuid) from public;
grant execute on function app_private.cut_slots(uuid, date, date, uuid) to app_worker, app_admin;
--! EndIncluded functions/slots/cut_slots.sql
--! Included functions/slots/extend_slot_horizon.sql
-- Every hospital's slots reach as far ahead as it wants them stored; unless told otherwise, from its
-- today to its last bookable day.
create or replace function app_private.extend_slot_horizon(hospital_id uuid, doctor_id uuid default null)
returns integer
language plpgsql
as $$
declare
  today date;
  days_ahead integer;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date,
    coalesce(hospital.generated_days, hospital.booking_horizon_days)
  into today, days_ahead
  from app_public.hospital
  where hospital.id = hospital_id;
  return app_private.cut_slots(hospital_id, today, today + days_ahead, doctor_id);
end
$$;

comment on function app_private.extend_slot_horizon(uuid, uuid) is
  'Generates the missing slots of a hospital (or of one doctor) from today as many days ahead as the hospital stores; returns how many.';

revoke execute on function app_private.extend_slot_horizon(uuid, uuid) from public;
grant execute on function app_private.extend_slot_horizon(uuid, uuid) to app_worker, app_admin;
--! EndIncluded functions/slots/extend_slot_horizon.sql
--! Included functions/slots/materialise_day.sql
-- Makes a day real: a day beyond what is generated has no rows until somebody wants a seat of it. All
-- its slots are cut together, so a day has either all its rows or none. A day that is there costs one
-- look and no lock; of two who want the same one, the second waits for the calendar in cut_slots and
-- finds nothing left to cut. Runs as the owner, because who books writes no slots; it makes nothing
-- that the schedules do not say.
create or replace function app_private.materialise_day(hospital_id uuid, doctor_id uuid, day date)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  zone text;
  today date;
  horizon integer;
  midnight timestamptz;
  next_midnight timestamptz;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select hospital.time_zone, (app_private.clock() at time zone hospital.time_zone)::date, hospital.booking_horizon_days
  into zone, today, horizon
  from app_public.hospital
  where hospital.id = materialise_day.hospital_id;
  if doctor_id is null or day is null or day not between today and today + horizon then
    return 0;
  end if;

  midnight := day::timestamp at time zone zone;
  next_midnight := (day + 1)::timestamp at time zone zone;
  if exists (
    select from app_public.slot
    where slot.hospital_id = materialise_day.hospital_id
      and slot.doctor_id = materialise_day.doctor_id
      and slot.starts_at >= midnight
      and slot.starts_at < next_midnight
      and slot.withdrawn_at is null)
  then
    return 0;
  end if;
  return app_private.cut_slots(hospital_id, day, day, doctor_id);
end
$$;

comment on function app_private.materialise_day(uuid, uuid, date) is
  'Generates all slots of a doctor''s local day that has none yet, from today to the booking horizon; returns how many.';

revoke execute on function app_private.materialise_day(uuid, uuid, date) from public;
grant execute on function app_private.materialise_day(uuid, uuid, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/materialise_day.sql
--! Included functions/slots/plan_slots.sql
-- What becomes of the slots ahead when these weekly hours hold in this zone: one plan, which a change
-- carries out and a preview only counts, so that the two can never say different things.
-- A slot that the hours still have, at the same time and place, stays and follows them; another one is
-- retired while appointments hold seats in it, withdrawn when somebody ever had to do with it, deleted
-- when nobody had. Missing ones are generated where slots are stored: up to the generated days, and on
-- later days that have rows already. Where a retired slot stays in the way, nothing is generated; what
-- was blocked by hand stays blocked. Seats that staff added stay on top of the schedule's capacity.
create or replace function app_private.plan_slots(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date,
  hours app_private.working_hours[], time_zone text)
returns setof app_private.planned_slot
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
  -- A slot of a day can reach over its ends where zones change; none is longer than this.
  margin constant interval := interval '1 day';
  beginning timestamptz;
  ending timestamptz;
  generated_until date;
  wanted_until date;
begin
  select (instant at time zone plan_slots.time_zone)::date
    + coalesce(hospital.generated_days, hospital.booking_horizon_days)
  into generated_until
  from app_public.hospital
  where hospital.id = plan_slots.hospital_id;
  beginning := greatest(instant, first_day::timestamp at time zone plan_slots.time_zone);
  ending := (last_day + 1)::timestamp at time zone plan_slots.time_zone;

  select greatest(generated_until, (max(slot.starts_at) at time zone plan_slots.time_zone)::date) into wanted_until
  from app_public.slot
  where slot.hospital_id = plan_slots.hospital_id
    and (plan_slots.doctor_id is null or slot.doctor_id = plan_slots.doctor_id)
    and slot.starts_at > instant
    and slot.withdrawn_at is null;
  wanted_until := least(wanted_until, last_day);

  return query
  with away as materialized (
    select absence.id, absence.doctor_id,
      app_private.absence_time(
        plan_slots.time_zone, absence.first_day, absence.last_day, absence.start_time, absence.end_time) as during
    from app_public.absence
    where absence.hospital_id = plan_slots.hospital_id
      and absence.status = 'active'
      and absence.last_day >= plan_slots.first_day - 1
      and (plan_slots.doctor_id is null or absence.doctor_id = plan_slots.doctor_id)
  ),
  away_ranges as materialized (
    select away.doctor_id, range_agg(away.during) as during from away group by away.doctor_id
  ),
  wished as (
    select wanted_slots.doctor_id, wanted_slots.location_id, wanted_slots.schedule_id, wanted_slots.day,
      wanted_slots.during, wanted_slots.capacity,
      max(upper(wanted_slots.during)) over (
        partition by wanted_slots.doctor_id
        order by lower(wanted_slots.during), wanted_slots.schedule_id
        rows between unbounded preceding and 1 preceding) as taken_until
    from app_private.wanted_slots(
      plan_slots.hospital_id, plan_slots.time_zone, hours, plan_slots.first_day, wanted_until) as wanted_slots
    where lower(wanted_slots.during) > instant
      and (plan_slots.doctor_id is null or wanted_slots.doctor_id = plan_slots.doctor_id)
  ),
  -- Two schedules that only seem apart on a day on which the clocks change give no slot twice.
  wanted as materialized (
    select wished.*, closed.holiday_id,
      case when away_ranges.during && wished.during then (
        select away.id from away
        where away.doctor_id = wished.doctor_id and away.during && wished.during
        order by away.during limit 1)
      end as absence_id
    from wished
    left join away_ranges on away_ranges.doctor_id = wished.doctor_id
    left join app_private.closed_days(plan_slots.hospital_id, plan_slots.first_day, wanted_until) as closed
      on closed.day = wished.day
    where wished.taken_until is null or wished.taken_until <= lower(wished.during)
  ),
  present as materialized (
    select slot.id, slot.doctor_id, slot.location_id, slot.schedule_id, slot.during,
      (slot.starts_at at time zone plan_slots.time_zone)::date as day,
      slot.capacity, slot.booked_count, slot.is_retired, slot.absence_id, slot.holiday_id,
      slot.blocked_at, slot.blocked_reason,
      slot.starts_at > instant and slot.starts_at >= beginning
        and (ending is null or slot.starts_at < ending) as is_judged
    from app_public.slot
    where slot.hospital_id = plan_slots.hospital_id
      and (plan_slots.doctor_id is null or slot.doctor_id = plan_slots.doctor_id)
      and slot.starts_at > beginning - margin
      and (ending is null or slot.starts_at < ending + margin)
      and slot.withdrawn_at is null
  ),
  judged as materialized (
    select present.id, present.doctor_id, present.location_id, present.during,
      present.blocked_at, present.blocked_reason,
      case
        when not present.is_judged then 'stay'
        when wanted.during is null and present.booked_count > 0 then
          case when present.is_retired then 'stay' else 'retire' end
        when wanted.during is null then
          case
            when exists (
                select from app_public.appointment
                where appointment.hospital_id = plan_slots.hospital_id and appointment.slot_id = present.id)
              or exists (
                select from app_public.appointment
                where appointment.hospital_id = plan_slots.hospital_id and appointment.rescheduled_from = present.id)
              or exists (
                select from app_public.appointment_move
                where appointment_move.hospital_id = plan_slots.hospital_id and appointment_move.from_slot_id = present.id)
              or exists (
                select from app_public.appointment_move
                where appointment_move.hospital_id = plan_slots.hospital_id and appointment_move.to_slot_id = present.id)
              or exists (
                select from app_public.appointment_seat
                where appointment_seat.hospital_id = plan_slots.hospital_id and appointment_seat.slot_id = present.id)
              or exists (
                select from app_public.added_seat
                where added_seat.hospital_id = plan_slots.hospital_id and added_seat.slot_id = present.id)
              or exists (
                select from app_public.waitlist_offer
                where waitlist_offer.hospital_id = plan_slots.hospital_id and waitlist_offer.slot_id = present.id)
            then 'withdraw'
            else 'delete'
          end
        when present.is_retired then 'restore'
        when (present.schedule_id, present.capacity, present.absence_id, present.holiday_id)
          is distinct from (wanted.schedule_id, room.capacity, wanted.absence_id, wanted.holiday_id) then 'follow'
        else 'stay'
      end as fate,
      wanted.schedule_id,
      room.capacity,
      wanted.absence_id,
      wanted.holiday_id,
      present.absence_id is not null or present.holiday_id is not null as was_closed
    from present
    left join wanted
      on wanted.doctor_id = present.doctor_id
      and wanted.during = present.during
      and wanted.location_id = present.location_id
      and present.is_judged
    left join lateral (
      select greatest(present.booked_count, least(100, wanted.capacity + (
        select count(*)::integer from app_public.added_seat
        where added_seat.hospital_id = plan_slots.hospital_id and added_seat.slot_id = present.id))) as capacity
      where wanted.during is not null
    ) as room on true
  ),
  kept_ranges as materialized (
    select judged.doctor_id, range_agg(judged.during) as during
    from judged
    where judged.fate not in ('withdraw', 'delete')
    group by judged.doctor_id
  ),
  blocked as materialized (
    select judged.doctor_id, judged.during, judged.blocked_at, judged.blocked_reason
    from judged
    where judged.fate in ('withdraw', 'delete') and judged.blocked_at is not null
  )
  select judged.id, judged.fate, judged.doctor_id, judged.location_id, judged.schedule_id, judged.during,
    judged.capacity, judged.absence_id, judged.holiday_id, null::timestamptz, null::text, judged.was_closed
  from judged
  where judged.fate <> 'stay'
  union all
  select null, 'generate', wanted.doctor_id, wanted.location_id, wanted.schedule_id, wanted.during,
    wanted.capacity, wanted.absence_id, null, block.blocked_at, block.blocked_reason, false
  from wanted
  left join kept_ranges on kept_ranges.doctor_id = wanted.doctor_id
  left join lateral (
    select blocked.blocked_at, blocked.blocked_reason
    from blocked
    where blocked.doctor_id = wanted.doctor_id and blocked.during && wanted.during
    order by blocked.during
    limit 1
  ) as block on true
  where wanted.holiday_id is null
    and (wanted.day <= generated_until or (wanted.doctor_id, wanted.day) in (
      select present.doctor_id, present.day from present where present.is_judged))
    and not coalesce(kept_ranges.during && wanted.during, false);
end
$$;

comment on function app_private.plan_slots(uuid, uuid, date, date, app_private.working_hours[], text) is
  'What would become of each slot ahead of a doctor (or of all) between two local days if these weekly hours held in this zone; slots that stay as they are are left out.';

revoke execute on function app_private.plan_slots(uuid, uuid, date, date, app_private.working_hours[], text) from public;
--! EndIncluded functions/slots/plan_slots.sql
--! Included functions/slots/summarise_plan.sql
-- What a plan for slots does, in the words of a calendar change. Read before the plan is carried out,
-- so that each affected appointment is told as it was; a preview stops here. A lapsed hold is nobody's
-- appointment any more, though its seat is counted until somebody releases it.
create or replace function app_private.summarise_plan(
  hospital_id uuid, plan app_private.planned_slot[], with_alternatives boolean)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  change app_public.calendar_change;
  retired uuid[];
begin
  select
    count(*) filter (where planned.fate = 'follow' and not planned.was_closed
      and (planned.absence_id is not null or planned.holiday_id is not null)),
    count(*) filter (where planned.fate = 'restore' or planned.fate = 'follow' and planned.was_closed
      and planned.absence_id is null and planned.holiday_id is null),
    count(*) filter (where planned.fate = 'delete'),
    count(*) filter (where planned.fate = 'withdraw'),
    count(*) filter (where planned.fate = 'retire'),
    count(*) filter (where planned.fate = 'generate'),
    coalesce(array_agg(planned.slot_id) filter (where planned.fate = 'retire'), '{}')
  into change.closed_slots, change.opened_slots, change.deleted_slots, change.withdrawn_slots,
    change.kept_slots, change.generated_slots, retired
  from unnest(plan) as planned;

  select
    coalesce(array_agg(affected.entry order by affected.starts_at, affected.id), '{}'),
    count(distinct affected.patient_id)
  into change.affected_appointments, change.notified_patients
  from (
    select appointment.id, appointment.starts_at, appointment.patient_id,
      row(appointment.id, appointment.patient_id, appointment.doctor_id,
        appointment.starts_at, appointment.ends_at, appointment.status,
        case when with_alternatives then (
          select found.alternatives
          from app_private.find_affected(
            summarise_plan.hospital_id, appointment.doctor_id, appointment.during, true) as found
          where found.appointment_id = appointment.id)
        else '{}' end)::app_public.affected_appointment as entry
    from app_public.appointment
    where appointment.hospital_id = summarise_plan.hospital_id
      and appointment.holds_seat
      and (appointment.status <> 'held' or appointment.held_until > app_private.clock())
      and appointment.id in (
        select seated.id
        from app_public.appointment as seated
        where seated.hospital_id = summarise_plan.hospital_id and seated.slot_id = any (retired)
        union all
        select appointment_seat.appointment_id
        from app_public.appointment_seat
        where appointment_seat.hospital_id = summarise_plan.hospital_id and appointment_seat.slot_id = any (retired))
  ) as affected;
  change.cancelled_appointments := 0;
  return change;
end
$$;

comment on function app_private.summarise_plan(uuid, app_private.planned_slot[], boolean) is
  'Counts of a plan for slots, and the appointments that it leaves in slots outside the hours.';

revoke execute on function app_private.summarise_plan(uuid, app_private.planned_slot[], boolean) from public;
--! EndIncluded functions/slots/summarise_plan.sql
--! Included functions/slots/preview_slots.sql
-- What a change of hours or of the zone would do to the slots ahead, counted from the very plan that the
-- change would carry out. Runs as the owner, because the history of a slot may be anybody's and the
-- caller's rights must not change the count; it tells no more than the staff of the hospital may read.
create or replace function app_private.preview_slots(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date,
  hours app_private.working_hours[], time_zone text, with_alternatives boolean)
returns app_public.calendar_change
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return app_private.summarise_plan(
    hospital_id,
    array(
      select planned
      from app_private.plan_slots(hospital_id, doctor_id, first_day, last_day, hours, time_zone) as planned),
    with_alternatives);
end
$$;

comment on function app_private.preview_slots(uuid, uuid, date, date, app_private.working_hours[], text, boolean) is
  'What would become of the slots ahead if these hours held in this zone, in the words of a calendar change; changes nothing.';

revoke execute on function app_private.preview_slots(uuid, uuid, date, date, app_private.working_hours[], text, boolean) from public;
grant execute on function app_private.preview_slots(uuid, uuid, date, date, app_private.working_hours[], text, boolean)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/slots/preview_slots.sql
--! Included functions/slots/carry_out_plan.sql
-- Carries out a plan for slots, statement by statement for all of them, and tells each affected patient
-- once. Only for callers that hold the calendar and have locked the slots before they planned.
-- What is removed goes first, so that nothing new overlaps it.
create or replace function app_private.carry_out_plan(
  hospital_id uuid, doctor_id uuid, plan app_private.planned_slot[], change app_public.calendar_change, event text)
returns void
language plpgsql
as $$
declare
  instant timestamptz := app_private.clock();
  affected app_public.appointment;
begin
  if cardinality(plan) = 0 then
    return;
  end if;

  delete from app_public.slot
  using unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id and planned.fate = 'delete';

  update app_public.slot
  set withdrawn_at = instant
  from unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id and planned.fate = 'withdraw';

  update app_public.slot
  set is_retired = true
  from unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id and planned.fate = 'retire';

  update app_public.slot
  set schedule_id = planned.schedule_id,
      capacity = planned.capacity,
      absence_id = planned.absence_id,
      holiday_id = planned.holiday_id,
      is_retired = false
  from unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id
    and planned.fate in ('follow', 'restore');

  insert into app_public.slot (
    hospital_id, doctor_id, location_id, schedule_id, during, capacity, absence_id, blocked_at, blocked_reason)
  select carry_out_plan.hospital_id, planned.doctor_id, planned.location_id, planned.schedule_id, planned.during,
    planned.capacity, planned.absence_id, planned.blocked_at, planned.blocked_reason
  from unnest(plan) as planned
  where planned.fate = 'generate'
  order by planned.doctor_id, planned.during
  on conflict do nothing;

  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (hospital_id, 'slots', coalesce(doctor_id, hospital_id)::text, jsonb_build_object('doctor_id', doctor_id));

  for affected in
    select appointment.*
    from unnest(change.affected_appointments) as told
    join app_public.appointment
      on appointment.hospital_id = carry_out_plan.hospital_id and appointment.id = told.appointment_id
    order by appointment.starts_at, appointment.id
  loop
    perform app_private.notify_of_appointment(event, 'patient', affected);
  end loop;
end
$$;

comment on function app_private.carry_out_plan(uuid, uuid, app_private.planned_slot[], app_public.calendar_change, text) is
  'Deletes, withdraws, retires, changes and generates slots as planned, and notifies the affected patients.';

revoke execute on function app_private.carry_out_plan(uuid, uuid, app_private.planned_slot[], app_public.calendar_change, text) from public;
--! EndIncluded functions/slots/carry_out_plan.sql
--! Included functions/slots/lock_slots_ahead.sql
-- Locks the slots of a doctor (or of all) that a change of the calendar may touch, in the order of their
-- ids, as everybody does who locks several. For update, because some will be deleted: a booking that
-- comes later waits here and then sees what became of its slot; one that came before is waited for and
-- counts. A day back too, because a transaction that began earlier may still take a slot that has just
-- begun; and, on demand, every other slot in which somebody sits.
create or replace function app_private.lock_slots_ahead(
  hospital_id uuid, doctor_id uuid default null, and_seated boolean default false)
returns void
language plpgsql
as $$
declare
  since timestamptz := app_private.clock() - interval '1 day';
begin
  if and_seated then
    perform from app_public.slot
    where slot.hospital_id = lock_slots_ahead.hospital_id
      and (slot.starts_at > since or slot.booked_count > 0)
      and (lock_slots_ahead.doctor_id is null or slot.doctor_id = lock_slots_ahead.doctor_id)
      and slot.withdrawn_at is null
    order by slot.id
    for update;
  else
    perform from app_public.slot
    where slot.hospital_id = lock_slots_ahead.hospital_id
      and slot.starts_at > since
      and (lock_slots_ahead.doctor_id is null or slot.doctor_id = lock_slots_ahead.doctor_id)
      and slot.withdrawn_at is null
    order by slot.id
    for update;
  end if;
end
$$;

comment on function app_private.lock_slots_ahead(uuid, uuid, boolean) is
  'Locks the slots ahead of a doctor (or of a hospital) in the order of their ids, on demand with all others in which somebody sits.';

revoke execute on function app_private.lock_slots_ahead(uuid, uuid, boolean) from public;
--! EndIncluded functions/slots/lock_slots_ahead.sql
--! Included functions/slots/regenerate_slots.sql
-- Brings the slots ahead in line with the schedules, absences and holidays as they stand. The locks come
-- first: the calendar, then the slots by id; what is decided after them nobody can change any more. It
-- writes no day and no seat, so a booking that holds a slot and waits for a day is never waited for in a
-- circle. Runs as the owner, because nobody else may delete a slot; repeating it changes nothing, so it
-- may be called by whoever may change the schedules it follows.
create or replace function app_private.regenerate_slots(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date, with_alternatives boolean default false)
returns app_public.calendar_change
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  zone text;
  plan app_private.planned_slot[];
  change app_public.calendar_change;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  if actor = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;

  perform app_private.lock_calendar(hospital_id, doctor_id);
  perform app_private.lock_slots_ahead(hospital_id, doctor_id);
  select hospital.time_zone into zone from app_public.hospital where hospital.id = regenerate_slots.hospital_id;

  plan := array(
    select planned
    from app_private.plan_slots(
      hospital_id, doctor_id, first_day, last_day,
      app_private.working_hours_from(hospital_id, doctor_id, first_day), zone) as planned);
  change := app_private.summarise_plan(hospital_id, plan, with_alternatives);
  perform app_private.carry_out_plan(hospital_id, doctor_id, plan, change, 'schedule_changed');
  return change;
end
$$;

comment on function app_private.regenerate_slots(uuid, uuid, date, date, boolean) is
  'Brings the slots of a doctor (null: of all) that start from now on, between two local days (the last one null: no end), in line with the schedules; tells what changed.';

revoke execute on function app_private.regenerate_slots(uuid, uuid, date, date, boolean) from public;
grant execute on function app_private.regenerate_slots(uuid, uuid, date, date, boolean)
  to app_worker, app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/slots/regenerate_slots.sql
--! Included functions/slots/follow_schedule.sql
-- What the background job does after a schedule, a slot duration or a place has changed by whatever hand.
-- After replace_schedule, which has done it already, it finds nothing left to do.
create or replace function app_private.follow_schedule(hospital_id uuid, doctor_id uuid)
returns app_public.calendar_change
language plpgsql
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = follow_schedule.hospital_id;
  return app_private.regenerate_slots(hospital_id, doctor_id, today, null);
end
$$;

comment on function app_private.follow_schedule(uuid, uuid) is
  'Brings all slots ahead of a doctor in line with the schedules.';

revoke execute on function app_private.follow_schedule(uuid, uuid) from public;
grant execute on function app_private.follow_schedule(uuid, uuid) to app_worker;
--! EndIncluded functions/slots/follow_schedule.sql
--! Included functions/scheduling/announce_stored_days.sql
-- A hospital that stores more days ahead wants them at once: one message for all its doctors.
create or replace function app_private.announce_stored_days() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.id, 'schedule', new.id::text, '{}');
  return null;
end
$$;

comment on function app_private.announce_stored_days() is
  'Trigger: leaves a message in the outbox when a hospital stores more days ahead.';

revoke execute on function app_private.announce_stored_days() from public;

create or replace trigger hospital_stored_days_are_announced
  after update of booking_horizon_days, generated_days on app_public.hospital
  for each row when (
    coalesce(new.generated_days, new.booking_horizon_days) > coalesce(old.generated_days, old.booking_horizon_days))
  execute function app_private.announce_stored_days();
--! EndIncluded functions/scheduling/announce_stored_days.sql
--! Included functions/scheduling/announce_working_time.sql
-- Whatever else decides which slots a doctor has tells the job that brings them in line: the slot
-- duration, whether the doctor works here, whether a place is open. One message a doctor. Trigger
-- argument: the table's name.
create or replace function app_private.announce_working_time() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_argv[0] = 'doctor' then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (new.hospital_id, 'schedule', new.id::text, jsonb_build_object('doctor_id', new.id));
  else
    insert into app_private.outbox (hospital_id, topic, key, payload)
    select new.hospital_id, 'schedule', concerned.doctor_id::text, jsonb_build_object('doctor_id', concerned.doctor_id)
    from (
      select distinct schedule.doctor_id
      from app_public.schedule
      where schedule.hospital_id = new.hospital_id and schedule.location_id = new.id and schedule.is_active
    ) as concerned;
  end if;
  return null;
end
$$;

comment on function app_private.announce_working_time() is
  'Trigger: leaves a message in the outbox when a doctor''s slot duration or a place changes.';

revoke execute on function app_private.announce_working_time() from public;

create or replace trigger doctor_working_time_is_announced
  after update of slot_duration, is_active on app_public.doctor
  for each row when ((new.slot_duration, new.is_active) is distinct from (old.slot_duration, old.is_active))
  execute function app_private.announce_working_time('doctor');

create or replace trigger location_working_time_is_announced
  after update of is_active on app_public.location
  for each row when (new.is_active <> old.is_active)
  execute function app_private.announce_working_time('location');
--! EndIncluded functions/scheduling/announce_working_time.sql

--! Included functions/scheduling/guard_schedule_rows.sql
-- Looks at every row of a wished week before anything is written, and says everything that is wrong with
-- it at once. The constraints of the table say the same, but one fault at a time and without the row.
create or replace function app_private.guard_schedule_rows(hospital_id uuid, rows app_public.schedule_row[])
returns void
language plpgsql stable
as $$
declare
  faults jsonb;
begin
  with wished as (
    select wish.number, wish.location_id, wish.weekday, wish.start_time, wish.end_time, wish.break_start, wish.break_end,
      coalesce(wish.slot_capacity, 1) as slot_capacity, location.is_active as location_is_active
    from unnest(rows) with ordinality as wish (
      location_id, weekday, start_time, end_time, break_start, break_end, slot_capacity, number)
    left join app_public.location
      on location.hospital_id = guard_schedule_rows.hospital_id and location.id = wish.location_id
  ),
  fault as (
    select wished.number, verdict.position, verdict.field, verdict.problem, verdict.message, null::bigint as other_row
    from wished
    cross join lateral (values
      ('location_id', 1, 'missing', 'A location is needed.', wished.location_id is null),
      ('location_id', 2, 'unknown_location', 'There is no such location.',
        wished.location_id is not null and wished.location_is_active is null),
      ('location_id', 3, 'inactive_location', 'The location is closed.', not wished.location_is_active),
      ('weekday', 4, 'missing', 'A weekday is needed.', wished.weekday is null),
      ('weekday', 5, 'out_of_range', 'A weekday is 1 (Monday) to 7 (Sunday).', wished.weekday not between 1 and 7),
      ('start_time', 6, 'missing', 'A start is needed.', wished.start_time is null),
      ('end_time', 7, 'missing', 'An end is needed.', wished.end_time is null),
      ('end_time', 8, 'not_after_start', 'Work ends after it starts, on the same day.', wished.end_time <= wished.start_time),
      ('break_start', 9, 'missing', 'A break needs a start as well.',
        wished.break_start is null and wished.break_end is not null),
      ('break_end', 10, 'missing', 'A break needs an end as well.',
        wished.break_end is null and wished.break_start is not null),
      ('break_end', 11, 'not_after_start', 'A break ends after it starts.', wished.break_end <= wished.break_start),
      ('break_start', 12, 'outside_hours', 'A break starts within the working hours.',
        wished.break_start < wished.start_time or wished.break_start > wished.end_time),
      ('break_end', 13, 'outside_hours', 'A break ends within the working hours.',
        wished.break_end > wished.end_time or wished.break_end < wished.start_time),
      ('slot_capacity', 14, 'out_of_range', 'A slot takes 1 to 100 patients.',
        wished.slot_capacity not between 1 and 100)
    ) as verdict (field, position, problem, message, is_fault)
    where verdict.is_fault
    union all
    select wished.number, 15, 'start_time', 'overlaps',
      format('The hours overlap those of row %s.', other.number), other.number
    from wished
    join wished as other
      on other.number < wished.number
      and other.weekday = wished.weekday
      and other.start_time < wished.end_time
      and wished.start_time < other.end_time
      and other.start_time < other.end_time
      and wished.start_time < wished.end_time
  )
  select jsonb_agg(
    jsonb_strip_nulls(jsonb_build_object(
      'row', fault.number, 'field', fault.field, 'problem', fault.problem, 'message', fault.message,
      'other_row', fault.other_row))
    order by fault.number, fault.position, fault.other_row)
  into faults
  from fault;

  if faults is not null then
    perform app_private.refuse('schedule_invalid', jsonb_build_object('rows', faults));
  end if;
end
$$;

comment on function app_private.guard_schedule_rows(uuid, app_public.schedule_row[]) is
  'Refuses a wished week with every fault of every row.';

revoke execute on function app_private.guard_schedule_rows(uuid, app_public.schedule_row[]) from public;
grant execute on function app_private.guard_schedule_rows(uuid, app_public.schedule_row[])
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/guard_schedule_rows.sql
--! Included functions/scheduling/guard_schedule_change.sql
-- Who may change which week from when on: asked by the change and by its preview. A doctor changes no
-- week but the own; no week changes in the past, because what has been worked stays as it was.
create or replace function app_private.guard_schedule_change(
  hospital_id uuid, doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date)
returns void
language plpgsql stable
as $$
declare
  today date;
begin
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = guard_schedule_change.hospital_id and doctor.id = guard_schedule_change.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden', jsonb_build_object('doctor_id', doctor_id));
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = guard_schedule_change.hospital_id;
  if effective_from is null or not isfinite(effective_from) or effective_until < effective_from then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('effective_from', effective_from, 'effective_until', effective_until));
  end if;
  if effective_from < today then
    perform app_private.refuse('schedule_in_past',
      jsonb_build_object('effective_from', effective_from, 'today', today));
  end if;
  if rows is null then
    perform app_private.refuse('invalid_input', jsonb_build_object('rows', 'is missing'));
  end if;
  perform app_private.guard_schedule_rows(hospital_id, rows);
end
$$;

comment on function app_private.guard_schedule_change(uuid, uuid, date, app_public.schedule_row[], date) is
  'Refuses a change of a doctor''s week that this caller may not make, that begins in the past, or whose rows have faults.';

revoke execute on function app_private.guard_schedule_change(uuid, uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_private.guard_schedule_change(uuid, uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/guard_schedule_change.sql
--! Included functions/scheduling/replaced_hours.sql
-- All hours of a doctor as they stand after a week was replaced: what held before ends the day before,
-- what held after the replaced days holds again, the new rows lie between. A row that is cut in two
-- keeps its identity before and gets a new one (none yet) after. Change and preview both start here.
create or replace function app_private.replaced_hours(
  hospital_id uuid, doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date)
returns app_private.working_hours[]
language sql stable
as $$
  with held as (
    select schedule.*
    from app_public.schedule
    where schedule.hospital_id = replaced_hours.hospital_id
      and schedule.doctor_id = replaced_hours.doctor_id
      and schedule.is_active
  )
  select coalesce(array_agg(piece.hours), '{}')
  from (
    select row(
      held.id, held.doctor_id, held.location_id, held.weekday, held.start_time, held.end_time,
      held.break_start, held.break_end, held.slot_capacity,
      held.effective_from, least(held.effective_until, replaced_hours.effective_from - 1)
    )::app_private.working_hours as hours
    from held
    where held.effective_from < replaced_hours.effective_from
    union all
    select row(
      case when held.effective_from >= replaced_hours.effective_from then held.id end,
      held.doctor_id, held.location_id, held.weekday, held.start_time, held.end_time,
      held.break_start, held.break_end, held.slot_capacity,
      greatest(held.effective_from, replaced_hours.effective_until + 1), held.effective_until
    )::app_private.working_hours
    from held
    where replaced_hours.effective_until is not null
      and (held.effective_until is null or held.effective_until > replaced_hours.effective_until)
    union all
    select row(
      null, replaced_hours.doctor_id, wish.location_id, wish.weekday, wish.start_time, wish.end_time,
      wish.break_start, wish.break_end, coalesce(wish.slot_capacity, 1),
      replaced_hours.effective_from, replaced_hours.effective_until
    )::app_private.working_hours
    from unnest(replaced_hours.rows) as wish
  ) as piece;
$$;

comment on function app_private.replaced_hours(uuid, uuid, date, app_public.schedule_row[], date) is
  'Weekly hours of a doctor after the days from effective_from to effective_until (null: no end) were replaced by these rows.';

revoke execute on function app_private.replaced_hours(uuid, uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_private.replaced_hours(uuid, uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/replaced_hours.sql
--! Included functions/scheduling/replace_schedule.sql
-- One doctor's week, replaced as a whole. The calendar is locked before the old rows are read, so that of
-- two who replace the same week the second replaces what the first has made. Old rows make room before
-- new ones come, so no two ever overlap. The rows are written under the caller's own rights; the slots
-- follow in the same transaction.
create or replace function app_public.replace_schedule(
  doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date default null)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  hours app_private.working_hours[];
begin
  perform app_private.guard_schedule_change(hospital, doctor_id, effective_from, rows, effective_until);
  perform app_private.lock_calendar(hospital, doctor_id);
  hours := app_private.replaced_hours(hospital, doctor_id, effective_from, rows, effective_until);

  update app_public.schedule
  set is_active = false
  where schedule.hospital_id = hospital
    and schedule.doctor_id = replace_schedule.doctor_id
    and schedule.is_active
    and not exists (select from unnest(hours) as kept where kept.schedule_id = schedule.id);

  update app_public.schedule
  set effective_from = kept.effective_from, effective_until = kept.effective_until
  from unnest(hours) as kept
  where schedule.hospital_id = hospital
    and schedule.id = kept.schedule_id
    and (schedule.effective_from, schedule.effective_until) is distinct from (kept.effective_from, kept.effective_until);

  insert into app_public.schedule (
    hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end,
    slot_capacity, effective_from, effective_until)
  select hospital, added.doctor_id, added.location_id, added.weekday, added.start_time, added.end_time,
    added.break_start, added.break_end, added.slot_capacity, added.effective_from, added.effective_until
  from unnest(hours) as added
  where added.schedule_id is null;

  -- Without an end, because slots after the replaced days follow the row that was cut off for them.
  return app_private.regenerate_slots(hospital, doctor_id, effective_from, null, with_alternatives => true);
end
$$;

comment on function app_public.replace_schedule(uuid, date, app_public.schedule_row[], date) is
  'Replaces a doctor''s working week from a local day on (today or later), for good or until another day, after which the old week holds again. No rows: the doctor does not work in that time. Slots follow at once: free ones outside the new hours go, those with appointments stay for them and take no others, new ones are generated; the patients of affected appointments are notified. All faults of all rows come back together in details.rows of schedule_invalid. For admins, receptionists and the doctor.';

revoke execute on function app_public.replace_schedule(uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_public.replace_schedule(uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/replace_schedule.sql
--! Included functions/scheduling/preview_schedule.sql
-- The same guards, the same hours and the same plan as replace_schedule, and then nothing: it only counts.
create or replace function app_public.preview_schedule(
  doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date default null)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  zone text;
begin
  perform app_private.guard_schedule_change(hospital_of_request, doctor_id, effective_from, rows, effective_until);
  select hospital.time_zone into zone from app_public.hospital where hospital.id = hospital_of_request;
  return app_private.preview_slots(
    hospital_of_request, doctor_id, effective_from, null,
    app_private.replaced_hours(hospital_of_request, doctor_id, effective_from, rows, effective_until),
    zone, with_alternatives => true);
end
$$;

comment on function app_public.preview_schedule(uuid, date, app_public.schedule_row[], date) is
  'What replaceSchedule would do with the same arguments: how many slots it deletes, withdraws, keeps for their appointments and generates, which appointments it affects and who else could take them. Changes nothing.';

revoke execute on function app_public.preview_schedule(uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_public.preview_schedule(uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/preview_schedule.sql

--! Included functions/scheduling/holds_calendar.sql
-- Whether this transaction has locked the calendar of the whole hospital with lock_calendar: the sign
-- by which the wall around the time zone knows the flow that carries everything else along.
create or replace function app_private.holds_calendar(hospital_id uuid) returns boolean
language sql volatile
as $$
  select exists (
    select from pg_catalog.pg_locks
    where pg_locks.locktype = 'advisory'
      and pg_locks.pid = pg_catalog.pg_backend_pid()
      and pg_locks.database = (select pg_database.oid from pg_catalog.pg_database where pg_database.datname = pg_catalog.current_database())
      and pg_locks.mode = 'ExclusiveLock'
      and pg_locks.granted
      and pg_locks.objsubid = 1
      and (pg_locks.classid::bigint << 32) | pg_locks.objid::bigint
        = hashtextextended(concat('calendar', holds_calendar.hospital_id), 0));
$$;

comment on function app_private.holds_calendar(uuid) is
  'Whether the present transaction holds the calendar of the whole hospital.';

revoke execute on function app_private.holds_calendar(uuid) from public;
--! EndIncluded functions/scheduling/holds_calendar.sql
--! Included functions/identity/guard_time_zone.sql
-- A hospital's zone is one that Postgres knows by name. While slots lie ahead or an appointment holds a
-- seat it changes only together with them: local days are counted in it, and working hours are read in
-- it. Whoever holds the hospital's calendar is change_time_zone, which carries them along; a bare update
-- is refused.
create or replace function app_private.guard_time_zone() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if not exists (select from pg_catalog.pg_timezone_names where pg_timezone_names.name = new.time_zone) then
    perform app_private.refuse('unknown_time_zone', jsonb_build_object('time_zone', new.time_zone));
  end if;
  if tg_op = 'UPDATE' and new.time_zone <> old.time_zone and (
    exists (
      select from app_public.slot
      where slot.hospital_id = new.id and slot.starts_at > app_private.clock() and slot.withdrawn_at is null)
    or exists (
      select from app_public.appointment
      where appointment.hospital_id = new.id and appointment.holds_seat))
    and not app_private.holds_calendar(new.id)
  then
    perform app_private.refuse('time_zone_in_use', jsonb_build_object('time_zone', old.time_zone));
  end if;
  return new;
end
$$;

comment on function app_private.guard_time_zone() is
  'Trigger: refuses a time zone that Postgres does not know, and a bare change of zone while slots lie ahead.';

revoke execute on function app_private.guard_time_zone() from public;

create or replace trigger hospital_has_a_known_time_zone
  before insert or update of time_zone on app_public.hospital
  for each row execute function app_private.guard_time_zone();
--! EndIncluded functions/identity/guard_time_zone.sql
--! Included functions/scheduling/guard_new_time_zone.sql
-- Asked by the change of zone and by its preview, with the word of the wall.
create or replace function app_private.guard_new_time_zone(time_zone text) returns void
language plpgsql stable
as $$
begin
  if not exists (
    select from pg_catalog.pg_timezone_names where pg_timezone_names.name = guard_new_time_zone.time_zone)
  then
    perform app_private.refuse('unknown_time_zone', jsonb_build_object('time_zone', time_zone));
  end if;
end
$$;

comment on function app_private.guard_new_time_zone(text) is 'Refuses a time zone that Postgres does not know.';

revoke execute on function app_private.guard_new_time_zone(text) from public;
grant execute on function app_private.guard_new_time_zone(text) to app_admin;
--! EndIncluded functions/scheduling/guard_new_time_zone.sql
--! Included functions/scheduling/keep_absence_time.sql
-- When an absence is follows from its days and from the zone: only the statement of another trigger, the
-- one that carries absences into a new zone, may move it. The condition stands in WHEN, as for counters.
create or replace function app_private.keep_absence_time() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('immutable_column', jsonb_build_object('table', tg_argv[0], 'column', 'during'));
  return null;
end
$$;

comment on function app_private.keep_absence_time() is 'Trigger: refuses a time of an absence that does not come from its days.';

revoke execute on function app_private.keep_absence_time() from public;

create or replace trigger absence_time_follows_its_days
  before update of during on app_public.absence
  for each row when (pg_trigger_depth() = 0 and new.during <> old.during)
  execute function app_private.keep_absence_time('absence');
--! EndIncluded functions/scheduling/keep_absence_time.sql
--! Included functions/scheduling/follow_time_zone.sql
-- What is written by local date follows the hospital's zone, in the statement that changes it: absences
-- are at other instants, appointments count in other days. Appointments themselves keep their instants.
-- Absences move one by one, so that none meets a neighbour that has not moved yet: those that go later
-- from the last one on, those that go earlier from the first one on. Hours that the day does not have
-- in the new zone leave a minute, because no absence is empty. Days are locked by their key first,
-- as everywhere; a day that comes out fuller than the limit keeps what it has and takes no more.
create or replace function app_private.follow_time_zone() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  moving record;
begin
  for moving in
    select absence.id, placed.during
    from app_public.absence
    cross join lateral (
      select app_private.absence_time(
          new.time_zone, absence.first_day, absence.last_day, absence.start_time, absence.end_time) as during,
        (absence.first_day + absence.start_time) at time zone new.time_zone as skipped_hour
    ) as local_time
    cross join lateral (
      select case when isempty(local_time.during)
        then tstzrange(local_time.skipped_hour, local_time.skipped_hour + interval '1 minute')
        else local_time.during end as during
    ) as placed
    where absence.hospital_id = new.id and absence.during <> placed.during
    order by
      lower(placed.during) > lower(absence.during),
      case when lower(placed.during) > lower(absence.during) then null else lower(absence.during) end,
      lower(absence.during) desc
  loop
    update app_public.absence
    set during = moving.during
    where absence.hospital_id = new.id and absence.id = moving.id;
  end loop;

  perform from app_public.doctor_day
  where doctor_day.hospital_id = new.id and doctor_day.booked_count > 0
  order by doctor_day.doctor_id, doctor_day.day
  for no key update;

  update app_public.doctor_day
  set booked_count = 0
  where doctor_day.hospital_id = new.id and doctor_day.booked_count > 0;

  insert into app_public.doctor_day as day_of_doctor (hospital_id, doctor_id, day, booked_count, max_patients)
  select new.id, counted.doctor_id, counted.day, counted.seated,
    greatest(counted.seated, doctor.max_patients_per_day)
  from (
    select slot.doctor_id, (slot.starts_at at time zone new.time_zone)::date as day, count(*)::integer as seated
    from app_public.appointment
    join app_public.slot on slot.hospital_id = new.id and slot.id = appointment.slot_id
    where appointment.hospital_id = new.id and appointment.holds_seat
    group by 1, 2
  ) as counted
  join app_public.doctor on doctor.hospital_id = new.id and doctor.id = counted.doctor_id
  order by counted.doctor_id, counted.day
  on conflict on constraint doctor_day_pkey do update
  set booked_count = excluded.booked_count, max_patients = excluded.max_patients;
  return null;
end
$$;

comment on function app_private.follow_time_zone() is
  'Trigger: places absences anew and counts the days of doctors anew, by the local dates of a new time zone.';

revoke execute on function app_private.follow_time_zone() from public;

create or replace trigger hospital_days_follow_the_time_zone
  after update of time_zone on app_public.hospital
  for each row when (new.time_zone <> old.time_zone)
  execute function app_private.follow_time_zone();
--! EndIncluded functions/scheduling/follow_time_zone.sql
--! Included functions/scheduling/move_to_time_zone.sql
-- The whole hospital into another zone, in one transaction. Appointments keep their instants; everything
-- that is written as local time moves. Nobody books meanwhile: the calendar is locked first, then all
-- slots ahead and all in which somebody sits, by id; who waits at a slot reads the zone after it has the
-- slot, and counts the right day. Runs as the owner, because no role may write the zone, whose bare
-- change would leave the slots behind.
create or replace function app_private.move_to_time_zone(hospital_id uuid, time_zone text)
returns app_public.calendar_change
language plpgsql security definer
set search_path = ''
as $$
declare
  today date;
  plan app_private.planned_slot[];
  change app_public.calendar_change;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform app_private.guard_new_time_zone(time_zone);
  perform app_private.lock_calendar(hospital_id);
  perform app_private.lock_slots_ahead(hospital_id, and_seated => true);

  today := (app_private.clock() at time zone time_zone)::date;
  plan := array(
    select planned
    from app_private.plan_slots(
      hospital_id, null, today, null, app_private.working_hours_from(hospital_id, null, today), time_zone) as planned);
  change := app_private.summarise_plan(hospital_id, plan, with_alternatives => false);
  update app_public.hospital
  set time_zone = move_to_time_zone.time_zone
  where hospital.id = hospital_id;
  perform app_private.carry_out_plan(hospital_id, null, plan, change, 'time_zone_changed');
  return change;
end
$$;

comment on function app_private.move_to_time_zone(uuid, text) is
  'Changes the time zone of a hospital, and everything that is written in local time with it; tells what changed.';

revoke execute on function app_private.move_to_time_zone(uuid, text) from public;
grant execute on function app_private.move_to_time_zone(uuid, text) to app_admin;
--! EndIncluded functions/scheduling/move_to_time_zone.sql
--! Included functions/scheduling/change_time_zone.sql
-- Thin: all of it happens in move_to_time_zone, which holds every lock that it needs.
create or replace function app_public.change_time_zone(time_zone text)
returns app_public.calendar_change
language plpgsql volatile
as $$
begin
  return app_private.move_to_time_zone(app_private.request_hospital_id(), time_zone);
end
$$;

comment on function app_public.change_time_zone(text) is
  'Moves the hospital into another time zone. Appointments keep their instants; working hours, absences and holidays are local time, so the slots ahead are cut anew, and appointments that lie outside the hours then are affected: their patients are notified. For admins.';

revoke execute on function app_public.change_time_zone(text) from public;
grant execute on function app_public.change_time_zone(text) to app_admin;
--! EndIncluded functions/scheduling/change_time_zone.sql
--! Included functions/scheduling/preview_time_zone.sql
-- The same plan as change_time_zone, and then nothing: it only counts.
create or replace function app_public.preview_time_zone(time_zone text)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  today date;
begin
  perform app_private.guard_new_time_zone(time_zone);
  today := (app_private.clock() at time zone time_zone)::date;
  return app_private.preview_slots(
    hospital, null, today, null, app_private.working_hours_from(hospital, null, today), time_zone,
    with_alternatives => false);
end
$$;

comment on function app_public.preview_time_zone(text) is
  'What changeTimeZone would do: slots deleted, withdrawn, kept and generated, and the appointments that would lie outside the hours. Changes nothing. For admins.';

revoke execute on function app_public.preview_time_zone(text) from public;
grant execute on function app_public.preview_time_zone(text) to app_admin;
--! EndIncluded functions/scheduling/preview_time_zone.sql

reset role;
