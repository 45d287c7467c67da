--! Previous: sha1:60b5155bc584468371bcfe132fcf4d99a536567e
--! Hash: sha1:11e3ae8a013ef5a6cb5657056cbe97d7315d3e98
--! Message: doors-to-health

--! split: 1-current.sql
-- Functions and rights: The doors to checks and findings: admins, monitors outside, people in psql.
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
    ('SK400', 'audit_range_too_long', true, 'More was sealed in this time than can be verified at once.', 'Give a shorter range with sealedFrom and sealedUntil, or verify everything in psql.'),
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
    ('SK401', 'invalid_api_key', false, 'The API key is missing or not valid.', 'Send one of the keys that the operator has set, in the header that this address asks for.'),

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
    ('SK404', 'health_alert_not_found', true, 'There is no such health alert.', 'Check the alert''s id.'),
    ('SK404', 'review_item_not_found', true, 'There is no such review.', 'Check its id.'),
    ('SK409', 'review_item_claimed', true, 'Somebody else looks at this review.', 'Talk to whom details.claimed_by names, or take it over with takeOver.'),
    ('SK409', 'illegal_review_transition', false, 'The review cannot change in this way from its present state.', 'Read it again: claim a pending one first; what is decided stays so.'),
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

    -- Checks and findings
    ('SK503', 'no_checks', false, 'The catalog of health checks is empty.', 'Look at checks.missing_guard: a policy, a grant or the rows of app_public.health_check are gone.'),
    ('SK404', 'unknown_check', true, 'There is no such health check.', 'Name checks of the list healthChecks; details has them all.'),
    ('SK409', 'checks_already_running', true, 'Somebody is running health checks at this moment.', 'Wait for their end, then read checkRuns.'),
    ('SK503', 'checks_took_too_long', true, 'The checks took longer than a request may.', 'Name fewer checks, or ask for runJob(job: "run_health_checks") and watch checkRuns.'),
    ('SK404', 'finding_not_found', true, 'There is no such finding.', 'Check the id; findings that were resolved long ago are gone.'),
    ('SK403', 'finding_of_the_system', false, 'This finding is about the whole system.', 'Tell whoever runs it.'),
    ('SK409', 'finding_is_resolved', false, 'This problem is gone already.', 'Read the finding again.'),
    ('SK409', 'finding_is_ignored', true, 'This finding is ignored.', 'Let it count again first: unignoreFinding.'),
    ('SK409', 'finding_is_not_ignored', false, 'This finding is not ignored.', 'Read the finding again.'),
    ('SK422', 'finding_needs_a_person', false, 'No repair of this is safe without a person.', 'Follow the resolution of its check.'),

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
--! Included policies/health_check.sql
-- The catalog of checks holds nothing of a hospital; only migrations write it.
alter table app_public.health_check enable row level security;
alter table app_public.health_check force row level security;

grant select on app_public.health_check to app_admin, app_monitor;

drop policy if exists admins_and_monitor_read on app_public.health_check;
create policy admins_and_monitor_read on app_public.health_check for select to app_admin, app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.health_check;
create policy owner_maintains on app_public.health_check for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/health_check.sql
--! Included policies/check_run.sql
-- Admins see the runs of their hospital; the engine alone writes them.
alter table app_public.check_run enable row level security;
alter table app_public.check_run force row level security;

grant select on app_public.check_run to app_admin, app_monitor;
-- No grant of insert, update or delete to anybody: what ran has run.

drop policy if exists admins_read_their_hospital on app_public.check_run;
create policy admins_read_their_hospital on app_public.check_run for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.check_run;
create policy monitor_reads_all on app_public.check_run for select to app_monitor
  using (true);

-- The functions of health run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.check_run;
create policy owner_maintains on app_public.check_run for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/check_run.sql
--! Included policies/check_result.sql
-- Admins see what the runs of their hospital returned; the engine alone writes it.
alter table app_public.check_result enable row level security;
alter table app_public.check_result force row level security;

grant select on app_public.check_result to app_admin, app_monitor;
-- No grant of insert, update or delete to anybody: what was found was found.

drop policy if exists admins_read_their_hospital on app_public.check_result;
create policy admins_read_their_hospital on app_public.check_result for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.check_result;
create policy monitor_reads_all on app_public.check_result for select to app_monitor
  using (true);

-- The functions of health run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.check_result;
create policy owner_maintains on app_public.check_result for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/check_result.sql
--! Included policies/finding.sql
-- Admins see what was found in their hospital. Those of the whole system stand under the hospital of
-- noughts, which no claim names: system_findings() tells of them.
alter table app_public.finding enable row level security;
alter table app_public.finding force row level security;

grant select on app_public.finding to app_admin, app_monitor;
-- No grant of insert, update or delete to anybody: ignoring and repairing go through functions that log it.

drop policy if exists admins_read_their_hospital on app_public.finding;
create policy admins_read_their_hospital on app_public.finding for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.finding;
create policy monitor_reads_all on app_public.finding for select to app_monitor
  using (true);

-- The functions of health run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.finding;
create policy owner_maintains on app_public.finding for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/finding.sql
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

create or replace trigger review_item_keeps_what_it_is_about
  before update of hospital_id, id, finding_id, reason, entity_type, entity_id, detail, context, created_at on app_public.review_item
  for each row execute function app_private.keep_columns('review_item', 'finding_id', 'reason', 'entity_type', 'entity_id', 'detail', 'context', 'created_at');

create or replace trigger health_alert_keeps_what_it_is_about
  before update of hospital_id, id, finding_id, check_name, title, raised_at on app_public.health_alert
  for each row execute function app_private.keep_columns('health_alert', 'finding_id', 'check_name', 'title', 'raised_at');

create or replace trigger health_alert_delivery_keeps_what_it_says
  before update of hospital_id, id, channel, room, check_name, alert_ids, title, body, planned_at on app_private.health_alert_delivery
  for each row execute function app_private.keep_columns('health_alert_delivery', 'channel', 'room', 'check_name', 'alert_ids', 'title', 'body', 'planned_at');

create or replace trigger health_digest_mark_keeps_its_identity
  before update of hospital_id on app_private.health_digest_mark
  for each row execute function app_private.keep_columns('health_digest_mark');

create or replace trigger health_report_keeps_its_identity
  before update of hospital_id, day on app_public.health_report
  for each row execute function app_private.keep_columns('health_report', 'day');

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

create or replace trigger check_run_keeps_what_happened
  before update of hospital_id, id, trigger, requested_by, check_names, started_at, finished_at on app_public.check_run
  for each row execute function app_private.keep_columns('check_run', 'trigger', 'requested_by', 'check_names', 'started_at', 'finished_at');

create or replace trigger check_result_keeps_what_happened
  before update of hospital_id, run_id, check_name, row_count on app_public.check_result
  for each row execute function app_private.keep_columns('check_result', 'run_id', 'check_name', 'row_count');

create or replace trigger finding_keeps_its_identity
  before update of hospital_id, id, check_name, entity_type, entity_id, cache_key on app_public.finding
  for each row execute function app_private.keep_columns('finding', 'check_name', 'entity_type', 'entity_id', 'cache_key');

-- What a seal closes follows redactions; to which seal it belongs never changes.
create or replace trigger audit_seal_content_keeps_its_identity
  before update of hospital_id, seal_id, entry_ids on app_private.audit_seal_content
  for each row execute function app_private.keep_columns('audit_seal_content', 'seal_id', 'entry_ids');

create or replace trigger audit_seal_mark_keeps_its_identity
  before update of hospital_id on app_private.audit_seal_mark
  for each row execute function app_private.keep_columns('audit_seal_mark');
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
    app_private.audited_role(),
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

-- What people decide about a finding, and what settles itself; that it was queued, the log has.
create or replace trigger review_is_audited
  after update or delete on app_public.review_item
  for each row execute function app_private.record_audit('review_item');

-- Not when people were told of it.
create or replace trigger health_alert_is_audited
  after update of status, note or delete on app_public.health_alert
  for each row execute function app_private.record_audit('health_alert');

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

-- That people ignore a finding, and that they end it; what runs find is in the log.
create or replace trigger finding_is_audited
  after update of ignored_at, ignored_by, ignored_until, ignore_reason on app_public.finding
  for each row execute function app_private.record_audit('finding');
--! EndIncluded functions/audit/record_audit.sql
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
--! Included functions/health/place_finding.sql
-- The domain comes from the catalog, so that findings can be sought by it without a join that a client
-- cannot make. A check that has left the catalog leaves it empty.
create or replace function app_private.place_finding() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  select health_check.domain into new.domain
  from app_public.health_check
  where health_check.name = new.check_name;
  return new;
end
$$;

comment on function app_private.place_finding() is 'Trigger: takes the domain of a finding from the catalog of checks.';

revoke execute on function app_private.place_finding() from public;

create or replace trigger finding_is_placed
  before insert on app_public.finding
  for each row execute function app_private.place_finding();
--! EndIncluded functions/health/place_finding.sql
--! Included functions/health/guard_check_names.sql
-- Null means all. An empty list is refused: who chose nothing does not mean everything.
create or replace function app_private.guard_check_names(check_names text[]) returns void
language plpgsql stable
as $$
declare
  unknown text[];
begin
  if check_names is null then
    return;
  end if;
  if cardinality(check_names) = 0 then
    perform app_private.refuse('invalid_input',
      jsonb_build_object('check_names', 'Name at least one check, or leave it out for all.'));
  end if;

  unknown := array(
    select distinct coalesce(wanted.name, 'null')
    from unnest(check_names) as wanted (name)
    where not exists (select from app_public.health_check where health_check.name = wanted.name)
    order by 1);
  if unknown <> '{}' then
    perform app_private.refuse('unknown_check', jsonb_build_object(
      'unknown', unknown,
      'checks', array(select health_check.name from app_public.health_check order by 1)));
  end if;
end
$$;

comment on function app_private.guard_check_names(text[]) is
  'Refuses names that no health check has, and an empty list; null means all checks.';

revoke execute on function app_private.guard_check_names(text[]) from public;
--! EndIncluded functions/health/guard_check_names.sql
--! Included functions/health/run_wanted_checks.sql
-- For people and for monitors outside, who wait for the answer: one such run of a hospital at a time, for
-- the same question asked twice costs twice and tells nothing new. What the statement's timeout stops is
-- caught here, because only here it is known what to do instead; nothing of the run is kept then.
-- Definer, because the engine is granted to nobody; a request reaches its own hospital alone, and only a
-- caller without claims reaches all: an operator, or the server's role for machines with a key.
create or replace function app_private.run_wanted_checks(hospital_id uuid, check_names text[])
returns app_public.check_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  run app_public.check_run;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  perform app_private.guard_check_names(check_names);
  if not pg_try_advisory_xact_lock(hashtextextended(concat('checks of ', hospital_id), 0)) then
    perform app_private.refuse('checks_already_running');
  end if;

  begin
    run := app_private.run_checks(
      hospital_id => run_wanted_checks.hospital_id,
      check_names => run_wanted_checks.check_names,
      trigger => 'manual',
      requested_by => app_private.claim_account_id());
  exception
    when query_canceled then
      perform app_private.refuse('checks_took_too_long', jsonb_build_object('job', 'run_health_checks'));
  end;
  return run;
end
$$;

comment on function app_private.run_wanted_checks(uuid, text[]) is
  'Runs checks in a hospital, or in all when it is null, for somebody who waits; null names mean all checks.';

revoke execute on function app_private.run_wanted_checks(uuid, text[]) from public;
grant execute on function app_private.run_wanted_checks(uuid, text[]) to app_admin, app_scheduler;
--! EndIncluded functions/health/run_wanted_checks.sql
--! Included functions/health/run_health_checks.sql
create or replace function app_public.run_health_checks(check_names text[] default null)
returns app_public.check_run
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.run_wanted_checks(hospital, check_names);
end
$$;

comment on function app_public.run_health_checks(text[]) is
  'Runs health checks in your hospital now, and remembers what they find. A hospital that takes longer than a request may is checked by runJob(job: "run_health_checks").';

revoke execute on function app_public.run_health_checks(text[]) from public;
grant execute on function app_public.run_health_checks(text[]) to app_admin;
--! EndIncluded functions/health/run_health_checks.sql
--! Included functions/health/find_finding.sql
-- A finding that somebody wants to change, locked. Findings of the whole system can be read by the admins
-- of every hospital, so it is no secret that they are there; they are for who runs the system.
create or replace function app_private.find_finding(hospital_id uuid, finding_id uuid)
returns app_public.finding
language plpgsql volatile
as $$
declare
  machinery uuid := app_private.machinery();
  found_one app_public.finding;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into found_one
  from app_public.finding
  where finding.hospital_id = find_finding.hospital_id and finding.id = finding_id
  for no key update;
  if not found then
    if exists (
      select from app_public.finding where finding.hospital_id = machinery and finding.id = finding_id)
    then
      perform app_private.refuse('finding_of_the_system', jsonb_build_object('finding_id', finding_id));
    end if;
    perform app_private.refuse('finding_not_found', jsonb_build_object('finding_id', finding_id));
  end if;
  return found_one;
end
$$;

comment on function app_private.find_finding(uuid, uuid) is
  'The finding of a hospital with this id, locked; refuses what is not there and what only operators may change.';

revoke execute on function app_private.find_finding(uuid, uuid) from public;
--! EndIncluded functions/health/find_finding.sql
--! Included functions/health/set_finding_ignored.sql
-- Who ignores it, when and why comes from the claims and the clock, never from the caller. Definer, because
-- findings are written by nobody else; only findings of the caller's hospital are reached.
create or replace function app_private.set_finding_ignored(
  hospital_id uuid, finding_id uuid, reason text, ignored_until timestamptz)
returns app_public.finding
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  moment timestamptz := app_private.clock();
  before app_public.finding := app_private.find_finding(hospital_id, finding_id);
  changed app_public.finding;
begin
  perform app_private.guard_input(jsonb_build_object(
    'reason', case
      when reason is null or length(btrim(reason)) not between 1 and 2000
      then 'Say why, in at most 2000 characters.' end,
    'until', case when ignored_until <= moment then 'Choose a time to come, or leave it out to ignore it for good.' end));
  if before.resolved_at is not null then
    perform app_private.refuse('finding_is_resolved', jsonb_build_object('resolved_at', before.resolved_at));
  end if;

  update app_public.finding
  set ignored_at = moment,
      ignored_by = app_private.claim_account_id(),
      ignored_until = set_finding_ignored.ignored_until,
      ignore_reason = btrim(reason)
  where finding.hospital_id = set_finding_ignored.hospital_id and finding.id = finding_id
  returning * into changed;

  perform app_private.log_health(
    hospital_id => set_finding_ignored.hospital_id, kind => 'finding', level => 'info',
    name => changed.check_name, outcome => 'noted',
    message => case when ignored_until is null then 'A finding is ignored for good.'
      else format('A finding is ignored until %s.', to_char(ignored_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end,
    entity_type => changed.entity_type, entity_id => changed.entity_id,
    details => jsonb_build_object('finding_id', finding_id, 'reason', changed.ignore_reason, 'until', ignored_until));
  return changed;
end
$$;

comment on function app_private.set_finding_ignored(uuid, uuid, text, timestamptz) is
  'Marks a finding as ignored, by whoever the claims name, until a time or for good, and logs it.';

revoke execute on function app_private.set_finding_ignored(uuid, uuid, text, timestamptz) from public;
grant execute on function app_private.set_finding_ignored(uuid, uuid, text, timestamptz) to app_admin;
--! EndIncluded functions/health/set_finding_ignored.sql
--! Included functions/health/ignore_finding.sql
create or replace function app_public.ignore_finding(finding_id uuid, reason text, until timestamptz default null)
returns app_public.finding
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.set_finding_ignored(hospital, finding_id, reason, until);
end
$$;

comment on function app_public.ignore_finding(uuid, text, timestamptz) is
  'Stops a finding from counting, from being repaired and from raising alerts, until a time or for good. It is still looked for, and logged who chose so and why.';

revoke execute on function app_public.ignore_finding(uuid, text, timestamptz) from public;
grant execute on function app_public.ignore_finding(uuid, text, timestamptz) to app_admin;
--! EndIncluded functions/health/ignore_finding.sql
--! Included functions/health/set_finding_noticed.sql
-- Definer, because findings are written by nobody else; only findings of the caller's hospital are reached.
create or replace function app_private.set_finding_noticed(hospital_id uuid, finding_id uuid)
returns app_public.finding
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  before app_public.finding := app_private.find_finding(hospital_id, finding_id);
  changed app_public.finding;
begin
  if before.ignored_at is null then
    perform app_private.refuse('finding_is_not_ignored');
  end if;

  update app_public.finding
  set ignored_at = null, ignored_by = null, ignored_until = null, ignore_reason = null
  where finding.hospital_id = set_finding_noticed.hospital_id and finding.id = finding_id
  returning * into changed;

  perform app_private.log_health(
    hospital_id => set_finding_noticed.hospital_id, kind => 'finding', level => 'info',
    name => changed.check_name, outcome => 'noted', message => 'A finding is no longer ignored.',
    entity_type => changed.entity_type, entity_id => changed.entity_id,
    details => jsonb_build_object('finding_id', finding_id, 'reason', before.ignore_reason));
  return changed;
end
$$;

comment on function app_private.set_finding_noticed(uuid, uuid) is
  'Ends that a finding is ignored, and logs it.';

revoke execute on function app_private.set_finding_noticed(uuid, uuid) from public;
grant execute on function app_private.set_finding_noticed(uuid, uuid) to app_admin;
--! EndIncluded functions/health/set_finding_noticed.sql
--! Included functions/health/unignore_finding.sql
create or replace function app_public.unignore_finding(finding_id uuid)
returns app_public.finding
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.set_finding_noticed(hospital, finding_id);
end
$$;

comment on function app_public.unignore_finding(uuid) is 'Lets a finding that was ignored count again.';

revoke execute on function app_public.unignore_finding(uuid) from public;
grant execute on function app_public.unignore_finding(uuid) to app_admin;
--! EndIncluded functions/health/unignore_finding.sql
--! Included functions/health/repair_finding.sql
-- A repair is believed only when its check is silent again. It acts as the worker, whoever asked for it,
-- and the audit names the check. What it cannot do without a person, or has tried three times, goes to
-- people. Its error undoes what it did, and nothing else; what somebody else holds at this moment is left for
-- the next time, which is no attempt. The finding is locked first: of two repairs of it the second finds it
-- resolved. Definer, because repairs write what nobody else may.
create or replace function app_private.repair_finding(hospital_id uuid, finding_id uuid)
returns app_public.finding
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  finding app_public.finding;
  entry app_public.health_check;
  acted_as text := coalesce(current_setting('claims.role', true), '');
  did text;
  failure text;
  is_busy boolean := false;
  is_still_there boolean;
begin
  select * into finding
  from app_public.finding as known
  where known.hospital_id = repair_finding.hospital_id and known.id = repair_finding.finding_id
  for no key update;
  select * into entry from app_public.health_check as declared where declared.name = finding.check_name;
  if finding.id is null or finding.resolved_at is not null or entry.repair is null then
    return finding;
  end if;

  perform set_config('slotkeeper.repair', entry.name, true), set_config('claims.role', 'worker', true);
  begin
    execute format('select app_private.%I($1)', entry.repair) into did using finding;
  exception
    when lock_not_available or deadlock_detected then
      is_busy := true;
    when others then
      failure := format('%s: %s', sqlstate, left(sqlerrm, 300));
  end;
  perform set_config('slotkeeper.repair', '', true), set_config('claims.role', acted_as, true);
  if is_busy then
    return finding;
  end if;

  execute format('select exists (select from checks.%I as found where found.hospital_id = $1
    and found.entity_id is not distinct from $2 and found.cache_key = $3)', entry.name)
  into is_still_there using finding.hospital_id, finding.entity_id, finding.cache_key;

  if is_still_there then
    failure := coalesce(failure, 'It is still there. ' || did, 'No repair is safe without a person.');
  end if;
  update app_public.finding as known
  set repair_attempts = known.repair_attempts + 1,
      repair_error = failure,
      resolved_at = case when not is_still_there then app_private.check_instant() end,
      is_auto_corrected = not is_still_there
  where known.hospital_id = finding.hospital_id and known.id = finding.id
  returning * into finding;
  if is_still_there then
    if did is null or finding.repair_attempts >= 3 then
      perform app_private.queue_for_review(finding, failure);
    end if;
  else
    perform app_private.settle_findings(finding.hospital_id, array[finding.id]);
  end if;
  perform app_private.log_health(
    finding.hospital_id, 'repair', case when is_still_there then 'error' else 'info' end::app_public.log_level, finding.check_name,
    case when is_still_there then 'failed' else 'succeeded' end, coalesce(failure, did, 'The problem is gone.'),
    finding.entity_type, finding.entity_id, jsonb_build_object('finding_id', finding.id));
  return finding;
end
$$;

comment on function app_private.repair_finding(uuid, uuid) is
  'Repairs a finding where that is safe, and returns it as it stands then.';

revoke execute on function app_private.repair_finding(uuid, uuid) from public;
grant execute on function app_private.repair_finding(uuid, uuid) to app_worker;
--! EndIncluded functions/health/repair_finding.sql
--! Included functions/health/describe_repair.sql
-- What a repair did is told by the log, which it wrote in this transaction; volatile, to see that. What
-- was busy has been left as it was.
create or replace function app_private.describe_repair(finding app_public.finding)
returns app_public.finding_repair
language plpgsql volatile
as $$
declare
  told app_public.finding_repair;
  is_with_people boolean := exists (
    select from app_public.review_item
    where review_item.hospital_id = finding.hospital_id and review_item.finding_id = finding.id
      and review_item.status in ('pending', 'in_review'));
begin
  told.finding_id := finding.id;
  told.check_name := finding.check_name;
  told.entity_type := finding.entity_type;
  told.entity_id := finding.entity_id;
  told.outcome := (case
    when finding.resolved_at is not null then 'repaired'
    when is_with_people then 'needs_a_person'
    else 'failed'
  end)::app_public.repair_outcome;
  told.message := case
    when finding.resolved_at is null then coalesce(finding.repair_error, 'It is in use at this moment. Try again.')
    else coalesce(
      (select log_entry.message from app_public.log_entry
       where log_entry.hospital_id = finding.hospital_id and log_entry.entity_id = finding.entity_id
         and log_entry.kind = 'repair' and log_entry.name = finding.check_name
       order by log_entry.id desc limit 1),
      'The problem is gone.')
  end;
  return told;
end
$$;

comment on function app_private.describe_repair(app_public.finding) is 'What became of a finding that a repair was tried on.';

revoke execute on function app_private.describe_repair(app_public.finding) from public;
--! EndIncluded functions/health/describe_repair.sql
--! Included functions/health/repair_wanted.sql
-- For somebody who asks for one repair. Definer, because the engine is granted to nobody; only findings of
-- the caller's hospital are reached, and those that nobody chose to ignore.
create or replace function app_private.repair_wanted(hospital_id uuid, finding_id uuid)
returns app_public.finding_repair
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  wanted app_public.finding := app_private.find_finding(hospital_id, finding_id);
  moment timestamptz := app_private.clock();
begin
  if wanted.resolved_at is not null then
    perform app_private.refuse('finding_is_resolved', jsonb_build_object('resolved_at', wanted.resolved_at));
  end if;
  if wanted.ignored_at is not null and coalesce(wanted.ignored_until > moment, true) then
    perform app_private.refuse('finding_is_ignored', jsonb_build_object('until', wanted.ignored_until));
  end if;
  if not exists (
    select from app_public.health_check
    where health_check.name = wanted.check_name and health_check.remedy = 'repair')
  then
    perform app_private.refuse('finding_needs_a_person', jsonb_build_object('check_name', wanted.check_name));
  end if;
  return app_private.describe_repair(app_private.repair_finding(hospital_id, finding_id));
end
$$;

comment on function app_private.repair_wanted(uuid, uuid) is
  'Repairs one finding of a hospital, and tells what became of it; refuses what is resolved, ignored or not safe to repair.';

revoke execute on function app_private.repair_wanted(uuid, uuid) from public;
grant execute on function app_private.repair_wanted(uuid, uuid) to app_admin;
--! EndIncluded functions/health/repair_wanted.sql
--! Included functions/health/repair_own_finding.sql
-- repairFinding in GraphQL; the engine's function has the short name.
create or replace function app_public.repair_finding(finding_id uuid)
returns app_public.finding_repair
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.repair_wanted(hospital, finding_id);
end
$$;

comment on function app_public.repair_finding(uuid) is
  'Repairs a finding of your hospital whose check has a safe repair, under the locks of a booking, and looks again: it is repaired only when the check is silent.';

revoke execute on function app_public.repair_finding(uuid) from public;
grant execute on function app_public.repair_finding(uuid) to app_admin;
--! EndIncluded functions/health/repair_own_finding.sql
--! Included functions/health/repair_open_findings.sql
-- One transaction repairs several findings, and so holds the locks of the earlier ones while it waits for
-- those of the next: against the order in which bookings lock. It therefore waits less long for a lock
-- than Postgres waits before it looks for a deadlock (a second), and lets the bookings go first: what is
-- busy is left for the next call, and no booking is ever the victim. It ends well before a request must.
-- Definer, because the engine is granted to nobody; only findings of the caller's hospital are reached.
create or replace function app_private.repair_open_findings(hospital_id uuid, check_names text[], most integer default 50)
returns app_public.repair_report
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  began timestamptz := clock_timestamp();
  moment timestamptz := app_private.clock();
  waits_usually text := current_setting('lock_timeout');
  wanted uuid[];
  each_id uuid;
  repaired app_public.finding;
  told app_public.finding_repair;
  report app_public.repair_report;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform app_private.guard_check_names(check_names);
  wanted := array(
    select finding.id
    from app_public.finding
    join app_public.health_check on health_check.name = finding.check_name and health_check.remedy = 'repair'
    where finding.hospital_id = repair_open_findings.hospital_id
      and finding.resolved_at is null
      and (finding.ignored_at is null or finding.ignored_until <= moment)
      and (repair_open_findings.check_names is null or finding.check_name = any (repair_open_findings.check_names))
    order by finding.severity desc, finding.repair_attempts, finding.id);
  report.repairs := '{}';

  foreach each_id in array wanted[1:most] loop
    exit when clock_timestamp() > began + interval '2 seconds';
    perform set_config('lock_timeout', '400ms', true);
    begin
      -- Resolved with an earlier one: the engine leaves it as it is.
      repaired := app_private.repair_finding(repair_open_findings.hospital_id, each_id);
      told := app_private.describe_repair(repaired);
    exception when lock_not_available or deadlock_detected then
      told := row(each_id, null, null, null, 'failed', 'It is in use at this moment. Try again.')::app_public.finding_repair;
    end;
    perform set_config('lock_timeout', waits_usually, true);
    report.repairs := report.repairs || told;
  end loop;

  report.repaired_count := (select count(*) from unnest(report.repairs) as done where done.outcome = 'repaired');
  report.remaining_count := cardinality(wanted) - cardinality(report.repairs);
  report.for_people_count := (
    select count(*)
    from app_public.finding
    join app_public.health_check on health_check.name = finding.check_name and health_check.remedy <> 'repair'
    where finding.hospital_id = repair_open_findings.hospital_id
      and finding.resolved_at is null
      and (finding.ignored_at is null or finding.ignored_until <= moment)
      and (repair_open_findings.check_names is null or finding.check_name = any (repair_open_findings.check_names)));
  return report;
end
$$;

comment on function app_private.repair_open_findings(uuid, text[], integer) is
  'Repairs open findings of a hospital whose checks have a safe repair, as many as fit into a request, and tells what became of each.';

revoke execute on function app_private.repair_open_findings(uuid, text[], integer) from public;
grant execute on function app_private.repair_open_findings(uuid, text[], integer) to app_admin;
--! EndIncluded functions/health/repair_open_findings.sql
--! Included functions/health/repair_all_safe.sql
create or replace function app_public.repair_all_safe(check_names text[] default null)
returns app_public.repair_report
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.repair_open_findings(hospital, check_names);
end
$$;

comment on function app_public.repair_all_safe(text[]) is
  'Repairs what can be repaired without a person among the open findings of your hospital, at most 50 a call, worst first; ask again while some remain.';

revoke execute on function app_public.repair_all_safe(text[]) from public;
grant execute on function app_public.repair_all_safe(text[]) to app_admin;
--! EndIncluded functions/health/repair_all_safe.sql
--! Included functions/health/open_findings.sql
create or replace function app_public.open_findings()
returns setof app_public.finding
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  moment timestamptz := app_private.clock();
begin
  return query
  select * from app_public.finding
  where finding.hospital_id = hospital and finding.resolved_at is null
    and (finding.ignored_at is null or finding.ignored_until <= moment)
  order by finding.severity desc, finding.first_seen_at desc, finding.id desc;
end
$$;

comment on function app_public.open_findings() is
  'What is wrong in your hospital now, by the last look: neither resolved nor ignored, worst first, then newest first.';

revoke execute on function app_public.open_findings() from public;
grant execute on function app_public.open_findings() to app_admin;
--! EndIncluded functions/health/open_findings.sql
--! Included functions/health/findings_of_system.sql
-- Definer, because findings of the whole system stand under a hospital that no claim names. They tell of
-- the machine and the schema, never of a hospital's rows, so that every admin may know of them.
create or replace function app_private.findings_of_system()
returns setof app_public.finding
language plpgsql stable security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
begin
  return query
  select * from app_public.finding
  where finding.hospital_id = machinery and finding.resolved_at is null
  order by finding.severity desc, finding.first_seen_at desc, finding.id desc;
end
$$;

comment on function app_private.findings_of_system() is
  'What is wrong with the whole system by the last look, worst first.';

revoke execute on function app_private.findings_of_system() from public;
grant execute on function app_private.findings_of_system() to app_admin;
--! EndIncluded functions/health/findings_of_system.sql
--! Included functions/health/system_findings.sql
create or replace function app_public.system_findings()
returns setof app_public.finding
language plpgsql stable
as $$
begin
  perform app_private.request_hospital_id();
  return query select * from app_private.findings_of_system();
end
$$;

comment on function app_public.system_findings() is
  'What is wrong with the whole system, which serves all hospitals, worst first. Only who runs it can act on that.';

revoke execute on function app_public.system_findings() from public;
grant execute on function app_public.system_findings() to app_admin;
--! EndIncluded functions/health/system_findings.sql
--! Included checks/open_findings.sql
-- What runs remembered, for people in psql: open and not ignored, worst first. The clock is asked once.
create or replace view checks.open_findings as
select hospital.slug as hospital, finding.check_name, finding.severity, finding.entity_type, finding.entity_id,
  finding.detail, finding.first_seen_at, finding.last_seen_at, finding.times_seen, finding.repair_error,
  finding.metadata, finding.hospital_id, finding.id as finding_id
from app_public.finding
left join app_public.hospital on hospital.id = finding.hospital_id
where finding.resolved_at is null
  and (finding.ignored_at is null or finding.ignored_until <= (select app_private.clock()))
order by finding.severity desc, finding.first_seen_at desc, finding.id desc;

comment on view checks.open_findings is
  'What the last runs found and nobody has resolved or chosen to ignore, worst first. Without a hospital: of the whole system.';
revoke all on checks.open_findings from public;
grant select on checks.open_findings to app_monitor;
--! EndIncluded checks/open_findings.sql

reset role;

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
      ('app_eraser', 'nologin noinherit'),
      ('app_scheduler', 'nologin noinherit'),
      ('app_observer', 'nologin inherit')
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
    execute format('grant app_owner, app_worker, app_eraser, app_observer to %I', current_user);
  end if;

  -- app_observer sees how long transactions of other roles are open, through the one function that it owns
  -- for that; nobody is a member of it. Whoever may not give that right leaves it out: the check is blind then.
  begin
    grant pg_read_all_stats to app_observer;
  exception when insufficient_privilege then
    raise notice 'pg_read_all_stats is not granted to app_observer: long transactions of other roles are not seen.';
  end;

  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to app_authenticator, app_worker, app_monitor', current_database());
end
$$;

-- The server logs in as app_authenticator and becomes, for one transaction, one of these.
grant app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_scheduler,
  app_monitor
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
