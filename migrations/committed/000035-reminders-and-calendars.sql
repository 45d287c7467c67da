--! Previous: sha1:70eb219caf2ea1ea5cee86cd3de80add55d70609
--! Hash: sha1:30a7e6ada76b9a7cdd6ca933923f45ef808845e3
--! Message: reminders-and-calendars

--! split: 1-current.sql
-- Functions and rights: Reminders before the visit, links in messages, calendar feeds.
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
--! Included functions/notifications/hospitals_to_remind.sql
-- The hospitals where the time of a reminder has come for some visit since they were last looked at: one
-- look by index a hospital and offset, however many visits are stored. It may name one where nothing is
-- left to send, never miss one where there is.
-- Each look goes a quarter of an hour further back than the last one reached: a booking that was still
-- being written then is found now. Definer, because nobody reads the marks.
create or replace function app_private.hospitals_to_remind() returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
    select hospital.id
    from app_public.hospital
    left join app_private.reminder_mark on reminder_mark.hospital_id = hospital.id
    where exists (
      select from unnest(hospital.reminder_offsets) as given (span)
      cross join lateral (
        select from app_public.appointment
        where appointment.hospital_id = hospital.id
          and appointment.status in ('scheduled', 'confirmed')
          and appointment.starts_at > greatest(instant,
            coalesce(reminder_mark.reached_at, hospital.created_at) - interval '15 minutes' + app_private.absolute_span(given.span))
          and appointment.starts_at <= instant + app_private.absolute_span(given.span)
        limit 1) as due);
end
$$;

comment on function app_private.hospitals_to_remind() is
  'Hospitals with visits whose reminder may be due.';

revoke execute on function app_private.hospitals_to_remind() from public;
grant execute on function app_private.hospitals_to_remind() to app_worker;
--! EndIncluded functions/notifications/hospitals_to_remind.sql
--! Included functions/notifications/send_reminders.sql
-- Reminds the patients of a hospital whose reminder has come due since the last time: one row of their
-- inbox each, whose trigger tells the relay. Read are, offset by offset, the visits whose start less the
-- offset was passed since the mark (and a quarter of an hour before it, for bookings that were being
-- written then); after an outage that is all of what was missed, after five minutes those few. A hospital's first run looks back to its beginning.
-- Nobody is reminded of what they were told less than the offset before: who books, moves or is accepted
-- an hour ahead gets no reminder of the day before. Of several offsets that have passed only the nearest
-- is sent, and none further away after it. A key of appointment, start and offset makes a repetition do
-- nothing; a visit that moved has another start, and is reminded anew.
-- The visits are locked, shared, before they are told of: who cancels or moves one at this moment either
-- comes after the reminder or leaves none. What is locked by them is skipped; the next run finds it, if
-- it still is as it was. Two runs at once take turns at the mark.
-- Definer, because nobody may write to inboxes.
create or replace function app_private.send_reminders(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  place app_public.hospital;
  since timestamptz;
  sent integer;
begin
  select * into place from app_public.hospital where hospital.id = send_reminders.hospital_id;
  insert into app_private.reminder_mark (hospital_id, reached_at)
  values (send_reminders.hospital_id, place.created_at)
  on conflict on constraint reminder_mark_pkey do nothing;
  select reminder_mark.reached_at - interval '15 minutes' into since
  from app_private.reminder_mark
  where reminder_mark.hospital_id = send_reminders.hospital_id
  for no key update;

  with passed as (
    select appointment.id, appointment.patient_id, appointment.doctor_id, appointment.location_id,
      appointment.starts_at, nearest.span
    from (select app_private.absolute_span(given) as span from unnest(place.reminder_offsets) as given) as nearest
    join app_public.appointment
      on appointment.hospital_id = send_reminders.hospital_id
      and appointment.status in ('scheduled', 'confirmed')
      and appointment.starts_at > greatest(instant, since + nearest.span)
      and appointment.starts_at <= instant + nearest.span
    where appointment.created_at <= appointment.starts_at - nearest.span
      and not exists (
        select from app_public.notification
        where notification.hospital_id = send_reminders.hospital_id
          and notification.appointment_id = appointment.id
          and notification.event in ('appointment_booked', 'appointment_moved', 'request_accepted')
          and notification.created_at > appointment.starts_at - nearest.span)
      and not exists (
        select from app_public.appointment_reminder as earlier
        where earlier.hospital_id = send_reminders.hospital_id
          and earlier.appointment_id = appointment.id
          and earlier.starts_at = appointment.starts_at
          and earlier.lead_time <= nearest.span)
    for share of appointment skip locked
  ), due as (
    select distinct on (passed.id) passed.*, app_private.new_id() as notification_id
    from passed
    order by passed.id, passed.span
  ), reminded as (
    insert into app_public.appointment_reminder (
      hospital_id, appointment_id, starts_at, lead_time, notification_id, created_at)
    select send_reminders.hospital_id, due.id, due.starts_at, due.span, due.notification_id, instant
    from due
    on conflict on constraint appointment_reminder_pkey do nothing
    returning notification_id
  )
  insert into app_public.notification (
    hospital_id, id, patient_id, event, priority, channels, title, body, appointment_id, created_at)
  select send_reminders.hospital_id, due.notification_id, due.patient_id, template.event, template.priority,
    template.channels,
    app_private.fill_template(template.title, null, doctor.display_name, location.name, told.starts_at, null),
    app_private.fill_template(template.body, null, doctor.display_name, location.name, told.starts_at, null),
    due.id, instant
  from reminded
  join due on due.notification_id = reminded.notification_id
  join app_public.notification_template as template
    on template.event = 'appointment_reminder' and template.audience = 'patient'
  join app_public.doctor
    on doctor.hospital_id = send_reminders.hospital_id and doctor.id = due.doctor_id
  left join app_public.location
    on location.hospital_id = send_reminders.hospital_id and location.id = due.location_id
  cross join lateral (select app_private.local_time(due.starts_at, place.time_zone) as starts_at) as told;
  get diagnostics sent = row_count;

  update app_private.reminder_mark set reached_at = instant
  where reminder_mark.hospital_id = send_reminders.hospital_id and reminder_mark.reached_at < instant;
  return sent;
end
$$;

comment on function app_private.send_reminders(uuid) is
  'Leaves the reminders of a hospital that have come due, and returns how many.';

revoke execute on function app_private.send_reminders(uuid) from public;
grant execute on function app_private.send_reminders(uuid) to app_worker;
--! EndIncluded functions/notifications/send_reminders.sql
--! Included functions/notifications/visit_of_notification.sql
-- What a message about a visit is accompanied by outside the inbox: the visit as it is at this moment,
-- for its calendar file and its links. Of messages to patients only; nothing of the message's words and
-- nothing about the patient. Definer, because the worker may not read inboxes.
create or replace function app_private.visit_of_notification(hospital_id uuid, notification_id uuid)
returns table (
  event text, appointment_id uuid, status app_public.appointment_status, starts_at timestamptz,
  ends_at timestamptz, start_micros bigint, is_ahead boolean, changed_at timestamptz, move_count integer,
  doctor_name text, location_name text, hospital_name text, hospital_slug text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select notification.event, appointment.id, appointment.status, appointment.starts_at, appointment.ends_at,
      (extract(epoch from appointment.starts_at) * 1000000)::bigint,
      appointment.starts_at > app_private.clock(), appointment.updated_at,
      (select count(*)::integer
       from app_public.appointment_move as move
       where move.hospital_id = visit_of_notification.hospital_id and move.appointment_id = appointment.id),
      doctor.display_name, location.name, hospital.name, hospital.slug
    from app_public.notification
    join app_public.appointment
      on appointment.hospital_id = visit_of_notification.hospital_id
      and appointment.id = notification.appointment_id and appointment.patient_id = notification.patient_id
    join app_public.doctor
      on doctor.hospital_id = visit_of_notification.hospital_id and doctor.id = appointment.doctor_id
    left join app_public.location
      on location.hospital_id = visit_of_notification.hospital_id and location.id = appointment.location_id
    join app_public.hospital on hospital.id = visit_of_notification.hospital_id
    where notification.hospital_id = visit_of_notification.hospital_id and notification.id = notification_id;
end
$$;

comment on function app_private.visit_of_notification(uuid, uuid) is
  'The visit that a message to a patient is about, as it is now; no row where there is none.';

revoke execute on function app_private.visit_of_notification(uuid, uuid) from public;
grant execute on function app_private.visit_of_notification(uuid, uuid) to app_worker;
--! EndIncluded functions/notifications/visit_of_notification.sql
--! Included functions/notifications/linked_visit.sql
-- What a page shows to somebody with a signed link, who has no account: the visit that the link was made
-- for, if it still begins when the link says and has not begun. Whose it is stays with the server, which
-- acts for them. Definer, because nobody is logged in.
create or replace function app_private.linked_visit(hospital_id uuid, appointment_id uuid, start_micros bigint)
returns table (
  patient_id uuid, status app_public.appointment_status, starts_at timestamptz, local_start text,
  doctor_name text, location_name text, hospital_name text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select appointment.patient_id, appointment.status, appointment.starts_at,
      app_private.local_time(appointment.starts_at, hospital.time_zone),
      doctor.display_name, location.name, hospital.name
    from app_public.appointment
    join app_public.doctor
      on doctor.hospital_id = linked_visit.hospital_id and doctor.id = appointment.doctor_id
    left join app_public.location
      on location.hospital_id = linked_visit.hospital_id and location.id = appointment.location_id
    join app_public.hospital on hospital.id = linked_visit.hospital_id
    where appointment.hospital_id = linked_visit.hospital_id
      and appointment.id = linked_visit.appointment_id
      and (extract(epoch from appointment.starts_at) * 1000000)::bigint = start_micros
      and appointment.starts_at > app_private.clock();
end
$$;

comment on function app_private.linked_visit(uuid, uuid, bigint) is
  'The visit of a link that was signed for it; no row when it was moved or has begun.';

revoke execute on function app_private.linked_visit(uuid, uuid, bigint) from public;
grant execute on function app_private.linked_visit(uuid, uuid, bigint) to app_login;
--! EndIncluded functions/notifications/linked_visit.sql
--! Included functions/notifications/follow_visit_link.sql
-- Does what a signed link is for, as the patient of the visit and under the rules of every patient. The
-- visit is locked before it is looked at, so that a move at this moment is seen or waits. What is done
-- already is not done again: the link says so instead. The state machine decides about the rest.
create or replace function app_private.follow_visit_link(
  appointment_id uuid, start_micros bigint, to_status app_public.appointment_status)
returns boolean
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  visit app_public.appointment;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = appointment_id
  for no key update;
  if not found
    or (extract(epoch from visit.starts_at) * 1000000)::bigint <> start_micros
    or visit.starts_at <= app_private.clock()
  then
    perform app_private.refuse('visit_link_invalid');
  end if;
  if visit.status = to_status then
    return false;
  end if;
  if to_status = 'confirmed' then
    perform app_public.confirm_appointment(appointment_id);
  elsif to_status = 'cancelled' then
    perform app_public.cancel_appointment(appointment_id);
  else
    perform app_private.refuse('visit_link_invalid');
  end if;
  return true;
end
$$;

comment on function app_private.follow_visit_link(uuid, bigint, app_public.appointment_status) is
  'Confirms or cancels the visit of a link; false when that had happened already.';

revoke execute on function app_private.follow_visit_link(uuid, bigint, app_public.appointment_status) from public;
grant execute on function app_private.follow_visit_link(uuid, bigint, app_public.appointment_status) to app_patient;
--! EndIncluded functions/notifications/follow_visit_link.sql
--! Included functions/notifications/open_calendar_feed.sql
-- Makes a calendar feed for the account of the request, and its secret: the hospital and 256 random bits,
-- told once and stored as their hash. With that much chance in it, it needs no salt and no slow hash. The
-- account is locked first, so that its feeds are counted one by one. Definer, because nobody may write
-- secrets.
create or replace function app_private.open_calendar_feed(hospital_id uuid, account_id uuid)
returns app_public.new_calendar_feed
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  most constant integer := 5;
  opened app_public.new_calendar_feed;
  token bytea;
begin
  if hospital_id is distinct from app_private.claim_hospital_id()
    or account_id is distinct from app_private.claim_account_id()
  then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.account
  where account.hospital_id = open_calendar_feed.hospital_id and account.id = open_calendar_feed.account_id
    and account.is_active
  for no key update;
  if not found then
    perform app_private.refuse('forbidden');
  end if;
  if (select count(*) from app_public.calendar_feed
      where calendar_feed.hospital_id = open_calendar_feed.hospital_id
        and calendar_feed.account_id = open_calendar_feed.account_id
        and calendar_feed.revoked_at is null) >= most
  then
    perform app_private.refuse('too_many_calendar_feeds', jsonb_build_object('most', most));
  end if;

  token := uuid_send(hospital_id)
    || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  insert into app_public.calendar_feed (hospital_id, account_id, created_at)
  values (open_calendar_feed.hospital_id, open_calendar_feed.account_id, app_private.clock())
  returning calendar_feed.id into opened.feed_id;
  insert into app_private.calendar_feed_secret (hospital_id, token_hash, feed_id)
  values (open_calendar_feed.hospital_id, sha256(token), opened.feed_id);
  opened.path := '/calendar/' || translate(encode(token, 'base64'), '+/', '-_') || '.ics';
  return opened;
end
$$;

comment on function app_private.open_calendar_feed(uuid, uuid) is
  'Makes a calendar feed of the request''s account; what it returns cannot be read again.';

revoke execute on function app_private.open_calendar_feed(uuid, uuid) from public;
grant execute on function app_private.open_calendar_feed(uuid, uuid) to app_patient, app_doctor;
--! EndIncluded functions/notifications/open_calendar_feed.sql
--! Included functions/notifications/create_calendar_feed.sql
-- The secret is made in the database and told here, once; see open_calendar_feed.
create or replace function app_public.create_calendar_feed() returns app_public.new_calendar_feed
language plpgsql volatile
as $$
begin
  return app_private.open_calendar_feed(app_private.request_hospital_id(), app_private.claim_account_id());
end
$$;

comment on function app_public.create_calendar_feed() is
  'Makes a private address from which a calendar program reads your visits, at most 5 at a time. The address is told this once; whoever knows it reads them without a password. For patients and doctors.';

revoke execute on function app_public.create_calendar_feed() from public;
grant execute on function app_public.create_calendar_feed() to app_patient, app_doctor;
--! EndIncluded functions/notifications/create_calendar_feed.sql
--! Included functions/notifications/revoke_calendar_feed.sql
-- Revoked once and for all; a second time changes nothing. Its owner, or an admin of the hospital.
create or replace function app_public.revoke_calendar_feed(feed_id uuid) returns app_public.calendar_feed
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  changed app_public.calendar_feed;
begin
  update app_public.calendar_feed
  set revoked_at = coalesce(calendar_feed.revoked_at, instant)
  where calendar_feed.hospital_id = hospital and calendar_feed.id = feed_id
  returning * into changed;
  if not found then
    perform app_private.refuse('calendar_feed_not_found', jsonb_build_object('feed_id', feed_id));
  end if;
  return changed;
end
$$;

comment on function app_public.revoke_calendar_feed(uuid) is
  'Ends a calendar feed: its address answers like one that never was. One''s own; admins any of the hospital.';

revoke execute on function app_public.revoke_calendar_feed(uuid) from public;
grant execute on function app_public.revoke_calendar_feed(uuid) to app_patient, app_doctor, app_admin;
--! EndIncluded functions/notifications/revoke_calendar_feed.sql
--! Included functions/notifications/find_calendar_feed.sql
-- Whose calendar a token opens, by its hash; no row for what is unknown, revoked or of an account that is
-- not active, so that all of these look alike. When it was last used is noted by the hour, so that
-- programs that ask every minute write once. Definer, because nobody is logged in and nobody reads secrets.
create or replace function app_private.find_calendar_feed(hospital_id uuid, token_hash bytea)
returns table (account_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  feed app_public.calendar_feed;
begin
  select calendar_feed.* into feed
  from app_private.calendar_feed_secret
  join app_public.calendar_feed
    on calendar_feed.hospital_id = find_calendar_feed.hospital_id and calendar_feed.id = calendar_feed_secret.feed_id
  join app_public.account
    on account.hospital_id = find_calendar_feed.hospital_id and account.id = calendar_feed.account_id
  where calendar_feed_secret.hospital_id = find_calendar_feed.hospital_id
    and calendar_feed_secret.token_hash = find_calendar_feed.token_hash
    and calendar_feed.revoked_at is null
    and account.is_active;
  if not found then
    return;
  end if;
  if feed.last_used_at is null or feed.last_used_at < instant - interval '1 hour' then
    update app_public.calendar_feed set last_used_at = instant
    where calendar_feed.hospital_id = find_calendar_feed.hospital_id and calendar_feed.id = feed.id;
  end if;
  return query
    select account.id, account.role, account.doctor_id, account.patient_id
    from app_public.account
    where account.hospital_id = find_calendar_feed.hospital_id and account.id = feed.account_id
      and account.role in ('patient', 'doctor');
end
$$;

comment on function app_private.find_calendar_feed(uuid, bytea) is
  'The account whose calendar a feed''s token opens; no row where none does.';

revoke execute on function app_private.find_calendar_feed(uuid, bytea) from public;
grant execute on function app_private.find_calendar_feed(uuid, bytea) to app_login;
--! EndIncluded functions/notifications/find_calendar_feed.sql
--! Included functions/notifications/initials.sql
-- A calendar is synchronised to telephones and shown to who looks over a shoulder: initials tell a doctor
-- enough, and others little.
create or replace function app_private.initials(name text) returns text
language sql immutable parallel safe
return (
  select string_agg(upper(left(word, 1)) || '.', ' ' order by number)
  from regexp_split_to_table(btrim(name), '\s+') with ordinality as part (word, number)
  where number <= 3 and word <> '');

comment on function app_private.initials(text) is 'The first letters of the first three words of a name.';

revoke execute on function app_private.initials(text) from public;
grant execute on function app_private.initials(text) to app_patient, app_doctor;
--! EndIncluded functions/notifications/initials.sql
--! Included functions/notifications/calendar_visits.sql
-- The visits of a calendar feed, under the rights of its account: a patient's own, or those of a doctor's
-- calendar, by the index of either. From 30 days ago to the booking horizon. Requests and holds are not in
-- it, because they may come to nothing; what was cancelled stays as such for 30 days, so that programs take
-- it out. Of the other person a patient reads the doctor's name and a doctor the initials.
create or replace function app_private.calendar_visits()
returns table (
  appointment_id uuid, status app_public.appointment_status, starts_at timestamptz, ends_at timestamptz,
  changed_at timestamptz, move_count integer, with_whom text, location_name text, hospital_name text,
  hospital_slug text)
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_doctor_id uuid := app_private.claim_doctor_id();
  own_patient_id uuid := app_private.claim_patient_id();
  instant timestamptz := app_private.clock();
  place app_public.hospital;
begin
  select * into place from app_public.hospital as present where present.id = hospital;
  return query
    with visit as (
      select appointment.*
      from app_public.appointment
      where own_doctor_id is not null
        and appointment.hospital_id = hospital and appointment.doctor_id = own_doctor_id
        and appointment.starts_at > instant - interval '30 days'
        and appointment.starts_at < instant + make_interval(days => place.booking_horizon_days + 1)
      union all
      select appointment.*
      from app_public.appointment
      where own_doctor_id is null
        and appointment.hospital_id = hospital and appointment.patient_id = own_patient_id
        and appointment.starts_at > instant - interval '30 days'
        and appointment.starts_at < instant + make_interval(days => place.booking_horizon_days + 1)
    )
    select visit.id, visit.status, visit.starts_at, visit.ends_at, visit.updated_at,
      (select count(*)::integer
       from app_public.appointment_move as move
       where move.hospital_id = hospital and move.appointment_id = visit.id),
      case when own_doctor_id is null then doctor.display_name else app_private.initials(patient.name) end,
      location.name, place.name, place.slug
    from visit
    join app_public.doctor on doctor.hospital_id = hospital and doctor.id = visit.doctor_id
    join app_public.patient on patient.hospital_id = hospital and patient.id = visit.patient_id
    left join app_public.location on location.hospital_id = hospital and location.id = visit.location_id
    where visit.slot_id is not null
      and (visit.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed', 'no_show')
        or visit.status = 'cancelled' and visit.cancelled_at > instant - interval '30 days')
    order by visit.starts_at, visit.id;
end
$$;

comment on function app_private.calendar_visits() is
  'The visits that the calendar feed of the request''s account shows.';

revoke execute on function app_private.calendar_visits() from public;
grant execute on function app_private.calendar_visits() to app_patient, app_doctor;
--! EndIncluded functions/notifications/calendar_visits.sql

drop function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, text[]);
--! Included functions/scheduling/update_hospital_settings.sql
-- Null leaves a setting as it is; generated_days, which may be empty, is emptied by clear. The time zone
-- is not among them: change_time_zone carries along what is written in local time. More days ahead get
-- their slots from the job that the message in the outbox starts.
create or replace function app_public.update_hospital_settings(
  name text default null, booking_horizon_days integer default null, generated_days integer default null,
  hold_duration interval default null, offer_duration interval default null, rebook_buffer interval default null,
  no_show_block_threshold integer default null, no_show_window_start time default null,
  no_show_window_end time default null, vitals_alert_buffer interval default null,
  doctor_alert_buffer interval default null, kept_years integer default null, reminder_offsets interval[] default null, clear text[] default '{}')
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
    'reminder_offsets', case when not app_private.is_reminder_offsets(reminder_offsets) then 'is not 1 to 5 distinct spans of 5 minutes to 30 days' end,
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
      kept_years = coalesce(update_hospital_settings.kept_years, hospital.kept_years),
      reminder_offsets = coalesce(update_hospital_settings.reminder_offsets, hospital.reminder_offsets)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], text[]) is
  'Changes settings of the hospital; what is left out or null stays as it is, and clear may name generated_days, to store slots to the booking horizon again. All faults come back together in details. The time zone has changeTimeZone. For admins.';

revoke execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], text[]) from public;
grant execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], text[]) to app_admin;
--! EndIncluded functions/scheduling/update_hospital_settings.sql
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

--! Included policies/hospital.sql
-- Members see the hospital they belong to; its admins change its settings.
alter table app_public.hospital enable row level security;
alter table app_public.hospital force row level security;

grant select on app_public.hospital to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant update (name, booking_horizon_days, generated_days, hold_duration, offer_duration, rebook_buffer, no_show_block_threshold, no_show_window_start, no_show_window_end, vitals_alert_buffer, doctor_alert_buffer, kept_years, reminder_offsets) on app_public.hospital to app_admin;
grant update (is_second_factor_required, emergency_access_duration, security_events_kept_days) on app_public.hospital to app_admin;
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
--! Included policies/appointment_reminder.sql
-- The staff see who was reminded of what; patients have the message itself in their inbox.
alter table app_public.appointment_reminder enable row level security;
alter table app_public.appointment_reminder force row level security;

grant select on app_public.appointment_reminder to app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of writing to anybody: send_reminders does, as the owner.

drop policy if exists staff_read_their_hospital on app_public.appointment_reminder;
create policy staff_read_their_hospital on app_public.appointment_reminder for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_reminder;
create policy owner_maintains on app_public.appointment_reminder for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/appointment_reminder.sql
--! Included policies/calendar_feed.sql
-- Everybody who can have feeds sees and ends their own; admins those of their hospital. Making one makes
-- a secret as well, which open_calendar_feed does.
alter table app_public.calendar_feed enable row level security;
alter table app_public.calendar_feed force row level security;

grant select on app_public.calendar_feed to app_patient, app_doctor, app_admin;
grant update (revoked_at) on app_public.calendar_feed to app_patient, app_doctor, app_admin;

drop policy if exists owners_read_their_own on app_public.calendar_feed;
create policy owners_read_their_own on app_public.calendar_feed for select to app_patient, app_doctor
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists owners_end_their_own on app_public.calendar_feed;
create policy owners_end_their_own on app_public.calendar_feed for update to app_patient, app_doctor
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id())
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.calendar_feed;
create policy admins_read_their_hospital on app_public.calendar_feed for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_end_those_of_their_hospital on app_public.calendar_feed;
create policy admins_end_those_of_their_hospital on app_public.calendar_feed for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.calendar_feed;
create policy owner_maintains on app_public.calendar_feed for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/calendar_feed.sql

reset role;
