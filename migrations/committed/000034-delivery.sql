--! Previous: sha1:5de79d87acefecd3df18f10f0802aec0e73b05a5
--! Hash: sha1:70eb219caf2ea1ea5cee86cd3de80add55d70609
--! Message: delivery

--! split: 1-current.sql
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
    ('SK401', 'link_not_valid', true, 'This link is not valid any more.', 'Ask for a new one.'),
    ('SK401', 'second_factor_required', true, 'The password is right; a second factor is needed.', 'Send details.challenge with a code to /auth/login/second-factor.'),
    ('SK401', 'second_factor_enrolment_required', true, 'The password is right; your hospital requires a second factor.', 'Enrol one at /auth/totp/enroll with details.challenge.'),
    ('SK401', 'second_factor_wrong', true, 'The code is not right, or was used before.', 'Wait for the next code, or use a recovery code.'),
    ('SK401', 'challenge_not_valid', true, 'This login has taken too long, or had too many wrong codes.', 'Log in again.'),
    ('SK409', 'second_factor_exists', true, 'The account has a second factor already.', 'Disable it first.'),
    ('SK409', 'second_factor_not_found', true, 'There is no second factor.', 'Enrol one at /auth/totp/enroll.'),
    ('SK403', 'second_factor_is_required', false, 'Your hospital requires the second factor.', 'Ask another admin to reset it if you want to enrol anew.'),
    ('SK403', 'own_account', false, 'Nobody changes their own rights.', 'Ask another admin.'),
    ('SK409', 'last_admin', false, 'The hospital would be left without an active admin.', 'Make somebody else an admin first.'),
    ('SK403', 'own_emergency_access', false, 'Nobody reviews their own emergency access.', 'Ask another admin.'),
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
    ('SK422', 'role_not_possible', true, 'This role is not possible here.', 'A doctor needs a doctor''s id, the other roles none; patients stay patients.'),
    ('SK409', 'doctor_has_account', true, 'This doctor already has an account.', 'Check the doctor''s id, or change the other account first.'),
    ('SK404', 'account_not_found', true, 'There is no such account.', 'Check the account''s id.'),
    ('SK409', 'already_invited', true, 'This e-mail address is already invited.', 'Send the invitation again, or revoke it first.'),
    ('SK404', 'invitation_not_found', true, 'There is no such invitation.', 'Check the invitation''s id.'),
    ('SK409', 'invitation_not_pending', false, 'The invitation was accepted or revoked.', 'Invite again.'),
    ('SK404', 'session_not_found', true, 'There is no such session of yours.', 'Read mySessions again.'),
    ('SK404', 'emergency_access_not_found', true, 'There is no such emergency access.', 'Check its id.'),
    ('SK409', 'emergency_access_over', false, 'This emergency access has already ended.', 'Read it again.'),
    ('SK409', 'emergency_access_reviewed', false, 'This emergency access is already reviewed.', 'Read it again.'),
    ('SK409', 'too_many_emergencies', true, 'You have as many emergency accesses in force as anybody may have.', 'Wait until one has ended, or ask an admin.'),
    ('SK422', 'password_too_weak', true, 'The password is too short or too common.', 'Choose at least 12 characters that are not a common password.'),
    ('SK422', 'unknown_time_zone', true, 'The time zone is not known.', 'Give an IANA name such as Asia/Kolkata.'),
    ('SK409', 'time_zone_in_use', false, 'The time zone does not change by itself while slots lie ahead.', 'Use changeTimeZone, which carries slots, absences and counts along.'),
    ('SK404', 'job_not_found', true, 'There is no such job to ask for.', 'Choose a job of cronHealth with isManual.'),
    ('SK409', 'job_already_running', true, 'This job is running already.', 'Watch the run that details.job_run_id names, or try again when it has ended.'),
    ('SK429', 'job_requested_too_often', true, 'This job was asked for less than a minute ago.', 'Wait until details.again_at.'),
    ('SK500', 'job_failed', true, 'The job ran and failed.', 'It is tried again by itself; cronHealth and the log of the worker tell more.'),
    ('SK401', 'invalid_api_key', false, 'The API key is missing or not valid.', 'Send one of the keys of CRON_API_KEYS as x-cron-api-key.'),

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
    ('SK404', 'visit_link_invalid', true, 'This link is not valid any more.', 'The visit was moved or has begun, or the link is incomplete. Use the link of your latest message, or ask the hospital.'),
    ('SK409', 'too_many_calendar_feeds', true, 'You have as many calendar feeds as an account can have.', 'Revoke one that you do not use any more first.'),
    ('SK404', 'calendar_feed_not_found', true, 'There is no such calendar feed.', 'Check its id.'),
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
    ('SK404', 'delivery_not_found', true, 'There is no such delivery.', 'Check the delivery''s id.'),
    ('SK409', 'delivery_not_retryable', false, 'Only a delivery that was left out or given up can be tried again.', 'Read the delivery again; one that waits is tried by itself.'),
    ('SK422', 'notification_is_essential', false, 'This cannot be switched off.', 'The inbox, emergencies and the safety of your account are always told.'),
    ('SK400', 'unknown_notification_topic', true, 'Nobody is told of such an event.', 'Name an event, or appointments, requests, waitlist, reminders, security, work or all.'),
    ('SK400', 'quiet_hours_not_valid', true, 'Quiet hours need a start and another end.', 'Give both times, or none to have no quiet hours.'),

    -- The day of the visit
    ('SK409', 'not_the_day_of_the_visit', true, 'This is not the day of the visit.', 'Check in and complete on details.day; move the appointment if the patient came on another day.'),
    ('SK409', 'no_show_too_early', true, 'The visit cannot count as missed yet.', 'Wait until details.from, or give the reason patient_called if the patient said so.'),
    ('SK409', 'not_a_no_show', false, 'The visit does not count as missed.', 'Read the appointment again.'),
    ('SK409', 'seat_no_longer_free', true, 'Somebody else has this seat by now.', 'Add a seat to the slot first, or book another time for the patient.'),
    ('SK409', 'patient_is_blocked', false, 'The patient is already blocked.', 'Unblock the patient first to give another reason.'),
    ('SK409', 'patient_is_not_blocked', false, 'The patient is not blocked.', 'Read the patient again.'),
    ('SK409', 'patient_not_checked_in', true, 'The patient has not arrived, or the visit is over.', 'Check the patient in first; after the visit only corrections are taken.'),
    ('SK404', 'vitals_not_found', true, 'There are no such vital signs at this visit, or they were corrected already.', 'Correct the latest ones.'),
    -- The day of the visit: who waits, what the doctor writes, who reads it
    ('SK404', 'stage_alert_not_found', true, 'There is no such alert.', 'Check the alert''s id.'),
    ('SK409', 'illegal_alert_transition', false, 'The alert cannot change in this way from its present state.', 'Read the alert again: an active one can be acknowledged or resolved, an acknowledged one resolved.'),
    ('SK404', 'consultation_not_found', true, 'There is no such consultation.', 'Check the consultation''s id.'),
    ('SK409', 'consultation_open', true, 'A consultation is still open.', 'Complete or abandon the consultation in details first.'),
    ('SK422', 'consultation_incomplete', true, 'The consultation cannot be completed yet.', 'Add what details.missing names with updateConsultation.'),
    ('SK409', 'consultation_is_final', false, 'The consultation has ended and never changes.', 'Add to a completed consultation with addAddendum.'),
    ('SK409', 'consultation_not_completed', true, 'The consultation is not completed.', 'Write in an open consultation with updateConsultation.'),
    ('SK409', 'already_participating', false, 'The doctor already takes part in the consultation.', 'Remove the doctor first to add them in another role.'),
    ('SK409', 'one_primary_doctor', false, 'A consultation has one primary doctor, from its start to its end.', 'Choose another role or another doctor.'),
    ('SK404', 'participant_not_found', true, 'The doctor does not take part in the consultation.', 'Check both ids.'),
    ('SK403', 'record_access_denied', false, 'You have nothing to do with this medical record.', 'Ask a doctor who treats the patient; in an emergency ask for emergency access, which is recorded.'),

    -- Webhooks
    ('SK404', 'webhook_not_found', false, 'There is no such webhook subscription.', 'Check the id; it may have been deleted.'),
    ('SK409', 'webhook_not_active', false, 'This webhook subscription is not active.', 'Resume it first.'),
    ('SK422', 'unknown_webhook_event', false, 'There is no such event.', 'Name events of the list webhookEvents.'),
    ('SK404', 'webhook_delivery_not_found', false, 'There is no such webhook delivery.', 'Check the id; deliveries are kept for 30 days after their end.'),
    ('SK409', 'webhook_delivery_not_ended', false, 'This webhook delivery has not ended.', 'Wait: it is tried again by itself.'),

    -- Walls that only a hand in psql meets
    ('SK403', 'immutable_column', false, 'This column never changes.', 'Make a new row instead.'),
    ('SK403', 'counter_is_derived', false, 'Counters change only with appointments.', 'Book or cancel; a wrong count is repaired by the repair functions.'),
    ('SK403', 'archive_is_append_only', false, 'The archive is never changed.', 'Read it; what is current stands among the appointments.'),
    ('SK403', 'audit_is_append_only', false, 'The audit log is never changed.', 'Add, never edit.'),
    ('SK403', 'log_follows_what_happened', false, 'This log is written by what happens, never by hand.', 'Change the appointment or the patient instead.'),
    ('SK403', 'access_log_is_append_only', false, 'The log of who has read what is never changed.', 'Add, never edit.'),
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

create or replace trigger invitation_keeps_its_identity
  before update of hospital_id, id, email, role, doctor_id, invited_by, created_at on app_public.invitation
  for each row execute function app_private.keep_columns('invitation', 'email', 'role', 'doctor_id', 'invited_by', 'created_at');

create or replace trigger emergency_access_keeps_its_identity
  before update of hospital_id, id, account_id, patient_id, granted_at, expires_at on app_public.emergency_access
  for each row execute function app_private.keep_columns('emergency_access', 'account_id', 'patient_id', 'granted_at', 'expires_at');

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

create or replace trigger job_run_keeps_its_identity
  before update of hospital_id, id, job, started_by, requested_by, created_at on app_public.job_run
  for each row execute function app_private.keep_columns('job_run', 'job', 'started_by', 'requested_by', 'created_at');

create or replace trigger no_show_log_keeps_what_happened
  before update of hospital_id, id, appointment_id, patient_id, doctor_id, reason, slot_starts_at, timeout_minutes, status_before, is_slot_released, is_patient_notified, has_blocked_patient, marked_by, marked_at on app_public.no_show_log
  for each row execute function app_private.keep_columns('no_show_log', 'appointment_id', 'patient_id', 'doctor_id', 'reason', 'slot_starts_at', 'timeout_minutes', 'status_before', 'is_slot_released', 'is_patient_notified', 'has_blocked_patient', 'marked_by', 'marked_at');

create or replace trigger patient_block_keeps_what_happened
  before update of hospital_id, id, patient_id, is_automatic, blocked_by, blocked_at on app_public.patient_block
  for each row execute function app_private.keep_columns('patient_block', 'patient_id', 'is_automatic', 'blocked_by', 'blocked_at');

create or replace trigger vitals_keep_what_was_measured
  before update of hospital_id, id, appointment_id, patient_id, doctor_id, corrects, systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation, temperature, weight, height, recorded_by, recorded_at on app_public.vitals_entry
  for each row execute function app_private.keep_columns('vitals_entry', 'appointment_id', 'patient_id', 'doctor_id', 'corrects', 'systolic', 'diastolic', 'heart_rate', 'respiratory_rate', 'oxygen_saturation', 'temperature', 'weight', 'height', 'recorded_by', 'recorded_at');

create or replace trigger stage_alert_keeps_its_identity
  before update of hospital_id, id, appointment_id, patient_id, doctor_id, kind, waiting_since, due_at, raised_at on app_public.stage_alert
  for each row execute function app_private.keep_columns('stage_alert', 'appointment_id', 'patient_id', 'doctor_id', 'kind', 'waiting_since', 'due_at', 'raised_at');

create or replace trigger consultation_keeps_its_identity
  before update of hospital_id, id, appointment_id, patient_id, doctor_id, started_by, started_at on app_public.consultation
  for each row execute function app_private.keep_columns('consultation', 'appointment_id', 'patient_id', 'doctor_id', 'started_by', 'started_at');

create or replace trigger consultation_participant_keeps_what_happened
  before update of hospital_id, id, consultation_id, patient_id, doctor_id, role, added_by, added_at on app_public.consultation_participant
  for each row execute function app_private.keep_columns('consultation_participant', 'consultation_id', 'patient_id', 'doctor_id', 'role', 'added_by', 'added_at');
create or replace trigger notification_delivery_keeps_its_identity
  before update of hospital_id, id, notification_id, patient_id, doctor_id, account_id, channel, planned_at on app_public.notification_delivery
  for each row execute function app_private.keep_columns('notification_delivery', 'notification_id', 'patient_id', 'doctor_id', 'account_id', 'channel', 'planned_at');

create or replace trigger notification_preference_keeps_its_identity
  before update of hospital_id, account_id, topic, channel on app_public.notification_preference
  for each row execute function app_private.keep_columns('notification_preference', 'account_id', 'topic', 'channel');

create or replace trigger notification_setting_keeps_its_identity
  before update of hospital_id, account_id on app_public.notification_setting
  for each row execute function app_private.keep_columns('notification_setting', 'account_id');

create or replace trigger undeliverable_address_keeps_its_identity
  before update of hospital_id, channel, address_hash on app_private.undeliverable_address
  for each row execute function app_private.keep_columns('undeliverable_address', 'channel', 'address_hash');
create or replace trigger appointment_reminder_keeps_what_happened
  before update of hospital_id, appointment_id, starts_at, lead_time, notification_id, created_at on app_public.appointment_reminder
  for each row execute function app_private.keep_columns('appointment_reminder', 'appointment_id', 'starts_at', 'lead_time', 'notification_id', 'created_at');

create or replace trigger reminder_mark_keeps_its_identity
  before update of hospital_id on app_private.reminder_mark
  for each row execute function app_private.keep_columns('reminder_mark');

create or replace trigger calendar_feed_keeps_its_identity
  before update of hospital_id, id, account_id, created_at on app_public.calendar_feed
  for each row execute function app_private.keep_columns('calendar_feed', 'account_id', 'created_at');

create or replace trigger calendar_feed_secret_keeps_its_identity
  before update of hospital_id, token_hash, feed_id on app_private.calendar_feed_secret
  for each row execute function app_private.keep_columns('calendar_feed_secret', 'token_hash', 'feed_id');

create or replace trigger webhook_subscription_keeps_its_identity
  before update of hospital_id, id, created_by, created_at on app_public.webhook_subscription
  for each row execute function app_private.keep_columns('webhook_subscription', 'created_by', 'created_at');

create or replace trigger webhook_secret_keeps_its_identity
  before update of hospital_id, id, subscription_id, secret on app_private.webhook_secret
  for each row execute function app_private.keep_columns('webhook_secret', 'subscription_id', 'secret');

create or replace trigger webhook_delivery_keeps_what_happened
  before update of hospital_id, id, subscription_id, event, event_id, payload, occurred_at, created_at on app_public.webhook_delivery
  for each row execute function app_private.keep_columns('webhook_delivery', 'subscription_id', 'event', 'event_id', 'payload', 'occurred_at', 'created_at');
--! EndIncluded functions/foundation/keep_columns.sql
--! Included functions/audit/record_audit.sql
-- One audit entry a changed row, in the same transaction, for every client. Runs as the owner, so
-- that no request role needs a right to write the log, and takes the actor from the claims.
-- Trigger arguments: the table's name; the column that identifies a record within its hospital; columns
-- whose values the log withholds: admins read the log, and what doctors write about patients is read
-- with a trace only.
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
  if tg_nargs > 2 then
    before := app_private.withhold(before, tg_argv[2:]);
    after := app_private.withhold(after, tg_argv[2:]);
    changed := app_private.withhold(changed, tg_argv[2:]);
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

-- What somebody asked for, not what the clock and changes start.
create or replace trigger job_request_is_audited
  after insert on app_public.job_run
  for each row when (new.started_by = 'manual')
  execute function app_private.record_audit('job_run');

create or replace trigger stage_alert_is_audited
  after insert or update on app_public.stage_alert
  for each row execute function app_private.record_audit('stage_alert');

-- Alerts go with their appointment to its row in the archive.
create or replace trigger stage_alert_removal_is_audited
  after delete on app_public.stage_alert
  for each row when (coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('stage_alert');

create or replace trigger consultation_is_audited
  after insert or update or delete on app_public.consultation
  for each row execute function app_private.record_audit(
    'consultation', 'id', 'chief_complaint', 'diagnosis', 'notes', 'abandon_reason');

create or replace trigger consultation_participant_is_audited
  after insert or delete on app_public.consultation_participant
  for each row execute function app_private.record_audit('consultation_participant');

create or replace trigger consultation_addendum_is_audited
  after insert or update or delete on app_public.consultation_addendum
  for each row execute function app_private.record_audit('consultation_addendum', 'id', 'text');
create or replace trigger invitation_is_audited
  after insert or update or delete on app_public.invitation
  for each row execute function app_private.record_audit('invitation');

create or replace trigger emergency_access_is_audited
  after insert or update or delete on app_public.emergency_access
  for each row execute function app_private.record_audit('emergency_access');
-- That a feed was made, revoked or removed; when a program last read it is no decision.
create or replace trigger calendar_feed_is_audited
  after insert or update of revoked_at or delete on app_public.calendar_feed
  for each row execute function app_private.record_audit('calendar_feed');

-- What is decided of a subscription, not how its target fares; secrets stand elsewhere.
create or replace trigger webhook_subscription_is_audited
  after insert or update of name, url, events, status, secret_rotated_at or delete on app_public.webhook_subscription
  for each row execute function app_private.record_audit('webhook_subscription');
--! EndIncluded functions/audit/record_audit.sql
--! Included functions/notifications/event_group.sql
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
--! EndIncluded functions/notifications/event_group.sql
--! Included functions/notifications/is_essential.sql
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
--! EndIncluded functions/notifications/is_essential.sql
--! Included functions/notifications/wants_channel.sql
-- The preference that counts for an event: its own goes before that of its group, and that before all.
create or replace function app_private.wants_channel(
  hospital_id uuid, account_id uuid, event text, channel app_public.delivery_channel)
returns boolean
language plpgsql stable
as $$
begin
  return (
    select preference.is_on
    from app_public.notification_preference as preference
    where preference.hospital_id = wants_channel.hospital_id
      and preference.account_id = wants_channel.account_id
      and preference.channel = wants_channel.channel
      and preference.topic in (event, app_private.event_group(event), 'all')
    order by preference.topic = event desc, preference.topic = 'all'
    limit 1);
end
$$;

comment on function app_private.wants_channel(uuid, uuid, text, app_public.delivery_channel) is
  'What an account has chosen for an event and a channel; null where it has chosen nothing.';

revoke execute on function app_private.wants_channel(uuid, uuid, text, app_public.delivery_channel) from public;
--! EndIncluded functions/notifications/wants_channel.sql
--! Included functions/notifications/end_of_quiet_hours.sql
-- Both ends are read on the wall clock of the zone, so that quiet hours are as long as the night is where
-- the clocks change. An end that the clocks skip becomes the instant at which they skip it or shortly
-- after; one that they pass twice never lies before the instant that was asked for.
create or replace function app_private.end_of_quiet_hours(
  instant timestamptz, quiet_from time, quiet_until time, time_zone text)
returns timestamptz
language sql stable parallel safe
return case
  when quiet_from < quiet_until
      and (instant at time zone time_zone)::time >= quiet_from
      and (instant at time zone time_zone)::time < quiet_until
    or quiet_from > quiet_until and (instant at time zone time_zone)::time < quiet_until
  then greatest(instant, ((instant at time zone time_zone)::date + quiet_until) at time zone time_zone)
  when quiet_from > quiet_until and (instant at time zone time_zone)::time >= quiet_from
  then greatest(instant, ((instant at time zone time_zone)::date + 1 + quiet_until) at time zone time_zone)
  else instant
end;

comment on function app_private.end_of_quiet_hours(timestamptz, time, time, text) is
  'The instant itself, or the end of the quiet hours in which it lies.';

revoke execute on function app_private.end_of_quiet_hours(timestamptz, time, time, text) from public;
--! EndIncluded functions/notifications/end_of_quiet_hours.sql
--! Included functions/notifications/mask_address.sql
create or replace function app_private.mask_address(address text) returns text
language sql immutable parallel safe
return case
  when address like '%@%' then left(address, 1) || '***' || substring(address from '@[^@]*$')
  else '***' || right(address, 2)
end;

comment on function app_private.mask_address(text) is
  'Enough of an address for its owner to know it: the first letter and the domain, or the last two digits.';

revoke execute on function app_private.mask_address(text) from public;
--! EndIncluded functions/notifications/mask_address.sql
--! Included functions/notifications/hash_address.sql
create or replace function app_private.hash_address(
  hospital_id uuid, channel app_public.delivery_channel, address text)
returns bytea
language sql stable parallel safe
return sha256(convert_to(hospital_id::text || '/' || channel::text || '/' || lower(address), 'UTF8'));

comment on function app_private.hash_address(uuid, app_public.delivery_channel, text) is
  'How an address is remembered that cannot be reached: not readable, and not the same in two hospitals.';

revoke execute on function app_private.hash_address(uuid, app_public.delivery_channel, text) from public;
--! EndIncluded functions/notifications/hash_address.sql
--! Included functions/notifications/reachable_at.sql
-- Where the readers of these notifications can be reached today: by what the patient has left, else by
-- the account. Doctors and staff have the address of their account; chat knows people by that address,
-- and patients are not in it. An account that is switched off reaches nobody.
create or replace function app_private.reachable_at(hospital_id uuid, notification_ids uuid[])
returns table (notification_id uuid, reader_account_id uuid, email text, phone text, chat text)
language plpgsql stable rows 100
as $$
begin
  return query
    select notification.id, account.id,
      case when notification.patient_id is not null then coalesce(patient.email, account.email) else account.email end,
      patient.phone,
      case when notification.patient_id is null then account.email end
    from app_public.notification
    left join app_public.patient
      on patient.hospital_id = reachable_at.hospital_id and patient.id = notification.patient_id
    left join lateral (
      select login.id, login.email
      from app_public.account as login
      where login.hospital_id = reachable_at.hospital_id and login.id = notification.account_id and login.is_active
      union all
      select login.id, login.email
      from app_public.account as login
      where login.hospital_id = reachable_at.hospital_id and login.doctor_id = notification.doctor_id and login.is_active
      union all
      select login.id, login.email
      from app_public.account as login
      where login.hospital_id = reachable_at.hospital_id and login.patient_id = notification.patient_id and login.is_active
    ) as account on true
    where notification.hospital_id = reachable_at.hospital_id and notification.id = any (notification_ids);
end
$$;

comment on function app_private.reachable_at(uuid, uuid[]) is
  'The account and the addresses of the readers of notifications; null where there is none.';

revoke execute on function app_private.reachable_at(uuid, uuid[]) from public;
--! EndIncluded functions/notifications/reachable_at.sql
--! Included functions/notifications/is_too_late.sql
-- What is told too late only confuses. About a visit that was ahead when it happened: once the visit has
-- begun. Everything else: a day after it happened. That a doctor cancels the visit is worth knowing
-- three days long, also for somebody who stood before a closed door.
create or replace function app_private.is_too_late(
  event text, told_at timestamptz, starts_at timestamptz, instant timestamptz)
returns boolean
language sql immutable parallel safe
return case
  when event in ('doctor_emergency', 'doctor_unavailable') then told_at < instant - interval '72 hours'
  else told_at < instant - interval '24 hours'
    or coalesce(starts_at > told_at and starts_at <= instant, false)
end;

comment on function app_private.is_too_late(text, timestamptz, timestamptz, timestamptz) is
  'Whether an event that was told at told_at, about a visit at starts_at, is no news any more.';

revoke execute on function app_private.is_too_late(text, timestamptz, timestamptz, timestamptz) from public;
--! EndIncluded functions/notifications/is_too_late.sql
--! Included functions/notifications/retry_pause.sql
-- A minute, then two, four, up to an hour; between half and one and a half times that, so that what
-- failed together is not tried together.
create or replace function app_private.retry_pause(attempts integer) returns interval
language sql volatile
return least(interval '1 minute' * power(2, least(greatest(attempts, 1), 10) - 1), interval '1 hour')
  * (0.5 + random());

comment on function app_private.retry_pause(integer) is 'How long to wait after so many failed attempts, with a share of chance.';

revoke execute on function app_private.retry_pause(integer) from public;
--! EndIncluded functions/notifications/retry_pause.sql
--! Included functions/notifications/plan_deliveries.sql
-- Decides, for each of these notifications and each channel that it or its reader names, whether it goes
-- out and when; a pair that is planned already stays as it is, so it may be asked as often as one likes.
-- The inbox has it already. Normal ones wait for the end of quiet hours, high ones never. Who has no
-- account gets what the notification says. Returns the channels by which something is to be sent now.
-- Definer, because no role may write deliveries nor read the notifications of others.
create or replace function app_private.plan_deliveries(hospital_id uuid, notification_ids uuid[])
returns text[]
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  due text[];
begin
  with wanted as materialized (
    select notification.id, notification.patient_id, notification.doctor_id, notification.account_id,
      notification.event, notification.priority, way.channel,
      case way.channel when 'email' then reader.email when 'sms' then reader.phone when 'chat' then reader.chat end as address,
      case when notification.priority = 'high' or setting.quiet_from is null then instant
        else app_private.end_of_quiet_hours(
          instant, setting.quiet_from, setting.quiet_until, coalesce(setting.time_zone, hospital.time_zone))
      end as send_at,
      way.channel::text = any (notification.channels) as is_given,
      way.channel <> 'in_app' and reader.reader_account_id is not null as has_choice,
      reader.reader_account_id
    from app_public.notification
    join app_public.hospital on hospital.id = plan_deliveries.hospital_id
    join app_private.reachable_at(plan_deliveries.hospital_id, notification_ids) as reader
      on reader.notification_id = notification.id
    left join app_public.notification_setting as setting
      on setting.hospital_id = plan_deliveries.hospital_id and setting.account_id = reader.reader_account_id
    cross join unnest(enum_range(null::app_public.delivery_channel)) as way (channel)
    where notification.hospital_id = plan_deliveries.hospital_id and notification.id = any (notification_ids)
  ), chosen as (
    select wanted.*,
      case when wanted.has_choice then app_private.wants_channel(
        plan_deliveries.hospital_id, wanted.reader_account_id, wanted.event, wanted.channel) end as choice
    from wanted
  ), judged as (
    select chosen.*,
      case
        when chosen.channel = 'in_app' then 'in_inbox'
        when not coalesce(chosen.choice, true) and not app_private.is_essential(chosen.event) then 'switched_off'
        when chosen.address is null then 'no_address'
        when undeliverable.address_hash is not null then 'undeliverable_address'
      end as outcome
    from chosen
    left join app_private.undeliverable_address as undeliverable
      on undeliverable.hospital_id = plan_deliveries.hospital_id and undeliverable.channel = chosen.channel
      and undeliverable.address_hash = app_private.hash_address(plan_deliveries.hospital_id, chosen.channel, chosen.address)
    where chosen.is_given or chosen.choice
  ), planned as (
    insert into app_public.notification_delivery (
      hospital_id, notification_id, patient_id, doctor_id, account_id, channel, status, next_attempt_at,
      outcome, address, planned_at, ended_at)
    select plan_deliveries.hospital_id, judged.id, judged.patient_id, judged.doctor_id, judged.account_id, judged.channel,
      case when judged.outcome is null then 'pending' when judged.outcome = 'in_inbox' then 'sent' else 'skipped'
      end::app_public.delivery_status,
      case when judged.outcome is null then judged.send_at end,
      judged.outcome,
      app_private.mask_address(judged.address),
      instant,
      case when judged.outcome is not null then instant end
    from judged
    order by judged.id, judged.channel
    on conflict on constraint a_notification_goes_out_once_by_each_channel do nothing
    returning channel, next_attempt_at
  )
  select coalesce(array_agg(distinct planned.channel::text), '{}') into due
  from planned
  where planned.next_attempt_at <= instant;
  return due;
end
$$;

comment on function app_private.plan_deliveries(uuid, uuid[]) is
  'Plans the deliveries of notifications of a hospital that have none, and returns the channels with something to send now.';

revoke execute on function app_private.plan_deliveries(uuid, uuid[]) from public;
grant execute on function app_private.plan_deliveries(uuid, uuid[]) to app_worker;
--! EndIncluded functions/notifications/plan_deliveries.sql
--! Included functions/notifications/unplanned_notifications.sql
-- What a lost message left: notifications of the last hours without a delivery. Ids carry the time at
-- which they were made, so those of the last hours are one range of the key, however many are older; the
-- last minutes are left to the messages that are on their way. Definer, because the worker may not read
-- notifications; it is told ids only.
create or replace function app_private.unplanned_notifications(hospital_id uuid, most integer default 500)
returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  now_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
  oldest uuid := (lpad(to_hex(now_ms - 6 * 3600 * 1000), 12, '0') || repeat('0', 20))::uuid;
  youngest uuid := (lpad(to_hex(now_ms - 60 * 1000), 12, '0') || repeat('0', 20))::uuid;
begin
  return query
    select notification.id
    from app_public.notification
    where notification.hospital_id = unplanned_notifications.hospital_id
      and notification.id >= oldest and notification.id < youngest
      and not exists (
        select from app_public.notification_delivery as delivery
        where delivery.hospital_id = unplanned_notifications.hospital_id and delivery.notification_id = notification.id)
    order by notification.id
    limit most;
end
$$;

comment on function app_private.unplanned_notifications(uuid, integer) is
  'Ids of the notifications of the last six hours, but for the last minute, for which no delivery is planned.';

revoke execute on function app_private.unplanned_notifications(uuid, integer) from public;
grant execute on function app_private.unplanned_notifications(uuid, integer) to app_worker;
--! EndIncluded functions/notifications/unplanned_notifications.sql
--! Included functions/notifications/due_channels.sql
-- One look by index a channel, whatever the planner knows: of a table in which nearly everything was sent
-- long ago it would rather read all to find the first row that was not. Leases last by the time that really passes.
create or replace function app_private.due_channels(hospital_id uuid)
returns app_public.delivery_channel[]
language plpgsql stable
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select way.channel
    from unnest(array['email', 'sms', 'chat']::app_public.delivery_channel[]) as way (channel)
    where exists (
      select from app_public.notification_delivery as delivery
      where delivery.hospital_id = due_channels.hospital_id and delivery.channel = way.channel
        and delivery.status in ('pending', 'sending')
        and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
        and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end));
end
$$;

comment on function app_private.due_channels(uuid) is 'The channels by which a hospital has something to send now.';

revoke execute on function app_private.due_channels(uuid) from public;
grant execute on function app_private.due_channels(uuid) to app_worker;
--! EndIncluded functions/notifications/due_channels.sql
--! Included functions/notifications/claim_deliveries.sql
-- Takes what is due of one channel for sending, at most so many, and gives it a lease: who does not say
-- until then how it went is taken for dead, and somebody else sends it again under the same id. Those
-- who claim side by side skip what another one holds. On the way what is no news any more is left out,
-- what was tried too often is given up, and addresses are looked up anew: an address that changed since
-- it was planned is the one that counts, one that is gone or known to be dead gets nothing.
-- Leases last by the time that really passes, not by clock(): a clock that jumps ahead must not make those
-- who are sending look dead, or everything on its way would go out twice.
-- A call that returns nothing means that nothing is due. Definer, because no role may write deliveries
-- nor read the words of others.
create or replace function app_private.claim_deliveries(
  hospital_id uuid, channel app_public.delivery_channel, most integer default 50,
  lease_time interval default '5 minutes', most_attempts integer default 8)
returns setof app_private.claimed_delivery
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
  new_lease uuid := app_private.new_id();
  due uuid[];
  told uuid[];
  has_claimed boolean := false;
begin
  while not has_claimed loop
    select array_agg(candidate.id), array_agg(candidate.notification_id) into due, told
    from (
      select delivery.id, delivery.notification_id
      from app_public.notification_delivery as delivery
      where delivery.hospital_id = claim_deliveries.hospital_id and delivery.channel = claim_deliveries.channel
        and delivery.status in ('pending', 'sending')
        and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
        and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end
      order by coalesce(delivery.next_attempt_at, delivery.leased_until)
      limit most
      for no key update skip locked
    ) as candidate;
    if due is null then
      return;
    end if;

    with facts as materialized (
      select delivery.id, delivery.attempts, reader.address,
        case
          when app_private.is_too_late(notification.event, notification.created_at, appointment.starts_at, instant)
            then 'too_late'
          when delivery.attempts >= most_attempts then 'gave_up'
          when reader.address is null then 'no_address'
          when undeliverable.address_hash is not null then 'undeliverable_address'
        end as outcome
      from app_public.notification_delivery as delivery
      join app_public.notification
        on notification.hospital_id = claim_deliveries.hospital_id and notification.id = delivery.notification_id
      left join app_public.appointment
        on appointment.hospital_id = claim_deliveries.hospital_id and appointment.id = notification.appointment_id
      join (
        select known.notification_id,
          case claim_deliveries.channel when 'email' then known.email when 'sms' then known.phone else known.chat end as address
        from app_private.reachable_at(claim_deliveries.hospital_id, told) as known
      ) as reader on reader.notification_id = delivery.notification_id
      left join app_private.undeliverable_address as undeliverable
        on undeliverable.hospital_id = claim_deliveries.hospital_id
        and undeliverable.channel = claim_deliveries.channel
        and undeliverable.address_hash
          = app_private.hash_address(claim_deliveries.hospital_id, claim_deliveries.channel, reader.address)
      where delivery.hospital_id = claim_deliveries.hospital_id and delivery.id = any (due)
    )
    update app_public.notification_delivery as delivery
    set status = case when facts.outcome is null then 'sending' when facts.outcome = 'gave_up' then 'failed' else 'skipped'
        end::app_public.delivery_status,
      attempts = delivery.attempts + case when facts.outcome is null then 1 else 0 end,
      next_attempt_at = null,
      leased_until = case when facts.outcome is null then now() + lease_time end,
      lease = case when facts.outcome is null then new_lease end,
      outcome = facts.outcome,
      address = app_private.mask_address(facts.address),
      ended_at = case when facts.outcome is not null then instant end
    from facts
    where delivery.hospital_id = claim_deliveries.hospital_id and delivery.id = facts.id;

    return query
      select delivery.id, notification.id, delivery.lease, notification.event, notification.priority,
        case claim_deliveries.channel when 'email' then known.email when 'sms' then known.phone else known.chat end,
        notification.title, notification.body
      from app_public.notification_delivery as delivery
      join app_public.notification
        on notification.hospital_id = claim_deliveries.hospital_id and notification.id = delivery.notification_id
      join app_private.reachable_at(claim_deliveries.hospital_id, told) as known
        on known.notification_id = delivery.notification_id
      where delivery.hospital_id = claim_deliveries.hospital_id and delivery.id = any (due) and delivery.lease = new_lease
      order by (notification.priority = 'high') desc, delivery.id;
    has_claimed := found;
  end loop;
end
$$;

comment on function app_private.claim_deliveries(uuid, app_public.delivery_channel, integer, interval, integer) is
  'Takes the due deliveries of a channel of a hospital for sending, at most so many, until a lease ends.';

revoke execute on function app_private.claim_deliveries(uuid, app_public.delivery_channel, integer, interval, integer) from public;
grant execute on function app_private.claim_deliveries(uuid, app_public.delivery_channel, integer, interval, integer) to app_worker;
--! EndIncluded functions/notifications/claim_deliveries.sql
--! Included functions/notifications/settle_delivery.sql
-- Says how a try went. Only the try that holds the lease may: who comes after its lease was given to
-- another one changes nothing, so that a delivery is marked once. An answer of kind
--   sent      ends it;
--   rejected  ends it, because trying again is no use; an address that does not exist is remembered;
--   failed    is tried again later and later, outside of quiet hours, and given up after so many;
--   unsent    was not tried, because the transport is away or the worker stops: it counts as no attempt.
-- Definer, because no role may write deliveries.
create or replace function app_private.settle_delivery(
  hospital_id uuid, delivery_id uuid, lease uuid, kind text, error text default null, reference text default null,
  bad_address text default null, most_attempts integer default 8)
returns app_public.delivery_status
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  short_error text := left(error, 500);
  held app_public.notification_delivery;
  next_time timestamptz;
  settled app_public.delivery_status;
begin
  select * into held
  from app_public.notification_delivery as delivery
  where delivery.hospital_id = settle_delivery.hospital_id and delivery.id = delivery_id
    and delivery.status = 'sending' and delivery.lease = settle_delivery.lease
  for no key update;
  if not found then
    return null;
  end if;

  settled := case
    when kind = 'sent' then 'sent'
    when kind = 'rejected' or kind = 'failed' and held.attempts >= most_attempts then 'failed'
    else 'pending'
  end::app_public.delivery_status;
  if settled = 'pending' then
    next_time := instant + app_private.retry_pause(case kind when 'failed' then held.attempts else 1 end);
    select coalesce(
        case when notification.priority = 'normal' then app_private.end_of_quiet_hours(
          next_time, setting.quiet_from, setting.quiet_until, coalesce(setting.time_zone, hospital.time_zone)) end,
        next_time)
    into next_time
    from app_public.notification
    join app_public.hospital on hospital.id = settle_delivery.hospital_id
    join app_private.reachable_at(settle_delivery.hospital_id, array[held.notification_id]) as reader
      on reader.notification_id = notification.id
    left join app_public.notification_setting as setting
      on setting.hospital_id = settle_delivery.hospital_id and setting.account_id = reader.reader_account_id
    where notification.hospital_id = settle_delivery.hospital_id and notification.id = held.notification_id;
  end if;

  update app_public.notification_delivery as delivery
  set status = settled,
    attempts = case when kind = 'unsent' then delivery.attempts - 1 else delivery.attempts end,
    next_attempt_at = next_time,
    leased_until = null,
    lease = null,
    outcome = case
      when settled = 'sent' then 'delivered'
      when kind = 'rejected' then 'rejected'
      when settled = 'failed' then 'gave_up'
    end,
    last_error = case when settled = 'sent' then null else coalesce(short_error, delivery.last_error) end,
    reference = coalesce(left(settle_delivery.reference, 500), delivery.reference),
    ended_at = case when settled <> 'pending' then instant end
  where delivery.hospital_id = settle_delivery.hospital_id and delivery.id = delivery_id;

  if kind = 'rejected' and bad_address is not null then
    insert into app_private.undeliverable_address (hospital_id, channel, address_hash, since)
    values (settle_delivery.hospital_id, held.channel,
      app_private.hash_address(settle_delivery.hospital_id, held.channel, bad_address), instant)
    on conflict do nothing;
  end if;
  return settled;
end
$$;

comment on function app_private.settle_delivery(uuid, uuid, uuid, text, text, text, text, integer) is
  'Says how a try of a delivery went, and returns its state; null when the lease is not that of the caller any more.';

revoke execute on function app_private.settle_delivery(uuid, uuid, uuid, text, text, text, text, integer) from public;
grant execute on function app_private.settle_delivery(uuid, uuid, uuid, text, text, text, text, integer) to app_worker;
--! EndIncluded functions/notifications/settle_delivery.sql
--! Included functions/notifications/skip_deliveries.sql
-- What is due on a channel that this installation has no transport for. It is left out and not kept: who
-- gets a transport later does not want the news of weeks to go out at once. Definer, because no role may
-- write deliveries.
create or replace function app_private.skip_deliveries(hospital_id uuid, channel app_public.delivery_channel)
returns integer
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
  skipped integer;
begin
  with due as materialized (
    select delivery.id
    from app_public.notification_delivery as delivery
    where delivery.hospital_id = skip_deliveries.hospital_id and delivery.channel = skip_deliveries.channel
      and delivery.status in ('pending', 'sending')
      and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
      and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end
    order by coalesce(delivery.next_attempt_at, delivery.leased_until)
    limit 1000
    for no key update skip locked
  )
  update app_public.notification_delivery as delivery
  set status = 'skipped', outcome = 'no_transport', next_attempt_at = null, leased_until = null, lease = null,
    ended_at = instant
  from due
  where delivery.hospital_id = skip_deliveries.hospital_id and delivery.id = due.id;
  get diagnostics skipped = row_count;
  return skipped;
end
$$;

comment on function app_private.skip_deliveries(uuid, app_public.delivery_channel) is
  'Leaves out the due deliveries of a channel without a transport, at most 1000, and returns how many.';

revoke execute on function app_private.skip_deliveries(uuid, app_public.delivery_channel) from public;
grant execute on function app_private.skip_deliveries(uuid, app_public.delivery_channel) to app_worker;
--! EndIncluded functions/notifications/skip_deliveries.sql
--! Included functions/notifications/guard_delivery.sql
-- The life of a delivery, for every client: it waits, is sent, ends. What was sent stays sent; what was
-- left out or given up starts anew when an admin says so, and so does its address: whoever retries knows
-- better than what a mail server said once. Definer, because nobody may write what is remembered of
-- addresses.
create or replace function app_private.guard_delivery() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status in ('skipped', 'failed') and new.status = 'pending' and old.channel <> 'in_app' then
    new.attempts := 0;
    new.next_attempt_at := instant;
    new.leased_until := null;
    new.lease := null;
    new.outcome := null;
    new.ended_at := null;
    delete from app_private.undeliverable_address as undeliverable
    using app_private.reachable_at(old.hospital_id, array[old.notification_id]) as reader
    where undeliverable.hospital_id = old.hospital_id and undeliverable.channel = old.channel
      and undeliverable.address_hash = app_private.hash_address(old.hospital_id, old.channel,
        case old.channel when 'email' then reader.email when 'sms' then reader.phone else reader.chat end);
  elsif app_private.actor_role() not in ('worker', 'operator')
    or (old.status, new.status) not in (
      ('pending', 'sending'), ('pending', 'skipped'), ('pending', 'failed'),
      ('sending', 'sending'), ('sending', 'pending'), ('sending', 'sent'), ('sending', 'skipped'), ('sending', 'failed'))
  then
    perform app_private.refuse('delivery_not_retryable', jsonb_build_object('delivery_id', old.id, 'status', old.status));
  end if;
  return new;
end
$$;

comment on function app_private.guard_delivery() is
  'Trigger: lets a delivery take its course, and start anew after it was left out or given up.';

revoke execute on function app_private.guard_delivery() from public;

create or replace trigger delivery_takes_its_course
  before update of status on app_public.notification_delivery
  for each row execute function app_private.guard_delivery();
--! EndIncluded functions/notifications/guard_delivery.sql
--! Included functions/notifications/retry_delivery.sql
create or replace function app_public.retry_delivery(delivery_id uuid)
returns app_public.notification_delivery
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  retried app_public.notification_delivery;
begin
  update app_public.notification_delivery as delivery
  set status = 'pending'
  where delivery.hospital_id = hospital and delivery.id = delivery_id
  returning * into retried;
  if not found then
    perform app_private.refuse('delivery_not_found', jsonb_build_object('delivery_id', delivery_id));
  end if;
  return retried;
end
$$;

comment on function app_public.retry_delivery(uuid) is
  'Tries a delivery again that was left out or given up, within a minute, also to an address that was refused before. What is no news any more is left out again.';

revoke execute on function app_public.retry_delivery(uuid) from public;
grant execute on function app_public.retry_delivery(uuid) to app_admin;
--! EndIncluded functions/notifications/retry_delivery.sql
--! Included functions/notifications/guard_preference.sql
create or replace function app_private.guard_preference() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.topic not in ('appointments', 'requests', 'waitlist', 'reminders', 'security', 'work', 'all')
    and not exists (select from app_public.notification_template where notification_template.event = new.topic)
  then
    perform app_private.refuse('unknown_notification_topic', jsonb_build_object('topic', new.topic));
  end if;
  if new.channel = 'in_app' or not new.is_on and app_private.is_essential(new.topic) then
    perform app_private.refuse('notification_is_essential',
      jsonb_build_object('topic', new.topic, 'channel', new.channel));
  end if;
  new.changed_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.guard_preference() is
  'Trigger: refuses topics that nobody is told of, and switching off what nobody can.';

revoke execute on function app_private.guard_preference() from public;

create or replace trigger preference_is_possible
  before insert or update on app_public.notification_preference
  for each row execute function app_private.guard_preference();
--! EndIncluded functions/notifications/guard_preference.sql
--! Included functions/notifications/guard_quiet_hours.sql
create or replace function app_private.guard_quiet_hours() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.time_zone is not null
    and not exists (select from pg_catalog.pg_timezone_names where pg_timezone_names.name = new.time_zone)
  then
    perform app_private.refuse('unknown_time_zone', jsonb_build_object('time_zone', new.time_zone));
  end if;
  if (new.quiet_from is null) <> (new.quiet_until is null) or new.quiet_from = new.quiet_until then
    perform app_private.refuse('quiet_hours_not_valid',
      jsonb_build_object('quiet_from', new.quiet_from, 'quiet_until', new.quiet_until));
  end if;
  new.changed_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.guard_quiet_hours() is
  'Trigger: quiet hours have a start and another end, in a zone that Postgres knows.';

revoke execute on function app_private.guard_quiet_hours() from public;

create or replace trigger quiet_hours_are_possible
  before insert or update on app_public.notification_setting
  for each row execute function app_private.guard_quiet_hours();
--! EndIncluded functions/notifications/guard_quiet_hours.sql
--! Included functions/notifications/set_notification_preference.sql
-- One's own: row-level security lets nobody write for another account.
create or replace function app_public.set_notification_preference(
  topic text, channel app_public.delivery_channel, is_on boolean)
returns app_public.notification_preference
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  chosen app_public.notification_preference;
begin
  insert into app_public.notification_preference as preference (hospital_id, account_id, topic, channel, is_on)
  values (hospital, app_private.claim_account_id(), set_notification_preference.topic,
    set_notification_preference.channel, set_notification_preference.is_on)
  on conflict on constraint notification_preference_pkey do update
  set is_on = excluded.is_on
  returning * into chosen;
  return chosen;
end
$$;

comment on function app_public.set_notification_preference(text, app_public.delivery_channel, boolean) is
  'Chooses whether you are told of an event, or of a group of events, by a channel. Emergencies and the safety of your account cannot be switched off.';

revoke execute on function app_public.set_notification_preference(text, app_public.delivery_channel, boolean) from public;
grant execute on function app_public.set_notification_preference(text, app_public.delivery_channel, boolean)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/notifications/set_notification_preference.sql
--! Included functions/notifications/set_quiet_hours.sql
-- One's own: row-level security lets nobody write for another account.
create or replace function app_public.set_quiet_hours(
  quiet_from time default null, quiet_until time default null, time_zone text default null)
returns app_public.notification_setting
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  chosen app_public.notification_setting;
begin
  insert into app_public.notification_setting as setting (hospital_id, account_id, quiet_from, quiet_until, time_zone)
  values (hospital, app_private.claim_account_id(), set_quiet_hours.quiet_from, set_quiet_hours.quiet_until,
    set_quiet_hours.time_zone)
  on conflict on constraint notification_setting_pkey do update
  set quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, time_zone = excluded.time_zone
  returning * into chosen;
  return chosen;
end
$$;

comment on function app_public.set_quiet_hours(time, time, text) is
  'Sets the hours in which you are told nothing of normal priority but in your inbox; without times there are none.';

revoke execute on function app_public.set_quiet_hours(time, time, text) from public;
grant execute on function app_public.set_quiet_hours(time, time, text)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/notifications/set_quiet_hours.sql
--! Included functions/notifications/announce_notification.sql
-- Tells the outside, by a row, that an inbox has changed: a new notification, or one that was read on
-- one device while another shows it. Identifiers only, and whether it is new: that is sent out, what was
-- read is not. The relay carries them. It is the one place that does so, whoever leaves a notification. Definer, because readers may not write the outbox.
create or replace function app_private.announce_notification() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'notification', new.id::text, jsonb_build_object(
    'patient_id', new.patient_id, 'doctor_id', new.doctor_id, 'account_id', new.account_id,
    'notification_ids', jsonb_build_array(new.id), 'is_new', tg_op = 'INSERT'));
  return null;
end
$$;

comment on function app_private.announce_notification() is
  'Trigger: leaves a message in the outbox for a new notification and for one that was read.';

revoke execute on function app_private.announce_notification() from public;

create or replace trigger new_notification_is_announced
  after insert on app_public.notification
  for each row execute function app_private.announce_notification();

create or replace trigger reading_is_announced
  after update of read_at on app_public.notification
  for each row when ((old.read_at is null) <> (new.read_at is null))
  execute function app_private.announce_notification();
--! EndIncluded functions/notifications/announce_notification.sql
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
  login_email text;
  upcoming integer;
  visits uuid[];
  records uuid[];
  open_consultation uuid;
  addresses text[];
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
  -- Whoever writes in one holds it and comes for its appointment, which is locked here.
  select consultation.id into open_consultation
  from app_public.consultation
  where consultation.hospital_id = erase_person.hospital_id
    and consultation.patient_id = erase_person.patient_id
    and consultation.status in ('started', 'in_progress');
  if found then
    perform app_private.refuse('consultation_open',
      jsonb_build_object('patient_id', patient_id, 'consultation_id', open_consultation));
  end if;

  update app_public.patient
  set name = 'Erased patient', medical_record_number = 'erased-' || patient.id::text,
      phone = null, email = null, date_of_birth = null,
      status = 'active', blocked_at = null, blocked_reason = null, is_active = false,
      erased_at = instant, erasure_reason = erase_person.reason
  where patient.hospital_id = erase_person.hospital_id and patient.id = erase_person.patient_id
    and patient.erased_at is null;

  select array_agg(account.email), min(account.email) into addresses, login_email
  from app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id;
  update app_public.account
  set email = 'erased-' || account.id::text || '@erased.invalid', display_name = 'Erased patient', is_active = false
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and account.display_name <> 'Erased patient';
  delete from app_private.account_secret
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and account_secret.hospital_id = erase_person.hospital_id and account_secret.account_id = account.id;
  delete from app_public.calendar_feed
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and calendar_feed.hospital_id = erase_person.hospital_id and calendar_feed.account_id = account.id;

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
  perform set_config('slotkeeper.housekeeping', 'on', true);
  update app_public.no_show_log
  set comment = null, undo_reason = null
  where no_show_log.hospital_id = erase_person.hospital_id and no_show_log.patient_id = erase_person.patient_id
    and num_nonnulls(no_show_log.comment, no_show_log.undo_reason) > 0;
  update app_public.patient_block
  set reason = 'Erased', unblock_reason = null
  where patient_block.hospital_id = erase_person.hospital_id and patient_block.patient_id = erase_person.patient_id;
  perform set_config('slotkeeper.housekeeping', '', true);
  update app_public.vitals_entry
  set note = null
  where vitals_entry.hospital_id = erase_person.hospital_id and vitals_entry.patient_id = erase_person.patient_id
    and vitals_entry.note is not null;
  update app_public.waitlist_entry
  set reason = null,
      status = case when waitlist_entry.ended_at is null then 'cancelled' else waitlist_entry.status end,
      ended_at = coalesce(waitlist_entry.ended_at, instant)
  where waitlist_entry.hospital_id = erase_person.hospital_id and waitlist_entry.patient_id = erase_person.patient_id
    and (waitlist_entry.reason is not null or waitlist_entry.ended_at is null);

  update app_public.stage_alert
  set note = null
  where stage_alert.hospital_id = erase_person.hospital_id and stage_alert.appointment_id = any (visits)
    and stage_alert.note is not null;
  -- That there was a consultation, with whom and how it ended, is counted; what was said is gone.
  update app_public.consultation
  set chief_complaint = case when consultation.chief_complaint is not null then '[erased]' end,
      diagnosis = case when cardinality(consultation.diagnosis) > 0 then array['[erased]'] else '{}' end,
      notes = case when consultation.notes is not null then '[erased]' end,
      abandon_reason = case when consultation.abandon_reason is not null then '[erased]' end
  where consultation.hospital_id = erase_person.hospital_id and consultation.patient_id = erase_person.patient_id;
  update app_public.consultation_addendum
  set text = '[erased]'
  where consultation_addendum.hospital_id = erase_person.hospital_id
    and consultation_addendum.patient_id = erase_person.patient_id;
  update app_public.emergency_access
  set reason = 'Erased with the patient', review_note = null
  where emergency_access.hospital_id = erase_person.hospital_id
    and emergency_access.patient_id = erase_person.patient_id
    and emergency_access.reason <> 'Erased with the patient';
  -- Where somebody logged in from, and mails to them.
  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.security_event
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and security_event.hospital_id = erase_person.hospital_id and security_event.account_id = account.id;
  perform set_config('slotkeeper.housekeeping', '', true);
  delete from app_private.outgoing_mail
  where outgoing_mail.hospital_id = erase_person.hospital_id and outgoing_mail.address = any (addresses);
  -- What the person wished to be told, and that their addresses were refused somewhere.
  delete from app_public.notification_preference
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and notification_preference.hospital_id = erase_person.hospital_id and notification_preference.account_id = account.id;
  delete from app_public.notification_setting
  using app_public.account
  where account.hospital_id = erase_person.hospital_id and account.patient_id = erase_person.patient_id
    and notification_setting.hospital_id = erase_person.hospital_id and notification_setting.account_id = account.id;
  delete from app_private.undeliverable_address
  where undeliverable_address.hospital_id = erase_person.hospital_id
    and (undeliverable_address.channel, undeliverable_address.address_hash) in (
      ('email', app_private.hash_address(erase_person.hospital_id, 'email', person.email)),
      ('email', app_private.hash_address(erase_person.hospital_id, 'email', login_email)),
      ('sms', app_private.hash_address(erase_person.hospital_id, 'sms', person.phone)));

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
    select stage_alert.id from app_public.stage_alert
    where stage_alert.hospital_id = erase_person.hospital_id and stage_alert.appointment_id = any (visits)
    union all
    select consultation.id from app_public.consultation
    where consultation.hospital_id = erase_person.hospital_id and consultation.patient_id = erase_person.patient_id
    union all
    select consultation_addendum.id from app_public.consultation_addendum
    where consultation_addendum.hospital_id = erase_person.hospital_id
      and consultation_addendum.patient_id = erase_person.patient_id
    union all
    select emergency_access.id from app_public.emergency_access
    where emergency_access.hospital_id = erase_person.hospital_id and emergency_access.patient_id = erase_person.patient_id
    union all
    select archived.id from app_public.appointment_archive as archived
    where archived.hospital_id = erase_person.hospital_id and archived.patient_id = erase_person.patient_id
    union all
    select (move ->> 'id')::uuid
    from app_public.appointment_archive as archived cross join jsonb_array_elements(archived.moves) as move
    where archived.hospital_id = erase_person.hospital_id and archived.patient_id = erase_person.patient_id
    union all
    select (alert ->> 'id')::uuid
    from app_public.appointment_archive as archived cross join jsonb_array_elements(archived.stage_alerts) as alert
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
--! Included functions/retention/export_patient.sql
-- Everything that is stored about a person, for the person: read under the admin's own rights, but for the
-- medical part, which leaves a trace (export_medical_record): so it is volatile, and a mutation to GraphQL. Hashes and keys of requests are left out; they
-- tell nothing of a person.
create or replace function app_public.export_patient(patient_id uuid) returns jsonb
language plpgsql volatile
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
    'calendar_feeds', (
      select coalesce(jsonb_agg(to_jsonb(feed) order by feed.id), '[]')
      from app_public.account
      join app_public.calendar_feed as feed on feed.hospital_id = hospital and feed.account_id = account.id
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
    'no_shows', (
      select coalesce(jsonb_agg(to_jsonb(log) order by log.marked_at, log.id), '[]')
      from app_public.no_show_log as log
      where log.hospital_id = hospital and log.patient_id = export_patient.patient_id),
    'blocks', (
      select coalesce(jsonb_agg(to_jsonb(block) order by block.blocked_at, block.id), '[]')
      from app_public.patient_block as block
      where block.hospital_id = hospital and block.patient_id = export_patient.patient_id),
    'waitlist', (
      select coalesce(jsonb_agg(to_jsonb(entry) order by entry.created_at, entry.id), '[]')
      from app_public.waitlist_entry as entry
      where entry.hospital_id = hospital and entry.patient_id = export_patient.patient_id),
    'stage_alerts', (
      select coalesce(jsonb_agg(to_jsonb(alert) order by alert.raised_at, alert.id), '[]')
      from app_public.appointment
      join app_public.stage_alert as alert
        on alert.hospital_id = hospital and alert.appointment_id = appointment.id
      where appointment.hospital_id = hospital and appointment.patient_id = export_patient.patient_id),
    'emergency_accesses', (
      select coalesce(jsonb_agg(to_jsonb(access) order by access.granted_at, access.id), '[]')
      from app_public.emergency_access as access
      where access.hospital_id = hospital and access.patient_id = export_patient.patient_id),
    'deliveries', (
      select coalesce(jsonb_agg(to_jsonb(delivery) - 'lease' order by delivery.id), '[]')
      from app_public.notification_delivery as delivery
      where delivery.hospital_id = hospital and delivery.patient_id = export_patient.patient_id))
  into exported
  from app_public.patient
  where patient.hospital_id = hospital and patient.id = export_patient.patient_id;
  if exported is null then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return exported || app_private.export_medical_record(hospital, patient_id);
end
$$;

comment on function app_public.export_patient(uuid) is
  'Everything that the hospital stores about a person: particulars, login, appointments with the archived ones, moves, series, missed visits, blocks, waitlist, alerts, consultations with the doctors'' notes, vital signs, emergency access, what was sent to them, and who has opened the record, this export included. For admins.';

revoke execute on function app_public.export_patient(uuid) from public;
grant execute on function app_public.export_patient(uuid) to app_admin;
--! EndIncluded functions/retention/export_patient.sql
--! Included policies/notification_delivery.sql
-- Who is told sees what became of it, and admins see all of their hospital: whether, when and how, never
-- the words, which stand in the notification. Admins may try again what ended without success.
alter table app_public.notification_delivery enable row level security;
alter table app_public.notification_delivery force row level security;

grant select on app_public.notification_delivery to app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_worker, app_monitor;
grant update (status) on app_public.notification_delivery to app_admin;
-- No grant of insert, nor of update to app_worker: planning, claiming and settling are functions.

drop policy if exists patients_read_what_was_sent_to_them on app_public.notification_delivery;
create policy patients_read_what_was_sent_to_them on app_public.notification_delivery for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_read_what_was_sent_to_them on app_public.notification_delivery;
create policy doctors_read_what_was_sent_to_them on app_public.notification_delivery for select to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists staff_read_what_was_sent_to_them on app_public.notification_delivery;
create policy staff_read_what_was_sent_to_them on app_public.notification_delivery for select to app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.notification_delivery;
create policy admins_read_their_hospital on app_public.notification_delivery for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_retry_in_their_hospital on app_public.notification_delivery;
create policy admins_retry_in_their_hospital on app_public.notification_delivery for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.notification_delivery;
create policy worker_reads_all on app_public.notification_delivery for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.notification_delivery;
create policy monitor_reads_all on app_public.notification_delivery for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.notification_delivery;
create policy owner_maintains on app_public.notification_delivery for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/notification_delivery.sql
--! Included policies/notification_preference.sql
-- Everybody's own, by account: nobody sees or sets what another one wishes.
alter table app_public.notification_preference enable row level security;
alter table app_public.notification_preference force row level security;

grant select on app_public.notification_preference to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, account_id, topic, channel, is_on) on app_public.notification_preference to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (is_on) on app_public.notification_preference to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists everybody_reads_their_own on app_public.notification_preference;
create policy everybody_reads_their_own on app_public.notification_preference for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists everybody_adds_their_own on app_public.notification_preference;
create policy everybody_adds_their_own on app_public.notification_preference for insert to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists everybody_changes_their_own on app_public.notification_preference;
create policy everybody_changes_their_own on app_public.notification_preference for update to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id())
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.notification_preference;
create policy owner_maintains on app_public.notification_preference for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/notification_preference.sql
--! Included policies/notification_setting.sql
-- Everybody's own, by account: nobody sees or sets what another one wishes.
alter table app_public.notification_setting enable row level security;
alter table app_public.notification_setting force row level security;

grant select on app_public.notification_setting to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, account_id, quiet_from, quiet_until, time_zone) on app_public.notification_setting to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (quiet_from, quiet_until, time_zone) on app_public.notification_setting to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists everybody_reads_their_own on app_public.notification_setting;
create policy everybody_reads_their_own on app_public.notification_setting for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists everybody_adds_their_own on app_public.notification_setting;
create policy everybody_adds_their_own on app_public.notification_setting for insert to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists everybody_changes_their_own on app_public.notification_setting;
create policy everybody_changes_their_own on app_public.notification_setting for update to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id())
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.notification_setting;
create policy owner_maintains on app_public.notification_setting for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/notification_setting.sql
--! Included policies/undeliverable_address.sql
-- Written and read by the functions of delivery, as the owner. No role has a right.
alter table app_private.undeliverable_address enable row level security;
alter table app_private.undeliverable_address force row level security;

drop policy if exists owner_maintains on app_private.undeliverable_address;
create policy owner_maintains on app_private.undeliverable_address for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/undeliverable_address.sql

reset role;
