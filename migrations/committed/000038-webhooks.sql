--! Previous: sha1:25cee888839ac1606914ac9761e1d3abac3bc110
--! Hash: sha1:2e09517574011db0986a075e255175e14329a43b
--! Message: webhooks

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
--! Included catalog/webhook_event.sql
-- What a webhook subscription can be told of. Which change of an appointment is which event stands in
-- the worker (webhook-events.ts).
with wanted (name, description) as (
  values
    ('appointment.requested', 'Somebody asks for an appointment'),
    ('appointment.held', 'A seat is held'),
    ('appointment.booked', 'An appointment is booked, or a missed one is restored'),
    ('appointment.confirmed', 'An appointment is confirmed'),
    ('appointment.moved', 'An appointment has another slot'),
    ('appointment.cancelled', 'An appointment is cancelled, or a request is declined or withdrawn'),
    ('appointment.checked_in', 'A patient has arrived'),
    ('appointment.completed', 'A visit is completed'),
    ('appointment.no_show', 'Nobody came to a visit'),
    ('appointment.expired', 'A hold or a request has expired')
), removed as (
  delete from app_public.webhook_event where webhook_event.name not in (select wanted.name from wanted)
)
insert into app_public.webhook_event (name, description)
select name, description
from wanted
on conflict on constraint webhook_event_pkey do update
set description = excluded.description
where webhook_event.description is distinct from excluded.description;
--! EndIncluded catalog/webhook_event.sql
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
--! Included functions/booking/announce_appointment.sql
-- Tells the outside, by a row: identifiers only, in the same transaction. The relay carries it; a
-- notification from here would take the one lock of the whole server at every commit. A move is told
-- to those who watch the old slot's doctor, too. A request has no slot yet. What it was before, and when
-- it is, are for webhooks, which tell what happened and not what has become of it since.
create or replace function app_private.announce_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'appointment', new.id::text, jsonb_build_object(
    'status', new.status, 'doctor_id', new.doctor_id,
    'slot_ids', case when new.slot_id is null then '[]' else jsonb_build_array(new.slot_id) end,
    'is_main', true,
    'from', case when tg_op = 'UPDATE' then old.status end,
    'is_moved', tg_op = 'UPDATE' and old.slot_id is distinct from new.slot_id,
    'starts_at', new.starts_at, 'ends_at', new.ends_at));

  if tg_op = 'UPDATE' and old.slot_id is distinct from new.slot_id and old.slot_id is not null then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (old.hospital_id, 'appointment', old.id::text, jsonb_build_object(
      'status', new.status, 'doctor_id', old.doctor_id, 'slot_ids', jsonb_build_array(old.slot_id)));
  end if;
  return null;
end
$$;

comment on function app_private.announce_appointment() is
  'Trigger: leaves a message in the outbox for every new or changed appointment.';

revoke execute on function app_private.announce_appointment() from public;

create or replace trigger appointment_is_announced
  after insert or update on app_public.appointment
  for each row execute function app_private.announce_appointment();
--! EndIncluded functions/booking/announce_appointment.sql
--! Included functions/webhooks/hospitals_with_webhooks.sql
-- Of the hospitals of a batch of messages, those that tell somebody: one look a batch of the relay.
create or replace function app_private.hospitals_with_webhooks(hospital_ids uuid[])
returns setof uuid
language sql stable
as $$
  select hospital.id
  from unnest(hospital_ids) as hospital (id)
  where exists (
    select from app_public.webhook_subscription
    where webhook_subscription.hospital_id = hospital.id and webhook_subscription.status = 'active');
$$;

comment on function app_private.hospitals_with_webhooks(uuid[]) is
  'Of these hospitals, those with an active webhook subscription.';

revoke execute on function app_private.hospitals_with_webhooks(uuid[]) from public;
grant execute on function app_private.hospitals_with_webhooks(uuid[]) to app_worker;
--! EndIncluded functions/webhooks/hospitals_with_webhooks.sql
--! Included functions/webhooks/plan_webhooks.sql
-- One delivery an event and active subscription that names it. The event's id follows from the message in
-- the outbox, so that a message that is relayed twice plans nothing twice. Identifiers, states and times
-- only. Definer, because no role may plan deliveries.
create or replace function app_private.plan_webhooks(hospital_id uuid, events jsonb)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  iso constant text := 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';
  planned integer;
begin
  insert into app_public.webhook_delivery (hospital_id, subscription_id, event, event_id, payload, occurred_at)
  select plan_webhooks.hospital_id, subscription.id, message.event,
    md5(format('%s/outbox/%s', plan_webhooks.hospital_id, message.outbox_id))::uuid,
    jsonb_build_object(
      'hospital_id', plan_webhooks.hospital_id,
      'appointment_id', message.appointment_id,
      'doctor_id', message.doctor_id,
      'slot_id', message.slot_id,
      'patient_id', appointment.patient_id,
      'service_id', appointment.service_id,
      'status', message.status,
      'previous_status', message.previous_status,
      'starts_at', to_char(message.starts_at at time zone 'UTC', iso),
      'ends_at', to_char(message.ends_at at time zone 'UTC', iso)),
    message.occurred_at
  from jsonb_to_recordset(events) as message (
    outbox_id bigint, event text, appointment_id uuid, doctor_id uuid, slot_id uuid, status text,
    previous_status text, starts_at timestamptz, ends_at timestamptz, occurred_at timestamptz)
  join app_public.webhook_subscription as subscription
    on subscription.hospital_id = plan_webhooks.hospital_id and subscription.status = 'active'
    and message.event = any (subscription.events)
  left join app_public.appointment
    on appointment.hospital_id = plan_webhooks.hospital_id and appointment.id = message.appointment_id
  order by message.outbox_id, subscription.id
  on conflict on constraint a_subscription_is_told_once_of_an_event do nothing;
  get diagnostics planned = row_count;
  return planned;
end
$$;

comment on function app_private.plan_webhooks(uuid, jsonb) is
  'Plans who is told of these events of a hospital, and returns how many deliveries that are.';

revoke execute on function app_private.plan_webhooks(uuid, jsonb) from public;
grant execute on function app_private.plan_webhooks(uuid, jsonb) to app_worker;
--! EndIncluded functions/webhooks/plan_webhooks.sql
--! Included functions/webhooks/webhook_pause.sql
-- 5 seconds, 1, 5 and 30 minutes, 2, 8 and 24 hours, each up to a fifth more or less, so that what failed
-- together does not come back together.
create or replace function app_private.webhook_pause(attempts integer)
returns interval
language sql volatile
as $$
  select (array['5 seconds', '1 minute', '5 minutes', '30 minutes', '2 hours', '8 hours', '24 hours']::interval[])[
    least(greatest(attempts, 1), 7)] * (0.8 + 0.4 * random());
$$;

comment on function app_private.webhook_pause(integer) is 'How long to wait after so many tries of a webhook.';

revoke execute on function app_private.webhook_pause(integer) from public;
--! EndIncluded functions/webhooks/webhook_pause.sql
--! Included functions/webhooks/claim_webhooks.sql
-- Takes what is due of the active subscriptions of a hospital for sending, and gives it a lease: who does
-- not say until then how it went is taken for dead, and it is sent again under the same id. Of each
-- subscription, and of the hospital, only so many are under way at a time, so that a target that hangs holds
-- up nobody else; for these counts to hold, claims of a hospital come one after the other. Definer, because no role may write
-- deliveries nor read secrets.
create or replace function app_private.claim_webhooks(
  hospital_id uuid, most integer default 16, most_each integer default 4, lease_time interval default '2 minutes',
  most_attempts integer default 8)
returns setof app_private.claimed_webhook
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  new_lease uuid := app_private.new_id();
  room integer;
  due uuid[];
begin
  perform pg_advisory_xact_lock(hashtextextended('webhooks ' || hospital_id::text, 0));

  -- What killed whoever sent it every time.
  update app_public.webhook_delivery as delivery
  set status = 'failed', leased_until = null, lease = null, ended_at = instant
  where delivery.hospital_id = claim_webhooks.hospital_id and delivery.status = 'sending'
    and delivery.leased_until <= instant and delivery.attempts >= most_attempts;

  select greatest(0, most - count(*)) into room
  from app_public.webhook_delivery as busy
  where busy.hospital_id = claim_webhooks.hospital_id and busy.status = 'sending' and busy.leased_until > instant;

  select array_agg(picked.id) into due
  from (
    select ranked.id
    from (
      select candidate.id, candidate.due_at,
        row_number() over (partition by subscription.id order by candidate.due_at, candidate.id) as place
      from app_public.webhook_subscription as subscription
      cross join lateral (
        select count(*) as count
        from app_public.webhook_delivery as busy
        where busy.hospital_id = claim_webhooks.hospital_id and busy.subscription_id = subscription.id
          and busy.status = 'sending' and busy.leased_until > instant
      ) as under_way
      cross join lateral (
        select delivery.id, coalesce(delivery.next_attempt_at, delivery.leased_until) as due_at
        from app_public.webhook_delivery as delivery
        where delivery.hospital_id = claim_webhooks.hospital_id and delivery.subscription_id = subscription.id
          and delivery.status in ('pending', 'sending')
          and coalesce(delivery.next_attempt_at, delivery.leased_until) <= instant
        order by coalesce(delivery.next_attempt_at, delivery.leased_until), delivery.id
        limit greatest(0, most_each - under_way.count)
        for no key update skip locked
      ) as candidate
      where subscription.hospital_id = claim_webhooks.hospital_id and subscription.status = 'active'
    ) as ranked
    order by ranked.place, ranked.due_at, ranked.id
    limit room
  ) as picked;

  update app_public.webhook_delivery as delivery
  set status = 'sending',
    attempts = delivery.attempts + 1,
    next_attempt_at = null,
    leased_until = instant + lease_time,
    lease = new_lease
  where delivery.hospital_id = claim_webhooks.hospital_id and delivery.id = any (due);

  return query
    select delivery.id, subscription.id, delivery.lease, subscription.url,
      array(
        select known.secret
        from app_private.webhook_secret as known
        where known.hospital_id = claim_webhooks.hospital_id and known.subscription_id = subscription.id
          and (known.expires_at is null or known.expires_at > instant)
        order by known.expires_at desc nulls first),
      delivery.event, delivery.event_id, delivery.payload,
      to_char(delivery.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    from app_public.webhook_delivery as delivery
    join app_public.webhook_subscription as subscription
      on subscription.hospital_id = claim_webhooks.hospital_id and subscription.id = delivery.subscription_id
    where delivery.hospital_id = claim_webhooks.hospital_id and delivery.id = any (due) and delivery.lease = new_lease
    order by delivery.occurred_at, delivery.id;
end
$$;

comment on function app_private.claim_webhooks(uuid, integer, integer, interval, integer) is
  'Takes due webhooks of a hospital for sending, so that at most so many, and so many of each subscription, are under way, until a lease ends.';

revoke execute on function app_private.claim_webhooks(uuid, integer, integer, interval, integer) from public;
grant execute on function app_private.claim_webhooks(uuid, integer, integer, interval, integer) to app_worker;
--! EndIncluded functions/webhooks/claim_webhooks.sql
--! Included functions/webhooks/tell_of_webhook.sql
-- Tells the admins of a hospital that a subscription was switched off. Only settle_webhook calls it, as
-- the owner: who could call it would write into inboxes.
create or replace function app_private.tell_of_webhook(hospital_id uuid, name text)
returns void
language plpgsql
as $$
begin
  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select account.hospital_id, account.id, template.event, template.priority, template.channels,
    app_private.fill_template(template.title, null, null, null, null, jsonb_build_object('message', tell_of_webhook.name)),
    app_private.fill_template(template.body, null, null, null, null, jsonb_build_object('message', tell_of_webhook.name)),
    app_private.clock()
  from app_public.account
  join app_public.notification_template as template
    on template.event = 'webhook_switched_off' and template.audience = 'staff'
  where account.hospital_id = tell_of_webhook.hospital_id and account.role = 'admin' and account.is_active;
end
$$;

comment on function app_private.tell_of_webhook(uuid, text) is
  'Leaves a notification about a webhook that was switched off for the admins of a hospital.';

revoke execute on function app_private.tell_of_webhook(uuid, text) from public;
--! EndIncluded functions/webhooks/tell_of_webhook.sql
--! Included functions/webhooks/settle_webhook.sql
-- Says how a try went: sent, failed, gone (the receiver says that it is no more) or unsent (not tried).
-- Only the try that holds the lease may, so that a delivery is marked once. A subscription whose target is
-- gone, has failed for 20 deliveries in a row or for three days is switched off, and its admins are told,
-- once. The subscription is locked before the delivery, as a removal does. Definer, because no role may
-- write any of that.
create or replace function app_private.settle_webhook(
  hospital_id uuid, delivery_id uuid, lease uuid, kind text, status_code integer default null,
  error text default null, excerpt text default null, duration_ms integer default null,
  retry_after integer default null, most_attempts integer default 8)
returns app_public.webhook_delivery_status
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  most_failures constant integer := 20;
  longest_failing constant interval := interval '3 days';
  instant timestamptz := app_private.clock();
  target app_public.webhook_subscription;
  held app_public.webhook_delivery;
  settled app_public.webhook_delivery_status;
  cause text;
begin
  select subscription.* into target
  from app_public.webhook_subscription as subscription
  where subscription.hospital_id = settle_webhook.hospital_id
    and subscription.id = (
      select delivery.subscription_id
      from app_public.webhook_delivery as delivery
      where delivery.hospital_id = settle_webhook.hospital_id and delivery.id = delivery_id)
  for no key update;
  select * into held
  from app_public.webhook_delivery as delivery
  where delivery.hospital_id = settle_webhook.hospital_id and delivery.id = delivery_id
    and delivery.status = 'sending' and delivery.lease = settle_webhook.lease
  for no key update;
  if not found then
    return null;
  end if;

  settled := case
    when kind = 'sent' then 'delivered'
    when kind = 'gone' or kind = 'failed' and held.attempts >= most_attempts then 'failed'
    else 'pending'
  end::app_public.webhook_delivery_status;
  update app_public.webhook_delivery as delivery
  set status = settled,
    attempts = case when kind = 'unsent' then delivery.attempts - 1 else delivery.attempts end,
    next_attempt_at = case when settled = 'pending' then instant + case
      when kind = 'unsent' then interval '0'
      else greatest(app_private.webhook_pause(held.attempts), make_interval(secs => least(coalesce(retry_after, 0), 3600)))
    end end,
    leased_until = null,
    lease = null,
    last_status_code = settle_webhook.status_code,
    last_error = left(error, 500),
    response_excerpt = left(excerpt, 500),
    duration_ms = settle_webhook.duration_ms,
    ended_at = case when settled <> 'pending' then instant end
  where delivery.hospital_id = settle_webhook.hospital_id and delivery.id = delivery_id;
  if kind = 'unsent' then
    return settled;
  end if;

  update app_public.webhook_subscription as subscription
  set consecutive_failures = case settled when 'delivered' then 0 when 'failed' then subscription.consecutive_failures + 1
      else subscription.consecutive_failures end,
    failing_since = case when settled <> 'delivered' then coalesce(subscription.failing_since, instant) end
  where subscription.hospital_id = settle_webhook.hospital_id and subscription.id = target.id
  returning * into target;
  cause := case
    when kind = 'gone' then 'The receiver answered 410: it is gone.'
    when target.consecutive_failures >= most_failures then format('%s deliveries in a row have failed.', most_failures)
    when target.failing_since <= instant - longest_failing then 'It has failed for three days.'
  end;
  if cause is not null and target.status <> 'switched_off' then
    update app_public.webhook_subscription as subscription
    set status = 'switched_off', switched_off_at = instant, switch_off_reason = cause
    where subscription.hospital_id = settle_webhook.hospital_id and subscription.id = target.id;
    perform app_private.tell_of_webhook(settle_webhook.hospital_id, target.name);
  end if;
  return settled;
end
$$;

comment on function app_private.settle_webhook(uuid, uuid, uuid, text, integer, text, text, integer, integer, integer) is
  'Says how a try of a webhook went, and returns its state; null when the lease is not that of the caller any more.';

revoke execute on function app_private.settle_webhook(uuid, uuid, uuid, text, integer, text, text, integer, integer, integer) from public;
grant execute on function app_private.settle_webhook(uuid, uuid, uuid, text, integer, text, text, integer, integer, integer) to app_worker;
--! EndIncluded functions/webhooks/settle_webhook.sql
--! Included functions/webhooks/next_webhook_at.sql
-- When something of a hospital is due next, of active subscriptions only.
create or replace function app_private.next_webhook_at(hospital_id uuid)
returns timestamptz
language sql stable
as $$
  select min(first.due_at)
  from app_public.webhook_subscription as subscription
  cross join lateral (
    select coalesce(delivery.next_attempt_at, delivery.leased_until) as due_at
    from app_public.webhook_delivery as delivery
    where delivery.hospital_id = next_webhook_at.hospital_id and delivery.subscription_id = subscription.id
      and delivery.status in ('pending', 'sending')
    order by coalesce(delivery.next_attempt_at, delivery.leased_until)
    limit 1
  ) as first
  where subscription.hospital_id = next_webhook_at.hospital_id and subscription.status = 'active';
$$;

comment on function app_private.next_webhook_at(uuid) is 'When a webhook of a hospital is due next; null: nothing waits.';

revoke execute on function app_private.next_webhook_at(uuid) from public;
grant execute on function app_private.next_webhook_at(uuid) to app_worker;
--! EndIncluded functions/webhooks/next_webhook_at.sql
--! Included functions/webhooks/remove_old_webhooks.sql
-- Definer, because no role may delete deliveries.
create or replace function app_private.remove_old_webhooks(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  limit_of_memory timestamptz := app_private.clock() - interval '30 days';
  removed integer;
begin
  delete from app_public.webhook_delivery as delivery
  where delivery.hospital_id = remove_old_webhooks.hospital_id and delivery.ended_at < limit_of_memory;
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_webhooks(uuid) is
  'Deletes the webhook deliveries of a hospital that ended more than 30 days ago, and returns how many.';

revoke execute on function app_private.remove_old_webhooks(uuid) from public;
grant execute on function app_private.remove_old_webhooks(uuid) to app_worker;
--! EndIncluded functions/webhooks/remove_old_webhooks.sql
--! Included functions/webhooks/guard_webhook_subscription.sql
-- The life of a subscription, for every client: it names events that there are; an admin pauses and
-- resumes it, only the sending switches it off. Who is resumed starts with a clean slate. Definer, so that
-- the catalog of events is read whoever writes.
create or replace function app_private.guard_webhook_subscription() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  acting text := app_private.actor_role();
  unknown_events text[];
begin
  perform app_private.guard_tenant(acting, new.hospital_id);
  select array_agg(named.event order by named.event) into unknown_events
  from unnest(new.events) as named (event)
  where named.event is not null
    and not exists (select from app_public.webhook_event where webhook_event.name = named.event);
  if unknown_events is not null then
    perform app_private.refuse('unknown_webhook_event', jsonb_build_object('events', unknown_events));
  end if;
  if tg_op = 'UPDATE' and old.status <> new.status then
    if new.status = 'switched_off' and acting not in ('worker', 'operator')
      or (old.status, new.status) = ('switched_off', 'paused')
    then
      perform app_private.refuse('webhook_not_active', jsonb_build_object('subscription_id', old.id, 'status', old.status));
    end if;
    if new.status = 'active' then
      new.consecutive_failures := 0;
      new.failing_since := null;
      new.switched_off_at := null;
      new.switch_off_reason := null;
    end if;
  end if;
  return new;
end
$$;

comment on function app_private.guard_webhook_subscription() is
  'Trigger: holds a webhook subscription to the catalog of events and to its life.';

revoke execute on function app_private.guard_webhook_subscription() from public;

create or replace trigger webhook_subscription_is_guarded
  before insert or update of events, status on app_public.webhook_subscription
  for each row execute function app_private.guard_webhook_subscription();
--! EndIncluded functions/webhooks/guard_webhook_subscription.sql
--! Included functions/webhooks/resume_webhook_deliveries.sql
-- What waited while a subscription was not told goes out when it is resumed; what is older than a week
-- is given up. Definer, because no role may write deliveries.
create or replace function app_private.resume_webhook_deliveries() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  update app_public.webhook_delivery as delivery
  set status = 'failed', next_attempt_at = null, ended_at = instant,
    last_error = 'It had waited for more than seven days when its subscription was resumed.'
  where delivery.hospital_id = new.hospital_id and delivery.subscription_id = new.id
    and delivery.status = 'pending' and delivery.created_at < instant - interval '7 days';
  update app_public.webhook_delivery as delivery
  set next_attempt_at = instant
  where delivery.hospital_id = new.hospital_id and delivery.subscription_id = new.id
    and delivery.status = 'pending' and delivery.next_attempt_at > instant;
  return null;
end
$$;

comment on function app_private.resume_webhook_deliveries() is
  'Trigger: sends what waited when a webhook subscription is resumed, and gives up what is a week old.';

revoke execute on function app_private.resume_webhook_deliveries() from public;

create or replace trigger webhook_deliveries_are_resumed
  after update of status on app_public.webhook_subscription
  for each row when (old.status <> 'active' and new.status = 'active')
  execute function app_private.resume_webhook_deliveries();
--! EndIncluded functions/webhooks/resume_webhook_deliveries.sql
--! Included functions/webhooks/guard_webhook_delivery.sql
-- The life of a delivery, for every client: it waits, is sent, ends; what has ended starts anew when an
-- admin says so. Definer, like every trigger.
create or replace function app_private.guard_webhook_delivery() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  acting text := app_private.actor_role();
begin
  perform app_private.guard_tenant(acting, old.hospital_id);
  if old.status in ('delivered', 'failed') and new.status = 'pending' then
    new.attempts := 0;
    new.next_attempt_at := app_private.clock();
    new.leased_until := null;
    new.lease := null;
    new.ended_at := null;
  elsif (acting not in ('worker', 'operator')
      and not (acting = 'admin' and (old.status, new.status) = ('pending', 'failed') and pg_trigger_depth() > 1))
    or (old.status, new.status) not in (
      ('pending', 'sending'), ('pending', 'failed'),
      ('sending', 'sending'), ('sending', 'pending'), ('sending', 'delivered'), ('sending', 'failed'))
  then
    perform app_private.refuse('webhook_delivery_not_ended',
      jsonb_build_object('delivery_id', old.id, 'status', old.status));
  end if;
  return new;
end
$$;

comment on function app_private.guard_webhook_delivery() is
  'Trigger: lets a webhook delivery take its course, and start anew after its end.';

revoke execute on function app_private.guard_webhook_delivery() from public;

create or replace trigger webhook_delivery_takes_its_course
  before update of status on app_public.webhook_delivery
  for each row execute function app_private.guard_webhook_delivery();
--! EndIncluded functions/webhooks/guard_webhook_delivery.sql
--! Included functions/webhooks/replace_webhook_secret.sql
-- Makes the secret of a subscription: 256 random bits, told once. The one before signs as well for 24
-- hours, those before that no more. Definer, because nobody may read or write secrets.
create or replace function app_private.replace_webhook_secret(hospital_id uuid, subscription_id uuid)
returns app_public.shown_webhook_secret
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  shown app_public.shown_webhook_secret;
begin
  if hospital_id is distinct from app_private.claim_hospital_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.webhook_subscription
  where webhook_subscription.hospital_id = replace_webhook_secret.hospital_id
    and webhook_subscription.id = replace_webhook_secret.subscription_id
  for no key update;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;

  delete from app_private.webhook_secret as known
  where known.hospital_id = replace_webhook_secret.hospital_id
    and known.subscription_id = replace_webhook_secret.subscription_id and known.expires_at is not null;
  update app_private.webhook_secret as known
  set expires_at = instant + interval '24 hours'
  where known.hospital_id = replace_webhook_secret.hospital_id
    and known.subscription_id = replace_webhook_secret.subscription_id;
  if found then
    update app_public.webhook_subscription
    set secret_rotated_at = instant
    where webhook_subscription.hospital_id = replace_webhook_secret.hospital_id
      and webhook_subscription.id = replace_webhook_secret.subscription_id;
  end if;
  shown.subscription_id := replace_webhook_secret.subscription_id;
  shown.secret := 'whsec_' || encode(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64');
  insert into app_private.webhook_secret (hospital_id, subscription_id, secret)
  values (replace_webhook_secret.hospital_id, shown.subscription_id, shown.secret);
  return shown;
end
$$;

comment on function app_private.replace_webhook_secret(uuid, uuid) is
  'Makes a new secret of a webhook subscription; what it returns cannot be read again.';

revoke execute on function app_private.replace_webhook_secret(uuid, uuid) from public;
grant execute on function app_private.replace_webhook_secret(uuid, uuid) to app_admin;
--! EndIncluded functions/webhooks/replace_webhook_secret.sql
--! Included functions/webhooks/create_webhook_subscription.sql
create or replace function app_public.create_webhook_subscription(name text, url text, events text[])
returns app_public.shown_webhook_secret
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  made uuid;
begin
  insert into app_public.webhook_subscription (hospital_id, name, url, events)
  values (hospital, create_webhook_subscription.name, create_webhook_subscription.url, create_webhook_subscription.events)
  returning webhook_subscription.id into made;
  return app_private.replace_webhook_secret(hospital, made);
end
$$;

comment on function app_public.create_webhook_subscription(text, text, text[]) is
  'Tells a system of events from now on, by signed requests to its URL. The secret is shown this once.';

revoke execute on function app_public.create_webhook_subscription(text, text, text[]) from public;
grant execute on function app_public.create_webhook_subscription(text, text, text[]) to app_admin;
--! EndIncluded functions/webhooks/create_webhook_subscription.sql
--! Included functions/webhooks/rotate_webhook_secret.sql
create or replace function app_public.rotate_webhook_secret(subscription_id uuid)
returns app_public.shown_webhook_secret
language plpgsql volatile
as $$
begin
  return app_private.replace_webhook_secret(app_private.request_hospital_id(), rotate_webhook_secret.subscription_id);
end
$$;

comment on function app_public.rotate_webhook_secret(uuid) is
  'Makes a new secret, shown this once. For 24 hours requests carry a signature of the old one, too.';

revoke execute on function app_public.rotate_webhook_secret(uuid) from public;
grant execute on function app_public.rotate_webhook_secret(uuid) to app_admin;
--! EndIncluded functions/webhooks/rotate_webhook_secret.sql
--! Included functions/webhooks/update_webhook_subscription.sql
create or replace function app_public.update_webhook_subscription(
  subscription_id uuid, name text default null, url text default null, events text[] default null)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.webhook_subscription;
begin
  update app_public.webhook_subscription
  set name = coalesce(update_webhook_subscription.name, webhook_subscription.name),
    url = coalesce(update_webhook_subscription.url, webhook_subscription.url),
    events = coalesce(update_webhook_subscription.events, webhook_subscription.events)
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into changed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_webhook_subscription(uuid, text, text, text[]) is
  'Changes name, URL or events of a webhook subscription; what is left out stays. Deliveries that wait go to the new URL.';

revoke execute on function app_public.update_webhook_subscription(uuid, text, text, text[]) from public;
grant execute on function app_public.update_webhook_subscription(uuid, text, text, text[]) to app_admin;
--! EndIncluded functions/webhooks/update_webhook_subscription.sql
--! Included functions/webhooks/pause_webhook_subscription.sql
create or replace function app_public.pause_webhook_subscription(subscription_id uuid)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.webhook_subscription;
begin
  update app_public.webhook_subscription
  set status = 'paused'
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into changed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return changed;
end
$$;

comment on function app_public.pause_webhook_subscription(uuid) is
  'Tells a system nothing until it is resumed. What waits stays; events in the meantime are not kept for it.';

revoke execute on function app_public.pause_webhook_subscription(uuid) from public;
grant execute on function app_public.pause_webhook_subscription(uuid) to app_admin;
--! EndIncluded functions/webhooks/pause_webhook_subscription.sql
--! Included functions/webhooks/resume_webhook_subscription.sql
create or replace function app_public.resume_webhook_subscription(subscription_id uuid)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.webhook_subscription;
begin
  update app_public.webhook_subscription
  set status = 'active'
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into changed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resume_webhook_subscription(uuid) is
  'Tells a system again that was paused or switched off. What waits and is less than seven days old goes out.';

revoke execute on function app_public.resume_webhook_subscription(uuid) from public;
grant execute on function app_public.resume_webhook_subscription(uuid) to app_admin;
--! EndIncluded functions/webhooks/resume_webhook_subscription.sql
--! Included functions/webhooks/delete_webhook_subscription.sql
create or replace function app_public.delete_webhook_subscription(subscription_id uuid)
returns app_public.webhook_subscription
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  removed app_public.webhook_subscription;
begin
  delete from app_public.webhook_subscription
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = subscription_id
  returning * into removed;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  return removed;
end
$$;

comment on function app_public.delete_webhook_subscription(uuid) is
  'Removes a webhook subscription with its secrets and all of its deliveries.';

revoke execute on function app_public.delete_webhook_subscription(uuid) from public;
grant execute on function app_public.delete_webhook_subscription(uuid) to app_admin;
--! EndIncluded functions/webhooks/delete_webhook_subscription.sql
--! Included functions/webhooks/send_test_webhook.sql
create or replace function app_public.send_test_webhook(subscription_id uuid)
returns app_public.webhook_delivery
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  target app_public.webhook_subscription;
  planned app_public.webhook_delivery;
begin
  select * into target
  from app_public.webhook_subscription
  where webhook_subscription.hospital_id = hospital and webhook_subscription.id = send_test_webhook.subscription_id;
  if not found then
    perform app_private.refuse('webhook_not_found', jsonb_build_object('subscription_id', subscription_id));
  end if;
  if target.status <> 'active' then
    perform app_private.refuse('webhook_not_active',
      jsonb_build_object('subscription_id', subscription_id, 'status', target.status));
  end if;
  insert into app_public.webhook_delivery (hospital_id, subscription_id, event)
  values (hospital, target.id, 'webhook.test')
  returning * into planned;
  return planned;
end
$$;

comment on function app_public.send_test_webhook(uuid) is
  'Sends the event webhook.test, without data, to an active webhook subscription within a minute.';

revoke execute on function app_public.send_test_webhook(uuid) from public;
grant execute on function app_public.send_test_webhook(uuid) to app_admin;
--! EndIncluded functions/webhooks/send_test_webhook.sql
--! Included functions/webhooks/resend_webhook_delivery.sql
create or replace function app_public.resend_webhook_delivery(delivery_id uuid)
returns app_public.webhook_delivery
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  resent app_public.webhook_delivery;
begin
  update app_public.webhook_delivery as delivery
  set status = 'pending'
  where delivery.hospital_id = hospital and delivery.id = delivery_id
  returning * into resent;
  if not found then
    perform app_private.refuse('webhook_delivery_not_found', jsonb_build_object('delivery_id', delivery_id));
  end if;
  return resent;
end
$$;

comment on function app_public.resend_webhook_delivery(uuid) is
  'Sends a webhook again that was delivered or given up, within a minute, under the same id.';

revoke execute on function app_public.resend_webhook_delivery(uuid) from public;
grant execute on function app_public.resend_webhook_delivery(uuid) to app_admin;
--! EndIncluded functions/webhooks/resend_webhook_delivery.sql
--! Included policies/webhook_event.sql
-- The catalog of events holds nothing private; only migrations write it.
alter table app_public.webhook_event enable row level security;
alter table app_public.webhook_event force row level security;

grant select on app_public.webhook_event to app_admin;

drop policy if exists admins_read on app_public.webhook_event;
create policy admins_read on app_public.webhook_event for select to app_admin
  using (true);

drop policy if exists owner_maintains on app_public.webhook_event;
create policy owner_maintains on app_public.webhook_event to app_owner using (true) with check (true);
--! EndIncluded policies/webhook_event.sql
--! Included policies/webhook_subscription.sql
-- Admins decide who is told; what the sending finds out of a target is written by its functions.
alter table app_public.webhook_subscription enable row level security;
alter table app_public.webhook_subscription force row level security;

grant select on app_public.webhook_subscription to app_admin, app_worker, app_monitor;
grant insert (hospital_id, name, url, events) on app_public.webhook_subscription to app_admin;
grant update (name, url, events, status) on app_public.webhook_subscription to app_admin;
grant delete on app_public.webhook_subscription to app_admin;

drop policy if exists admins_read_their_hospital on app_public.webhook_subscription;
create policy admins_read_their_hospital on app_public.webhook_subscription for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_add_in_their_hospital on app_public.webhook_subscription;
create policy admins_add_in_their_hospital on app_public.webhook_subscription for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_in_their_hospital on app_public.webhook_subscription;
create policy admins_change_in_their_hospital on app_public.webhook_subscription for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_remove_in_their_hospital on app_public.webhook_subscription;
create policy admins_remove_in_their_hospital on app_public.webhook_subscription for delete to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.webhook_subscription;
create policy worker_reads_all on app_public.webhook_subscription for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.webhook_subscription;
create policy monitor_reads_all on app_public.webhook_subscription for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.webhook_subscription;
create policy owner_maintains on app_public.webhook_subscription for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/webhook_subscription.sql
--! Included policies/webhook_secret.sql
-- Written and read by the functions of webhooks, as the owner. No role has a right.
alter table app_private.webhook_secret enable row level security;
alter table app_private.webhook_secret force row level security;

drop policy if exists owner_maintains on app_private.webhook_secret;
create policy owner_maintains on app_private.webhook_secret for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/webhook_secret.sql
--! Included policies/webhook_delivery.sql
-- Admins see what their targets were told, send a test and send again what has ended.
alter table app_public.webhook_delivery enable row level security;
alter table app_public.webhook_delivery force row level security;

grant select on app_public.webhook_delivery to app_admin, app_worker, app_monitor;
-- No more than this: a test says nothing, and what is real is planned by a function.
grant insert (hospital_id, subscription_id, event) on app_public.webhook_delivery to app_admin;
grant update (status) on app_public.webhook_delivery to app_admin;

drop policy if exists admins_read_their_hospital on app_public.webhook_delivery;
create policy admins_read_their_hospital on app_public.webhook_delivery for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_send_tests on app_public.webhook_delivery;
create policy admins_send_tests on app_public.webhook_delivery for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id() and event = 'webhook.test');

drop policy if exists admins_resend_in_their_hospital on app_public.webhook_delivery;
create policy admins_resend_in_their_hospital on app_public.webhook_delivery for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.webhook_delivery;
create policy worker_reads_all on app_public.webhook_delivery for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.webhook_delivery;
create policy monitor_reads_all on app_public.webhook_delivery for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.webhook_delivery;
create policy owner_maintains on app_public.webhook_delivery for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/webhook_delivery.sql

reset role;
