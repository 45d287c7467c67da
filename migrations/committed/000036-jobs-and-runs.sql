--! Previous: sha1:30a7e6ada76b9a7cdd6ca933923f45ef808845e3
--! Hash: sha1:0f542c02a7bae91479d7d8036011bbfffdf5a5a9
--! Message: jobs-and-runs

--! split: 1-current.sql
-- Runs of background jobs: functions, triggers, words and access.

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
    ('no_show', 'patient', 'normal', '{in_app,email}', 'Appointment missed', 'You did not come to your appointment with {doctor} on {starts_at}. Please cancel in time if you cannot come. If this is wrong, tell the hospital.'),
    ('patient_blocked', 'patient', 'high', '{in_app,email}', 'Booking no longer possible', 'You have missed several appointments, the last one on {starts_at}, and can no longer book yourself. Please call the hospital.'),
    ('no_show_undone', 'patient', 'normal', '{in_app,email}', 'Appointment not missed', 'It was noted by mistake that you missed your appointment with {doctor} on {starts_at}. This has been corrected.'),
    ('patient_waits', 'doctor', 'high', '{in_app}', 'A patient waits for you', '{patient}, booked for {starts_at}, is ready and has waited for you for {message} minutes.'),
    ('participant_added', 'doctor', 'high', '{in_app}', 'You are called into a consultation', 'You take part in the consultation of {patient}, {starts_at}: {message}.'),
    ('seat_offered', 'patient', 'high', '{in_app,email,sms}', 'A seat has become free', '{doctor} can see you on {starts_at}, {location}. The seat is held for you until {held_until}: confirm or cancel it.'),
    ('password_changed', 'staff', 'high', '{in_app}', 'Your password was changed', 'Your password was changed. If it was not you, ask for a new one at once and tell the hospital.'),
    ('second_factor_enabled', 'staff', 'normal', '{in_app}', 'Your second factor is on', 'From now on a code is needed to log in. If it was not you, tell the hospital at once.'),
    ('second_factor_disabled', 'staff', 'high', '{in_app}', 'Your second factor is off', 'Your login needs no code any more. If it was not you, tell the hospital at once.'),
    ('second_factor_reset', 'staff', 'high', '{in_app}', 'Your second factor was reset', 'An admin has taken your second factor away. If you did not ask for it, tell the hospital at once.'),
    ('record_opened_in_emergency', 'staff', 'high', '{in_app,email}', 'Emergency access to a record', '{doctor} opened the record of {patient} in an emergency: {reason}'),
    ('job_failing', 'staff', 'high', '{in_app,email}', 'A background job keeps failing', '{message} (job {reason}): three runs in a row have failed. cronHealth tells why; your operators can help.'),
    ('job_recovered', 'staff', 'normal', '{in_app,email}', 'A background job works again', '{message} (job {reason}): the last run succeeded.'),
    ('webhook_switched_off', 'staff', 'high', '{in_app,email}', 'A webhook was switched off', 'The webhook "{message}" was switched off because its target keeps failing. Repair the target and resume it.'),
    ('appointment_reminder', 'patient', 'normal', '{in_app,email,sms}', 'Your appointment', 'You have an appointment with {doctor} on {starts_at}, {location}.')
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
--! Included catalog/job.sql
-- The background jobs: what people call them, how often they are due, and who may ask for one.
--
-- stuck_after is counted from the last sign of life, not from the start, so that it need not be longer
-- for jobs that take long.
-- is_single: of what the crontab runs every few minutes the next run does what this one left, so a run
-- that meets another one is skipped. Not plan_night: each of its runs stands for another hour.
-- is_counted: what changes and bookings add, by the thousand on a busy day. A row for each would cost
-- more than many of these jobs themselves and tell nobody anything; short successful runs are one row
-- an hour, the others (failed, long, asked for) have a row of their own.
with wanted (name, description, expected_interval, stuck_after, is_of_hospital, is_single, is_counted, is_manual, is_external) as (
  values
    ('archive_past_years', 'Moves ended appointments of past years to the archive', null, '5 minutes', true, false, false, true, false),
    ('expire_lapsed_holds', 'Lets holds lapse that were not confirmed in time', null, '5 minutes', true, false, true, true, false),
    ('expire_lapsed_requests', 'Lets requests expire whose time has come', null, '5 minutes', true, false, true, true, false),
    ('expire_waits', 'Ends waits whose days have passed', null, '5 minutes', true, false, true, true, false),
    ('generate_slots', 'Generates slots up to the days that are stored', null, '10 minutes', true, false, true, true, false),
    ('mark_no_shows', 'Marks visits as missed to which nobody came', null, '5 minutes', true, false, true, true, false),
    ('offer_seats', 'Offers free seats to those who wait', null, '5 minutes', true, false, true, false, false),
    ('plan_deliveries', 'Plans how new notifications reach people', null, '5 minutes', true, false, true, false, false),
    ('plan_night', 'Starts the nightly jobs of each hospital', '1 hour', '5 minutes', false, false, false, false, false),
    ('plan_webhooks', 'Plans which systems are told of events', null, '5 minutes', true, false, true, false, false),
    ('raise_stage_alerts', 'Raises alerts for patients who wait too long after their arrival', null, '5 minutes', true, false, true, true, false),
    ('remove_job_runs', 'Removes what is known of runs of jobs 30 days ago', null, '5 minutes', true, false, true, false, false),
    ('remove_old_sessions', 'Removes sessions that ended long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_old_webhooks', 'Removes what is known of webhooks of long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_read_notifications', 'Removes notifications that were read long ago', null, '5 minutes', true, false, false, true, false),
    ('report_unknown_topics', 'Reports messages that no worker knows what to do with', '1 minute', '5 minutes', false, true, false, false, false),
    ('send_deliveries', 'Sends messages by mail, SMS and chat', null, '10 minutes', true, false, true, false, false),
    ('send_outgoing_mail', 'Sends mails of the login', null, '10 minutes', true, false, true, false, false),
    ('send_reminders', 'Reminds patients of their visits', null, '5 minutes', true, false, true, true, false),
    ('send_webhooks', 'Tells other systems of events', null, '5 minutes', true, false, true, false, false),
    ('sweep_deliveries', 'Finds messages whose time has come', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_lapsed_holds', 'Finds the hospitals where holds have lapsed', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_lapsed_requests', 'Finds the hospitals where requests have expired', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_no_shows', 'Finds the hospitals where somebody has not come', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_outgoing_mail', 'Finds mails of the login that are to be tried again', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_reminders', 'Finds the hospitals where a reminder is due', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_stage_alerts', 'Finds the hospitals where somebody waits too long after the arrival', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_stuck_jobs', 'Finds runs of jobs that give no sign of life', '1 minute', '5 minutes', false, true, false, false, false),
    ('sweep_waitlist', 'Finds doctors and hospitals whose waitlist has something due', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_webhooks', 'Finds webhooks whose time has come', '1 minute', '5 minutes', false, true, false, false, true),
    ('tidy_login', 'Removes what is over of logins: links, challenges, old security events', null, '5 minutes', true, false, false, true, false)
), removed as (
  delete from app_public.job where job.name not in (select wanted.name from wanted)
)
insert into app_public.job (
  name, description, expected_interval, stuck_after, is_of_hospital, is_single, is_counted, is_manual, is_external)
select name, description, expected_interval::interval, stuck_after::interval, is_of_hospital, is_single, is_counted, is_manual, is_external
from wanted
on conflict on constraint job_pkey do update
set description = excluded.description,
    expected_interval = excluded.expected_interval,
    stuck_after = excluded.stuck_after,
    is_of_hospital = excluded.is_of_hospital,
    is_single = excluded.is_single,
    is_counted = excluded.is_counted,
    is_manual = excluded.is_manual,
    is_external = excluded.is_external
where (job.description, job.expected_interval, job.stuck_after, job.is_of_hospital, job.is_single, job.is_counted, job.is_manual, job.is_external)
  is distinct from
    (excluded.description, excluded.expected_interval, excluded.stuck_after, excluded.is_of_hospital, excluded.is_single, excluded.is_counted, excluded.is_manual, excluded.is_external);
--! EndIncluded catalog/job.sql
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
--! Included functions/jobs/machinery.sql
-- Jobs that look after all hospitals have a home in the same tables, under an id that no hospital has.
create or replace function app_private.machinery() returns uuid
language sql immutable parallel safe
return '00000000-0000-0000-0000-000000000000'::uuid;

comment on function app_private.machinery() is 'The hospital of noughts, under which jobs stand that serve all hospitals.';

revoke execute on function app_private.machinery() from public;
grant execute on function app_private.machinery() to app_worker, app_admin, app_monitor;
--! EndIncluded functions/jobs/machinery.sql
--! Included functions/jobs/tell_of_job.sql
-- Tells the admins of a hospital, or of every hospital where the job serves all, that a job keeps
-- failing or that it works again. Only note_job calls it, as the owner: who could call it would write
-- into inboxes.
create or replace function app_private.tell_of_job(hospital_id uuid, job text, event text)
returns void
language plpgsql
as $$
begin
  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select account.hospital_id, account.id, template.event, template.priority, template.channels,
    app_private.fill_template(template.title, null, null, null, null, facts.words),
    app_private.fill_template(template.body, null, null, null, null, facts.words),
    app_private.clock()
  from app_public.hospital
  join app_public.account on account.hospital_id = hospital.id and account.role = 'admin' and account.is_active
  join app_public.notification_template as template
    on template.event = tell_of_job.event and template.audience = 'staff'
  cross join lateral (
    select jsonb_build_object('reason', tell_of_job.job, 'message', coalesce((
      select entry.description from app_public.job as entry where entry.name = tell_of_job.job), '')) as words) as facts
  where hospital.id = tell_of_job.hospital_id or tell_of_job.hospital_id = app_private.machinery();
end
$$;

comment on function app_private.tell_of_job(uuid, text, text) is
  'Leaves a notification about a job for the admins of a hospital, or of all where the job serves all.';

revoke execute on function app_private.tell_of_job(uuid, text, text) from public;
--! EndIncluded functions/jobs/tell_of_job.sql
--! Included functions/jobs/note_job.sql
-- Every run that ended comes through here: it is counted, and the third failure in a row is told, once
-- until a success between. The row of the state is locked by the first write, so that of runs that end
-- together each sees what the others left. Only functions of this area call it.
create or replace function app_private.note_job(
  hospital_id uuid, job text, outcome app_public.job_outcome, started_at timestamptz, items integer, duration_ms integer,
  error text)
returns void
language plpgsql
as $$
declare
  is_success boolean := outcome = 'succeeded';
  state app_private.job_state;
begin
  insert into app_private.job_hour (hospital_id, job, hour, runs, failures, items, total_ms, longest_ms)
  values (
    note_job.hospital_id, note_job.job, date_trunc('hour', now(), 'UTC'), 1, case when is_success then 0 else 1 end,
    coalesce(note_job.items, 0), coalesce(note_job.duration_ms, 0), coalesce(note_job.duration_ms, 0))
  on conflict on constraint job_hour_pkey do update
  set runs = job_hour.runs + 1,
      failures = job_hour.failures + excluded.failures,
      items = job_hour.items + excluded.items,
      total_ms = job_hour.total_ms + excluded.total_ms,
      longest_ms = greatest(job_hour.longest_ms, excluded.longest_ms);

  insert into app_private.job_state (
    hospital_id, job, consecutive_failures, last_started_at, last_finished_at, last_outcome, last_error,
    last_success_at, last_success_ms, last_success_items)
  values (
    note_job.hospital_id, note_job.job, case when is_success then 0 else 1 end, note_job.started_at, now(), note_job.outcome,
    note_job.error, case when is_success then now() end, case when is_success then note_job.duration_ms end,
    case when is_success then note_job.items end)
  on conflict on constraint job_state_pkey do update
  set consecutive_failures = case when is_success then 0 else job_state.consecutive_failures + 1 end,
      last_started_at = greatest(job_state.last_started_at, excluded.last_started_at),
      last_finished_at = excluded.last_finished_at,
      last_outcome = excluded.last_outcome,
      last_error = excluded.last_error,
      last_success_at = coalesce(excluded.last_success_at, job_state.last_success_at),
      last_success_ms = case when is_success then excluded.last_success_ms else job_state.last_success_ms end,
      last_success_items = case when is_success then excluded.last_success_items else job_state.last_success_items end
  returning * into state;

  if is_success and state.told_at is not null then
    update app_private.job_state set told_at = null
    where job_state.hospital_id = note_job.hospital_id and job_state.job = note_job.job;
    perform app_private.tell_of_job(note_job.hospital_id, note_job.job, 'job_recovered');
  elsif state.consecutive_failures >= 3 and state.told_at is null then
    update app_private.job_state set told_at = now()
    where job_state.hospital_id = note_job.hospital_id and job_state.job = note_job.job;
    perform app_private.tell_of_job(note_job.hospital_id, note_job.job, 'job_failing');
  end if;
end
$$;

comment on function app_private.note_job(uuid, text, app_public.job_outcome, timestamptz, integer, integer, text) is
  'Counts a run that ended; tells admins of the third failure in a row, and of the recovery after it.';

revoke execute on function
  app_private.note_job(uuid, text, app_public.job_outcome, timestamptz, integer, integer, text) from public;
--! EndIncluded functions/jobs/note_job.sql
--! Included functions/jobs/begin_job_run.sql
-- The beginning of a run, committed before its work, so that a run that fails or dies has left its
-- trace. A run that was asked for is there already; one that waits no more (the queue tries it again)
-- gets a row of its own. A job that never runs twice at once holds a lock of the session, on the
-- connection that does the work: whatever becomes of the worker, the lock is gone when its connection
-- is, and nobody waits for a row of a dead one. Where a run that is stuck still holds it, this one fails
-- as well, so that a job that hangs is told and not skipped for ever. By the time that really passes,
-- not by clock(): a rehearsed day must not make what runs look dead. Definer, because no role may write
-- runs.
create or replace function app_private.begin_job_run(
  hospital_id uuid, job text, started_by app_public.job_trigger, worker_id text,
  run_id uuid default null, since interval default '0')
returns app_public.job_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
  how app_public.job_outcome := 'running'::app_public.job_outcome;
  problem text;
begin
  if exists (select from app_public.job as entry where entry.name = begin_job_run.job and entry.is_single)
    and not pg_try_advisory_lock(hashtextextended(concat('job', begin_job_run.job, begin_job_run.hospital_id), 0))
  then
    select case last.outcome when 'stuck' then last.outcome else 'skipped'::app_public.job_outcome end into how
    from app_public.job_run as last
    where last.hospital_id = begin_job_run.hospital_id and last.job = begin_job_run.job
      and last.outcome not in ('waiting', 'skipped')
    order by last.created_at desc
    limit 1;
    how := coalesce(how, 'skipped');
    if how = 'stuck' then
      problem := 'An earlier run is stuck and has not let go.';
    end if;
  end if;

  update app_public.job_run
  set outcome = how,
      started_at = now(),
      heartbeat_at = now(),
      finished_at = case when how <> 'running' then now() end,
      error = problem,
      worker_id = begin_job_run.worker_id
  where job_run.hospital_id = begin_job_run.hospital_id and job_run.id = begin_job_run.run_id
    and job_run.outcome = 'waiting'
  returning * into run;
  if not found then
    insert into app_public.job_run (
      hospital_id, job, started_by, outcome, created_at, started_at, heartbeat_at, finished_at, error, worker_id)
    values (
      begin_job_run.hospital_id, begin_job_run.job,
      case when begin_job_run.run_id is null then begin_job_run.started_by else 'event' end,
      how, now() - since, now() - since, now(), case when how <> 'running' then now() end, problem,
      begin_job_run.worker_id)
    returning * into run;
  end if;

  if run.outcome = 'stuck' then
    perform app_private.note_job(run.hospital_id, run.job, run.outcome, run.started_at, null, null, run.error);
  end if;
  return run;
end
$$;

comment on function app_private.begin_job_run(uuid, text, app_public.job_trigger, text, uuid, interval) is
  'Notes that a run of a job begins, or that it is skipped because another one runs. Whoever began it unlocks the session''s lock.';

revoke execute on function
  app_private.begin_job_run(uuid, text, app_public.job_trigger, text, uuid, interval) from public;
grant execute on function
  app_private.begin_job_run(uuid, text, app_public.job_trigger, text, uuid, interval) to app_worker;
--! EndIncluded functions/jobs/begin_job_run.sql
--! Included functions/jobs/beat_job_run.sql
-- Definer, because no role may write runs.
create or replace function app_private.beat_job_run(hospital_id uuid, run_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  update app_public.job_run
  set heartbeat_at = now()
  where job_run.hospital_id = beat_job_run.hospital_id and job_run.id = beat_job_run.run_id
    and job_run.outcome = 'running';
end
$$;

comment on function app_private.beat_job_run(uuid, uuid) is 'Notes a sign of life of a run.';

revoke execute on function app_private.beat_job_run(uuid, uuid) from public;
grant execute on function app_private.beat_job_run(uuid, uuid) to app_worker;
--! EndIncluded functions/jobs/beat_job_run.sql
--! Included functions/jobs/end_job_run.sql
-- The end of a run, in a transaction of its own after the work's. A run that was taken for stuck and
-- ends after all gets its true outcome; its failure was counted already then, so that only a success
-- still counts. Ending twice changes nothing. Definer, because no role may write runs.
create or replace function app_private.end_job_run(
  hospital_id uuid, run_id uuid, is_success boolean, items integer, duration_ms integer, hospitals integer default 0,
  error_code text default null, scenario text default null, error text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
  was_stuck boolean;
begin
  select * into run
  from app_public.job_run
  where job_run.hospital_id = end_job_run.hospital_id and job_run.id = end_job_run.run_id
    and job_run.outcome in ('running', 'stuck')
  for update;
  if not found then
    return;
  end if;
  was_stuck := run.outcome = 'stuck';

  update app_public.job_run
  set outcome = case when is_success then 'succeeded' else 'failed' end::app_public.job_outcome,
      finished_at = now(),
      heartbeat_at = now(),
      items = end_job_run.items,
      duration_ms = end_job_run.duration_ms,
      hospitals = end_job_run.hospitals,
      error_code = end_job_run.error_code,
      scenario = end_job_run.scenario,
      error = left(end_job_run.error, 500)
  where job_run.hospital_id = end_job_run.hospital_id and job_run.id = end_job_run.run_id
  returning * into run;

  if is_success or not was_stuck then
    perform app_private.note_job(
      run.hospital_id, run.job, run.outcome, run.started_at, run.items, run.duration_ms, run.error);
  end if;
end
$$;

comment on function app_private.end_job_run(uuid, uuid, boolean, integer, integer, integer, text, text, text) is
  'Notes how a run ended.';

revoke execute on function
  app_private.end_job_run(uuid, uuid, boolean, integer, integer, integer, text, text, text) from public;
grant execute on function
  app_private.end_job_run(uuid, uuid, boolean, integer, integer, integer, text, text, text) to app_worker;
--! EndIncluded functions/jobs/end_job_run.sql
--! Included functions/jobs/count_job_run.sql
-- A short run of a job that is counted by the hour: one transaction after its work and, when it
-- succeeded, no row of its own. One that failed gets it. Definer, because no role may write runs.
create or replace function app_private.count_job_run(
  hospital_id uuid, job text, worker_id text, is_success boolean, items integer, duration_ms integer,
  error_code text default null, scenario text default null, error text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  outcome app_public.job_outcome := case when is_success then 'succeeded' else 'failed' end::app_public.job_outcome;
  began timestamptz := now() - make_interval(secs => count_job_run.duration_ms / 1000.0);
begin
  if not is_success then
    insert into app_public.job_run (
      hospital_id, job, started_by, outcome, created_at, started_at, heartbeat_at, finished_at, duration_ms, items,
      error_code, scenario, error, worker_id)
    values (
      count_job_run.hospital_id, count_job_run.job, 'event', outcome, began, began, now(), now(),
      count_job_run.duration_ms, count_job_run.items, count_job_run.error_code, count_job_run.scenario,
      left(count_job_run.error, 500), count_job_run.worker_id);
  end if;
  perform app_private.note_job(
    count_job_run.hospital_id, count_job_run.job, outcome, began, count_job_run.items, count_job_run.duration_ms,
    left(count_job_run.error, 500));
end
$$;

comment on function app_private.count_job_run(uuid, text, text, boolean, integer, integer, text, text, text) is
  'Counts a short run by the hour; one that failed is recorded as well.';

revoke execute on function
  app_private.count_job_run(uuid, text, text, boolean, integer, integer, text, text, text) from public;
grant execute on function
  app_private.count_job_run(uuid, text, text, boolean, integer, integer, text, text, text) to app_worker;
--! EndIncluded functions/jobs/count_job_run.sql
--! Included functions/jobs/settle_stuck_run.sql
-- A run without a sign of life for longer than its job allows counts as stuck, and as failed. One guarded
-- update: of two who settle it, or of one who settles while it beats, only one finds it so. A run that
-- waits for a worker longer than that counts as well: whoever asked for it is told so. Definer, because
-- no role may write runs.
create or replace function app_private.settle_stuck_run(hospital_id uuid, run_id uuid)
returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
begin
  update app_public.job_run
  set outcome = 'stuck',
      finished_at = now(),
      error = case job_run.outcome
        when 'waiting' then 'No worker has taken it.'
        else 'No sign of life since ' || to_char(job_run.heartbeat_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC."')
      end
  where job_run.hospital_id = settle_stuck_run.hospital_id and job_run.id = settle_stuck_run.run_id
    and job_run.outcome in ('waiting', 'running')
    and coalesce(job_run.heartbeat_at, job_run.created_at) < now() - coalesce(
      (select entry.stuck_after from app_public.job as entry where entry.name = job_run.job), interval '5 minutes')
  returning * into run;
  if not found then
    return false;
  end if;
  perform app_private.note_job(
    run.hospital_id, run.job, run.outcome, coalesce(run.started_at, run.created_at), null, null, run.error);
  return true;
end
$$;

comment on function app_private.settle_stuck_run(uuid, uuid) is
  'Marks a run that gives no sign of life as stuck; false where it does, or has ended.';

revoke execute on function app_private.settle_stuck_run(uuid, uuid) from public;
grant execute on function app_private.settle_stuck_run(uuid, uuid) to app_worker;
--! EndIncluded functions/jobs/settle_stuck_run.sql
--! Included functions/jobs/admit_job_request.sql
-- Who asks for a run waits for a worker like every other: a row that waits, judged here whoever inserts
-- it. Requests of one job in one hospital come in turn, so that of two only one finds nothing running.
-- What gives no sign of life any more is settled first and stands in nobody's way. Definer, because runs
-- of the machinery are seen by nobody.
create or replace function app_private.admit_job_request() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  other record;
  asked timestamptz;
begin
  if new.started_by = 'manual' then
    perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  end if;
  if not exists (
    select from app_public.job as entry
    where entry.name = new.job
      and case new.started_by when 'manual' then entry.is_manual when 'external' then entry.is_external end
      and entry.is_of_hospital = (new.hospital_id <> app_private.machinery()))
  then
    perform app_private.refuse('job_not_found', jsonb_build_object('job', new.job));
  end if;

  perform pg_advisory_xact_lock(hashtextextended(concat('job request', new.job, new.hospital_id), 0));
  for other in
    select job_run.id
    from app_public.job_run
    where job_run.hospital_id = new.hospital_id and job_run.job = new.job
      and job_run.outcome in ('waiting', 'running')
  loop
    if not app_private.settle_stuck_run(new.hospital_id, other.id) then
      perform app_private.refuse('job_already_running',
        jsonb_build_object('job', new.job, 'job_run_id', other.id));
    end if;
  end loop;

  if new.started_by = 'manual' then
    select max(job_run.created_at) into asked
    from app_public.job_run
    where job_run.hospital_id = new.hospital_id and job_run.job = new.job and job_run.started_by = 'manual'
      and job_run.created_at > now() - interval '1 minute';
    if asked is not null then
      perform app_private.refuse('job_requested_too_often',
        jsonb_build_object('job', new.job, 'again_at', asked + interval '1 minute'));
    end if;
  end if;

  new.requested_by := app_private.claim_account_id();
  return new;
end
$$;

comment on function app_private.admit_job_request() is
  'Trigger: judges who asks for a run: a known job, none running, not too often.';

revoke execute on function app_private.admit_job_request() from public;

create or replace trigger job_request_is_admitted
  before insert on app_public.job_run
  for each row when (new.outcome = 'waiting')
  execute function app_private.admit_job_request();
--! EndIncluded functions/jobs/admit_job_request.sql
--! Included functions/jobs/announce_job_request.sql
-- The relay makes a job of it. Definer, because who asks may not write the outbox.
create or replace function app_private.announce_job_request() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'job', new.id::text, jsonb_build_object('job', new.job, 'run_id', new.id));
  return null;
end
$$;

comment on function app_private.announce_job_request() is
  'Trigger: leaves a message in the outbox for a run that was asked for.';

revoke execute on function app_private.announce_job_request() from public;

create or replace trigger job_request_is_announced
  after insert on app_public.job_run
  for each row when (new.outcome = 'waiting')
  execute function app_private.announce_job_request();
--! EndIncluded functions/jobs/announce_job_request.sql
--! Included functions/jobs/report_to_run.sql
-- What a run added for the hospitals reports back to it, so that whoever asked for it learns of the
-- whole. Definer, because no role may write runs.
create or replace function app_private.report_to_run(run_id uuid, is_success boolean, items integer)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
begin
  update app_public.job_run
  set hospitals_done = job_run.hospitals_done + 1,
      hospitals_failed = job_run.hospitals_failed + case when is_success then 0 else 1 end,
      items_done = job_run.items_done + coalesce(report_to_run.items, 0)
  where job_run.hospital_id = machinery and job_run.id = report_to_run.run_id;
end
$$;

comment on function app_private.report_to_run(uuid, boolean, integer) is
  'Notes in a run of the machinery that the work which it added for a hospital is done.';

revoke execute on function app_private.report_to_run(uuid, boolean, integer) from public;
grant execute on function app_private.report_to_run(uuid, boolean, integer) to app_worker;
--! EndIncluded functions/jobs/report_to_run.sql
--! Included functions/jobs/request_job.sql
-- For a scheduler outside, which the server lets in by its key: a run for all hospitals, of the jobs
-- that the catalog names. Definer, so that this is all that the role of that route can do.
create or replace function app_private.request_job(job text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.job_run;
begin
  insert into app_public.job_run (hospital_id, job, started_by, outcome)
  values (app_private.machinery(), request_job.job, 'external', 'waiting')
  returning * into run;
  return run.id;
end
$$;

comment on function app_private.request_job(text) is
  'Asks for a run of a job for all hospitals, and returns its id; refused while one runs.';

revoke execute on function app_private.request_job(text) from public;
grant execute on function app_private.request_job(text) to app_scheduler;
--! EndIncluded functions/jobs/request_job.sql
--! Included functions/jobs/requested_job.sql
-- Definer, because runs of the machinery are seen by nobody: it tells of those alone that were asked
-- for from outside.
create or replace function app_private.requested_job(run_id uuid)
returns app_public.job_run
language plpgsql stable security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
  run app_public.job_run;
begin
  select * into run
  from app_public.job_run
  where job_run.hospital_id = machinery and job_run.id = requested_job.run_id and job_run.started_by = 'external';
  return run;
end
$$;

comment on function app_private.requested_job(uuid) is 'How a run stands that was asked for from outside.';

revoke execute on function app_private.requested_job(uuid) from public;
grant execute on function app_private.requested_job(uuid) to app_scheduler;
--! EndIncluded functions/jobs/requested_job.sql
--! Included functions/jobs/remove_old_job_runs.sql
-- Job by job, each by its index, so that a night costs as much as goes. By the time that really passes,
-- which runs are dated by. Definer, because no role may delete runs.
create or replace function app_private.remove_old_job_runs(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  too_old timestamptz := now() - interval '30 days';
  state record;
  removed integer := 0;
  count integer;
begin
  for state in
    select job_state.job from app_private.job_state
    where job_state.hospital_id = remove_old_job_runs.hospital_id
  loop
    delete from app_public.job_run
    where job_run.hospital_id = remove_old_job_runs.hospital_id and job_run.job = state.job
      and job_run.created_at < too_old;
    get diagnostics count = row_count;
    removed := removed + count;
    delete from app_private.job_hour
    where job_hour.hospital_id = remove_old_job_runs.hospital_id and job_hour.job = state.job
      and job_hour.hour < too_old;
  end loop;
  return removed;
end
$$;

comment on function app_private.remove_old_job_runs(uuid) is
  'Forgets the runs of a hospital''s jobs, or of the machinery''s, that are older than 30 days; returns how many.';

revoke execute on function app_private.remove_old_job_runs(uuid) from public;
grant execute on function app_private.remove_old_job_runs(uuid) to app_worker;
--! EndIncluded functions/jobs/remove_old_job_runs.sql
--! Included functions/jobs/job_health.sql
-- What the tables know of the jobs of one hospital, or of the machinery, judged as of now: a run that
-- gives no sign of life counts as failed at once, also before the sweep has marked it. Each job costs a
-- look at its state, at most 168 hours and ten runs, by key. Definer, because it tells of the workers and
-- of the machinery, which no admin may read; a request learns of its own hospital and of the machinery.
create or replace function app_private.job_health(hospital_id uuid)
returns setof app_public.job_health
language plpgsql stable security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
  claimed uuid := app_private.claim_hospital_id();
  serves_all boolean := hospital_id = machinery;
  is_open boolean;
  alive boolean;
  since timestamptz;
  first_worker timestamptz;
  utc constant text := 'YYYY-MM-DD HH24:MI:SS "UTC"';
begin
  if claimed is not null and not serves_all then
    perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::time >= hospital.no_show_window_start
    and (app_private.clock() at time zone hospital.time_zone)::time < hospital.no_show_window_end
  into is_open
  from app_public.hospital
  where hospital.id = case when serves_all then claimed else job_health.hospital_id end;

  select coalesce(bool_or(beat.beaten_at > now() - interval '60 seconds'), false), max(beat.beaten_at), min(beat.started_at)
  into alive, since, first_worker
  from app_private.worker_heartbeat as beat;
  if not alive then
    select greatest(since, max(job_state.last_finished_at)) into since
    from app_private.job_state
    where job_state.hospital_id = machinery;
  end if;

  return query
  select
    entry.name,
    entry.description,
    entry.is_of_hospital,
    judged.healthy,
    case
      when not alive and since is null then 'No worker has run yet.'
      when not alive then format('No worker has run since %s.', to_char(since at time zone 'UTC', utc))
      when open.silent > 0 then format(
        'A run has given no sign of life since %s.', to_char(open.silent_since at time zone 'UTC', utc))
      when judged.failures >= 3 then format('The last %s runs failed. %s', judged.failures, coalesce(state.last_error, ''))
      when judged.overdue and state.job is null then format('Overdue: it should run every %s and has never run.', entry.expected_interval)
      when judged.overdue then format(
        'Overdue: it should run every %s and last began at %s.',
        entry.expected_interval, to_char(state.last_started_at at time zone 'UTC', utc))
      when open.live > 0 then 'It is running.'
      when judged.failures > 0 then format(
        'It failed %s, and is tried again. %s',
        case judged.failures when 1 then 'once' else 'twice' end, coalesce(state.last_error, ''))
      when state.job is null then 'It has not run yet.'
      else format('It last succeeded at %s.', to_char(state.last_success_at at time zone 'UTC', utc))
    end,
    is_open,
    open.live > 0,
    greatest(state.last_started_at, open.began),
    case when open.silent > 0 then 'stuck' when open.live > 0 then 'running' else state.last_outcome end,
    state.last_error,
    judged.failures,
    state.last_success_at,
    state.last_success_ms,
    state.last_success_items,
    totals.day_runs,
    totals.day_failures,
    round((totals.day_runs - totals.day_failures)::numeric / nullif(totals.day_runs, 0), 4),
    totals.week_runs,
    totals.week_failures,
    round((totals.week_runs - totals.week_failures)::numeric / nullif(totals.week_runs, 0), 4),
    entry.expected_interval,
    -- The crontab counts from midnight UTC, in parts of a day.
    date_bin(entry.expected_interval, now(), timestamptz '2000-01-01 00:00:00+00') + entry.expected_interval,
    judged.overdue,
    entry.is_manual,
    array(
      select row(
        job_run.id, job_run.started_by, job_run.outcome, job_run.started_at, job_run.duration_ms, job_run.items,
        job_run.error)::app_public.job_run_summary
      from app_public.job_run
      where job_run.hospital_id = job_health.hospital_id and job_run.job = entry.name
      order by job_run.created_at desc
      limit 10)
  from app_public.job as entry
  left join app_private.job_state as state
    on state.hospital_id = job_health.hospital_id and state.job = entry.name
  cross join lateral (
    select count(*) filter (where signs.is_silent) as silent,
      count(*) filter (where not signs.is_silent and signs.started_at is not null) as live,
      min(signs.seen_at) filter (where signs.is_silent) as silent_since,
      max(signs.started_at) as began
    from (
      select job_run.started_at, coalesce(job_run.heartbeat_at, job_run.created_at) as seen_at,
        coalesce(job_run.heartbeat_at, job_run.created_at) < now() - entry.stuck_after as is_silent
      from app_public.job_run
      where job_run.hospital_id = job_health.hospital_id and job_run.job = entry.name
        and job_run.outcome in ('waiting', 'running')) as signs) as open
  cross join lateral (
    select coalesce(sum(job_hour.runs), 0)::integer as week_runs,
      coalesce(sum(job_hour.failures), 0)::integer as week_failures,
      coalesce(sum(job_hour.runs) filter (where job_hour.hour > now() - interval '24 hours'), 0)::integer as day_runs,
      coalesce(sum(job_hour.failures) filter (where job_hour.hour > now() - interval '24 hours'), 0)::integer as day_failures
    from app_private.job_hour
    where job_hour.hospital_id = job_health.hospital_id and job_hour.job = entry.name
      and job_hour.hour > now() - interval '7 days') as totals
  cross join lateral (
    select coalesce(state.consecutive_failures, 0) + open.silent::integer as failures,
      -- Of a job that has never run: since the oldest worker came. Two runs may be missed and a minute.
      entry.expected_interval is not null
        and open.live = 0
        and not coalesce(
          coalesce(greatest(state.last_started_at, open.began), first_worker)
            + 2 * entry.expected_interval + interval '1 minute' > now(),
          false) as overdue) as facts
  cross join lateral (
    select facts.failures, facts.overdue,
      alive and not facts.overdue and open.silent = 0 and facts.failures < 3 as healthy) as judged
  where entry.is_of_hospital <> serves_all
  order by entry.expected_interval is null, entry.name;
end
$$;

comment on function app_private.job_health(uuid) is
  'How the jobs of a hospital do, or under the hospital of noughts those that serve all.';

revoke execute on function app_private.job_health(uuid) from public;
grant execute on function app_private.job_health(uuid) to app_admin, app_monitor;
--! EndIncluded functions/jobs/job_health.sql
--! Included functions/jobs/cron_health.sql
create or replace function app_public.cron_health()
returns setof app_public.job_health
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return query select * from app_private.job_health(app_private.machinery());
  return query select * from app_private.job_health(hospital);
end
$$;

comment on function app_public.cron_health() is
  'How the background jobs do: first those by the clock, which serve all hospitals, then those of your hospital.';

revoke execute on function app_public.cron_health() from public;
grant execute on function app_public.cron_health() to app_admin;
--! EndIncluded functions/jobs/cron_health.sql
--! Included functions/jobs/run_job.sql
-- A row that waits; the triggers judge it and tell the relay.
create or replace function app_public.run_job(job text)
returns app_public.job_run
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  run app_public.job_run;
begin
  insert into app_public.job_run (hospital_id, job, started_by, outcome)
  values (hospital, run_job.job, 'manual', 'waiting')
  returning * into run;
  return run;
end
$$;

comment on function app_public.run_job(text) is
  'Asks for a run of a job in your hospital, at most once a minute and not while it runs. Read the run again by its id to see how it stands.';

revoke execute on function app_public.run_job(text) from public;
grant execute on function app_public.run_job(text) to app_admin;
--! EndIncluded functions/jobs/run_job.sql
--! Included policies/job.sql
-- The catalog of jobs holds nothing private; only migrations write it.
alter table app_public.job enable row level security;
alter table app_public.job force row level security;

grant select on app_public.job to app_worker, app_admin, app_monitor;

drop policy if exists staff_of_the_house_read on app_public.job;
create policy staff_of_the_house_read on app_public.job for select to app_worker, app_admin, app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.job;
create policy owner_maintains on app_public.job to app_owner using (true) with check (true);
--! EndIncluded policies/job.sql
--! Included policies/job_run.sql
-- Admins see the runs of their hospital and ask for one. The worker looks for those that are stuck;
-- what it notes of its runs goes through the functions of jobs, as the owner.
alter table app_public.job_run enable row level security;
alter table app_public.job_run force row level security;

grant select on app_public.job_run to app_worker, app_admin, app_monitor;
grant insert (hospital_id, job, started_by, outcome) on app_public.job_run to app_admin;
-- No grant of update or delete to anybody: what ran has run.

drop policy if exists admins_read_their_hospital on app_public.job_run;
create policy admins_read_their_hospital on app_public.job_run for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_ask_for_runs_in_their_hospital on app_public.job_run;
create policy admins_ask_for_runs_in_their_hospital on app_public.job_run for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id() and started_by = 'manual' and outcome = 'waiting');

drop policy if exists worker_reads_all on app_public.job_run;
create policy worker_reads_all on app_public.job_run for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.job_run;
create policy monitor_reads_all on app_public.job_run for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.job_run;
create policy owner_maintains on app_public.job_run for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/job_run.sql
--! Included policies/job_state.sql
-- Written by the functions of jobs alone, as the owner; app_monitor may look.
alter table app_private.job_state enable row level security;
alter table app_private.job_state force row level security;

grant select on app_private.job_state to app_monitor;

drop policy if exists monitor_reads_all on app_private.job_state;
create policy monitor_reads_all on app_private.job_state for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.job_state;
create policy owner_maintains on app_private.job_state for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/job_state.sql
--! Included policies/job_hour.sql
-- Written by the functions of jobs alone, as the owner; app_monitor may look.
alter table app_private.job_hour enable row level security;
alter table app_private.job_hour force row level security;

grant select on app_private.job_hour to app_monitor;

drop policy if exists monitor_reads_all on app_private.job_hour;
create policy monitor_reads_all on app_private.job_hour for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.job_hour;
create policy owner_maintains on app_private.job_hour for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/job_hour.sql
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

create or replace view checks.job_health with (security_invoker) as
select scope.hospital_id, health.*
from (
  select app_private.machinery() as hospital_id
  union all
  select hospital.id from app_public.hospital) as scope
cross join lateral app_private.job_health(scope.hospital_id) as health;
comment on view checks.job_health is
  'How every background job does, in every hospital; of the machinery under the hospital of noughts.';
grant select on checks.job_health to app_monitor;

reset role;
