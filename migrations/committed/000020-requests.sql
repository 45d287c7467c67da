--! Previous: sha1:daa80c6f96ee96d91f3870d4868334805a036399
--! Hash: sha1:18d5bed6012f8228188cba7b0ea12199056d2dc6
--! Message: requests

--! split: 1-current.sql
-- Requests and their answers, the history of an appointment, series, and seats that staff add.

set local role app_owner;

-- One index of open requests: what is due is its beginning, a doctor's inbox a part of it.
drop index app_public.appointment_requested;
create index appointment_requested on app_public.appointment (hospital_id, starts_at, doctor_id) where status = 'requested';

-- An appointment is an occurrence of its own patient's series only.
alter table app_public.appointment_series
  add constraint a_series_is_of_one_patient unique (hospital_id, id, patient_id);
alter table app_public.appointment
  drop constraint appointment_of_a_series,
  add constraint appointment_of_a_series foreign key (hospital_id, series_id, patient_id)
    references app_public.appointment_series (hospital_id, id, patient_id);
alter table app_public.series_occurrence
  drop constraint occurrence_of_a_series,
  add constraint occurrence_of_a_series foreign key (hospital_id, series_id, patient_id)
    references app_public.appointment_series (hospital_id, id, patient_id);

create type app_private.wanted_occurrence as (
  number integer,
  starts_at timestamptz,
  day date,
  slot_id uuid
);
comment on type app_private.wanted_occurrence is 'An occurrence of a series as it is wished for, and the slot that begins then.';

create type app_public.occurrence_verdict as (
  number integer,
  starts_at timestamptz,
  slot_id uuid,
  scenario text,
  details jsonb
);
comment on type app_public.occurrence_verdict is 'What booking a series would say of one occurrence.';
comment on column app_public.occurrence_verdict.number is 'Which one, from 1.';
comment on column app_public.occurrence_verdict.starts_at is 'Its start: the local time of the first one.';
comment on column app_public.occurrence_verdict.slot_id is 'The slot that begins then; null when there is none, or when its day is not stored yet.';
comment on column app_public.occurrence_verdict.scenario is 'Why it would be refused; null when it can be booked.';
comment on column app_public.occurrence_verdict.details is 'Details of the refusal, all broken rules in violations.';

create type app_public.appointment_event_kind as enum (
  'requested', 'held', 'booked', 'accepted', 'proposed', 'declined', 'hold_confirmed', 'confirmed', 'moved',
  'checked_in', 'in_progress', 'completed', 'cancelled', 'no_show', 'expired', 'removed', 'changed');
comment on type app_public.appointment_event_kind is
  'What happened to an appointment: it was requested, held or booked; a request was accepted, declined or answered by another time (proposed); a hold was confirmed; it moved, changed its state, or was removed. Changed stands for everything else.';

create type app_public.appointment_event as (
  happened_at timestamptz,
  event app_public.appointment_event_kind,
  from_status app_public.appointment_status,
  to_status app_public.appointment_status,
  from_starts_at timestamptz,
  to_starts_at timestamptz,
  from_doctor_id uuid,
  to_doctor_id uuid,
  reason text,
  actor_role text,
  actor_account_id uuid,
  actor_name text
);
comment on type app_public.appointment_event is 'Something that happened to an appointment.';
comment on column app_public.appointment_event.happened_at is 'When it happened.';
comment on column app_public.appointment_event.event is 'What happened.';
comment on column app_public.appointment_event.from_status is 'State before; null when it was new.';
comment on column app_public.appointment_event.to_status is 'State after.';
comment on column app_public.appointment_event.from_starts_at is 'Start of the visit before; null when it was new.';
comment on column app_public.appointment_event.to_starts_at is 'Start of the visit after.';
comment on column app_public.appointment_event.from_doctor_id is 'Doctor before; null when it was new.';
comment on column app_public.appointment_event.to_doctor_id is 'Doctor after.';
comment on column app_public.appointment_event.reason is 'Why: of a new appointment why the patient comes, of a move or cancellation what was given as its reason.';
comment on column app_public.appointment_event.actor_role is 'Who acted: patient, doctor, nurse, receptionist, admin, worker (the system) or operator.';
comment on column app_public.appointment_event.actor_account_id is 'Account that acted; for staff only, null for jobs and operators.';
comment on column app_public.appointment_event.actor_name is 'Name of the account that acted; for staff only.';

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
--! Included catalog/notification_template.sql
-- What people are told, event by event: the only place where these words stand.
with wanted (event, audience, priority, channels, title, body) as (
  values
    ('appointment_booked', 'patient', 'normal', '{in_app,email}', 'Appointment booked', 'Your appointment with {doctor} is on {starts_at}, {location}.'),
    ('appointment_moved', 'patient', 'normal', '{in_app,email}', 'Appointment moved', 'Your appointment with {doctor} is now on {starts_at}, {location}.'),
    ('appointment_moved', 'doctor', 'normal', '{in_app}', 'Appointment moved', '{patient} now comes on {starts_at}.'),
    ('appointment_cancelled', 'patient', 'normal', '{in_app,email}', 'Appointment cancelled', 'Your appointment with {doctor} on {starts_at} was cancelled. {reason}'),
    ('appointment_cancelled', 'doctor', 'normal', '{in_app}', 'Appointment cancelled', '{patient} does not come on {starts_at}. {reason}'),
    ('doctor_emergency', 'patient', 'high', '{in_app,email,sms}', 'Appointment Cancelled - Doctor Emergency', 'Your appointment with {doctor} on {starts_at} was cancelled because of an emergency. Please book another time.'),
    ('doctor_unavailable', 'patient', 'high', '{in_app,email,sms}', 'Appointment cancelled', '{doctor} takes no appointments at present; yours on {starts_at} was cancelled. Please book with another doctor.'),
    ('doctor_absent', 'patient', 'normal', '{in_app,email}', 'Appointment affected', '{doctor} is away on {starts_at}. The hospital will offer you another time.'),
    ('hospital_closed', 'patient', 'normal', '{in_app,email}', 'Appointment affected', 'The hospital is closed on {starts_at}: {holiday}. It will offer you another time.'),
    ('schedule_changed', 'patient', 'high', '{in_app,sms}', 'Appointment affected', 'The hours of {doctor} have changed, and your appointment on {starts_at} lies outside them. The hospital will offer you another time.'),
    ('time_zone_changed', 'patient', 'high', '{in_app,sms}', 'Appointment affected', 'The hospital''s clocks have changed, and your appointment with {doctor} on {starts_at} lies outside its hours now. The hospital will offer you another time.'),
    ('request_received', 'doctor', 'normal', '{in_app,email}', 'Appointment requested', '{patient} asks for an appointment on {starts_at}. {reason}'),
    ('request_accepted', 'patient', 'normal', '{in_app,email}', 'Request accepted', '{doctor} expects you on {starts_at}, {location}.'),
    ('request_declined', 'patient', 'normal', '{in_app,email}', 'Request declined', '{doctor} cannot see you on {starts_at}. {reason}'),
    ('request_expired', 'patient', 'normal', '{in_app,email}', 'Request expired', 'Your request for {starts_at} with {doctor} was not answered in time. Please book another time.'),
    ('time_proposed', 'patient', 'high', '{in_app,email,sms}', 'Another time proposed', '{doctor} proposes {starts_at} instead. The seat is held for you until {held_until}: confirm or cancel it. {message}'),
    ('seat_offered', 'patient', 'high', '{in_app,email,sms}', 'A seat has become free', '{doctor} can see you on {starts_at}, {location}. The seat is held for you until {held_until}: confirm or cancel it.')
)
insert into app_public.notification_template (event, audience, priority, channels, title, body)
select event, audience, priority::app_public.notification_priority, channels::text[], title, body
from wanted
on conflict on constraint notification_template_pkey do update
set priority = excluded.priority,
    channels = excluded.channels,
    title = excluded.title,
    body = excluded.body
where (notification_template.priority, notification_template.channels, notification_template.title, notification_template.body)
  is distinct from (excluded.priority, excluded.channels, excluded.title, excluded.body);
--! EndIncluded catalog/notification_template.sql
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
--! Included functions/notifications/tell_of_appointment.sql
-- Who is told of what happened to an appointment: the one whom it concerns and who did not do it. What
-- an import brings was agreed on elsewhere, and a choice that was only held is nobody's news.
create or replace function app_private.tell_of_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  by_patient boolean := app_private.actor_role() = 'patient';
  reason jsonb := jsonb_build_object('reason', coalesce(new.cancellation_reason, ''));
begin
  if tg_op = 'INSERT' then
    if new.status = 'scheduled' and new.source <> 'import' then
      perform app_private.notify_of_appointment('appointment_booked', 'patient', new);
    elsif new.status = 'requested' then
      perform app_private.notify_of_appointment('request_received', 'doctor', new,
        jsonb_build_object('reason', coalesce(new.reason, '')));
    end if;
    return null;
  end if;

  if new.status = old.status then
    if by_patient then
      perform app_private.notify_of_appointment('appointment_moved', 'doctor', new);
    else
      perform app_private.notify_of_appointment('appointment_moved', 'patient', new);
    end if;
  elsif new.status = 'scheduled' then
    perform app_private.notify_of_appointment(
      case old.status when 'requested' then 'request_accepted' else 'appointment_booked' end, 'patient', new);
  elsif new.status = 'held' then
    perform app_private.notify_of_appointment('time_proposed', 'patient', new,
      app_private.deadline_of_hold(new)
        || jsonb_build_object('message', coalesce(current_setting('slotkeeper.message', true), '')));
  elsif new.status = 'cancelled' and new.cancellation_cause in ('doctor_emergency', 'doctor_unavailable') then
    perform app_private.notify_of_appointment(new.cancellation_cause::text, 'patient', new);
  elsif new.status = 'cancelled' and new.cancellation_cause = 'declined' then
    perform app_private.notify_of_appointment('request_declined', 'patient', new, reason);
  elsif new.status = 'cancelled' and old.status <> 'held' then
    perform app_private.notify_of_appointment(
      'appointment_cancelled', case when by_patient then 'doctor' else 'patient' end, new, reason);
  elsif new.status = 'expired' and old.status = 'requested' then
    perform app_private.notify_of_appointment('request_expired', 'patient', new);
  end if;
  return null;
end
$$;

comment on function app_private.tell_of_appointment() is
  'Trigger: leaves notifications for those whom a new or changed appointment concerns.';

revoke execute on function app_private.tell_of_appointment() from public;

create or replace trigger new_appointment_is_told
  after insert on app_public.appointment
  for each row when (new.status in ('scheduled', 'requested'))
  execute function app_private.tell_of_appointment();

create or replace trigger appointment_is_told
  after update of status, slot_id on app_public.appointment
  for each row when (
    new.status in ('scheduled', 'held', 'cancelled', 'expired') and new.status <> old.status
    or new.slot_id is distinct from old.slot_id)
  execute function app_private.tell_of_appointment();
--! EndIncluded functions/notifications/tell_of_appointment.sql
--! Included policies/appointment_series.sql
-- Who may see a patient's appointments may see the series; whoever books writes it. What it says never
-- changes: nobody is granted to update or delete.
alter table app_public.appointment_series enable row level security;
alter table app_public.appointment_series force row level security;

grant select on app_public.appointment_series to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, patient_id, doctor_id, service_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing, reason, idempotency_key, request_fingerprint) on app_public.appointment_series to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists patients_read_their_own on app_public.appointment_series;
create policy patients_read_their_own on app_public.appointment_series for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_book_for_themselves on app_public.appointment_series;
create policy patients_book_for_themselves on app_public.appointment_series for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment_series;
create policy staff_read_their_hospital on app_public.appointment_series for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_book_with_themselves on app_public.appointment_series;
create policy doctors_book_with_themselves on app_public.appointment_series for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_book on app_public.appointment_series;
create policy nurses_receptionists_and_admins_book on app_public.appointment_series for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment_series;
create policy worker_reads_all on app_public.appointment_series for select to app_worker
  using (true);

drop policy if exists worker_books on app_public.appointment_series;
create policy worker_books on app_public.appointment_series for insert to app_worker
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_series;
create policy owner_maintains on app_public.appointment_series for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/appointment_series.sql
--! Included policies/series_occurrence.sql
-- As the series that it belongs to; witness_occurrence holds it to what happened. What it says never
-- changes: nobody is granted to update or delete.
alter table app_public.series_occurrence enable row level security;
alter table app_public.series_occurrence force row level security;

grant select on app_public.series_occurrence to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, series_id, number, patient_id, doctor_id, starts_at, appointment_id, scenario, details) on app_public.series_occurrence to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists patients_read_their_own on app_public.series_occurrence;
create policy patients_read_their_own on app_public.series_occurrence for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_book_for_themselves on app_public.series_occurrence;
create policy patients_book_for_themselves on app_public.series_occurrence for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.series_occurrence;
create policy staff_read_their_hospital on app_public.series_occurrence for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_book_with_themselves on app_public.series_occurrence;
create policy doctors_book_with_themselves on app_public.series_occurrence for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_book on app_public.series_occurrence;
create policy nurses_receptionists_and_admins_book on app_public.series_occurrence for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.series_occurrence;
create policy worker_reads_all on app_public.series_occurrence for select to app_worker
  using (true);

drop policy if exists worker_books on app_public.series_occurrence;
create policy worker_books on app_public.series_occurrence for insert to app_worker
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.series_occurrence;
create policy owner_maintains on app_public.series_occurrence for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/series_occurrence.sql
--! Included policies/added_seat.sql
-- Staff see and add seats, doctors in their own slots; patients see the slot's capacity and not why. The
-- trigger says who and when. Nobody is granted to update or delete: a seat once added stays.
alter table app_public.added_seat enable row level security;
alter table app_public.added_seat force row level security;

grant select on app_public.added_seat to app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, slot_id, reason) on app_public.added_seat to app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists staff_read_their_hospital on app_public.added_seat;
create policy staff_read_their_hospital on app_public.added_seat for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_add_to_their_own on app_public.added_seat;
create policy doctors_add_to_their_own on app_public.added_seat for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_add on app_public.added_seat;
create policy nurses_receptionists_and_admins_add on app_public.added_seat for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.added_seat;
create policy owner_maintains on app_public.added_seat for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/added_seat.sql
--! Included functions/booking/local_day.sql
-- The day of an instant on the hospital's own calendar.
create or replace function app_private.local_day(hospital_id uuid, instant timestamptz) returns date
language plpgsql stable
as $$
begin
  return (
    select (local_day.instant at time zone hospital.time_zone)::date
    from app_public.hospital
    where hospital.id = local_day.hospital_id);
end
$$;

comment on function app_private.local_day(uuid, timestamptz) is 'Local date of an instant in a hospital.';

revoke execute on function app_private.local_day(uuid, timestamptz) from public;
grant execute on function app_private.local_day(uuid, timestamptz)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/local_day.sql
--! Included functions/booking/guard_instant.sql
-- A wish names an instant; infinity is none, and a length cannot be added to it.
create or replace function app_private.guard_instant(field text, instant timestamptz) returns void
language plpgsql stable
as $$
begin
  if instant is null or not isfinite(instant)
    or instant not between '2000-01-01 00:00:00+00' and '2200-01-01 00:00:00+00'
  then
    perform app_private.refuse('invalid_input', jsonb_build_object(field, 'is not a time of this century or the next'));
  end if;
end
$$;

comment on function app_private.guard_instant(text, timestamptz) is 'Refuses a time that no visit can have.';

revoke execute on function app_private.guard_instant(text, timestamptz) from public;
grant execute on function app_private.guard_instant(text, timestamptz)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/guard_instant.sql
--! Included functions/booking/guard_question.sql
-- Who may ask about a booking are those who may make it: patients for themselves, doctors in their own
-- calendar, the others of the staff for all. Of the rest not even the verdicts are theirs to know.
create or replace function app_private.guard_question(patient_id uuid, doctor_id uuid) returns void
language plpgsql stable
as $$
begin
  if app_private.actor_role() = 'patient' and patient_id is distinct from app_private.claim_patient_id()
    or app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id()
  then
    perform app_private.refuse('forbidden');
  end if;
end
$$;

comment on function app_private.guard_question(uuid, uuid) is
  'Refuses a patient who asks about another patient, and a doctor who asks about another doctor''s time.';

revoke execute on function app_private.guard_question(uuid, uuid) from public;
grant execute on function app_private.guard_question(uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/guard_question.sql
--! Included functions/booking/guard_request_is_new.sql
-- A patient who asks a doctor for the same time again is told so, before the constraint
-- a_patient_asks_a_doctor_once_for_a_time has to. Of somebody else's requests a patient sees none.
create or replace function app_private.guard_request_is_new(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, patient_id uuid)
returns void
language plpgsql stable
as $$
declare
  open_request uuid;
begin
  select appointment.id into open_request
  from app_public.appointment
  where appointment.hospital_id = guard_request_is_new.hospital_id
    and appointment.doctor_id = guard_request_is_new.doctor_id
    and appointment.starts_at = guard_request_is_new.starts_at
    and appointment.patient_id = guard_request_is_new.patient_id
    and appointment.status = 'requested';
  if open_request is not null then
    perform app_private.refuse('request_already_made', jsonb_build_object('appointment_id', open_request));
  end if;
end
$$;

comment on function app_private.guard_request_is_new(uuid, uuid, timestamptz, uuid) is
  'Refuses when the patient has an open request with this doctor for this time.';

revoke execute on function app_private.guard_request_is_new(uuid, uuid, timestamptz, uuid) from public;
grant execute on function app_private.guard_request_is_new(uuid, uuid, timestamptz, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/guard_request_is_new.sql
--! Included functions/booking/rule_violations.sql
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
--! EndIncluded functions/booking/rule_violations.sql
--! Included functions/booking/broken_rules.sql
-- The broken rules of a wish as a refusal lists them: the first one speaks for all. Without a slot it is
-- a request that is judged, and a time at which the doctor has no slot at all is said last.
create or replace function app_private.broken_rules(
  hospital_id uuid, slot_id uuid, patient_id uuid, service_id uuid, doctor_id uuid, starts_at timestamptz)
returns jsonb
language plpgsql stable
as $$
declare
  violations jsonb;
begin
  select jsonb_agg(jsonb_build_object('rule', verdict.rule, 'scenario', verdict.scenario, 'details', verdict.details))
  into violations
  from app_private.judge_booking(
    hospital_id, slot_id, patient_id, service_id,
    case when slot_id is null then app_private.request_time(hospital_id, doctor_id, starts_at, service_id) end,
    only_broken => true,
    doctor_id => case when slot_id is null then broken_rules.doctor_id end) as verdict;
  return coalesce(violations, '[]');
end
$$;

comment on function app_private.broken_rules(uuid, uuid, uuid, uuid, uuid, timestamptz) is
  'The booking rules that stand in the way of a slot, or of a request for a doctor and a time, in their order: rule, scenario and details of each.';

revoke execute on function app_private.broken_rules(uuid, uuid, uuid, uuid, uuid, timestamptz) from public;
grant execute on function app_private.broken_rules(uuid, uuid, uuid, uuid, uuid, timestamptz)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/broken_rules.sql
--! Included functions/booking/take_slot_at.sql
-- A requested time is a booking where a slot begins then and the rules let it be taken: the same insert
-- as book_appointment's. A seat that somebody else got a moment before is no error but the answer "no
-- seat", under a savepoint, so that the request can still be left. Other refusals are not answered here.
create or replace function app_private.take_slot_at(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, patient_id uuid, service_id uuid, reason text,
  idempotency_key uuid, fingerprint text)
returns app_public.appointment
language plpgsql
as $$
declare
  slot_there uuid;
  placed app_public.appointment;
  refusal text;
begin
  select slot.id into slot_there
  from app_public.slot
  where slot.hospital_id = take_slot_at.hospital_id
    and slot.doctor_id = take_slot_at.doctor_id
    and slot.starts_at = take_slot_at.starts_at
    and slot.withdrawn_at is null;
  if slot_there is null then
    return null;
  end if;

  begin
    insert into app_public.appointment (
      hospital_id, slot_id, patient_id, service_id, reason, status, idempotency_key, request_fingerprint)
    values (
      take_slot_at.hospital_id, slot_there, take_slot_at.patient_id, take_slot_at.service_id, take_slot_at.reason,
      'scheduled', take_slot_at.idempotency_key, take_slot_at.fingerprint)
    returning * into placed;
  exception when sqlstate 'SK404' or sqlstate 'SK409' or sqlstate 'SK422' then
    get stacked diagnostics refusal = pg_exception_detail;
    if app_private.rule_violations(refusal) is null then
      raise;
    end if;
    return null;
  end;
  return placed;
end
$$;

comment on function app_private.take_slot_at(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) is
  'Books the slot of a doctor that begins at a time, if the rules allow it; null when there is none to be had.';

revoke execute on function app_private.take_slot_at(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) from public;
grant execute on function app_private.take_slot_at(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/take_slot_at.sql
--! Included functions/booking/leave_request.sql
-- A request without a seat, for somebody to answer; what no answer could mend refuses it at once
-- (admit_request). Two that are made at the same moment come in turn at the patient.
create or replace function app_private.leave_request(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, patient_id uuid, service_id uuid, reason text,
  idempotency_key uuid, fingerprint text)
returns app_public.appointment
language plpgsql
as $$
declare
  placed app_public.appointment;
begin
  insert into app_public.appointment (
    hospital_id, doctor_id, during, patient_id, service_id, reason, status, idempotency_key, request_fingerprint)
  values (
    leave_request.hospital_id, leave_request.doctor_id,
    app_private.request_time(
      leave_request.hospital_id, leave_request.doctor_id, leave_request.starts_at, leave_request.service_id),
    leave_request.patient_id, leave_request.service_id, leave_request.reason,
    'requested', leave_request.idempotency_key, leave_request.fingerprint)
  on conflict on constraint a_patient_asks_a_doctor_once_for_a_time do nothing
  returning * into placed;
  if placed.id is null then
    perform app_private.guard_request_is_new(hospital_id, doctor_id, starts_at, patient_id);
    perform app_private.refuse('request_already_made');
  end if;
  return placed;
end
$$;

comment on function app_private.leave_request(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) is
  'Leaves a request for a doctor and a time; refuses a second one for the same.';

revoke execute on function app_private.leave_request(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text) from public;
grant execute on function app_private.leave_request(uuid, uuid, timestamptz, uuid, uuid, text, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/leave_request.sql
--! Included functions/booking/request_appointment.sql
-- By doctor and time instead of by slot. Locks in the usual order: the calendar (only where the day has
-- to be made real first), the key, then whatever the insert takes. The fingerprint holds the instant
-- itself, not its text, which follows the session's time zone.
create or replace function app_public.request_appointment(
  doctor_id uuid,
  starts_at timestamptz,
  patient_id uuid,
  idempotency_key uuid,
  service_id uuid default null,
  reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  fingerprint text := app_private.request_fingerprint(
    'request', doctor_id::text, extract(epoch from starts_at)::text, patient_id::text, service_id::text, reason);
  placed app_public.appointment;
begin
  perform app_private.guard_instant('starts_at', starts_at);
  perform app_private.materialise_day(hospital, doctor_id, app_private.local_day(hospital, starts_at));
  placed := app_private.replayed_appointment(idempotency_key, fingerprint);
  if placed.id is not null then
    return placed;
  end if;

  perform app_private.guard_request_is_new(hospital, doctor_id, starts_at, patient_id);
  placed := app_private.take_slot_at(
    hospital, doctor_id, starts_at, patient_id, service_id, reason, idempotency_key, fingerprint);
  if placed.id is null then
    placed := app_private.leave_request(
      hospital, doctor_id, starts_at, patient_id, service_id, reason, idempotency_key, fingerprint);
  end if;
  return placed;
end
$$;

comment on function app_public.request_appointment(uuid, timestamptz, uuid, uuid, uuid, text) is
  'Asks for an appointment by doctor and time. If a free slot begins then, it is booked (status scheduled); otherwise a request is left for the doctor or reception to answer (status requested, without a seat). Rules 1 to 10 refuse it outright, because no answer could mend them. Takes an idempotencyKey like bookAppointment.';

revoke execute on function app_public.request_appointment(uuid, timestamptz, uuid, uuid, uuid, text) from public;
grant execute on function app_public.request_appointment(uuid, timestamptz, uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/request_appointment.sql
--! Included functions/booking/requests_to_answer.sql
-- Served by the index of open requests alone: its cost does not grow with what was answered before.
-- A time that has passed cannot be accepted any more; the worker lets such requests expire.
-- No grant to app_nurse and app_patient: they do not answer requests.
create or replace function app_public.requests_to_answer()
returns setof app_public.appointment
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_doctor uuid := case when app_private.actor_role() = 'doctor' then app_private.claim_doctor_id() end;
begin
  return query
  select appointment.*
  from app_public.appointment
  where appointment.hospital_id = hospital
    and appointment.status = 'requested'
    and appointment.starts_at > app_private.clock()
    and (own_doctor is null or appointment.doctor_id = own_doctor)
  order by appointment.created_at, appointment.id;
end
$$;

comment on function app_public.requests_to_answer() is
  'Open requests, the oldest wish first: a doctor''s own, for reception and admins all of the hospital. Answer each with acceptAppointment, proposeSlot or declineAppointment.';

revoke execute on function app_public.requests_to_answer() from public;
grant execute on function app_public.requests_to_answer() to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/booking/requests_to_answer.sql
--! Included functions/booking/slot_of_request.sql
-- Where a request would sit if nobody says otherwise: in the slot of its doctor that its time begins in,
-- of a day that is made real first if it has to be. Null where there is none, or no open request.
create or replace function app_private.slot_of_request(hospital_id uuid, appointment_id uuid) returns uuid
language plpgsql
as $$
declare
  wish record;
begin
  select appointment.doctor_id, appointment.starts_at into wish
  from app_public.appointment
  where appointment.hospital_id = slot_of_request.hospital_id
    and appointment.id = slot_of_request.appointment_id
    and appointment.status = 'requested';
  if not found then
    return null;
  end if;
  perform app_private.materialise_day(
    hospital_id, wish.doctor_id, app_private.local_day(hospital_id, wish.starts_at));
  return (
    select slot.id
    from app_public.slot
    where slot.hospital_id = slot_of_request.hospital_id
      and slot.doctor_id = wish.doctor_id
      and slot.during @> wish.starts_at
      and slot.withdrawn_at is null);
end
$$;

comment on function app_private.slot_of_request(uuid, uuid) is
  'The slot of its doctor in which the time of an open request begins, or null.';

revoke execute on function app_private.slot_of_request(uuid, uuid) from public;
grant execute on function app_private.slot_of_request(uuid, uuid) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/booking/slot_of_request.sql
--! Included functions/booking/answer_request.sql
-- What accepting, proposing and declining share: one plain update under the caller's own rights, of a
-- request that is still open when its row is ours. Two who answer at once come in turn at the row, and
-- the second finds it answered. Whom it is not for is told so before its state is.
create or replace function app_private.answer_request(
  appointment_id uuid, to_status app_public.appointment_status,
  slot_id uuid default null, cancellation_reason text default null)
returns app_public.appointment
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  answered app_public.appointment;
begin
  update app_public.appointment
  set status = to_status,
    slot_id = answer_request.slot_id,
    cancellation_reason = answer_request.cancellation_reason
  where appointment.hospital_id = hospital
    and appointment.id = appointment_id
    and appointment.status = 'requested'
  returning * into answered;
  if found then
    return answered;
  end if;

  select * into answered
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = appointment_id;
  if answered.id is null
    or app_private.actor_role() = 'doctor' and answered.doctor_id is distinct from app_private.claim_doctor_id()
  then
    perform app_private.refuse_unreachable_appointment(hospital, appointment_id);
  end if;
  perform app_private.refuse('illegal_transition', jsonb_build_object('from', answered.status, 'to', to_status));
  return null;
end
$$;

comment on function app_private.answer_request(uuid, app_public.appointment_status, uuid, text) is
  'Answers an open request, or refuses.';

revoke execute on function app_private.answer_request(uuid, app_public.appointment_status, uuid, text) from public;
grant execute on function app_private.answer_request(uuid, app_public.appointment_status, uuid, text)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/booking/answer_request.sql
--! Included functions/booking/accept_appointment.sql
-- The request keeps its own time; all rules are judged by the trigger, as for a booking.
-- No grant to app_nurse and app_patient: they do not answer requests.
create or replace function app_public.accept_appointment(appointment_id uuid, slot_id uuid default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.answer_request(
    appointment_id, 'scheduled', coalesce(slot_id, app_private.slot_of_request(hospital, appointment_id)));
end
$$;

comment on function app_public.accept_appointment(uuid, uuid) is
  'Accepts a request into a slot, at the time that was asked for: the time must lie in the slot. Without slotId, into the doctor''s slot at that time. All booking rules are judged. For the doctor, reception and admins.';

revoke execute on function app_public.accept_appointment(uuid, uuid) from public;
grant execute on function app_public.accept_appointment(uuid, uuid) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/booking/accept_appointment.sql
--! Included functions/booking/decline_appointment.sql
-- The patient reads the reason, so there has to be one.
-- No grant to app_nurse and app_patient: they do not answer requests; a patient withdraws by cancelling.
create or replace function app_public.decline_appointment(appointment_id uuid, reason text)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  if length(btrim(coalesce(reason, ''))) = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is empty'));
  end if;
  return app_private.answer_request(appointment_id, 'cancelled', cancellation_reason => reason);
end
$$;

comment on function app_public.decline_appointment(uuid, text) is
  'Declines a request; the patient is told why. For the doctor, reception and admins.';

revoke execute on function app_public.decline_appointment(uuid, text) from public;
grant execute on function app_public.decline_appointment(uuid, text) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/booking/decline_appointment.sql
--! Included functions/booking/propose_slot.sql
-- The seat is held while the patient thinks it over; confirm_hold takes it, cancel_appointment does not.
-- The message is for the notification alone (tell_of_appointment): it is handed over as a setting of the
-- transaction, and taken back at once, so that it is stored in one place.
-- No grant to app_nurse and app_patient: they do not answer requests.
create or replace function app_public.propose_slot(appointment_id uuid, slot_id uuid, message text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  proposed app_public.appointment;
begin
  if length(message) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('message', 'has more than 2000 characters'));
  end if;
  perform set_config('slotkeeper.message', coalesce(btrim(message), ''), true);
  proposed := app_private.answer_request(appointment_id, 'held', slot_id);
  perform set_config('slotkeeper.message', '', true);
  return proposed;
end
$$;

comment on function app_public.propose_slot(uuid, uuid, text) is
  'Answers a request with another slot: its seat is held for the patient until heldUntil, to be confirmed with confirmHold or declined with cancelAppointment. All booking rules are judged. For the doctor, reception and admins.';

revoke execute on function app_public.propose_slot(uuid, uuid, text) from public;
grant execute on function app_public.propose_slot(uuid, uuid, text) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/booking/propose_slot.sql
--! Included functions/booking/expire_lapsed_requests.sql
-- Lets the requests expire that nobody answered before their time came. It acts as the worker, because it
-- is the system that does it, and runs as the owner, because locking needs rights that the worker lacks.
-- What somebody is just answering is skipped: an acceptance of a passed time is refused anyway, and the
-- next sweep finds what a refusal has left; as it waits for nobody, it needs no order. Cost follows what
-- is due (appointment_requested).
create or replace function app_private.expire_lapsed_requests(hospital_id uuid) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  lapsed uuid[];
  expired integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select array_agg(request.id) into lapsed
  from (
    select appointment.id
    from app_public.appointment
    where appointment.hospital_id = expire_lapsed_requests.hospital_id
      and appointment.status = 'requested'
      and appointment.starts_at <= app_private.clock()
    for no key update skip locked
  ) as request;
  if lapsed is null then
    return 0;
  end if;

  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  update app_public.appointment
  set status = 'expired'
  where appointment.hospital_id = expire_lapsed_requests.hospital_id and appointment.id = any (lapsed);
  get diagnostics expired = row_count;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return expired;
end
$$;

comment on function app_private.expire_lapsed_requests(uuid) is
  'Expires the requests of a hospital whose time has come without an answer; returns how many.';

revoke execute on function app_private.expire_lapsed_requests(uuid) from public;
grant execute on function app_private.expire_lapsed_requests(uuid) to app_worker;
--! EndIncluded functions/booking/expire_lapsed_requests.sql
--! Included functions/booking/explain_booking.sql
-- The same judge that booking asks, with every verdict, for whoever may book there. A slot that is not
-- there is nobody's: the verdicts say so themselves.
create or replace function app_public.explain_booking(slot_id uuid, patient_id uuid, service_id uuid default null)
returns setof app_public.booking_verdict
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  doctor uuid;
begin
  select slot.doctor_id into doctor
  from app_public.slot
  where slot.hospital_id = hospital and slot.id = explain_booking.slot_id;
  perform app_private.guard_question(patient_id, coalesce(doctor, app_private.claim_doctor_id()));
  return query
  select verdict.*
  from app_private.judge_booking(hospital, slot_id, patient_id, service_id) as verdict;
end
$$;

comment on function app_public.explain_booking(uuid, uuid, uuid) is
  'Verdicts of all booking rules on booking this slot for this patient, in the order in which they are judged; nothing is changed. Patients ask about themselves, doctors about their own slots.';

revoke execute on function app_public.explain_booking(uuid, uuid, uuid) from public;
grant execute on function app_public.explain_booking(uuid, uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/explain_booking.sql
--! Included functions/booking/explain_request.sql
-- The judge of requests: what refuses one outright. Where a slot begins at this time its rules are added,
-- which say whether the request would be booked at once or left for an answer.
create or replace function app_public.explain_request(
  doctor_id uuid, starts_at timestamptz, patient_id uuid, service_id uuid default null)
returns setof app_public.booking_verdict
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  slot_there uuid;
begin
  perform app_private.guard_question(patient_id, doctor_id);
  perform app_private.guard_instant('starts_at', starts_at);
  select slot.id into slot_there
  from app_public.slot
  where slot.hospital_id = hospital
    and slot.doctor_id = explain_request.doctor_id
    and slot.starts_at = explain_request.starts_at
    and slot.withdrawn_at is null;

  return query
  select request.rule, request.scenario,
    case when request.rule between 1 and 10 then request.is_satisfied else coalesce(booking.is_satisfied, request.is_satisfied) end,
    case when request.rule between 1 and 10 then request.details else coalesce(booking.details, request.details) end
  from app_private.judge_booking(
    hospital, null, patient_id, service_id,
    app_private.request_time(hospital, doctor_id, starts_at, service_id),
    doctor_id => coalesce(explain_request.doctor_id, app_private.new_id())) with ordinality as request (rule, scenario, is_satisfied, details, place)
  left join app_private.judge_booking(hospital, slot_there, patient_id, service_id) as booking
    on slot_there is not null and booking.scenario = request.scenario
  where request.rule > 0
  order by request.place;
end
$$;

comment on function app_public.explain_request(uuid, timestamptz, uuid, uuid) is
  'Verdicts of the booking rules on asking this doctor for this time. A broken rule from 1 to 10 refuses the request outright; a broken one after that only means that somebody has to answer it. The rules after 10 are null where no slot begins at this time.';

revoke execute on function app_public.explain_request(uuid, timestamptz, uuid, uuid) from public;
grant execute on function app_public.explain_request(uuid, timestamptz, uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/explain_request.sql
--! Included functions/booking/appointment_event_kind.sql
-- A change of state has one name for people; whatever the state machine learns later is a change until
-- it gets one.
create or replace function app_private.appointment_event_kind(
  operation app_public.audit_operation, from_status app_public.appointment_status,
  to_status app_public.appointment_status, cancellation_cause text)
returns app_public.appointment_event_kind
language sql immutable parallel safe
return (case
  when operation = 'delete' then 'removed'
  when from_status is null and to_status in ('requested', 'held') then to_status::text
  when from_status is null then 'booked'
  when from_status = to_status then 'moved'
  when from_status = 'requested' and to_status = 'scheduled' then 'accepted'
  when from_status = 'requested' and to_status = 'held' then 'proposed'
  when from_status = 'held' and to_status = 'scheduled' then 'hold_confirmed'
  when to_status = 'cancelled' and cancellation_cause = 'declined' then 'declined'
  when to_status in ('confirmed', 'checked_in', 'in_progress', 'completed', 'cancelled', 'no_show', 'expired') then to_status::text
  else 'changed'
end)::app_public.appointment_event_kind;

comment on function app_private.appointment_event_kind(
  app_public.audit_operation, app_public.appointment_status, app_public.appointment_status, text) is
  'The name of a change of an appointment.';

revoke execute on function app_private.appointment_event_kind(
  app_public.audit_operation, app_public.appointment_status, app_public.appointment_status, text) from public;
--! EndIncluded functions/booking/appointment_event_kind.sql
--! Included functions/booking/read_appointment_history.sql
-- The events of one appointment, told by the audit log, which outlives the row itself: an archived
-- appointment keeps its history. It runs as the owner, because request roles do not read the log, and it
-- asks the log itself whether the caller may see the appointment: staff those of their hospital, a
-- patient their own. What is not theirs and what is not there look alike. A patient learns which role
-- acted, never who. An entry that changed neither state nor time nor doctor is no event.
create or replace function app_private.read_appointment_history(hospital_id uuid, appointment_id uuid)
returns setof app_public.appointment_event
language plpgsql stable security definer rows 10
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  for_staff boolean := actor in ('doctor', 'nurse', 'receptionist', 'admin', 'worker', 'operator');
  patient_of_it uuid;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  select (coalesce(entry.new_state, entry.old_state) ->> 'patient_id')::uuid into patient_of_it
  from app_public.audit_entry as entry
  where entry.hospital_id = read_appointment_history.hospital_id
    and entry.record_id = read_appointment_history.appointment_id
    and entry.table_name = 'appointment'
  order by entry.id
  limit 1;
  if patient_of_it is null
    or not for_staff and not (actor = 'patient' and patient_of_it is not distinct from app_private.claim_patient_id())
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;

  return query
  select
    entry.recorded_at,
    app_private.appointment_event_kind(entry.operation, change.from_status, change.to_status, entry.new_state ->> 'cancellation_cause'),
    change.from_status,
    change.to_status,
    (entry.old_state ->> 'starts_at')::timestamptz,
    (entry.new_state ->> 'starts_at')::timestamptz,
    (entry.old_state ->> 'doctor_id')::uuid,
    (entry.new_state ->> 'doctor_id')::uuid,
    case
      when entry.operation = 'insert' then entry.new_state ->> 'reason'
      when change.to_status = 'cancelled' then entry.new_state ->> 'cancellation_reason'
      when change.from_status = change.to_status then (
        select move.reason
        from app_public.appointment_move as move
        where move.hospital_id = read_appointment_history.hospital_id
          and move.appointment_id = read_appointment_history.appointment_id
          and move.moved_at = entry.recorded_at
          and move.to_slot_id = (entry.new_state ->> 'slot_id')::uuid
        limit 1)
    end,
    entry.actor_role,
    case when for_staff then entry.actor_account_id end,
    case when for_staff then account.display_name end
  from app_public.audit_entry as entry
  cross join lateral (
    select (entry.old_state ->> 'status')::app_public.appointment_status as from_status,
      (entry.new_state ->> 'status')::app_public.appointment_status as to_status
  ) as change
  left join app_public.account
    on account.hospital_id = read_appointment_history.hospital_id and account.id = entry.actor_account_id
  where entry.hospital_id = read_appointment_history.hospital_id
    and entry.record_id = read_appointment_history.appointment_id
    and entry.table_name = 'appointment'
    and (change.from_status is distinct from change.to_status
      or entry.changed_columns ?| array['slot_id', 'doctor_id', 'starts_at'])
  order by entry.id;
end
$$;

comment on function app_private.read_appointment_history(uuid, uuid) is
  'What happened to an appointment, from the audit log, oldest first; refuses an appointment that the caller may not see.';

revoke execute on function app_private.read_appointment_history(uuid, uuid) from public;
grant execute on function app_private.read_appointment_history(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/read_appointment_history.sql
--! Included functions/booking/appointment_history.sql
-- Asked twice, because the log is read with raised rights: row-level security says here whether the
-- caller may see the appointment or its archived row, and read_appointment_history asks the log itself.
create or replace function app_public.appointment_history(appointment_id uuid)
returns setof app_public.appointment_event
language plpgsql stable rows 10
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if not exists (
      select from app_public.appointment
      where appointment.hospital_id = hospital and appointment.id = appointment_history.appointment_id)
    and not exists (
      select from app_public.appointment_archive
      where appointment_archive.hospital_id = hospital and appointment_archive.id = appointment_history.appointment_id)
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;
  return query
  select event.*
  from app_private.read_appointment_history(hospital, appointment_history.appointment_id) as event;
end
$$;

comment on function app_public.appointment_history(uuid) is
  'Everything that happened to an appointment, oldest first, also of an archived one: states, times, doctors, reasons and who acted. Patients read that of their own and see only the role of who acted.';

revoke execute on function app_public.appointment_history(uuid) from public;
grant execute on function app_public.appointment_history(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/appointment_history.sql
--! Included functions/booking/guard_series.sql
-- What the columns of appointment_series demand, said in words before anything is locked.
create or replace function app_private.guard_series(
  first_starts_at timestamptz, every_days integer, occurrence_count integer)
returns void
language plpgsql stable
as $$
declare
  faults jsonb := jsonb_strip_nulls(jsonb_build_object(
    'every_days', case when every_days between 1 and 366 then null else 'is not 1 to 366' end,
    'occurrence_count', case when occurrence_count between 2 and 52 then null else 'is not 2 to 52' end));
begin
  perform app_private.guard_instant('first_starts_at', first_starts_at);
  if faults <> '{}' then
    perform app_private.refuse('invalid_input', faults);
  end if;
end
$$;

comment on function app_private.guard_series(timestamptz, integer, integer) is 'Refuses a series that no calendar can hold.';

revoke execute on function app_private.guard_series(timestamptz, integer, integer) from public;
grant execute on function app_private.guard_series(timestamptz, integer, integer)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/guard_series.sql
--! Included functions/booking/series_starts.sql
-- The occurrences of a series: the same time on the hospital's wall clock every so many days, so that
-- a visit at nine stays at nine when the clocks change. The first one is the instant itself, also in an
-- hour that the wall clock shows twice. Each comes with the slot that begins then, if there is one.
create or replace function app_private.series_starts(
  hospital_id uuid, doctor_id uuid, first_starts_at timestamptz, every_days integer, occurrence_count integer)
returns setof app_private.wanted_occurrence
language plpgsql stable rows 10
as $$
declare
  zone text;
begin
  select hospital.time_zone into zone from app_public.hospital where hospital.id = series_starts.hospital_id;
  return query
  select wanted.number, wanted.starts_at, (wanted.starts_at at time zone zone)::date, slot.id
  from (
    select step.number,
      case when step.number = 1 then first_starts_at
        else (first_starts_at at time zone zone + make_interval(days => (step.number - 1) * every_days)) at time zone zone
      end as starts_at
    from generate_series(1, occurrence_count) as step (number)
  ) as wanted
  left join app_public.slot
    on slot.hospital_id = series_starts.hospital_id
    and slot.doctor_id = series_starts.doctor_id
    and slot.starts_at = wanted.starts_at
    and slot.withdrawn_at is null
  order by wanted.number;
end
$$;

comment on function app_private.series_starts(uuid, uuid, timestamptz, integer, integer) is
  'The occurrences of a series by number: when each begins, on which local day, and in which slot of the doctor.';

revoke execute on function app_private.series_starts(uuid, uuid, timestamptz, integer, integer) from public;
grant execute on function app_private.series_starts(uuid, uuid, timestamptz, integer, integer)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/series_starts.sql
--! Included functions/booking/lock_for_booking.sql
-- Whoever books or frees several slots in one transaction locks all of them before the first one changes:
-- the patient, the slots by id (lapsed holds of the patient and of these doctors with theirs, because
-- booking lets them expire on the way; what the appointments that leave hold with theirs), then the days
-- by key. Two series, or a series and a move, can then wait for each other, but never in a circle.
-- Runs as the owner, because request roles lock no slots; it changes nothing but missing days, which
-- are created empty, and a patient locks for nobody else.
create or replace function app_private.lock_for_booking(
  hospital_id uuid, patient_id uuid, slot_ids uuid[], leaving_appointment_ids uuid[] default null)
returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  concerned uuid[];
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if app_private.actor_role() = 'patient' and patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;

  perform from app_public.patient
  where patient.hospital_id = lock_for_booking.hospital_id and patient.id = lock_for_booking.patient_id
  for no key update;

  select array_agg(distinct seat.slot_id) into concerned
  from (
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = lock_for_booking.hospital_id
      and appointment.id = any (leaving_appointment_ids)
    union all
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = lock_for_booking.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and (appointment.patient_id = lock_for_booking.patient_id
        or appointment.doctor_id in (
          select slot.doctor_id from app_public.slot
          where slot.hospital_id = lock_for_booking.hospital_id and slot.id = any (lock_for_booking.slot_ids)))
  ) as holder
  cross join lateral (
    select holder.slot_id
    union all
    select appointment_seat.slot_id
    from app_public.appointment_seat
    where appointment_seat.hospital_id = lock_for_booking.hospital_id
      and appointment_seat.appointment_id = holder.id
  ) as seat;
  perform app_private.lock_seats(hospital_id, array_remove(slot_ids || concerned, null));
end
$$;

comment on function app_private.lock_for_booking(uuid, uuid, uuid[], uuid[]) is
  'Locks a patient, then the slots that are going to be booked or left, in the order that every booking keeps.';

revoke execute on function app_private.lock_for_booking(uuid, uuid, uuid[], uuid[]) from public;
grant execute on function app_private.lock_for_booking(uuid, uuid, uuid[], uuid[])
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/lock_for_booking.sql
--! Included functions/booking/replayed_series.sql
-- Whether this account made this very series before. The lock of the key is that of every other request
-- (replayed_appointment takes it, and refuses a key that was used for something else).
create or replace function app_private.replayed_series(idempotency_key uuid, fingerprint text)
returns app_public.appointment_series
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  account uuid := app_private.claim_account_id();
  earlier app_public.appointment_series;
begin
  perform app_private.replayed_appointment(idempotency_key, fingerprint);
  select * into earlier
  from app_public.appointment_series
  where appointment_series.hospital_id = hospital
    and appointment_series.idempotency_key = replayed_series.idempotency_key
    and appointment_series.created_by is not distinct from account;
  if earlier.request_fingerprint is distinct from fingerprint and earlier.id is not null then
    perform app_private.refuse('idempotency_key_reused', jsonb_build_object('idempotency_key', idempotency_key));
  end if;
  return earlier;
end
$$;

comment on function app_private.replayed_series(uuid, text) is
  'The series of an earlier request with the same key by the same account, or null; refuses another request under the same key.';

revoke execute on function app_private.replayed_series(uuid, text) from public;
grant execute on function app_private.replayed_series(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/replayed_series.sql
--! Included functions/booking/admit_series.sql
-- The door of the series, for every client: whose it is, who wrote it and when come from the claims and
-- the clock. It runs as the owner, before row-level security looks, and repeats its walls, so that a
-- refusal says no more than they do; what it refers to has to be there.
create or replace function app_private.admit_series() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.guard_own_slot(new.doctor_id);

  if not exists (
    select from app_public.patient where patient.hospital_id = new.hospital_id and patient.id = new.patient_id)
  then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', new.patient_id));
  end if;
  if not exists (
    select from app_public.doctor where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', new.doctor_id));
  end if;
  if new.service_id is not null and not exists (
    select from app_public.service where service.hospital_id = new.hospital_id and service.id = new.service_id)
  then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', new.service_id));
  end if;

  new.created_by := app_private.claim_account_id();
  new.created_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_series() is 'Trigger: admits a new series, or refuses it with its scenario.';

revoke execute on function app_private.admit_series() from public;

create or replace trigger series_is_admitted
  before insert on app_public.appointment_series
  for each row execute function app_private.admit_series();
--! EndIncluded functions/booking/admit_series.sql
--! Included functions/booking/witness_occurrence.sql
-- An occurrence is recorded only as it happened: of this series, its patient and its doctor, and booked
-- only as an appointment of this series. Nobody can write a history that never was.
create or replace function app_private.witness_occurrence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  if not exists (
    select from app_public.appointment_series
    where appointment_series.hospital_id = new.hospital_id
      and appointment_series.id = new.series_id
      and appointment_series.patient_id = new.patient_id
      and appointment_series.doctor_id = new.doctor_id
      and new.number <= appointment_series.occurrence_count)
    or new.appointment_id is not null and not exists (
      select from app_public.appointment
      where appointment.hospital_id = new.hospital_id
        and appointment.id = new.appointment_id
        and appointment.series_id = new.series_id
        and appointment.patient_id = new.patient_id)
  then
    perform app_private.refuse('forbidden', jsonb_build_object('series_id', new.series_id));
  end if;
  return new;
end
$$;

comment on function app_private.witness_occurrence() is
  'Trigger: refuses an occurrence that is not of its series.';

revoke execute on function app_private.witness_occurrence() from public;

create or replace trigger series_occurrence_is_witnessed
  before insert on app_public.series_occurrence
  for each row execute function app_private.witness_occurrence();
--! EndIncluded functions/booking/witness_occurrence.sql
--! Included functions/booking/book_occurrence.sql
-- One occurrence: booked like any other appointment, by a plain insert into a named slot, or reported with
-- what refused it. A refusal by the rules undoes itself (the savepoint) and is kept as an answer; every
-- other refusal ends the whole series.
create or replace function app_private.book_occurrence(
  series app_public.appointment_series, wanted app_private.wanted_occurrence)
returns app_public.series_occurrence
language plpgsql
as $$
declare
  occurrence app_public.series_occurrence;
  violations jsonb;
  refusal text;
begin
  if wanted.slot_id is not null then
    begin
      insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, series_id, reason, status)
      values (series.hospital_id, wanted.slot_id, series.patient_id, series.service_id, series.id, series.reason, 'scheduled')
      returning appointment.id into occurrence.appointment_id;
    exception when sqlstate 'SK404' or sqlstate 'SK409' or sqlstate 'SK422' then
      get stacked diagnostics refusal = pg_exception_detail;
      violations := app_private.rule_violations(refusal);
      if violations is null then
        raise;
      end if;
      occurrence.scenario := refusal::jsonb ->> 'scenario';
      occurrence.details := refusal::jsonb -> 'details';
    end;
  else
    violations := app_private.broken_rules(
      series.hospital_id, null, series.patient_id, series.service_id, series.doctor_id, wanted.starts_at);
    occurrence.scenario := coalesce(violations -> 0 ->> 'scenario', 'slot_not_found');
    occurrence.details := coalesce(violations -> 0 -> 'details', jsonb_build_object('starts_at', wanted.starts_at))
      || jsonb_build_object('violations', violations);
  end if;

  insert into app_public.series_occurrence (
    hospital_id, series_id, number, patient_id, doctor_id, starts_at, appointment_id, scenario, details)
  values (
    series.hospital_id, series.id, wanted.number, series.patient_id, series.doctor_id, wanted.starts_at,
    occurrence.appointment_id, occurrence.scenario, occurrence.details)
  returning * into occurrence;
  return occurrence;
end
$$;

comment on function app_private.book_occurrence(app_public.appointment_series, app_private.wanted_occurrence) is
  'Books one occurrence of a series and records what became of it.';

revoke execute on function app_private.book_occurrence(app_public.appointment_series, app_private.wanted_occurrence) from public;
grant execute on function app_private.book_occurrence(app_public.appointment_series, app_private.wanted_occurrence)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/book_occurrence.sql
--! Included functions/booking/book_series.sql
-- Locks in the usual order, all before the first insert: the calendar (days that have to be made real),
-- the key, the patient, every slot by id, every day. What is locked is what is booked: slots are looked up
-- once. All or nothing leaves nothing behind, because the refusal takes everything back.
create or replace function app_public.book_series(
  doctor_id uuid,
  first_starts_at timestamptz,
  every_days integer,
  occurrence_count integer,
  patient_id uuid,
  idempotency_key uuid,
  is_all_or_nothing boolean default true,
  service_id uuid default null,
  reason text default null)
returns app_public.appointment_series
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  is_strict boolean := coalesce(is_all_or_nothing, true);
  fingerprint text := app_private.request_fingerprint(
    'series', doctor_id::text, extract(epoch from first_starts_at)::text, every_days::text, occurrence_count::text,
    patient_id::text, is_strict::text, service_id::text, reason);
  series app_public.appointment_series;
  wanted app_private.wanted_occurrence[];
  occurrence app_private.wanted_occurrence;
  booked app_public.series_occurrence;
  report jsonb := '[]'::jsonb;
  booked_count integer := 0;
begin
  perform app_private.guard_series(first_starts_at, every_days, occurrence_count);
  perform app_private.materialise_day(hospital, book_series.doctor_id, starts.day)
  from app_private.series_starts(hospital, book_series.doctor_id, first_starts_at, every_days, occurrence_count) as starts;
  series := app_private.replayed_series(idempotency_key, fingerprint);
  if series.id is not null then
    return series;
  end if;

  select array_agg(starts order by starts.number) into wanted
  from app_private.series_starts(hospital, book_series.doctor_id, first_starts_at, every_days, occurrence_count) as starts;
  perform app_private.lock_for_booking(hospital, patient_id, (
    select array_agg(starts.slot_id) || array_agg(further.slot_id)
    from unnest(wanted) as starts
    left join lateral unnest(app_private.needed_slots(hospital, starts.slot_id, book_series.service_id)) as further (slot_id) on true));

  insert into app_public.appointment_series (
    hospital_id, patient_id, doctor_id, service_id, first_starts_at, every_days, occurrence_count,
    is_all_or_nothing, reason, idempotency_key, request_fingerprint)
  values (
    hospital, book_series.patient_id, book_series.doctor_id, book_series.service_id, book_series.first_starts_at,
    book_series.every_days, book_series.occurrence_count, is_strict, book_series.reason,
    book_series.idempotency_key, fingerprint)
  returning * into series;

  foreach occurrence in array wanted loop
    booked := app_private.book_occurrence(series, occurrence);
    booked_count := booked_count + case when booked.scenario is null then 1 else 0 end;
    report := report || jsonb_build_object(
      'number', booked.number, 'starts_at', booked.starts_at, 'scenario', booked.scenario, 'details', booked.details);
  end loop;
  if booked_count = 0 or is_strict and booked_count < series.occurrence_count then
    perform app_private.refuse('series_refused', jsonb_build_object('occurrences', report));
  end if;
  return series;
end
$$;

comment on function app_public.book_series(uuid, timestamptz, integer, integer, uuid, uuid, boolean, uuid, text) is
  'Books the same visit every so many days, at the same local time: occurrenceCount appointments with one doctor, each judged by all booking rules. All or nothing (unless isAllOrNothing is false): one occurrence that cannot be booked refuses all with series_refused, and details.occurrences says of every one whether it could be booked. At best effort those that can be are booked, at least one, and the series lists what became of each. Takes an idempotencyKey like bookAppointment.';

revoke execute on function app_public.book_series(uuid, timestamptz, integer, integer, uuid, uuid, boolean, uuid, text) from public;
grant execute on function app_public.book_series(uuid, timestamptz, integer, integer, uuid, uuid, boolean, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/book_series.sql
--! Included functions/booking/explain_series.sql
-- What book_series would find, without a lock or a write: a day that is not made real yet is judged by
-- the slots that it would have (slots_of_days).
create or replace function app_public.explain_series(
  doctor_id uuid,
  first_starts_at timestamptz,
  every_days integer,
  occurrence_count integer,
  patient_id uuid,
  service_id uuid default null)
returns setof app_public.occurrence_verdict
language plpgsql stable rows 10
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_question(patient_id, doctor_id);
  perform app_private.guard_series(first_starts_at, every_days, occurrence_count);

  return query
  with wanted as materialized (
    select starts.number, starts.starts_at, starts.day, starts.slot_id
    from app_private.series_starts(hospital, explain_series.doctor_id, first_starts_at, every_days, occurrence_count) as starts
  ), planned as materialized (
    select slots_of_days.starts_at
    from app_private.slots_of_days(
      hospital, array[explain_series.doctor_id],
      (select array_agg(wanted.day) from wanted where wanted.slot_id is null)) as slots_of_days
    where slots_of_days.slot_id is null
  ), judged as (
    select wanted.number, wanted.starts_at, wanted.slot_id,
      app_private.broken_rules(
        hospital, wanted.slot_id, explain_series.patient_id, explain_series.service_id,
        explain_series.doctor_id, wanted.starts_at) as violations,
      wanted.slot_id is not null or exists (
        select from planned where planned.starts_at = wanted.starts_at) as has_slot
    from wanted
  )
  select judged.number, judged.starts_at, judged.slot_id,
    coalesce(judged.violations -> 0 ->> 'scenario', case when not judged.has_slot then 'slot_not_found' end),
    case
      when judged.violations <> '[]'
        then coalesce(judged.violations -> 0 -> 'details', '{}') || jsonb_build_object('violations', judged.violations)
      when not judged.has_slot then jsonb_build_object('starts_at', judged.starts_at, 'violations', judged.violations)
    end
  from judged
  order by judged.number;
end
$$;

comment on function app_public.explain_series(uuid, timestamptz, integer, integer, uuid, uuid) is
  'What bookSeries would say of each occurrence now; nothing is changed. Of a day whose slots are not stored yet, a visit that needs more than one slot is judged by its first.';

revoke execute on function app_public.explain_series(uuid, timestamptz, integer, integer, uuid, uuid) from public;
grant execute on function app_public.explain_series(uuid, timestamptz, integer, integer, uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/explain_series.sql
--! Included functions/booking/cancel_series.sql
-- Locks first: the appointments by id (nobody waits for an appointment while holding a patient or a slot),
-- then the patient, every slot by id, every day. What has begun or ended stays; so does what is not the
-- caller's to cancel, and if that is all of it, the caller is told.
create or replace function app_public.cancel_series(series_id uuid, reason text default null)
returns setof app_public.appointment
language plpgsql volatile rows 10
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  series app_public.appointment_series;
  ahead record;
begin
  select * into series
  from app_public.appointment_series
  where appointment_series.hospital_id = hospital and appointment_series.id = cancel_series.series_id;
  if series.id is null then
    perform app_private.refuse('series_not_found', jsonb_build_object('series_id', series_id));
  end if;

  select array_agg(occurrence.id) as ids, array_agg(occurrence.slot_id) as slot_ids into ahead
  from (
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = hospital
      and appointment.series_id = series.id
      and appointment.starts_at > instant
      and appointment.status in ('held', 'scheduled', 'confirmed')
    order by appointment.id
    for no key update
  ) as occurrence;
  if ahead.ids is null then
    if app_private.actor_role() = 'doctor' and series.doctor_id is distinct from app_private.claim_doctor_id() then
      perform app_private.refuse('forbidden', jsonb_build_object('series_id', series_id));
    end if;
    return;
  end if;

  perform app_private.lock_for_booking(hospital, series.patient_id, ahead.slot_ids, ahead.ids);
  return query
  update app_public.appointment
  set status = 'cancelled', cancellation_reason = cancel_series.reason
  where appointment.hospital_id = hospital and appointment.id = any (ahead.ids)
  returning appointment.*;
end
$$;

comment on function app_public.cancel_series(uuid, text) is
  'Cancels all occurrences of a series that are still ahead, and frees their seats at once; returns those that it cancelled.';

revoke execute on function app_public.cancel_series(uuid, text) from public;
grant execute on function app_public.cancel_series(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/cancel_series.sql
--! Included functions/booking/admit_added_seat.sql
-- The seat is added by the row that says why, for every client: one guarded update, which waits for
-- whoever is booking in the slot and then looks again. The update is audited and announced like every
-- change of a capacity, so that those who wait hear of it. Runs as the owner, because no request role
-- writes a capacity; it repeats the walls of hospital and doctor.
create or replace function app_private.admit_added_seat() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
  present app_public.slot;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into present
  from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.id = new.slot_id
  for no key update;
  if present.id is null then
    perform app_private.refuse('slot_not_found', jsonb_build_object('slot_id', new.slot_id));
  end if;
  perform app_private.guard_own_slot(present.doctor_id);
  if present.starts_at <= instant then
    perform app_private.refuse('slot_in_past', jsonb_build_object('starts_at', present.starts_at, 'now', instant));
  elsif present.withdrawn_at is not null or present.is_retired then
    perform app_private.refuse('slot_withdrawn', jsonb_build_object('slot_id', new.slot_id));
  elsif present.capacity >= 100 then
    perform app_private.refuse('slot_is_largest', jsonb_build_object('capacity', present.capacity));
  end if;

  update app_public.slot
  set capacity = slot.capacity + 1
  where slot.hospital_id = new.hospital_id and slot.id = new.slot_id;
  new.doctor_id := present.doctor_id;
  new.added_by := app_private.claim_account_id();
  new.added_at := instant;
  return new;
end
$$;

comment on function app_private.admit_added_seat() is 'Trigger: adds a seat to a slot, or refuses it with its scenario.';

revoke execute on function app_private.admit_added_seat() from public;

create or replace trigger added_seat_is_admitted
  before insert on app_public.added_seat
  for each row execute function app_private.admit_added_seat();
--! EndIncluded functions/booking/admit_added_seat.sql
--! Included functions/booking/add_seat.sql
-- One plain insert; the trigger of added_seat adds the seat. The doctor's daily limit still holds.
create or replace function app_public.add_seat(slot_id uuid, reason text)
returns app_public.slot
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  larger app_public.slot;
begin
  if length(btrim(coalesce(reason, ''))) = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is empty'));
  end if;
  insert into app_public.added_seat (hospital_id, slot_id, reason)
  values (hospital, add_seat.slot_id, add_seat.reason);

  select * into larger
  from app_public.slot
  where slot.hospital_id = hospital and slot.id = add_seat.slot_id;
  return larger;
end
$$;

comment on function app_public.add_seat(uuid, text) is
  'Adds a seat to a slot beyond its schedule, and writes down why and by whom. The doctor''s daily limit still holds. For staff; doctors add to their own slots.';

revoke execute on function app_public.add_seat(uuid, text) from public;
grant execute on function app_public.add_seat(uuid, text) to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/add_seat.sql

reset role;
