--! Previous: sha1:18d5bed6012f8228188cba7b0ea12199056d2dc6
--! Hash: sha1:511d03c68b2ee6c7e76acbd05ad1d773c25b42df
--! Message: waitlist

--! split: 1-current.sql
-- The waitlist: who waits for a seat, and the seats that are offered in the wake of those that become free.

set local role app_owner;

alter table app_public.waitlist_offer
  add constraint a_patient_answers_one_offer_at_a_time exclude using btree (
    hospital_id with =, patient_id with =
  ) where (outcome = 'open');
create index waitlist_of_a_patient on app_public.waitlist_entry (hospital_id, patient_id, id);
create index offer_to_a_patient_in_order on app_public.waitlist_offer (hospital_id, patient_id, id);

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
--! Included policies/waitlist_entry.sql
-- Patients see and end their own waits; staff see and enter all of their hospital. The state is granted
-- for leaving (and to jobs for what has passed): the table lets it be nothing that its offers and its days
-- do not say.
alter table app_public.waitlist_entry enable row level security;
alter table app_public.waitlist_entry force row level security;

grant select on app_public.waitlist_entry to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, patient_id, doctor_id, specialty, service_id, location_id, first_day, last_day, earliest_time, latest_time, reason) on app_public.waitlist_entry to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (status) on app_public.waitlist_entry to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of delete to anybody: a wait ends, it does not vanish.

drop policy if exists patients_read_their_own on app_public.waitlist_entry;
create policy patients_read_their_own on app_public.waitlist_entry for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_join_for_themselves on app_public.waitlist_entry;
create policy patients_join_for_themselves on app_public.waitlist_entry for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_leave_their_own on app_public.waitlist_entry;
create policy patients_leave_their_own on app_public.waitlist_entry for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.waitlist_entry;
create policy staff_read_their_hospital on app_public.waitlist_entry for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_enter_patients on app_public.waitlist_entry;
create policy staff_enter_patients on app_public.waitlist_entry for insert to app_doctor, app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_end_waits on app_public.waitlist_entry;
create policy staff_end_waits on app_public.waitlist_entry for update to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.waitlist_entry;
create policy worker_reads_all on app_public.waitlist_entry for select to app_worker
  using (true);

drop policy if exists worker_ends_what_has_passed on app_public.waitlist_entry;
create policy worker_ends_what_has_passed on app_public.waitlist_entry for update to app_worker
  using (true)
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.waitlist_entry;
create policy owner_maintains on app_public.waitlist_entry for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/waitlist_entry.sql
--! Included policies/waitlist_offer.sql
-- Patients see what was offered to them, staff what was offered in their hospital. Offers are written by
-- offer_free_seats and decided by what becomes of their appointments: no role has a right to write them.
alter table app_public.waitlist_offer enable row level security;
alter table app_public.waitlist_offer force row level security;

grant select on app_public.waitlist_offer to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists patients_read_their_own on app_public.waitlist_offer;
create policy patients_read_their_own on app_public.waitlist_offer for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.waitlist_offer;
create policy staff_read_their_hospital on app_public.waitlist_offer for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.waitlist_offer;
create policy worker_reads_all on app_public.waitlist_offer for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.waitlist_offer;
create policy owner_maintains on app_public.waitlist_offer for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/waitlist_offer.sql
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
--! Included functions/waitlist/admit_waitlist_entry.sql
-- The door of the waitlist, for every client: who may wait for what, on which days. It runs as the
-- owner, before row-level security looks at the row, so it repeats the two walls that matter for what
-- a refusal may tell: the hospital and the patient of the claims. A doctor who takes no appointments at
-- present may be waited for; one who no longer works here may not.
-- The patient is locked as in a booking, so that of two wishes at once the second is told of the first
-- instead of running into the constraint.
create or replace function app_private.admit_waitlist_entry() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  today date;
  present record;
  other record;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  new.status := 'waiting';
  new.created_by := app_private.claim_account_id();
  new.created_at := app_private.clock();
  new.ended_at := null;

  select patient.is_active, patient.status, patient.blocked_reason into present
  from app_public.patient
  where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
  for no key update;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', new.patient_id));
  elsif not present.is_active then
    perform app_private.refuse('patient_inactive', jsonb_build_object('patient_id', new.patient_id));
  elsif present.status <> 'active' then
    perform app_private.refuse('patient_blocked', jsonb_strip_nulls(
      jsonb_build_object('patient_id', new.patient_id, 'reason', present.blocked_reason)));
  end if;

  if num_nonnulls(new.doctor_id, new.specialty) <> 1 then
    perform app_private.refuse('invalid_input', jsonb_build_object('doctor_id', 'give a doctor or a specialty, not both'));
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = new.hospital_id
      and (doctor.id = new.doctor_id or doctor.specialty = new.specialty and doctor.is_active))
  then
    perform app_private.refuse('doctor_not_found', jsonb_strip_nulls(
      jsonb_build_object('doctor_id', new.doctor_id, 'specialty', new.specialty)));
  elsif exists (
    select from app_public.doctor
    where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id and not doctor.is_active)
  then
    perform app_private.refuse('doctor_inactive', jsonb_build_object('doctor_id', new.doctor_id));
  end if;
  if new.service_id is not null and not exists (
    select from app_public.service
    where service.hospital_id = new.hospital_id and service.id = new.service_id and service.is_active)
  then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', new.service_id));
  end if;
  if new.location_id is not null and not exists (
    select from app_public.location
    where location.hospital_id = new.hospital_id and location.id = new.location_id and location.is_active)
  then
    perform app_private.refuse('location_not_found', jsonb_build_object('location_id', new.location_id));
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = new.hospital_id;
  if new.last_day < today then
    perform app_private.refuse('waitlist_days_in_past',
      jsonb_build_object('first_day', new.first_day, 'last_day', new.last_day, 'today', today));
  elsif new.first_day > new.last_day or new.last_day > today + 366 or new.last_day - new.first_day > 366 then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('first_day', new.first_day, 'last_day', new.last_day, 'today', today));
  elsif new.earliest_time >= new.latest_time then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('earliest_time', new.earliest_time, 'latest_time', new.latest_time));
  end if;

  select waitlist_entry.id, waitlist_entry.first_day, waitlist_entry.last_day into other
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = new.hospital_id
    and waitlist_entry.patient_id = new.patient_id
    and waitlist_entry.status in ('waiting', 'offered')
    and waitlist_entry.doctor_id is not distinct from new.doctor_id
    and waitlist_entry.specialty is not distinct from new.specialty
    and daterange(waitlist_entry.first_day, waitlist_entry.last_day, '[]')
      && daterange(new.first_day, new.last_day, '[]')
  order by waitlist_entry.id
  limit 1;
  if found then
    perform app_private.refuse('already_waiting', jsonb_build_object(
      'waitlist_entry_id', other.id, 'first_day', other.first_day, 'last_day', other.last_day));
  end if;
  return new;
end
$$;

comment on function app_private.admit_waitlist_entry() is
  'Trigger: admits a patient to the waitlist, or refuses with the scenario.';

revoke execute on function app_private.admit_waitlist_entry() from public;

create or replace trigger waitlist_entry_is_admitted
  before insert on app_public.waitlist_entry
  for each row execute function app_private.admit_waitlist_entry();
--! EndIncluded functions/waitlist/admit_waitlist_entry.sql
--! Included functions/waitlist/announce_waitlist_entry.sql
-- Whoever joins may find a seat free at this very moment: the relay turns this message into one look at
-- the doctor, or, for a specialty, at the doctors who are waited for.
create or replace function app_private.announce_waitlist_entry() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'waitlist', new.id::text, jsonb_build_object('doctor_id', new.doctor_id));
  return null;
end
$$;

comment on function app_private.announce_waitlist_entry() is
  'Trigger: leaves a message in the outbox for a new place on the waitlist.';

revoke execute on function app_private.announce_waitlist_entry() from public;

create or replace trigger waitlist_entry_is_announced
  after insert on app_public.waitlist_entry
  for each row execute function app_private.announce_waitlist_entry();
--! EndIncluded functions/waitlist/announce_waitlist_entry.sql
--! Included functions/waitlist/change_waitlist_status.sql
-- The state of a place on the waitlist follows facts that stand elsewhere: its offers and the calendar.
-- So it does not matter who writes it: offered without an open offer, booked without an accepted one,
-- expired before the last day has passed is refused to everybody. Only leaving is a decision, and
-- whoever has an open offer answers it first.
create or replace function app_private.change_waitlist_status() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  last_outcome app_public.offer_outcome;
  is_true boolean;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status not in ('waiting', 'offered') then
    perform app_private.refuse('no_longer_waiting',
      jsonb_build_object('waitlist_entry_id', old.id, 'status', old.status));
  end if;

  select waitlist_offer.outcome into last_outcome
  from app_public.waitlist_offer
  where waitlist_offer.hospital_id = old.hospital_id and waitlist_offer.entry_id = old.id
  order by (waitlist_offer.outcome = 'open') desc, waitlist_offer.decided_at desc, waitlist_offer.id desc
  limit 1;
  is_true := case new.status
    when 'offered' then old.status = 'waiting' and last_outcome = 'open'
    when 'booked' then old.status = 'offered' and last_outcome = 'accepted'
    when 'waiting' then old.status = 'offered' and last_outcome in ('declined', 'lapsed')
    when 'cancelled' then old.status = 'waiting'
    when 'expired' then old.status = 'waiting' and old.last_day < (
      select (instant at time zone hospital.time_zone)::date
      from app_public.hospital where hospital.id = old.hospital_id)
  end;
  if is_true is not true then
    perform app_private.refuse('waitlist_follows_offers',
      jsonb_build_object('waitlist_entry_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  new.ended_at := case when new.status not in ('waiting', 'offered') then instant end;
  return new;
end
$$;

comment on function app_private.change_waitlist_status() is
  'Trigger: lets a place on the waitlist take the state that its offers and its days give it, or be left.';

revoke execute on function app_private.change_waitlist_status() from public;

create or replace trigger waitlist_status_follows_offers
  before update of status on app_public.waitlist_entry
  for each row execute function app_private.change_waitlist_status();
--! EndIncluded functions/waitlist/change_waitlist_status.sql
--! Included functions/waitlist/admit_offer.sql
-- An offer is written only as it is: a seat that is held now, by an appointment of the very patient who
-- waits. The place on the waitlist is locked last of all, after appointment, patient, slot and day, and
-- whoever finds that it does not wait any more takes the held seat back with everything else.
create or replace function app_private.admit_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  entry_status app_public.waitlist_status;
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  select waitlist_entry.status into entry_status
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = new.hospital_id
    and waitlist_entry.id = new.entry_id
    and waitlist_entry.patient_id = new.patient_id
  for no key update;
  if not found then
    perform app_private.refuse('waitlist_entry_not_found', jsonb_build_object('waitlist_entry_id', new.entry_id));
  elsif entry_status <> 'waiting' then
    perform app_private.refuse('no_longer_waiting',
      jsonb_build_object('waitlist_entry_id', new.entry_id, 'status', entry_status));
  end if;
  if not exists (
    select from app_public.appointment
    where appointment.hospital_id = new.hospital_id
      and appointment.id = new.appointment_id
      and appointment.patient_id = new.patient_id
      and appointment.doctor_id = new.doctor_id
      and appointment.slot_id = new.slot_id
      and appointment.status = 'held')
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  new.outcome := 'open';
  new.offered_at := app_private.clock();
  new.decided_at := null;
  return new;
end
$$;

comment on function app_private.admit_offer() is
  'Trigger: admits an offer of a held seat to a patient who waits, and nothing else.';

revoke execute on function app_private.admit_offer() from public;

create or replace trigger offer_is_admitted
  before insert on app_public.waitlist_offer
  for each row execute function app_private.admit_offer();
--! EndIncluded functions/waitlist/admit_offer.sql
--! Included functions/waitlist/decide_offer.sql
-- What became of an offer is what became of its appointment, and it is decided once. Nobody can write
-- an answer that was never given.
create or replace function app_private.decide_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  answer app_public.offer_outcome;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  select case appointment.status
      when 'held' then 'open'
      when 'cancelled' then 'declined'
      when 'expired' then 'lapsed'
      else 'accepted'
    end::app_public.offer_outcome
  into answer
  from app_public.appointment
  where appointment.hospital_id = old.hospital_id and appointment.id = old.appointment_id;
  if old.outcome <> 'open' or new.outcome = 'open' or new.outcome is distinct from answer then
    perform app_private.refuse('waitlist_follows_offers',
      jsonb_build_object('waitlist_entry_id', old.entry_id, 'from', old.outcome, 'to', new.outcome));
  end if;
  new.decided_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.decide_offer() is
  'Trigger: lets an offer be decided once, as its appointment was.';

revoke execute on function app_private.decide_offer() from public;

create or replace trigger offer_is_decided_once
  before update of outcome on app_public.waitlist_offer
  for each row execute function app_private.decide_offer();
--! EndIncluded functions/waitlist/decide_offer.sql
--! Included functions/waitlist/carry_offer.sql
-- The place on the waitlist follows its offer: offered, then booked, or waiting again with its old place.
create or replace function app_private.carry_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.waitlist_entry
  set status = case new.outcome
      when 'open' then 'offered'
      when 'accepted' then 'booked'
      else 'waiting'
    end::app_public.waitlist_status
  where waitlist_entry.hospital_id = new.hospital_id and waitlist_entry.id = new.entry_id;
  return null;
end
$$;

comment on function app_private.carry_offer() is
  'Trigger: carries a new or decided offer to the place on the waitlist that it was made to.';

revoke execute on function app_private.carry_offer() from public;

create or replace trigger waitlist_follows_its_offers
  after insert or update of outcome on app_public.waitlist_offer
  for each row execute function app_private.carry_offer();
--! EndIncluded functions/waitlist/carry_offer.sql
--! Included functions/waitlist/answer_offer.sql
-- The answer to an offered seat is what becomes of the held appointment, whoever does it and however:
-- confirmed, cancelled, or lapsed and swept. Entered only by a hold that ends, so that an ordinary booking
-- does not pay for it; a hold that was no offer costs one look into an index.
create or replace function app_private.answer_offer() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.waitlist_offer
  set outcome = case new.status
      when 'cancelled' then 'declined'
      when 'expired' then 'lapsed'
      else 'accepted'
    end::app_public.offer_outcome
  where waitlist_offer.hospital_id = new.hospital_id
    and waitlist_offer.appointment_id = new.id
    and waitlist_offer.outcome = 'open';
  return null;
end
$$;

comment on function app_private.answer_offer() is
  'Trigger: decides the offer of a held appointment when the hold ends.';

revoke execute on function app_private.answer_offer() from public;

create or replace trigger offer_is_answered
  after update of status on app_public.appointment
  for each row when (old.status = 'held' and new.status <> 'held')
  execute function app_private.answer_offer();
--! EndIncluded functions/waitlist/answer_offer.sql
--! Included functions/waitlist/announce_left_slot.sql
-- A move frees a seat, and the state of the appointment does not tell: this message does, for the
-- waitlist of the doctor whom the visit left.
create or replace function app_private.announce_left_slot() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (old.hospital_id, 'waitlist', old.id::text, jsonb_build_object('doctor_id', old.doctor_id));
  return null;
end
$$;

comment on function app_private.announce_left_slot() is
  'Trigger: leaves a message in the outbox when an appointment leaves its slot for another.';

revoke execute on function app_private.announce_left_slot() from public;

create or replace trigger left_slot_is_announced
  after update of slot_id on app_public.appointment
  for each row when (old.slot_id is not null and new.slot_id is distinct from old.slot_id)
  execute function app_private.announce_left_slot();
--! EndIncluded functions/waitlist/announce_left_slot.sql
--! Included functions/waitlist/waits_for_doctor.sql
-- Who waits for a seat of this doctor, by name or by specialty, and could be offered one: active patients
-- without an open offer, whose days are not over and begin within the horizon. The rest of the rules is
-- the judge's.
create or replace function app_private.waits_for_doctor(hospital_id uuid, doctor_id uuid)
returns setof app_public.waitlist_entry
language plpgsql stable rows 100
as $$
declare
  house record;
begin
  select doctor.specialty,
    (app_private.clock() at time zone hospital.time_zone)::date as today,
    (app_private.clock() at time zone hospital.time_zone)::date + hospital.booking_horizon_days as last_bookable_day
  into house
  from app_public.hospital
  join app_public.doctor
    on doctor.hospital_id = waits_for_doctor.hospital_id and doctor.id = waits_for_doctor.doctor_id
    and doctor.is_active and doctor.is_available
  where hospital.id = waits_for_doctor.hospital_id;
  if not found then
    return;
  end if;

  return query
  select entry.*
  from (
    select of_doctor.*
    from app_public.waitlist_entry as of_doctor
    where of_doctor.hospital_id = waits_for_doctor.hospital_id
      and of_doctor.doctor_id = waits_for_doctor.doctor_id
      and of_doctor.status = 'waiting'
    union all
    select of_specialty.*
    from app_public.waitlist_entry as of_specialty
    where of_specialty.hospital_id = waits_for_doctor.hospital_id
      and of_specialty.specialty = house.specialty
      and of_specialty.status = 'waiting'
  ) as entry
  join app_public.patient
    on patient.hospital_id = waits_for_doctor.hospital_id and patient.id = entry.patient_id
    and patient.is_active and patient.status = 'active'
  where entry.last_day >= house.today
    and entry.first_day <= house.last_bookable_day
    and not exists (
      select from app_public.waitlist_offer
      where waitlist_offer.hospital_id = waits_for_doctor.hospital_id
        and waitlist_offer.patient_id = entry.patient_id
        and waitlist_offer.outcome = 'open')
  order by entry.id;
end
$$;

comment on function app_private.waits_for_doctor(uuid, uuid) is
  'The places on the waitlist that a seat of this doctor could be offered to, who came first first.';

revoke execute on function app_private.waits_for_doctor(uuid, uuid) from public;
grant execute on function app_private.waits_for_doctor(uuid, uuid) to app_worker;
--! EndIncluded functions/waitlist/waits_for_doctor.sql
--! Included functions/waitlist/materialise_waited_days.sql
-- Days beyond what a hospital stores are free as their schedules say, and whoever waits for them came
-- before those who are yet to look: they are made real for those who wait, within the booking horizon. Does
-- nothing where slots are stored up to the horizon, or where nobody waits for later days.
create or replace function app_private.materialise_waited_days(hospital_id uuid, doctor_id uuid)
returns integer
language plpgsql
as $$
declare
  waited_for record;
  generated integer := 0;
begin
  select
    greatest(min(entry.first_day), min(house.today + house.generated_days) + 1) as first_day,
    least(max(entry.last_day), min(house.today + house.booking_horizon_days)) as last_day
  into waited_for
  from (
    select hospital.generated_days, hospital.booking_horizon_days,
      (app_private.clock() at time zone hospital.time_zone)::date as today
    from app_public.hospital
    where hospital.id = materialise_waited_days.hospital_id and hospital.generated_days is not null
  ) as house
  cross join lateral app_private.waits_for_doctor(
    materialise_waited_days.hospital_id, materialise_waited_days.doctor_id) as entry;

  for ahead in 0 .. coalesce(waited_for.last_day - waited_for.first_day, -1) loop
    generated := generated
      + app_private.materialise_day(hospital_id, doctor_id, waited_for.first_day + ahead);
  end loop;
  return generated;
end
$$;

comment on function app_private.materialise_waited_days(uuid, uuid) is
  'Generates the slots of a doctor''s days that are not stored yet and that somebody waits for; returns how many.';

revoke execute on function app_private.materialise_waited_days(uuid, uuid) from public;
grant execute on function app_private.materialise_waited_days(uuid, uuid) to app_worker;
--! EndIncluded functions/waitlist/materialise_waited_days.sql
--! Included functions/waitlist/free_seats_between.sql
-- Free seats of a doctor from the first to the last local day, soonest first, as far as they lie ahead and
-- within the horizon: one index range of one doctor.
create or replace function app_private.free_seats_between(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date)
returns table (slot_id uuid, room integer, location_id uuid, day date, local_time time)
language plpgsql stable rows 100
as $$
declare
  instant timestamptz := app_private.clock();
  house record;
begin
  select hospital.time_zone,
    (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days as last_bookable_day
  into house
  from app_public.hospital
  where hospital.id = free_seats_between.hospital_id;

  return query
  select slot.id, slot.capacity - slot.booked_count, slot.location_id,
    (slot.starts_at at time zone house.time_zone)::date,
    (slot.starts_at at time zone house.time_zone)::time
  from app_public.slot
  where slot.hospital_id = free_seats_between.hospital_id
    and slot.doctor_id = free_seats_between.doctor_id
    and slot.starts_at > instant
    and slot.starts_at >= first_day::timestamp at time zone house.time_zone
    and slot.starts_at < (least(last_day, house.last_bookable_day) + 1)::timestamp at time zone house.time_zone
    and slot.status = 'available'
  order by slot.starts_at, slot.id;
end
$$;

comment on function app_private.free_seats_between(uuid, uuid, date, date) is
  'Slots of a doctor with room on these local days, soonest first, with their room and their local time.';

revoke execute on function app_private.free_seats_between(uuid, uuid, date, date) from public;
--! EndIncluded functions/waitlist/free_seats_between.sql
--! Included functions/waitlist/plan_offers.sql
-- Who is to be offered which seat: the soonest seat first, and for each the first who fits and could book
-- it; at most one seat a patient, and as many patients as a slot has room for. A seat that was once offered
-- to an entry is not offered to it again. Nobody is offered what they could not book: the judge of all
-- bookings says so. What the judge says of a patient, wherever, or of a seat for a service, whoever asks,
-- is asked once and not for every pair.
-- Those who wait are read once; the work is theirs times the free seats looked at, and it ends with the
-- last offer of the plan.
create or replace function app_private.plan_offers(hospital_id uuid, doctor_id uuid, most integer)
returns table (entry_id uuid, slot_id uuid, patient_id uuid, service_id uuid)
language plpgsql stable rows 10
as $$
declare
  no_service constant uuid := '00000000-0000-0000-0000-000000000000'::uuid;
  waiting app_public.waitlist_entry[] := array(
    select entry from app_private.waits_for_doctor(hospital_id, doctor_id) as entry);
  seat record;
  entry app_public.waitlist_entry;
  verdict record;
  planned integer := 0;
  settled_patients uuid[] := '{}'::uuid[];
  unfit_services uuid[];
begin
  for seat in
    select free.*
    from (
      select min(entry_days.first_day) as first_day, max(entry_days.last_day) as last_day
      from unnest(waiting) as entry_days
    ) as days
    cross join lateral app_private.free_seats_between(
      plan_offers.hospital_id, plan_offers.doctor_id, days.first_day, days.last_day) as free
  loop
    unfit_services := '{}'::uuid[];
    for entry in
      select wish.*
      from unnest(waiting) as wish
      where seat.day between wish.first_day and wish.last_day
        and seat.local_time >= coalesce(wish.earliest_time, seat.local_time)
        and seat.local_time <= coalesce(wish.latest_time, seat.local_time)
        and seat.location_id = coalesce(wish.location_id, seat.location_id)
        and not exists (
          select from app_public.waitlist_offer
          where waitlist_offer.hospital_id = plan_offers.hospital_id
            and waitlist_offer.entry_id = wish.id
            and waitlist_offer.slot_id = seat.slot_id)
    loop
      exit when seat.room = 0;
      continue when entry.patient_id = any (settled_patients)
        or coalesce(entry.service_id, no_service) = any (unfit_services);

      select
        count(*) > 0 as is_broken,
        coalesce(bool_or(broken.rule in (1, 2)), false) as is_of_patient,
        coalesce(bool_or(broken.rule not in (1, 2, 3)), false) as is_of_seat
      into verdict
      from app_private.judge_booking(
        plan_offers.hospital_id, seat.slot_id, entry.patient_id, entry.service_id, only_broken => true) as broken;
      if verdict.is_of_patient or not verdict.is_broken then
        settled_patients := settled_patients || entry.patient_id;
      end if;
      if verdict.is_of_seat then
        unfit_services := unfit_services || coalesce(entry.service_id, no_service);
      end if;
      continue when verdict.is_broken;

      entry_id := entry.id;
      slot_id := seat.slot_id;
      patient_id := entry.patient_id;
      service_id := entry.service_id;
      return next;
      seat.room := seat.room - 1;
      planned := planned + 1;
      if planned = most then
        return;
      end if;
    end loop;
  end loop;
end
$$;

comment on function app_private.plan_offers(uuid, uuid, integer) is
  'The next offers of a doctor''s free seats to waiting patients, at most so many; nothing is changed.';

revoke execute on function app_private.plan_offers(uuid, uuid, integer) from public;
--! EndIncluded functions/waitlist/plan_offers.sql
--! Included functions/waitlist/offer_seat.sql
-- One offer: a seat held for the patient's answer, by the same door as every booking; the offer, whose
-- triggers mark the entry; and the news. A hold for which a job brings an end waits as long as an offer
-- does; see held_until. Whatever has changed since the plan was made refuses it here, in a subtransaction
-- of its own, and the others go on.
create or replace function app_private.offer_seat(hospital_id uuid, entry_id uuid, slot_id uuid)
returns boolean
language plpgsql
as $$
declare
  held app_public.appointment;
begin
  insert into app_public.appointment (
    hospital_id, slot_id, patient_id, service_id, reason, status, source, held_until)
  select entry.hospital_id, slot.id, entry.patient_id, entry.service_id, entry.reason, 'held', 'patient', slot.starts_at
  from app_public.waitlist_entry as entry
  join app_public.slot on slot.hospital_id = offer_seat.hospital_id and slot.id = offer_seat.slot_id
  where entry.hospital_id = offer_seat.hospital_id and entry.id = offer_seat.entry_id and entry.status = 'waiting'
  returning * into held;
  if not found then
    return false;
  end if;
  insert into app_public.waitlist_offer (
    hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at)
  values (
    held.hospital_id, offer_seat.entry_id, held.patient_id, held.doctor_id, held.slot_id, held.id, held.created_at);
  perform app_private.notify_of_appointment('seat_offered', 'patient', held, app_private.deadline_of_hold(held));
  return true;
exception
  when sqlstate 'SK404' or sqlstate 'SK409' or sqlstate 'SK422' or exclusion_violation or unique_violation then
    return false;
end
$$;

comment on function app_private.offer_seat(uuid, uuid, uuid) is
  'Offers a seat of a slot to a place on the waitlist; says whether that was still possible.';

revoke execute on function app_private.offer_seat(uuid, uuid, uuid) from public;
--! EndIncluded functions/waitlist/offer_seat.sql
--! Included functions/waitlist/slots_of_offers.sql
-- Every slot that making these offers can touch: those that are offered, the further ones of long visits,
-- and those of lapsed holds that the bookings would let expire on their way.
create or replace function app_private.slots_of_offers(
  hospital_id uuid, doctor_id uuid, slot_ids uuid[], service_ids uuid[], patient_ids uuid[])
returns uuid[]
language plpgsql stable
as $$
begin
  return array(
    select unnest(slots_of_offers.slot_ids)
    union
    select unnest(app_private.needed_slots(slots_of_offers.hospital_id, wish.slot_id, wish.service_id))
    from unnest(slots_of_offers.slot_ids, slots_of_offers.service_ids) as wish (slot_id, service_id)
    where wish.service_id is not null
    union
    select unnest(appointment.slot_id || app_private.further_slots(slots_of_offers.hospital_id, appointment.id))
    from app_public.appointment
    where appointment.hospital_id = slots_of_offers.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and (appointment.doctor_id = slots_of_offers.doctor_id
        or appointment.patient_id = any (slots_of_offers.patient_ids)));
end
$$;

comment on function app_private.slots_of_offers(uuid, uuid, uuid[], uuid[], uuid[]) is
  'The slots to lock before a doctor''s seats are offered.';

revoke execute on function app_private.slots_of_offers(uuid, uuid, uuid[], uuid[], uuid[]) from public;
--! EndIncluded functions/waitlist/slots_of_offers.sql
--! Included functions/waitlist/offer_free_seats.sql
-- Offers a doctor's free seats to those who wait, in one transaction of bounded size: whoever calls goes
-- on until nothing more is offered. The second of two workers waits at the first lock and then finds
-- what is left. All patients, then all slots and days that the plan touches are locked in the order of
-- every booking before the first seat is taken, so that many bookings in one transaction wait for nobody while they hold what somebody else is waiting for.
-- It acts as the worker, because it is the system that offers; it runs as the owner, because only flows
-- write offers.
create or replace function app_private.offer_free_seats(hospital_id uuid, doctor_id uuid)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  most constant integer := 25;
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  plan record;
  offered integer := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended(concat('offers', hospital_id, doctor_id), 0));
  select array_agg(next_offer.entry_id) as entry_ids, array_agg(next_offer.slot_id) as slot_ids,
    array_agg(next_offer.patient_id) as patient_ids, array_agg(next_offer.service_id) as service_ids
  into plan
  from app_private.plan_offers(hospital_id, doctor_id, most) as next_offer;
  if plan.entry_ids is null then
    return 0;
  end if;

  perform from app_public.patient
  where patient.hospital_id = offer_free_seats.hospital_id and patient.id = any (plan.patient_ids)
  order by patient.id
  for no key update;
  perform app_private.lock_seats(hospital_id, app_private.slots_of_offers(
    hospital_id, doctor_id, plan.slot_ids, plan.service_ids, plan.patient_ids));

  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  for number in 1 .. cardinality(plan.entry_ids) loop
    if app_private.offer_seat(hospital_id, plan.entry_ids[number], plan.slot_ids[number]) then
      offered := offered + 1;
    end if;
  end loop;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return offered;
end
$$;

comment on function app_private.offer_free_seats(uuid, uuid) is
  'Holds free seats of a doctor for those who wait for them, and tells them; returns how many, 0 when nothing is left to offer.';

revoke execute on function app_private.offer_free_seats(uuid, uuid) from public;
grant execute on function app_private.offer_free_seats(uuid, uuid) to app_worker;
--! EndIncluded functions/waitlist/offer_free_seats.sql
--! Included functions/waitlist/doctors_waited_for.sql
-- Of the doctors whose seats may have become free, those whom somebody waits for: one statement for all
-- messages of a batch. A doctor costs two looks into the indexes of who waits, each for the first of them:
-- asked whether there is any, the planner may prefer to read the whole table. A whole hospital (no doctor
-- named) is asked from the side of its waitlist, so that one without pays nothing.
create or replace function app_private.doctors_waited_for(hospital_ids uuid[], doctor_ids uuid[])
returns table (hospital_id uuid, doctor_id uuid)
language plpgsql stable rows 10
as $$
begin
  return query
  select doctor.hospital_id, doctor.id
  from unnest(hospital_ids, doctor_ids) as freed (hospital_id, doctor_id)
  join app_public.doctor on doctor.hospital_id = freed.hospital_id and doctor.id = freed.doctor_id
  where doctor.is_active and doctor.is_available
    and (
      (
        select of_doctor.id
        from app_public.waitlist_entry as of_doctor
        where of_doctor.hospital_id = doctor.hospital_id
          and of_doctor.doctor_id = doctor.id
          and of_doctor.status = 'waiting'
        order by of_doctor.id
        limit 1) is not null
      or (
        select of_specialty.id
        from app_public.waitlist_entry as of_specialty
        where of_specialty.hospital_id = doctor.hospital_id
          and of_specialty.specialty = doctor.specialty
          and of_specialty.status = 'waiting'
        order by of_specialty.id
        limit 1) is not null)
  union
  select doctor.hospital_id, doctor.id
  from unnest(hospital_ids, doctor_ids) as freed (hospital_id, doctor_id)
  cross join lateral (
    select distinct waitlist_entry.doctor_id, waitlist_entry.specialty
    from app_public.waitlist_entry
    where waitlist_entry.hospital_id = freed.hospital_id and waitlist_entry.status = 'waiting'
  ) as wished
  join app_public.doctor
    on doctor.hospital_id = freed.hospital_id
    and (doctor.id = wished.doctor_id or doctor.specialty = wished.specialty)
    and doctor.is_active and doctor.is_available
  where freed.doctor_id is null;
end
$$;

comment on function app_private.doctors_waited_for(uuid[], uuid[]) is
  'Of these doctors (hospital by hospital; no doctor: all of the hospital), those whom somebody waits for.';

revoke execute on function app_private.doctors_waited_for(uuid[], uuid[]) from public;
grant execute on function app_private.doctors_waited_for(uuid[], uuid[]) to app_worker;
--! EndIncluded functions/waitlist/doctors_waited_for.sql
--! Included functions/waitlist/expire_waits.sql
-- Ends the waits of a hospital whose last day has passed there. Whom somebody is just serving is
-- skipped, and found again by the next sweep. An entry with an open offer waits for its answer first.
create or replace function app_private.expire_waits(hospital_id uuid)
returns integer
language plpgsql
as $$
declare
  today date;
  expired integer;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = expire_waits.hospital_id;

  with over as materialized (
    select waitlist_entry.hospital_id, waitlist_entry.id
    from app_public.waitlist_entry
    where waitlist_entry.hospital_id = expire_waits.hospital_id
      and waitlist_entry.status = 'waiting'
      and waitlist_entry.last_day < today
    order by waitlist_entry.id
    for no key update skip locked
  )
  update app_public.waitlist_entry
  set status = 'expired'
  from over
  where waitlist_entry.hospital_id = over.hospital_id and waitlist_entry.id = over.id;
  get diagnostics expired = row_count;
  return expired;
end
$$;

comment on function app_private.expire_waits(uuid) is
  'Ends the waits of a hospital whose days have passed; returns how many.';

revoke execute on function app_private.expire_waits(uuid) from public;
grant execute on function app_private.expire_waits(uuid) to app_worker;
--! EndIncluded functions/waitlist/expire_waits.sql
--! Included functions/waitlist/refuse_unreachable_entry.sql
-- Why leaving reached no entry: there is none (or none that this caller may see), it has ended, or its
-- open offer is of a calendar that is not this caller's to change.
create or replace function app_private.refuse_unreachable_entry(hospital_id uuid, entry_id uuid)
returns void
language plpgsql stable
as $$
declare
  present record;
begin
  select waitlist_entry.status, waitlist_entry.ended_at is not null as has_ended into present
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = refuse_unreachable_entry.hospital_id
    and waitlist_entry.id = refuse_unreachable_entry.entry_id;
  perform app_private.refuse(
    case
      when present.has_ended then 'no_longer_waiting'
      when not present.has_ended then 'forbidden'
      else 'waitlist_entry_not_found'
    end,
    jsonb_strip_nulls(jsonb_build_object('waitlist_entry_id', entry_id, 'status', present.status)));
end
$$;

comment on function app_private.refuse_unreachable_entry(uuid, uuid) is
  'Refuses with the reason why a place on the waitlist could not be left; never returns.';

revoke execute on function app_private.refuse_unreachable_entry(uuid, uuid) from public;
grant execute on function app_private.refuse_unreachable_entry(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/waitlist/refuse_unreachable_entry.sql
--! Included functions/waitlist/join_waitlist.sql
-- Who may wait for what is the table's own work; see admit_waitlist_entry.
create or replace function app_public.join_waitlist(
  patient_id uuid,
  first_day date,
  last_day date,
  doctor_id uuid default null,
  specialty text default null,
  service_id uuid default null,
  location_id uuid default null,
  earliest_time time default null,
  latest_time time default null,
  reason text default null)
returns app_public.waitlist_entry
language plpgsql volatile
as $$
declare
  joined app_public.waitlist_entry;
begin
  insert into app_public.waitlist_entry (
    hospital_id, patient_id, doctor_id, specialty, service_id, location_id,
    first_day, last_day, earliest_time, latest_time, reason)
  values (
    app_private.request_hospital_id(), patient_id, doctor_id, specialty, service_id, location_id,
    first_day, last_day, earliest_time, latest_time, reason)
  returning * into joined;
  return joined;
end
$$;

comment on function app_public.join_waitlist(uuid, date, date, uuid, text, uuid, uuid, time, time, text) is
  'Puts a patient on the waitlist of a doctor or of a specialty. When a seat that suits becomes free, it is held for whoever came first and the patient is told: confirmHold accepts the offer, cancelAppointment declines it.';

revoke execute on function app_public.join_waitlist(uuid, date, date, uuid, text, uuid, uuid, time, time, text) from public;
grant execute on function app_public.join_waitlist(uuid, date, date, uuid, text, uuid, uuid, time, time, text)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/waitlist/join_waitlist.sql
--! Included functions/waitlist/leave_waitlist.sql
-- The open offer first, if there is one: its seat is freed by cancelling the held appointment under the
-- caller's own rights, and the entry waits again for a moment. The appointment is locked before the
-- entry, as by every answer. An offer can come or be answered between two looks, so there are some; what
-- the patient has confirmed meanwhile is never cancelled.
create or replace function app_public.leave_waitlist(entry_id uuid)
returns app_public.waitlist_entry
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  offered_id uuid;
  ended app_public.waitlist_entry;
begin
  for look in 1 .. 3 loop
    select waitlist_offer.appointment_id into offered_id
    from app_public.waitlist_offer
    where waitlist_offer.hospital_id = hospital
      and waitlist_offer.entry_id = leave_waitlist.entry_id
      and waitlist_offer.outcome = 'open';
    update app_public.appointment
    set status = 'cancelled'
    where appointment.hospital_id = hospital and appointment.id = offered_id and appointment.status = 'held';

    update app_public.waitlist_entry
    set status = 'cancelled'
    where waitlist_entry.hospital_id = hospital
      and waitlist_entry.id = leave_waitlist.entry_id
      and waitlist_entry.status = 'waiting'
    returning * into ended;
    if found then
      return ended;
    end if;
  end loop;
  perform app_private.refuse_unreachable_entry(hospital, entry_id);
  return null;
end
$$;

comment on function app_public.leave_waitlist(uuid) is
  'Ends a wait. A seat that is held as an open offer is freed with it.';

revoke execute on function app_public.leave_waitlist(uuid) from public;
grant execute on function app_public.leave_waitlist(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/waitlist/leave_waitlist.sql
--! Included functions/waitlist/waits_before.sql
-- How many came before. A patient may not see the others, so it runs as the owner; it tells a count and
-- nothing else. The index of who waits is read up to the entry itself, not beyond.
create or replace function app_private.waits_before(hospital_id uuid, entry app_public.waitlist_entry)
returns integer
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return (
    select count(*)
    from app_public.waitlist_entry
    where waitlist_entry.hospital_id = waits_before.hospital_id
      and waitlist_entry.status = 'waiting'
      and (waitlist_entry.doctor_id = entry.doctor_id or waitlist_entry.specialty = entry.specialty)
      and waitlist_entry.id < entry.id);
end
$$;

comment on function app_private.waits_before(uuid, app_public.waitlist_entry) is
  'How many patients who wait for the same doctor or specialty came before this entry.';

revoke execute on function app_private.waits_before(uuid, app_public.waitlist_entry) from public;
grant execute on function app_private.waits_before(uuid, app_public.waitlist_entry)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/waitlist/waits_before.sql
--! Included functions/waitlist/waitlist_position.sql
-- For whoever may see the entry; an ended wait has no position.
create or replace function app_public.waitlist_position(entry_id uuid)
returns integer
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  entry app_public.waitlist_entry;
begin
  select * into entry
  from app_public.waitlist_entry
  where waitlist_entry.hospital_id = hospital and waitlist_entry.id = entry_id;
  if not found then
    perform app_private.refuse('waitlist_entry_not_found', jsonb_build_object('waitlist_entry_id', entry_id));
  elsif entry.status not in ('waiting', 'offered') then
    return null;
  end if;
  return app_private.waits_before(hospital, entry) + 1;
end
$$;

comment on function app_public.waitlist_position(uuid) is
  'The place in the queue of those who wait for the same doctor or the same specialty: 1 is the first; null when the wait has ended.';

revoke execute on function app_public.waitlist_position(uuid) from public;
grant execute on function app_public.waitlist_position(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/waitlist/waitlist_position.sql

reset role;
