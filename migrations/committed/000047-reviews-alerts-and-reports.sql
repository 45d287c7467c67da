--! Previous: sha1:84f294559da3015f5dc8dcdde6b636838e0b71c1
--! Hash: sha1:60b5155bc584468371bcfe132fcf4d99a536567e
--! Message: reviews-alerts-and-reports

--! split: 1-current.sql
-- Functions and rights: People are asked, told and shown: reviews and alerts have a life, alerts reach the chat and the inbox, a
-- digest goes out by mail, each day has its report, and key figures have their targets.
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
    ('health_alert_raised', 'staff', 'high', '{in_app}', 'Health alert', '{reason}: {message}'),
    ('health_digest', 'staff', 'normal', '{email}', 'Health of the hospital', '{message}'),
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
    ('make_health_report', 'Makes the daily report of the hospital''s health', null, '5 minutes', true, false, false, true, false),
    ('mark_no_shows', 'Marks visits as missed to which nobody came', null, '5 minutes', true, false, true, true, false),
    ('offer_seats', 'Offers free seats to those who wait', null, '5 minutes', true, false, true, false, false),
    ('plan_deliveries', 'Plans how new notifications reach people', null, '5 minutes', true, false, true, false, false),
    ('plan_night', 'Starts the nightly jobs of each hospital', '1 hour', '5 minutes', false, false, false, false, false),
    ('plan_webhooks', 'Plans which systems are told of events', null, '5 minutes', true, false, true, false, false),
    ('raise_stage_alerts', 'Raises alerts for patients who wait too long after their arrival', null, '5 minutes', true, false, true, true, false),
    ('reconcile_health', 'Repairs what health checks found, where that is safe', null, '10 minutes', true, false, true, true, false),
    ('remove_job_runs', 'Removes what is known of runs of jobs 30 days ago', null, '5 minutes', true, false, true, false, false),
    ('remove_old_health', 'Removes what health checks found long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_old_log', 'Removes entries of the log of long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_old_sessions', 'Removes sessions that ended long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_old_webhooks', 'Removes what is known of webhooks of long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_read_notifications', 'Removes notifications that were read long ago', null, '5 minutes', true, false, false, true, false),
    ('report_unknown_topics', 'Reports messages that no worker knows what to do with', '1 minute', '5 minutes', false, true, false, false, false),
    ('run_health_checks', 'Runs every health check of the hospital', null, '10 minutes', true, false, false, true, false),
    ('seal_audit', 'Seals new entries of the audit log', null, '5 minutes', true, false, true, true, false),
    ('send_deliveries', 'Sends messages by mail, SMS and chat', null, '10 minutes', true, false, true, false, false),
    ('send_health_alerts', 'Tells of health alerts, in the inbox and by chat', null, '10 minutes', true, false, true, false, false),
    ('send_health_digest', 'Mails what is new about the hospital''s health', null, '5 minutes', true, false, true, false, false),
    ('send_outgoing_mail', 'Sends mails of the login', null, '10 minutes', true, false, true, false, false),
    ('send_reminders', 'Reminds patients of their visits', null, '5 minutes', true, false, true, true, false),
    ('send_webhooks', 'Tells other systems of events', null, '5 minutes', true, false, true, false, false),
    ('sweep_audit', 'Finds the hospitals whose audit log has entries to seal', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_deliveries', 'Finds messages whose time has come', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_guards', 'Looks whether everything that protects the data is switched on', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_health', 'Finds the hospitals of which a problem is known', '1 hour', '5 minutes', false, true, false, false, true),
    ('sweep_health_alerts', 'Finds health alerts and digests whose time has come', '1 minute', '5 minutes', false, true, false, false, false),
    ('sweep_lapsed_holds', 'Finds the hospitals where holds have lapsed', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_lapsed_requests', 'Finds the hospitals where requests have expired', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_no_shows', 'Finds the hospitals where somebody has not come', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_outgoing_mail', 'Finds mails of the login that are to be tried again', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_reminders', 'Finds the hospitals where a reminder is due', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_stage_alerts', 'Finds the hospitals where somebody waits too long after the arrival', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_stuck_jobs', 'Finds runs of jobs that give no sign of life', '1 minute', '5 minutes', false, true, false, false, false),
    ('sweep_waitlist', 'Finds doctors and hospitals whose waitlist has something due', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_webhooks', 'Finds webhooks whose time has come', '1 minute', '5 minutes', false, true, false, false, true),
    ('tidy_login', 'Removes what is over of logins: links, challenges, old security events', null, '5 minutes', true, false, false, true, false),
    ('verify_audit', 'Verifies the whole sealed audit log', null, '10 minutes', true, false, false, true, false),
    ('verify_changes', 'Verifies appointments and slots that changed', null, '5 minutes', true, false, true, false, false)
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
--! Included functions/health/review_priority.sql
-- What failed with a person on the line comes first, in the order in which it hurts them. Of what checks
-- find, what is critical counts like a visit whose validation failed; the rest comes behind it by severity.
create or replace function app_private.review_priority(
  reason text, severity app_public.check_severity default null)
returns smallint
language sql immutable parallel safe
return (case
  when reason = 'appointment_validation_failed' then 1
  when reason = 'external_booking_failed' then 2
  when reason = 'patient_creation_failed' then 3
  when reason = 'service_not_found' then 4
  when severity = 'critical' then 1
  when severity = 'warning' then 3
  else 5
end)::smallint;

comment on function app_private.review_priority(text, app_public.check_severity) is
  'How urgent a review is, from 1 (highest) to 5, by its reason, or by the severity of its finding.';

revoke execute on function app_private.review_priority(text, app_public.check_severity) from public;
--! EndIncluded functions/health/review_priority.sql
--! Included functions/health/queue_for_review.sql
-- A finding waits for people once, however often it is found: the unique index of open reviews says so
-- also to those who run at once. What is ignored waits for nobody. One that was decided and is back gets a
-- new item.
create or replace function app_private.queue_for_review(finding app_public.finding, detail text default null)
returns void
language plpgsql volatile
as $$
declare
  queued app_public.review_item;
begin
  if finding.ignored_at is not null and coalesce(finding.ignored_until > app_private.clock(), true) then
    return;
  end if;
  insert into app_public.review_item (
    hospital_id, finding_id, reason, priority, entity_type, entity_id, detail, context)
  values (
    finding.hospital_id, finding.id, finding.check_name,
    app_private.review_priority(finding.check_name, finding.severity),
    finding.entity_type, finding.entity_id, concat_ws(' ', finding.detail, queue_for_review.detail), finding.metadata)
  on conflict do nothing
  returning * into queued;
  if queued.id is not null then
    perform app_private.log_health(
      queued.hospital_id, 'review', 'warning', queued.reason, 'noted', 'A finding waits for a review.',
      queued.entity_type, queued.entity_id,
      jsonb_build_object('review_item_id', queued.id, 'finding_id', queued.finding_id, 'priority', queued.priority));
  end if;
end
$$;

comment on function app_private.queue_for_review(app_public.finding, text) is
  'Gives a finding to people to review, unless it waits for them already or is ignored.';

revoke execute on function app_private.queue_for_review(app_public.finding, text) from public;
--! EndIncluded functions/health/queue_for_review.sql
--! Included functions/health/settle_review.sql
-- A problem that is gone needs no review, whoever has claimed it. In the order of ids, so that two who
-- settle at once do not wait for each other.
create or replace function app_private.settle_review(
  hospital_id uuid, finding_ids uuid[], note text default 'The problem is gone.')
returns void
language plpgsql volatile
as $$
begin
  perform from app_public.review_item
  where review_item.hospital_id = settle_review.hospital_id
    and review_item.finding_id = any (finding_ids)
    and review_item.status in ('pending', 'in_review')
  order by review_item.id
  for no key update;
  update app_public.review_item
  set status = 'resolved',
      is_settled = true,
      note = settle_review.note
  where review_item.hospital_id = settle_review.hospital_id
    and review_item.finding_id = any (finding_ids)
    and review_item.status in ('pending', 'in_review');
end
$$;

comment on function app_private.settle_review(uuid, uuid[], text) is
  'Closes the open reviews of findings that are resolved, or that nobody has to look at any more.';

revoke execute on function app_private.settle_review(uuid, uuid[], text) from public;
--! EndIncluded functions/health/settle_review.sql
--! Included functions/health/lock_review.sql
-- Whoever decides a review decides about its finding too. Checks and repairs lock a finding before its
-- review, so people do as well; otherwise the two could wait for each other. Definer, because nobody who
-- asks may lock findings; it tells nothing and locks in the hospital of the claims only.
create or replace function app_private.lock_review(hospital_id uuid, review_item_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform from app_public.finding
  where finding.hospital_id = lock_review.hospital_id
    and finding.id = (
      select review_item.finding_id from app_public.review_item
      where review_item.hospital_id = lock_review.hospital_id and review_item.id = lock_review.review_item_id)
  for no key update;
end
$$;

comment on function app_private.lock_review(uuid, uuid) is 'Locks the finding of a review, before the review itself.';

revoke execute on function app_private.lock_review(uuid, uuid) from public;
grant execute on function app_private.lock_review(uuid, uuid) to app_admin;
--! EndIncluded functions/health/lock_review.sql
--! Included functions/health/quiet_period.sql
-- The machinery is no hospital that could set one.
create or replace function app_private.quiet_period(hospital_id uuid) returns interval
language plpgsql stable
as $$
begin
  return coalesce(
    (select hospital.health_alert_quiet_period from app_public.hospital where hospital.id = quiet_period.hospital_id),
    interval '1 hour');
end
$$;

comment on function app_private.quiet_period(uuid) is 'How long a hospital is not told of the same alert again.';

revoke execute on function app_private.quiet_period(uuid) from public;
--! EndIncluded functions/health/quiet_period.sql
--! Included functions/health/raise_health_alert.sql
-- A finding has one open alert. One that was gone and is back within the quiet period is the same alert,
-- raised once more; later it is a new one. When people were told last goes with the finding, not with the
-- alert, so that closing an alert by hand makes nobody be told twice within the quiet period.
create or replace function app_private.raise_health_alert(finding app_public.finding)
returns void
language plpgsql volatile
as $$
declare
  instant timestamptz := app_private.clock();
  last_one app_public.health_alert;
begin
  select * into last_one
  from app_public.health_alert as alert
  where alert.hospital_id = finding.hospital_id and alert.finding_id = finding.id
  order by alert.status = 'resolved', alert.last_raised_at desc
  limit 1
  for no key update;

  if last_one.status <> 'resolved' then
    update app_public.health_alert
    set times_raised = health_alert.times_raised + 1,
        last_raised_at = instant,
        severity = finding.severity,
        detail = finding.detail
    where health_alert.hospital_id = last_one.hospital_id and health_alert.id = last_one.id;
  elsif last_one.is_settled and last_one.last_raised_at > instant - app_private.quiet_period(finding.hospital_id) then
    update app_public.health_alert
    set status = 'active',
        times_raised = health_alert.times_raised + 1,
        last_raised_at = instant,
        severity = finding.severity,
        detail = finding.detail
    where health_alert.hospital_id = last_one.hospital_id and health_alert.id = last_one.id;
  else
    insert into app_public.health_alert (
      hospital_id, finding_id, check_name, severity, title, detail, raised_at, last_raised_at, told_at)
    select finding.hospital_id, finding.id, finding.check_name, finding.severity, entry.title, finding.detail,
      instant, instant, last_one.told_at
    from app_public.health_check as entry
    where entry.name = finding.check_name
    on conflict do nothing;
  end if;
end
$$;

comment on function app_private.raise_health_alert(app_public.finding) is
  'Raises the alert of a finding; one that is open, or was a moment ago, is raised once more.';

revoke execute on function app_private.raise_health_alert(app_public.finding) from public;
--! EndIncluded functions/health/raise_health_alert.sql
--! Included functions/health/settle_health_alerts.sql
-- A problem that is gone alarms nobody any more. In the order of ids, so that two who settle at once do
-- not wait for each other.
create or replace function app_private.settle_health_alerts(hospital_id uuid, finding_ids uuid[])
returns void
language plpgsql volatile
as $$
begin
  perform from app_public.health_alert
  where health_alert.hospital_id = settle_health_alerts.hospital_id
    and health_alert.finding_id = any (finding_ids)
    and health_alert.status <> 'resolved'
  order by health_alert.id
  for no key update;
  update app_public.health_alert
  set status = 'resolved',
      is_settled = true
  where health_alert.hospital_id = settle_health_alerts.hospital_id
    and health_alert.finding_id = any (finding_ids)
    and health_alert.status <> 'resolved';
end
$$;

comment on function app_private.settle_health_alerts(uuid, uuid[]) is
  'Closes the open alerts of findings that are resolved, or that nobody has to look at any more.';

revoke execute on function app_private.settle_health_alerts(uuid, uuid[]) from public;
--! EndIncluded functions/health/settle_health_alerts.sql
--! Included functions/health/guard_review.sql
-- The life of a review, for every client: it waits, somebody claims it, and whoever has it decides; what is
-- decided is final. Who and when come from the claims and the clock. Another admin takes a claimed one over
-- only by saying so: by naming themselves as the claimer. That a problem is gone by itself may be said from
-- any open state, but only through a column that no client is granted. Of two who claim at once the second
-- waits for the row and then finds it claimed. Definer, so that the refusal is the same for every role.
create or replace function app_private.guard_review() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  actor uuid := app_private.claim_account_id();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status in ('resolved', 'dismissed') then
    perform app_private.refuse('illegal_review_transition',
      jsonb_build_object('review_item_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  if new.is_settled then
    new.status := 'resolved';
    new.decided_at := instant;
    new.decided_by := null;
    return new;
  end if;
  if old.status = 'in_review' and new.status = 'in_review'
    and new.claimed_by is distinct from old.claimed_by and new.claimed_by is not distinct from actor
  then
    new.claimed_at := instant;
    return new;
  end if;
  if old.status = 'in_review' and old.claimed_by is distinct from actor and app_private.actor_role() <> 'operator' then
    perform app_private.refuse('review_item_claimed', jsonb_build_object(
      'review_item_id', old.id, 'claimed_by', old.claimed_by, 'claimed_at', old.claimed_at));
  end if;
  if (old.status, new.status) not in (
    ('pending', 'in_review'), ('in_review', 'in_review'), ('in_review', 'pending'), ('in_review', 'resolved'),
    ('in_review', 'dismissed'))
  then
    perform app_private.refuse('illegal_review_transition',
      jsonb_build_object('review_item_id', old.id, 'from', old.status, 'to', new.status));
  end if;

  if new.status = 'pending' then
    new.claimed_by := null;
    new.claimed_at := null;
  elsif old.status = 'pending' then
    new.claimed_by := actor;
    new.claimed_at := instant;
  else
    new.claimed_by := old.claimed_by;
    new.claimed_at := old.claimed_at;
  end if;
  if new.status in ('resolved', 'dismissed') then
    new.decided_by := actor;
    new.decided_at := instant;
  end if;
  return new;
end
$$;

comment on function app_private.guard_review() is
  'Trigger: lets a review be claimed, given back, taken over and decided, by whom and when.';

revoke execute on function app_private.guard_review() from public;

create or replace trigger review_has_one_life
  before update of status, claimed_by, note on app_public.review_item
  for each row execute function app_private.guard_review();
--! EndIncluded functions/health/guard_review.sql
--! Included functions/health/follow_review.sql
-- What a review leads to. A dismissed finding was no problem: it is ignored from then on, so that nobody is
-- asked again. One that somebody resolved counts as resolved; if a check still sees it, it is new again and
-- waits for a review anew. Whoever decides has locked the finding before the review, as the checks do.
-- Definer, because nobody may write findings.
create or replace function app_private.follow_review() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.status = 'dismissed' then
    update app_public.finding
    set ignored_at = new.decided_at,
        ignored_by = new.decided_by,
        ignored_until = null,
        ignore_reason = new.note
    where finding.hospital_id = new.hospital_id and finding.id = new.finding_id;
  elsif new.status = 'resolved' and not new.is_settled then
    update app_public.finding
    set resolved_at = app_private.check_instant()
    where finding.hospital_id = new.hospital_id and finding.id = new.finding_id and finding.resolved_at is null;
  end if;
  if new.status in ('resolved', 'dismissed') and not new.is_settled then
    perform app_private.settle_health_alerts(new.hospital_id, array[new.finding_id]);
  end if;

  perform app_private.log_health(
    new.hospital_id, 'review', 'info', new.reason, case when new.decided_at is null then 'noted' else 'succeeded' end,
    case
      when new.is_settled then 'A review has settled itself. ' || new.note
      when new.status = 'resolved' then 'A review was resolved.'
      when new.status = 'dismissed' then 'A review was dismissed: it was no problem.'
      when new.status = 'pending' then 'A review was given back.'
      when old.status = 'in_review' then 'A review was taken over.'
      else 'A review was claimed.'
    end,
    new.entity_type, new.entity_id, jsonb_build_object('review_item_id', new.id, 'finding_id', new.finding_id));
  return null;
end
$$;

comment on function app_private.follow_review() is
  'Trigger: carries the decision of a review to its finding and alert, and writes it to the log.';

revoke execute on function app_private.follow_review() from public;

create or replace trigger review_is_followed
  after update of status, claimed_by on app_public.review_item
  for each row when (old.status <> new.status or old.claimed_by is distinct from new.claimed_by)
  execute function app_private.follow_review();
--! EndIncluded functions/health/follow_review.sql
--! Included functions/health/follow_ignoring.sql
-- What people chose to ignore waits for nobody and alarms nobody, whoever ignores it and however. What is
-- not ignored any more and still open waits and alarms like a new finding; checks tell only of what they did
-- not know. Definer, because nobody may write reviews and alerts.
create or replace function app_private.follow_ignoring() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.ignored_at is not null then
    perform app_private.settle_review(new.hospital_id, array[new.id], 'The finding is ignored.');
    perform app_private.settle_health_alerts(new.hospital_id, array[new.id]);
    return null;
  end if;
  if new.resolved_at is not null then
    return null;
  end if;
  if exists (
    select from app_public.health_check as entry where entry.name = new.check_name and entry.remedy = 'review')
  then
    perform app_private.queue_for_review(new);
  end if;
  if new.severity = 'critical' then
    perform app_private.raise_health_alert(new);
  end if;
  return null;
end
$$;

comment on function app_private.follow_ignoring() is
  'Trigger: closes the open review and alert of a finding that is ignored, and tells of one that is not any more.';

revoke execute on function app_private.follow_ignoring() from public;

create or replace trigger ignoring_is_followed
  after update of ignored_at on app_public.finding
  for each row when ((old.ignored_at is null) <> (new.ignored_at is null))
  execute function app_private.follow_ignoring();
--! EndIncluded functions/health/follow_ignoring.sql
--! Included functions/health/claim_review_item.sql
-- One plain update under the caller's own rights; the table's trigger knows the rest. Who names the
-- claimer takes over what somebody else has; who does not is refused then. Claiming one's own again
-- changes nothing.
create or replace function app_public.claim_review_item(review_item_id uuid, take_over boolean default false)
returns app_public.review_item
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.review_item;
begin
  update app_public.review_item
  set status = 'in_review',
      claimed_by = case
        when take_over and review_item.status = 'in_review' then app_private.claim_account_id()
        else review_item.claimed_by
      end
  where review_item.hospital_id = hospital and review_item.id = review_item_id
  returning * into changed;
  if not found then
    perform app_private.refuse('review_item_not_found', jsonb_build_object('review_item_id', review_item_id));
  end if;
  return changed;
end
$$;

comment on function app_public.claim_review_item(uuid, boolean) is
  'Says that you look at a review. One that somebody else has is refused, unless you take it over. For admins.';

revoke execute on function app_public.claim_review_item(uuid, boolean) from public;
grant execute on function app_public.claim_review_item(uuid, boolean) to app_admin;
--! EndIncluded functions/health/claim_review_item.sql
--! Included functions/health/release_review_item.sql
-- One plain update under the caller's own rights; the table's trigger knows whose it is.
create or replace function app_public.release_review_item(review_item_id uuid)
returns app_public.review_item
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.review_item;
begin
  update app_public.review_item
  set status = 'pending'
  where review_item.hospital_id = hospital and review_item.id = review_item_id
  returning * into changed;
  if not found then
    perform app_private.refuse('review_item_not_found', jsonb_build_object('review_item_id', review_item_id));
  end if;
  return changed;
end
$$;

comment on function app_public.release_review_item(uuid) is
  'Gives a review back that you have claimed, for somebody else to look at. For admins.';

revoke execute on function app_public.release_review_item(uuid) from public;
grant execute on function app_public.release_review_item(uuid) to app_admin;
--! EndIncluded functions/health/release_review_item.sql
--! Included functions/health/resolve_review_item.sql
-- One plain update under the caller's own rights; the table's triggers know whose it is and carry the
-- decision to the finding, which is locked first, as whoever checks and repairs does.
create or replace function app_public.resolve_review_item(review_item_id uuid, note text)
returns app_public.review_item
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.review_item;
begin
  perform app_private.guard_input(jsonb_build_object(
    'note', case when coalesce(length(btrim(note)), 0) not between 1 and 2000 then 'is not 1 to 2000 characters long' end));
  perform app_private.lock_review(hospital, review_item_id);
  update app_public.review_item
  set status = 'resolved',
      note = btrim(resolve_review_item.note)
  where review_item.hospital_id = hospital and review_item.id = review_item_id
  returning * into changed;
  if not found then
    perform app_private.refuse('review_item_not_found', jsonb_build_object('review_item_id', review_item_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resolve_review_item(uuid, text) is
  'Says that a problem is resolved that you have claimed, with what was found and done. If a check still sees it, it comes back as a new review. For admins.';

revoke execute on function app_public.resolve_review_item(uuid, text) from public;
grant execute on function app_public.resolve_review_item(uuid, text) to app_admin;
--! EndIncluded functions/health/resolve_review_item.sql
--! Included functions/health/dismiss_review_item.sql
-- One plain update under the caller's own rights; the table's triggers know whose it is and carry the
-- decision to the finding, which is locked first, as whoever checks and repairs does.
create or replace function app_public.dismiss_review_item(review_item_id uuid, note text)
returns app_public.review_item
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.review_item;
begin
  perform app_private.guard_input(jsonb_build_object(
    'note', case when coalesce(length(btrim(note)), 0) not between 1 and 2000 then 'is not 1 to 2000 characters long' end));
  perform app_private.lock_review(hospital, review_item_id);
  update app_public.review_item
  set status = 'dismissed',
      note = btrim(dismiss_review_item.note)
  where review_item.hospital_id = hospital and review_item.id = review_item_id
  returning * into changed;
  if not found then
    perform app_private.refuse('review_item_not_found', jsonb_build_object('review_item_id', review_item_id));
  end if;
  return changed;
end
$$;

comment on function app_public.dismiss_review_item(uuid, text) is
  'Says that what you have claimed is no problem, and why. The finding is ignored from then on. For admins.';

revoke execute on function app_public.dismiss_review_item(uuid, text) from public;
grant execute on function app_public.dismiss_review_item(uuid, text) to app_admin;
--! EndIncluded functions/health/dismiss_review_item.sql
--! Included functions/health/guard_health_alert.sql
-- The life of a health alert, for every client: active, acknowledged, resolved. Who and when come from the
-- claims and the clock. That a problem is gone by itself, and that one is back so soon that it is the same
-- alert, is said through columns that no client is granted. Definer, so that the refusal is the same for
-- every role.
create or replace function app_private.guard_health_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status = 'resolved' and new.status = 'active' and old.is_settled and new.times_raised > old.times_raised then
    new.is_settled := false;
    new.acknowledged_at := null;
    new.acknowledged_by := null;
    new.resolved_at := null;
    new.resolved_by := null;
    new.note := null;
    return new;
  end if;
  if old.status = 'resolved' or new.status = 'active' or new.status = old.status then
    perform app_private.refuse('illegal_alert_transition',
      jsonb_build_object('alert_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  if new.status = 'acknowledged' then
    new.acknowledged_at := instant;
    new.acknowledged_by := app_private.claim_account_id();
    return new;
  end if;
  new.resolved_at := instant;
  new.resolved_by := case when not new.is_settled then app_private.claim_account_id() end;
  return new;
end
$$;

comment on function app_private.guard_health_alert() is
  'Trigger: lets a health alert be acknowledged and resolved, by whom and when, and be raised again.';

revoke execute on function app_private.guard_health_alert() from public;

create or replace trigger health_alert_has_one_life
  before update of status, note on app_public.health_alert
  for each row execute function app_private.guard_health_alert();
--! EndIncluded functions/health/guard_health_alert.sql
--! Included functions/health/follow_health_alert.sql
-- Tells the outside, by a row, that people are to be told, and writes the log. The relay makes one job a
-- hospital of it, which tells all that is new in one message a check: a flood of findings is no flood of
-- messages. Definer, because nobody may write outbox and log.
create or replace function app_private.follow_health_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.status = 'active' then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (new.hospital_id, 'health_alert', new.id::text, jsonb_build_object('alert_ids', jsonb_build_array(new.id)));
  end if;
  perform app_private.log_health(
    new.hospital_id, 'alert',
    case when new.status <> 'active' then 'info' when new.severity = 'critical' then 'critical' else 'warning' end::app_public.log_level,
    new.check_name, case when new.status = 'resolved' then 'succeeded' else 'noted' end,
    case
      when new.status = 'active' and new.times_raised > 1 then format('An alert was raised again: %s', new.detail)
      when new.status = 'active' then format('An alert was raised: %s', new.detail)
      when new.status = 'acknowledged' then 'An alert was acknowledged.'
      when new.is_settled then 'An alert is over: the problem is gone, or is ignored.'
      else 'An alert was resolved.'
    end,
    details => jsonb_build_object('alert_id', new.id, 'finding_id', new.finding_id, 'times_raised', new.times_raised));
  return null;
end
$$;

comment on function app_private.follow_health_alert() is
  'Trigger: leaves a message in the outbox for an alert that was raised, and writes its life to the log.';

revoke execute on function app_private.follow_health_alert() from public;

create or replace trigger new_health_alert_is_followed
  after insert on app_public.health_alert
  for each row execute function app_private.follow_health_alert();

create or replace trigger health_alert_is_followed
  after update of status, times_raised on app_public.health_alert
  for each row when (old.status <> new.status or old.times_raised <> new.times_raised)
  execute function app_private.follow_health_alert();
--! EndIncluded functions/health/follow_health_alert.sql
--! Included functions/health/acknowledge_health_alert.sql
-- One plain update under the caller's own rights; the table's trigger knows the rest. Who has seen it is
-- not told again of it.
create or replace function app_public.acknowledge_health_alert(health_alert_id uuid)
returns app_public.health_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.health_alert;
begin
  update app_public.health_alert set status = 'acknowledged'
  where health_alert.hospital_id = hospital and health_alert.id = health_alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('health_alert_not_found', jsonb_build_object('health_alert_id', health_alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.acknowledge_health_alert(uuid) is
  'Says that you have seen a health alert and take care of it; nobody is told of it again. For admins.';

revoke execute on function app_public.acknowledge_health_alert(uuid) from public;
grant execute on function app_public.acknowledge_health_alert(uuid) to app_admin;
--! EndIncluded functions/health/acknowledge_health_alert.sql
--! Included functions/health/resolve_health_alert.sql
-- One plain update under the caller's own rights; the table's trigger knows the rest. The finding stays as
-- it is: whether the problem is gone only its check can say.
create or replace function app_public.resolve_health_alert(health_alert_id uuid, note text)
returns app_public.health_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.health_alert;
begin
  perform app_private.guard_input(jsonb_build_object(
    'note', case when coalesce(length(btrim(note)), 0) not between 1 and 2000 then 'is not 1 to 2000 characters long' end));
  update app_public.health_alert
  set status = 'resolved',
      note = btrim(resolve_health_alert.note)
  where health_alert.hospital_id = hospital and health_alert.id = health_alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('health_alert_not_found', jsonb_build_object('health_alert_id', health_alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resolve_health_alert(uuid, text) is
  'Closes a health alert, with what was done. One whose problem is gone closes itself. For admins.';

revoke execute on function app_public.resolve_health_alert(uuid, text) from public;
grant execute on function app_public.resolve_health_alert(uuid, text) to app_admin;
--! EndIncluded functions/health/resolve_health_alert.sql
--! Included functions/health/update_health_settings.sql
create or replace function app_public.update_health_settings(
  health_alert_quiet_period interval default null, health_chat_room text default null)
returns app_public.hospital
language plpgsql volatile
as $$
declare
  own_id uuid := app_private.request_hospital_id();
  changed app_public.hospital;
begin
  perform app_private.guard_input(jsonb_build_object(
    'health_alert_quiet_period', case
      when health_alert_quiet_period not between interval '1 minute' and interval '1 day' then 'is not a minute to a day' end,
    'health_chat_room', case
      when length(btrim(health_chat_room)) not between 1 and 200 then 'is not 1 to 200 characters long' end));
  update app_public.hospital
  set health_alert_quiet_period =
        coalesce(update_health_settings.health_alert_quiet_period, hospital.health_alert_quiet_period),
      health_chat_room = coalesce(btrim(update_health_settings.health_chat_room), hospital.health_chat_room)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_health_settings(interval, text) is
  'Changes how the hospital is told of health alerts; what is left out stays as it is. For admins.';

revoke execute on function app_public.update_health_settings(interval, text) from public;
grant execute on function app_public.update_health_settings(interval, text) to app_admin;
--! EndIncluded functions/health/update_health_settings.sql
--! Included functions/health/tell_admins.sql
-- Tells the admins of a hospital, or of every hospital where it is about the machinery, by an ordinary
-- notification: its deliveries, preferences and tries again are those of all notifications. Only functions
-- that run as the owner call it: who could call it would write into inboxes.
create or replace function app_private.tell_admins(hospital_id uuid, event text, facts jsonb)
returns integer
language plpgsql volatile
as $$
declare
  told integer;
begin
  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select account.hospital_id, account.id, template.event, template.priority, template.channels,
    app_private.fill_template(template.title, null, null, null, null, facts),
    app_private.fill_template(template.body, null, null, null, null, facts),
    app_private.clock()
  from app_public.hospital
  join app_public.account on account.hospital_id = hospital.id and account.role = 'admin' and account.is_active
  join app_public.notification_template as template
    on template.event = tell_admins.event and template.audience = 'staff'
  where hospital.id = tell_admins.hospital_id or tell_admins.hospital_id = app_private.machinery();
  get diagnostics told = row_count;
  return told;
end
$$;

comment on function app_private.tell_admins(uuid, text, jsonb) is
  'Leaves a notification for the admins of a hospital, or of all where it is about the machinery; returns how many.';

revoke execute on function app_private.tell_admins(uuid, text, jsonb) from public;
--! EndIncluded functions/health/tell_admins.sql
--! Included functions/health/tell_of_health_alerts.sql
-- People are told of an alert once, and again when it was raised again and its quiet period is over; never
-- of one that somebody has acknowledged. All that is new of one check is one message, however much it is.
-- That they are told, the inbox and the message for the chat are one transaction: who dies has told nobody,
-- and two who tell at once share the alerts between them. The inbox waits for no chat. Definer, because no
-- role may write alerts, messages and inboxes.
create or replace function app_private.tell_of_health_alerts(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  quiet interval := app_private.quiet_period(hospital_id);
  room text := coalesce(
    (select hospital.health_chat_room from app_public.hospital where hospital.id = tell_of_health_alerts.hospital_id), 'health');
  news record;
  headline text;
  words text;
  told integer := 0;
begin
  for news in
    with due as materialized (
      select alert.id
      from app_public.health_alert as alert
      where alert.hospital_id = tell_of_health_alerts.hospital_id
        and alert.status = 'active'
        and (alert.told_at is null or alert.told_at < alert.last_raised_at)
        and coalesce(alert.told_at <= instant - quiet, true)
      order by alert.last_raised_at
      limit 10000
      for no key update skip locked
    ), marked as (
      update app_public.health_alert as alert
      set told_at = instant
      from due
      where alert.hospital_id = tell_of_health_alerts.hospital_id and alert.id = due.id
      returning alert.id, alert.check_name, alert.severity, alert.title, alert.detail
    )
    select marked.check_name, max(marked.severity) as severity, min(marked.title) as title, count(*)::integer as size,
      array_agg(marked.id order by marked.id) as alert_ids,
      (array_agg(marked.detail order by marked.id))[1:5] as details
    from marked
    group by marked.check_name
    order by max(marked.severity) desc, marked.check_name
  loop
    headline := format('%s%s%s', case when tell_of_health_alerts.hospital_id = app_private.machinery() then 'System: ' else '' end,
      news.title, case when news.size > 1 then format(' (%s)', news.size) else '' end);
    words := array_to_string(news.details, E'\n') || case
      when news.size > cardinality(news.details) then format(E'\nand %s more.', news.size - cardinality(news.details)) else '' end;
    insert into app_private.health_alert_delivery (hospital_id, channel, room, check_name, alert_ids, title, body, next_attempt_at, planned_at)
    values (tell_of_health_alerts.hospital_id, 'chat', room, news.check_name, news.alert_ids,
      format('[%s] %s', news.severity, headline), format(E'%s\nCheck: %s', words, news.check_name), instant, instant);
    perform app_private.tell_admins(
      tell_of_health_alerts.hospital_id, 'health_alert_raised', jsonb_build_object('reason', headline, 'message', words));
    told := told + news.size;
  end loop;
  return told;
end
$$;

comment on function app_private.tell_of_health_alerts(uuid) is
  'Tells the admins and the chat of a hospital, or of the machinery, of alerts that they were not told of; returns of how many.';

revoke execute on function app_private.tell_of_health_alerts(uuid) from public;
grant execute on function app_private.tell_of_health_alerts(uuid) to app_worker;
--! EndIncluded functions/health/tell_of_health_alerts.sql
--! Included functions/health/claim_health_messages.sql
-- Takes what is due of a hospital for sending and gives it a lease: who does not say until then how it
-- went is taken for dead, and somebody else sends it again under the same id. Those who claim side by side
-- skip what another one holds. What was tried too often, or is a day old, is given up on the way. Leases
-- last by the time that really passes, not by clock(). Definer, because no role may write messages.
create or replace function app_private.claim_health_messages(
  hospital_id uuid, most integer default 20, lease_time interval default '5 minutes', most_attempts integer default 8)
returns setof app_private.health_alert_delivery
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
  new_lease uuid := app_private.new_id();
begin
  update app_private.health_alert_delivery as delivery
  set status = 'failed',
      outcome = case when delivery.attempts >= most_attempts then 'gave_up' else 'too_late' end,
      next_attempt_at = null,
      leased_until = null,
      lease = null,
      ended_at = instant
  where delivery.hospital_id = claim_health_messages.hospital_id
    and delivery.status in ('pending', 'sending')
    and (delivery.attempts >= most_attempts or delivery.planned_at < instant - interval '24 hours')
    and (delivery.status = 'pending' or delivery.leased_until <= now());

  return query
    with due as materialized (
      select candidate.id
      from app_private.health_alert_delivery as candidate
      where candidate.hospital_id = claim_health_messages.hospital_id
        and candidate.status in ('pending', 'sending')
        and coalesce(candidate.next_attempt_at, candidate.leased_until) <= greatest(instant, now())
        and case candidate.status when 'sending' then candidate.leased_until <= now() else candidate.next_attempt_at <= instant end
      order by coalesce(candidate.next_attempt_at, candidate.leased_until)
      limit most
      for no key update skip locked
    )
    update app_private.health_alert_delivery as delivery
    set status = 'sending',
        attempts = delivery.attempts + 1,
        next_attempt_at = null,
        leased_until = now() + lease_time,
        lease = new_lease
    from due
    where delivery.hospital_id = claim_health_messages.hospital_id and delivery.id = due.id
    returning delivery.*;
end
$$;

comment on function app_private.claim_health_messages(uuid, integer, interval, integer) is
  'Takes the due messages about health alerts of a hospital for sending, at most so many, until a lease ends.';

revoke execute on function app_private.claim_health_messages(uuid, integer, interval, integer) from public;
grant execute on function app_private.claim_health_messages(uuid, integer, interval, integer) to app_worker;
--! EndIncluded functions/health/claim_health_messages.sql
--! Included functions/health/settle_health_message.sql
-- Says how a try went; only the try that holds the lease may. An answer of kind
--   sent      ends it;
--   rejected  ends it, because trying again is no use;
--   skipped   ends it, because this installation has no such channel;
--   failed    is tried again later and later, and given up after so many;
--   unsent    was not tried, because the transport is away: it counts as no attempt.
-- Definer, because no role may write messages.
create or replace function app_private.settle_health_message(
  hospital_id uuid, delivery_id uuid, lease uuid, kind text, error text default null, most_attempts integer default 8)
returns app_public.delivery_status
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  held app_private.health_alert_delivery;
  settled app_public.delivery_status;
begin
  select * into held
  from app_private.health_alert_delivery as delivery
  where delivery.hospital_id = settle_health_message.hospital_id and delivery.id = settle_health_message.delivery_id
    and delivery.status = 'sending' and delivery.lease = settle_health_message.lease
  for no key update;
  if not found then
    return null;
  end if;
  settled := case
    when kind = 'sent' then 'sent'
    when kind = 'skipped' then 'skipped'
    when kind = 'rejected' or kind = 'failed' and held.attempts >= most_attempts then 'failed'
    else 'pending'
  end::app_public.delivery_status;

  update app_private.health_alert_delivery as delivery
  set status = settled,
      attempts = case when kind = 'unsent' then delivery.attempts - 1 else delivery.attempts end,
      next_attempt_at = case when settled = 'pending'
        then instant + app_private.retry_pause(case kind when 'failed' then held.attempts else 1 end) end,
      leased_until = null,
      lease = null,
      outcome = case
        when settled = 'sent' then 'delivered'
        when settled = 'skipped' then 'no_transport'
        when kind = 'rejected' then 'rejected'
        when settled = 'failed' then 'gave_up'
      end,
      last_error = case when settled <> 'sent' then coalesce(left(error, 500), delivery.last_error) end,
      ended_at = case when settled <> 'pending' then instant end
  where delivery.hospital_id = settle_health_message.hospital_id and delivery.id = held.id;
  return settled;
end
$$;

comment on function app_private.settle_health_message(uuid, uuid, uuid, text, text, integer) is
  'Says how a try of a message about health alerts went, and returns its state; null when the lease is not that of the caller any more.';

revoke execute on function app_private.settle_health_message(uuid, uuid, uuid, text, text, integer) from public;
grant execute on function app_private.settle_health_message(uuid, uuid, uuid, text, text, integer) to app_worker;
--! EndIncluded functions/health/settle_health_message.sql
--! Included functions/health/health_news.sql
-- Where people are to be told of something now, by one look by index a hospital: an alert that they were
-- not told of, a message whose time has come, a digest whose four hours are over. The machinery has no
-- digest of its own; each hospital's tells of it. Definer, because the worker may not read messages.
create or replace function app_private.health_news()
returns table (hospital_id uuid, has_alerts boolean, is_digest_due boolean)
language plpgsql stable security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
    select place.id, news.has_alerts, news.is_digest_due
    from (
      select hospital.id, hospital.health_alert_quiet_period as quiet from app_public.hospital
      union all
      select app_private.machinery(), app_private.quiet_period(app_private.machinery())
    ) as place
    cross join lateral (
      select
        exists (
          select from app_public.health_alert as alert
          where alert.hospital_id = place.id
            and alert.status = 'active'
            and (alert.told_at is null or alert.told_at < alert.last_raised_at)
            and coalesce(alert.told_at <= instant - place.quiet, true))
        or exists (
          select from app_private.health_alert_delivery as delivery
          where delivery.hospital_id = place.id
            and delivery.status in ('pending', 'sending')
            and coalesce(delivery.next_attempt_at, delivery.leased_until) <= greatest(instant, now())
            and case delivery.status when 'sending' then delivery.leased_until <= now() else delivery.next_attempt_at <= instant end
        ) as has_alerts,
        place.id <> app_private.machinery() and not exists (
          select from app_private.health_digest_mark as mark
          where mark.hospital_id = place.id and mark.reached_at > instant - interval '4 hours'
        ) as is_digest_due
    ) as news
    where news.has_alerts or news.is_digest_due;
end
$$;

comment on function app_private.health_news() is
  'The hospitals, and the machinery, where people are to be told of health alerts, or where a digest is due.';

revoke execute on function app_private.health_news() from public;
grant execute on function app_private.health_news() to app_worker;
--! EndIncluded functions/health/health_news.sql
--! Included functions/health/health_digest.sql
-- What a digest says of one hospital, or of the machinery: what is critical and open, what is new, what waits
-- for people. Null where nothing is new and nothing critical waits to be seen; what is merely still open is
-- one line, so that nobody learns to look away. Sentences of findings only.
create or replace function app_private.health_digest(hospital_id uuid, since timestamptz) returns text
language plpgsql stable
as $$
declare
  most constant integer := 10;
  alerts text;
  alert_count integer;
  news text;
  news_count integer;
  reviews text;
  review_count integer;
  has_new_review boolean;
  older integer;
begin
  select count(*), string_agg(format('- [%s] %s: %s%s', alert.severity, alert.title, alert.detail,
      case when alert.status = 'acknowledged' then ' (acknowledged)' else '' end), E'\n' order by alert.number)
      filter (where alert.number <= most)
  into alert_count, alerts
  from (
    select open_one.*, row_number() over (order by open_one.severity desc, open_one.id) as number
    from app_public.health_alert as open_one
    where open_one.hospital_id = health_digest.hospital_id and open_one.status <> 'resolved') as alert;

  select coalesce(sum(counted.size), 0), string_agg(format('- [%s] %s: %s%s', counted.severity, coalesce(entry.title, counted.check_name),
      counted.size, case when counted.gone > 0 then format(', of which %s are gone again', counted.gone) else '' end),
      E'\n' order by counted.severity desc, counted.check_name)
  into news_count, news
  from (
    select finding.check_name, max(finding.severity) as severity, count(*) as size,
      count(*) filter (where finding.resolved_at is not null) as gone
    from app_public.finding
    where finding.hospital_id = health_digest.hospital_id and finding.first_seen_at >= since
      and finding.severity > 'info' and finding.ignored_at is null
    group by finding.check_name) as counted
  left join app_public.health_check as entry on entry.name = counted.check_name;

  select count(*), coalesce(bool_or(item.created_at >= since), false),
    string_agg(format('- priority %s: %s', item.priority, item.detail), E'\n' order by item.number)
      filter (where item.number <= most)
  into review_count, has_new_review, reviews
  from (
    select waiting.*, row_number() over (order by waiting.priority, waiting.created_at, waiting.id) as number
    from app_public.review_item as waiting
    where waiting.hospital_id = health_digest.hospital_id and waiting.status in ('pending', 'in_review')) as item;

  if news_count = 0 and not has_new_review and not exists (
    select from app_public.health_alert as alert
    where alert.hospital_id = health_digest.hospital_id and alert.status = 'active')
  then
    return null;
  end if;
  select count(*) into older
  from app_public.finding
  where finding.hospital_id = health_digest.hospital_id and finding.resolved_at is null and finding.ignored_at is null
    and finding.first_seen_at < since;

  return concat_ws(E'\n\n',
    case when alert_count > 0 then format(E'Open alerts (%s)\n%s', alert_count, alerts)
      || case when alert_count > most then format(E'\nand %s more.', alert_count - most) else '' end end,
    case when news_count > 0 then format(E'Found since the last digest (%s)\n%s', news_count, news) end,
    case when review_count > 0 then format(E'Waiting for a review (%s)\n%s', review_count, reviews)
      || case when review_count > most then format(E'\nand %s more.', review_count - most) else '' end end,
    case when older > 0 then format('Older findings that are still open: %s', older) end);
end
$$;

comment on function app_private.health_digest(uuid, timestamptz) is
  'What people are told of the health of a hospital, or of the machinery, every few hours; null when there is nothing to tell.';

revoke execute on function app_private.health_digest(uuid, timestamptz) from public;
--! EndIncluded functions/health/health_digest.sql
--! Included functions/health/send_health_digest.sql
-- One digest in four hours, however many ask for it at once: the mark moves in the same transaction, and
-- who comes second finds it moved. Nothing is sent when there is nothing; the mark moves all the same, and
-- messages of long ago are forgotten. It becomes an ordinary mail to each admin, with the tries again of
-- all mails. Definer, because no role may write inboxes.
create or replace function app_private.send_health_digest(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  since timestamptz;
  own text;
  machinery text;
begin
  insert into app_private.health_digest_mark as mark (hospital_id, reached_at, reached_before)
  values (send_health_digest.hospital_id, instant, instant - interval '4 hours')
  on conflict on constraint health_digest_mark_pkey do update
  set reached_before = mark.reached_at,
      reached_at = excluded.reached_at
  where mark.reached_at <= instant - interval '4 hours'
  returning mark.reached_before into since;
  if since is null then
    return 0;
  end if;

  delete from app_private.health_alert_delivery as delivery
  where delivery.hospital_id in (send_health_digest.hospital_id, app_private.machinery())
    and delivery.ended_at < instant - interval '30 days';

  -- A run of checks that began before the last digest may have ended after it: rather told twice than never.
  since := since - interval '5 minutes';
  own := app_private.health_digest(hospital_id, since);
  machinery := app_private.health_digest(app_private.machinery(), since);
  if own is null and machinery is null then
    return 0;
  end if;
  return app_private.tell_admins(hospital_id, 'health_digest', jsonb_build_object(
    'message', concat_ws(E'\n\n', own, E'The system, which serves all hospitals\n\n' || machinery)));
end
$$;

comment on function app_private.send_health_digest(uuid) is
  'Leaves the digest of a hospital''s health for its admins when it is due and there is something to tell; returns to how many.';

revoke execute on function app_private.send_health_digest(uuid) from public;
grant execute on function app_private.send_health_digest(uuid) to app_worker;
--! EndIncluded functions/health/send_health_digest.sql
--! Included functions/health/audit_id_at.sql
-- The log has no index by time, and a booking shall not pay for one: its ids grow with time, so the place
-- of an instant is found by halving, in some thirty looks at the key however long the log is. Entries are
-- numbered when they are written and dated when their transaction began; who asks for a stretch of time
-- allows some minutes on either side and looks at the dates.
create or replace function app_private.audit_id_at(hospital_id uuid, instant timestamptz) returns bigint
language plpgsql stable
as $$
declare
  low bigint;
  high bigint;
  middle bigint;
  met record;
begin
  select min(entry.id), max(entry.id) + 1 into low, high
  from app_public.audit_entry as entry
  where entry.hospital_id = audit_id_at.hospital_id;
  while low < high loop
    middle := low + (high - low) / 2;
    select entry.id, entry.recorded_at into met
    from app_public.audit_entry as entry
    where entry.hospital_id = audit_id_at.hospital_id and entry.id >= middle
    order by entry.id
    limit 1;
    if met.recorded_at < instant then
      low := met.id + 1;
    else
      high := middle;
    end if;
  end loop;
  return coalesce(low, 0);
end
$$;

comment on function app_private.audit_id_at(uuid, timestamptz) is
  'About where in the audit log of a hospital an instant lies: the first id that is not older.';

revoke execute on function app_private.audit_id_at(uuid, timestamptz) from public;
--! EndIncluded functions/health/audit_id_at.sql
--! Included functions/health/verifications.sql
-- What event-driven verification has measured between two hours: how many, and how many took how long. The
-- buckets are added up place by place. Where nothing measures yet there is nothing to tell, and that is no
-- error: the table is looked up when it is asked for.
create or replace function app_private.verifications(
  hospital_id uuid, starting timestamptz, ending timestamptz, out verified bigint, out buckets bigint[])
language plpgsql stable
as $$
begin
  if to_regclass('app_private.verification_hour') is null then
    return;
  end if;
  execute format($measured$
    select sum(counted.verified), (
      select array_agg(place.total order by place.number)
      from (
        select bucket.number, sum(bucket.size) as total
        from %1$s as measured
        cross join unnest(measured.buckets) with ordinality as bucket (size, number)
        where measured.hospital_id = $1 and measured.hour >= $2 and measured.hour < $3
        group by bucket.number) as place)
    from %1$s as counted
    where counted.hospital_id = $1 and counted.hour >= $2 and counted.hour < $3$measured$, to_regclass('app_private.verification_hour'))
  into verified, buckets using hospital_id, starting, ending;
end
$$;

comment on function app_private.verifications(uuid, timestamptz, timestamptz) is
  'How many appointments were verified in these hours, and how many of them took how long.';

revoke execute on function app_private.verifications(uuid, timestamptz, timestamptz) from public;
--! EndIncluded functions/health/verifications.sql
--! Included functions/health/percentile_of_buckets.sql
-- The buckets end at ever twice as many milliseconds: a quarter, a half, one, two, and so on; the last has
-- the rest, and what lies in it is told as its beginning, which it is at least. Within a bucket the
-- measurements are taken to lie evenly.
create or replace function app_private.percentile_of_buckets(buckets bigint[], share numeric) returns numeric
language plpgsql immutable parallel safe
as $$
declare
  total numeric := (select sum(size) from unnest(buckets) as size);
  before numeric := 0;
  lower_end numeric;
begin
  if coalesce(total, 0) = 0 then
    return null;
  end if;
  for number in 1 .. cardinality(buckets) loop
    if before + buckets[number] >= share * total and buckets[number] > 0 then
      lower_end := case when number = 1 then 0 else power(2::numeric, number - 4) end;
      if number = cardinality(buckets) then
        return round(lower_end, 2);
      end if;
      return round(lower_end
        + (power(2::numeric, number - 3) - lower_end) * (share * total - before) / buckets[number], 2);
    end if;
    before := before + buckets[number];
  end loop;
  return null;
end
$$;

comment on function app_private.percentile_of_buckets(bigint[], numeric) is
  'The milliseconds that this share of the measurements stays within, by their buckets; null without any.';

revoke execute on function app_private.percentile_of_buckets(bigint[], numeric) from public;
--! EndIncluded functions/health/percentile_of_buckets.sql
--! Included functions/health/measure_health.sql
-- The figures by which a hospital's health is judged, with their targets. Each is read by an index from what
-- is open now, the visits of five weeks or what was found in thirty days; where there is nothing to measure
-- the value is null and nothing is judged. Definer, because nobody who asks may read all of that; a request
-- learns of its own hospital.
create or replace function app_private.measure_health(hospital_id uuid)
returns setof app_public.key_figure
language plpgsql stable security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  visits bigint;
  problems bigint;
  found bigint;
  ignored bigint;
  repairable bigint;
  corrected bigint;
  waiting bigint;
  measured record;
begin
  if app_private.claim_hospital_id() is not null then
    perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  end if;
  select count(*) into visits
  from app_public.doctor
  join app_public.appointment
    on appointment.hospital_id = measure_health.hospital_id and appointment.doctor_id = doctor.id
    and appointment.starts_at >= instant - interval '7 days' and appointment.starts_at < instant + interval '30 days'
  where doctor.hospital_id = measure_health.hospital_id;
  select count(distinct (finding.entity_type, coalesce(finding.entity_id, finding.id))) into problems
  from app_public.finding
  where finding.hospital_id = measure_health.hospital_id and finding.resolved_at is null
    and finding.severity > 'info'
    and not (finding.ignored_at is not null and coalesce(finding.ignored_until > instant, true));
  select count(*), count(*) filter (where finding.ignored_at is not null),
    count(*) filter (where entry.remedy = 'repair' and (finding.resolved_at is not null or finding.repair_attempts > 0)),
    count(*) filter (where entry.remedy = 'repair' and finding.is_auto_corrected)
  into found, ignored, repairable, corrected
  from app_public.finding
  left join app_public.health_check as entry on entry.name = finding.check_name
  where finding.hospital_id = measure_health.hospital_id and finding.first_seen_at >= instant - interval '30 days';
  select count(*) into waiting
  from app_public.review_item
  where review_item.hospital_id = measure_health.hospital_id and review_item.status in ('pending', 'in_review');
  measured := app_private.verifications(
    hospital_id, date_trunc('hour', instant - interval '7 days'), instant);

  return query
    select figure.name, figure.title, figure.value, figure.target, figure.is_at_least,
      case when figure.is_at_least then figure.value >= figure.target else figure.value <= figure.target end,
      figure.unit, figure.meaning
    from (
      values
        ('consistency_rate', 'Consistency rate',
          case when visits > 0 then trunc(100 - 100.0 * least(problems, visits) / visits, 2) when problems > 0 then 0 end,
          99.5, true, '%', 'Visits from 7 days ago to 30 days ahead, less what has an open problem'),
        ('verification_p95', 'Verification, 95th percentile',
          app_private.percentile_of_buckets(measured.buckets, 0.95),
          100, false, 'ms', 'How long 95 of 100 verifications of the last 7 days took at most'),
        ('breaker_recovery', 'Recovery of a circuit breaker', null::numeric,
          60, false, 's', 'Not measured: there are no breakers in the database yet'),
        ('auto_correction_rate', 'Automatic correction rate',
          case when repairable > 0 then trunc(100.0 * corrected / repairable, 2) end,
          90, true, '%', 'Of the problems of the last 30 days that a machine may repair, those that it has repaired'),
        ('review_queue_size', 'Review queue', waiting::numeric,
          10, false, 'items', 'Reviews that wait for a decision now'),
        ('false_positive_rate', 'False positive rate',
          case when found > 0 then round(100.0 * ignored / found, 2) end,
          1, false, '%', 'Of what was found in the last 30 days, what people dismissed or ignore')
    ) as figure (name, title, value, target, is_at_least, unit, meaning);
end
$$;

comment on function app_private.measure_health(uuid) is 'The key figures of a hospital''s health, with their targets.';

revoke execute on function app_private.measure_health(uuid) from public;
grant execute on function app_private.measure_health(uuid) to app_admin, app_monitor;
--! EndIncluded functions/health/measure_health.sql
--! Included functions/health/key_figures.sql
create or replace function app_public.key_figures()
returns setof app_public.key_figure
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return query select * from app_private.measure_health(hospital);
end
$$;

comment on function app_public.key_figures() is
  'The figures by which the health of your hospital is judged, with their targets. For admins.';

revoke execute on function app_public.key_figures() from public;
grant execute on function app_public.key_figures() to app_admin;
--! EndIncluded functions/health/key_figures.sql
--! Included functions/health/health_report_text.sql
-- The same report for people, in lines that stand under each other in a mail and in psql. It says what the
-- figures say and asks no table.
create or replace function app_private.health_report_text(figures jsonb) returns text
language plpgsql immutable
as $$
declare
  found jsonb := figures -> 'inconsistencies';
  trend jsonb := figures -> 'trend';
  open_actions jsonb := figures -> 'open_actions';
  lines text[];
  part record;
  detail record;
begin
  lines := array[
    format('Health of %s on %s (%s)', figures ->> 'hospital', figures ->> 'day', figures ->> 'time_zone'),
    '',
    'Totals',
    format('  %s%s%s', rpad('Appointments', 20), lpad(figures #>> '{totals,appointments}', 8), coalesce('   ' || (
      select string_agg(format('%s %s', state.value, replace(state.key, '_', ' ')), ', ' order by state.value::text::integer desc, state.key)
      from jsonb_each(figures #> '{totals,by_status}') as state), '')),
    format('  %s%s   %s seats, %s taken', rpad('Slots', 20), lpad(figures #>> '{totals,slots}', 8),
      figures #>> '{totals,seats}', figures #>> '{totals,seats_taken}'),
    format('  %s%s', rpad('Bookings made', 20), lpad(figures #>> '{totals,bookings_made}', 8)),
    format('  %s%s', rpad('Cancellations', 20), lpad(figures #>> '{totals,cancellations}', 8)),
    format('  %s%s', rpad('Verified', 20), lpad(coalesce(figures #>> '{totals,verified}', 'none'), 8)),
    '',
    'Inconsistencies',
    format('  %s%s   %s critical, %s warning, %s info', rpad('Found', 20), lpad(found ->> 'found', 8),
      found ->> 'critical', found ->> 'warning', found ->> 'info'),
    format('  %s%s   of %s appointments and slots', rpad('Rate', 20), lpad(coalesce((found ->> 'rate') || ' %', 'none'), 8),
      found ->> 'looked_at'),
    format('  %s%s', rpad('Gone again', 20), lpad(found ->> 'resolved', 8)),
    format('  %s%s', rpad('Trend', 20), case trend ->> 'direction'
      when 'unknown' then 'no report of the week before'
      else format('%s: %s a day in the week before%s', trend ->> 'direction', trend ->> 'mean_found',
        coalesce(format(' (%s %%)', trend ->> 'change_percent'), '')) end),
    ''];

  if figures -> 'checks' = '[]' then
    lines := lines || 'No check found anything, and nothing is open.'::text || ''::text;
  else
    lines := lines || format('%s%s%s%s%s', rpad('By check', 42), rpad('severity', 10), lpad('found', 7), lpad('gone', 7), lpad('open', 7));
    for part in select entry.value as entry from jsonb_array_elements(figures -> 'checks') as entry loop
      lines := lines || format('  %s%s%s%s%s', rpad(part.entry ->> 'check', 40), rpad(part.entry ->> 'severity', 10),
        lpad(part.entry ->> 'found', 7), lpad(part.entry ->> 'resolved', 7), lpad(part.entry ->> 'open', 7));
    end loop;
    lines := lines || ''::text || 'Top issues'::text;
    for part in select entry.value as entry, entry.ordinality as number
      from jsonb_array_elements(figures -> 'top_issues') with ordinality as entry
    loop
      lines := lines || format('  %s. %s (%s): %s found, %s open', part.number, part.entry ->> 'title',
        part.entry ->> 'severity', part.entry ->> 'found', part.entry ->> 'open');
      lines := lines || format('     last action: %s, %s', part.entry ->> 'last_action', part.entry ->> 'last_action_at');
      for detail in select entry.value as entry from jsonb_array_elements(part.entry -> 'cases') as entry loop
        lines := lines || format('     - %s [%s] %s', detail.entry ->> 'detail', detail.entry ->> 'state',
          concat_ws(' ', detail.entry ->> 'entity_type', detail.entry ->> 'entity_id'));
      end loop;
    end loop;
    lines := lines || ''::text;
  end if;

  lines := lines || array[
    format('%s%s', rpad('Recovery', 22), case when figures #>> '{recovery,rate}' is null then 'nothing to repair'
      else format('%s %%, %s of %s that a machine may repair', figures #>> '{recovery,rate}',
        figures #>> '{recovery,auto_corrected}', figures #>> '{recovery,repairable}') end),
    format('%s%s', rpad('Detection', 22), case when figures #>> '{detection,mean_seconds}' is null then 'nothing to measure'
      else format('%s s after the change, mean of %s', figures #>> '{detection,mean_seconds}', figures #>> '{detection,measured}') end),
    format('%sreviews: %s%s, alerts: %s', rpad('Open actions', 22), open_actions ->> 'reviews', coalesce((
      select format(' (%s)', string_agg(format('priority %s: %s', level.key, level.value), ', ' order by level.key))
      from jsonb_each(open_actions -> 'reviews_by_priority') as level
      having count(*) > 0), ''), open_actions ->> 'alerts')];
  return array_to_string(lines, E'\n');
end
$$;

comment on function app_private.health_report_text(jsonb) is 'A daily report in words.';

revoke execute on function app_private.health_report_text(jsonb) from public;
--! EndIncluded functions/health/health_report_text.sql
--! Included functions/health/make_health_report.sql
-- The report of one local day of a hospital, made or made again: it costs what the day had, by indexes of
-- time, of doctors and of what is open, however long the history is. What was found is told by when it was
-- first seen; a problem that came back later is told on the later day. Definer, because it reads what only
-- the people concerned may read and writes what nobody may; it tells numbers, and sentences of findings.
create or replace function app_private.make_health_report(hospital_id uuid, day date)
returns app_public.health_report
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  tenant app_public.hospital;
  starting timestamptz;
  ending timestamptz;
  totals jsonb;
  counted record;
  summary record;
  before record;
  mean numeric;
  rate numeric;
  open_actions jsonb;
  figures jsonb;
  made app_public.health_report;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into tenant from app_public.hospital where hospital.id = make_health_report.hospital_id;
  starting := day::timestamp at time zone tenant.time_zone;
  ending := (day + 1)::timestamp at time zone tenant.time_zone;

  select
    coalesce(sum(visits.size), 0) as appointments,
    coalesce(jsonb_object_agg(visits.status, visits.size), '{}') as by_status
  into counted
  from (
    select visit.status, count(*) as size
    from (
      select appointment.status
      from app_public.doctor
      join app_public.appointment
        on appointment.hospital_id = make_health_report.hospital_id and appointment.doctor_id = doctor.id
        and appointment.starts_at >= starting and appointment.starts_at < ending
      where doctor.hospital_id = make_health_report.hospital_id
      union all
      select archived.status
      from app_public.doctor
      join app_public.appointment_archive as archived
        on archived.hospital_id = make_health_report.hospital_id and archived.doctor_id = doctor.id
        and archived.starts_at >= starting and archived.starts_at < ending
      where doctor.hospital_id = make_health_report.hospital_id
    ) as visit
    group by visit.status
  ) as visits;
  select jsonb_build_object('appointments', counted.appointments, 'by_status', counted.by_status,
    'slots', count(*), 'seats', coalesce(sum(slot.capacity), 0), 'seats_taken', coalesce(sum(slot.booked_count), 0))
  into totals
  from app_public.doctor
  join app_public.slot
    on slot.hospital_id = make_health_report.hospital_id and slot.doctor_id = doctor.id
    and slot.starts_at >= starting and slot.starts_at < ending and slot.withdrawn_at is null
  where doctor.hospital_id = make_health_report.hospital_id;
  select totals || jsonb_build_object(
    'bookings_made', count(*) filter (where entry.operation = 'insert'),
    'cancellations', count(*) filter (where entry.operation = 'update' and entry.changed_columns ->> 'status' = 'cancelled'),
    'verified', (select done.verified from app_private.verifications(make_health_report.hospital_id, starting, ending) as done))
  into totals
  from app_public.audit_entry as entry
  where entry.hospital_id = make_health_report.hospital_id
    and entry.id >= app_private.audit_id_at(make_health_report.hospital_id, starting - interval '10 minutes')
    and entry.id < app_private.audit_id_at(make_health_report.hospital_id, ending + interval '10 minutes')
    and entry.recorded_at >= starting and entry.recorded_at < ending
    and entry.table_name = 'appointment';

  with known as materialized (
    select finding.*, finding.first_seen_at >= starting and finding.first_seen_at < ending as is_of_day
    from app_public.finding
    where finding.hospital_id = make_health_report.hospital_id
      and finding.first_seen_at >= starting and finding.first_seen_at < ending
    union all
    select finding.*, false
    from app_public.finding
    where finding.hospital_id = make_health_report.hospital_id
      and finding.first_seen_at < starting and finding.resolved_at is null
    union all
    select finding.*, false
    from app_public.finding
    where finding.hospital_id = make_health_report.hospital_id
      and finding.resolved_at >= starting and finding.first_seen_at < starting
  ), judged as materialized (
    select known.*,
      known.resolved_at is null or known.resolved_at >= ending as is_open,
      known.resolved_at >= starting and known.resolved_at < ending as is_gone,
      coalesce(entry.title, known.check_name) as title,
      entry.remedy,
      act.what,
      act.done_at
    from known
    left join app_public.health_check as entry on entry.name = known.check_name
    cross join lateral (
      select step.what, step.done_at
      from (
        values
          ('found', known.first_seen_at, 1),
          (case when known.is_auto_corrected then 'repaired' else 'gone' end, known.resolved_at, 3),
          (case when known.repair_error is not null then 'repair failed' end, known.last_seen_at, 0)
        union all
        select case item.status when 'in_review' then 'in review' when 'pending' then 'waits for a review' else item.status::text end,
          coalesce(item.decided_at, item.claimed_at, greatest(item.created_at, known.first_seen_at)), 2
        from app_public.review_item as item
        where item.hospital_id = make_health_report.hospital_id and item.finding_id = known.id
        union all
        select 'acknowledged', alert.acknowledged_at, 2
        from app_public.health_alert as alert
        where alert.hospital_id = make_health_report.hospital_id and alert.finding_id = known.id
      ) as step (what, done_at, weight)
      where step.what is not null and step.done_at is not null
      order by step.done_at desc, step.weight desc
      limit 1
    ) as act
    where known.ignored_at is null
  ), by_check as materialized (
    select judged.check_name, max(judged.severity) as severity, min(judged.title) as title,
      count(*) filter (where judged.is_of_day) as found,
      count(*) filter (where judged.is_gone) as gone,
      count(*) filter (where judged.is_open) as still_open,
      (array_agg(judged.what order by judged.done_at desc))[1] as last_action,
      max(judged.done_at) as last_action_at
    from judged
    group by judged.check_name
  ), worst as (
    select by_check.*, row_number() over (
      order by by_check.severity desc, by_check.found + by_check.still_open desc, by_check.check_name) as number
    from by_check
    where by_check.found + by_check.still_open > 0
  )
  select
    (select coalesce(jsonb_agg(jsonb_build_object(
        'check', by_check.check_name, 'title', by_check.title, 'severity', by_check.severity, 'found', by_check.found,
        'resolved', by_check.gone, 'open', by_check.still_open)
        order by by_check.severity desc, by_check.found desc, by_check.check_name), '[]')
      from by_check where by_check.found + by_check.gone + by_check.still_open > 0) as by_check,
    (select coalesce(jsonb_agg(jsonb_build_object(
        'check', worst.check_name, 'title', worst.title, 'severity', worst.severity, 'found', worst.found,
        'open', worst.still_open, 'last_action', worst.last_action,
        'last_action_at', to_char(worst.last_action_at at time zone tenant.time_zone, 'YYYY-MM-DD HH24:MI'),
        'cases', (
          select jsonb_agg(jsonb_build_object(
            'finding_id', example.id, 'entity_type', example.entity_type, 'entity_id', example.entity_id,
            'detail', example.detail, 'state', example.what) order by example.is_open desc, example.id)
          from (
            select * from judged
            where judged.check_name = worst.check_name and (judged.is_of_day or judged.is_open)
            order by judged.is_open desc, judged.id
            limit 3) as example))
        order by worst.number), '[]')
      from worst where worst.number <= 5) as top_issues,
    count(*) filter (where judged.is_of_day) as found,
    count(*) filter (where judged.is_of_day and judged.severity = 'critical') as critical,
    count(*) filter (where judged.is_of_day and judged.severity = 'warning') as warning,
    count(*) filter (where judged.is_of_day and judged.severity = 'info') as info,
    count(*) filter (where judged.is_gone) as gone,
    count(*) filter (where judged.is_of_day and judged.remedy = 'repair') as repairable,
    count(*) filter (where judged.is_of_day and judged.remedy = 'repair' and judged.is_auto_corrected) as corrected,
    count(*) filter (where judged.is_of_day and judged.detected_after is not null) as measured,
    avg(extract(epoch from judged.detected_after)) filter (where judged.is_of_day) as latency
  into summary
  from judged;

  select count(*) as known, avg((report.figures #>> '{inconsistencies,found}')::numeric) as mean into before
  from app_public.health_report as report
  where report.hospital_id = make_health_report.hospital_id
    and report.day >= make_health_report.day - 7 and report.day < make_health_report.day;
  mean := round(before.mean, 2);
  rate := round(100.0 * summary.found
    / nullif((totals ->> 'appointments')::numeric + (totals ->> 'slots')::numeric, 0), 2);

  select jsonb_build_object(
    'reviews', coalesce(sum(waiting.size), 0),
    'reviews_by_priority', coalesce(jsonb_object_agg(waiting.priority, waiting.size), '{}'),
    'alerts', (
      select count(*) from app_public.health_alert
      where health_alert.hospital_id = make_health_report.hospital_id and health_alert.status <> 'resolved'))
  into open_actions
  from (
    select review_item.priority, count(*) as size
    from app_public.review_item
    where review_item.hospital_id = make_health_report.hospital_id and review_item.status in ('pending', 'in_review')
    group by review_item.priority
  ) as waiting;

  figures := jsonb_build_object(
    'hospital', tenant.name, 'day', day, 'time_zone', tenant.time_zone, 'starts_at', starting, 'ends_at', ending,
    'totals', totals,
    'inconsistencies', jsonb_build_object('found', summary.found, 'critical', summary.critical, 'warning', summary.warning,
      'info', summary.info, 'resolved', summary.gone, 'rate', rate,
      'looked_at', (totals ->> 'appointments')::numeric + (totals ->> 'slots')::numeric),
    'checks', summary.by_check,
    'top_issues', summary.top_issues,
    'trend', jsonb_build_object('days_known', before.known, 'mean_found', mean,
      'change_percent', round(100.0 * (summary.found - mean) / nullif(mean, 0)),
      'direction', case when before.known = 0 then 'unknown' when summary.found < mean then 'better'
        when summary.found > mean then 'worse' else 'same' end),
    'recovery', jsonb_build_object('repairable', summary.repairable, 'auto_corrected', summary.corrected,
      'rate', round(100.0 * summary.corrected / nullif(summary.repairable, 0), 2)),
    'detection', jsonb_build_object('measured', summary.measured, 'mean_seconds', round(summary.latency, 3)),
    'open_actions', open_actions);

  insert into app_public.health_report as known (hospital_id, day, figures, text, made_at)
  values (make_health_report.hospital_id, make_health_report.day, figures, app_private.health_report_text(figures),
    app_private.clock())
  on conflict on constraint health_report_pkey do update
  set figures = excluded.figures,
      text = excluded.text,
      made_at = excluded.made_at
  returning * into made;
  return made;
end
$$;

comment on function app_private.make_health_report(uuid, date) is
  'Makes the daily report of a hospital for a local day, or makes it again, and returns it.';

revoke execute on function app_private.make_health_report(uuid, date) from public;
grant execute on function app_private.make_health_report(uuid, date) to app_worker;
--! EndIncluded functions/health/make_health_report.sql
--! Included functions/health/make_health_reports.sql
-- The day that ended last is always made anew, so that asking again is how it is remade; of the six before
-- it those that are missing, because no worker ran in their nights. Not before the hospital was there.
create or replace function app_private.make_health_reports(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  tenant app_public.hospital;
  yesterday date;
  each date;
  made integer := 0;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into tenant from app_public.hospital where hospital.id = make_health_reports.hospital_id;
  yesterday := (app_private.clock() at time zone tenant.time_zone)::date - 1;
  for each in
    select wanted.day::date
    from generate_series(
      greatest(yesterday - 6, (tenant.created_at at time zone tenant.time_zone)::date), yesterday, interval '1 day') as wanted (day)
    where wanted.day::date = yesterday or not exists (
      select from app_public.health_report as report
      where report.hospital_id = make_health_reports.hospital_id and report.day = wanted.day::date)
    order by wanted.day
  loop
    perform app_private.make_health_report(hospital_id, each);
    made := made + 1;
  end loop;
  return made;
end
$$;

comment on function app_private.make_health_reports(uuid) is
  'Makes the daily report of the day that ended last in a hospital, and those of the week before that are missing; returns how many.';

revoke execute on function app_private.make_health_reports(uuid) from public;
grant execute on function app_private.make_health_reports(uuid) to app_worker;
--! EndIncluded functions/health/make_health_reports.sql
--! Included functions/health/health_report_of_day.sql
-- Reads under the caller's own rights; the day that ended last unless another is named.
create or replace function app_public.health_report_of_day(day date default null)
returns app_public.health_report
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  report app_public.health_report;
begin
  select * into report
  from app_public.health_report as made
  where made.hospital_id = hospital and made.day = coalesce(health_report_of_day.day, made.day)
  order by made.day desc
  limit 1;
  return report;
end
$$;

comment on function app_public.health_report_of_day(date) is
  'The report of the hospital''s health for a local day, or the last one; null when there is none. For admins.';

revoke execute on function app_public.health_report_of_day(date) from public;
grant execute on function app_public.health_report_of_day(date) to app_admin;
--! EndIncluded functions/health/health_report_of_day.sql
--! Included policies/hospital.sql
-- Members see the hospital they belong to; its admins change its settings.
alter table app_public.hospital enable row level security;
alter table app_public.hospital force row level security;

grant select on app_public.hospital to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant update (name, booking_horizon_days, generated_days, hold_duration, offer_duration, rebook_buffer, no_show_block_threshold, no_show_window_start, no_show_window_end, vitals_alert_buffer, doctor_alert_buffer, kept_years, reminder_offsets, log_kept_days) on app_public.hospital to app_admin;
grant update (is_second_factor_required, emergency_access_duration, security_events_kept_days) on app_public.hospital to app_admin;
grant update (health_alert_quiet_period, health_chat_room) on app_public.hospital to app_admin;
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
--! Included policies/review_item.sql
-- Admins see what waits for them in their hospital, claim it and decide. Nobody adds one: checks do, as
-- the owner. Only what people say of it is granted: that a problem is gone by itself is not for a client to
-- say. Reviews of the whole system stand under no hospital and are for operators.
alter table app_public.review_item enable row level security;
alter table app_public.review_item force row level security;

grant select on app_public.review_item to app_admin, app_monitor;
grant update (status, claimed_by, note) on app_public.review_item to app_admin;
-- No grant of insert or delete to anybody, and none to app_worker: it runs checks.

drop policy if exists admins_read_their_hospital on app_public.review_item;
create policy admins_read_their_hospital on app_public.review_item for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_decide_in_their_hospital on app_public.review_item;
create policy admins_decide_in_their_hospital on app_public.review_item for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.review_item;
create policy monitor_reads_all on app_public.review_item for select to app_monitor
  using (true);

-- Checks and triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.review_item;
create policy owner_maintains on app_public.review_item for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/review_item.sql
--! Included policies/health_alert.sql
-- Admins see the alerts of their hospital, acknowledge and close them. Nobody adds one: checks do, as the
-- owner. Only what people say of it is granted: that a problem is gone by itself is not for a client to say.
-- Alerts of the whole system stand under no hospital; admins are told of them, and operators close them.
alter table app_public.health_alert enable row level security;
alter table app_public.health_alert force row level security;

grant select on app_public.health_alert to app_admin, app_monitor;
grant update (status, note) on app_public.health_alert to app_admin;
-- No grant of insert or delete to anybody, and none to app_worker: it runs checks.

drop policy if exists admins_read_their_hospital on app_public.health_alert;
create policy admins_read_their_hospital on app_public.health_alert for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_answer_in_their_hospital on app_public.health_alert;
create policy admins_answer_in_their_hospital on app_public.health_alert for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.health_alert;
create policy monitor_reads_all on app_public.health_alert for select to app_monitor
  using (true);

-- Checks and triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.health_alert;
create policy owner_maintains on app_public.health_alert for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/health_alert.sql
--! Included policies/health_report.sql
-- Admins read the reports of their hospital, and DBAs all. A job writes them, as the owner.
alter table app_public.health_report enable row level security;
alter table app_public.health_report force row level security;

grant select on app_public.health_report to app_admin, app_monitor;
-- No other grant to anybody, and none to app_worker: it calls make_health_reports.

drop policy if exists admins_read_their_hospital on app_public.health_report;
create policy admins_read_their_hospital on app_public.health_report for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.health_report;
create policy monitor_reads_all on app_public.health_report for select to app_monitor
  using (true);

-- The job runs as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.health_report;
create policy owner_maintains on app_public.health_report for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/health_report.sql
--! Included policies/health_alert_delivery.sql
-- Written by the functions of alerts alone, as the owner; app_monitor may look.
alter table app_private.health_alert_delivery enable row level security;
alter table app_private.health_alert_delivery force row level security;

grant select on app_private.health_alert_delivery to app_monitor;

drop policy if exists monitor_reads_all on app_private.health_alert_delivery;
create policy monitor_reads_all on app_private.health_alert_delivery for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.health_alert_delivery;
create policy owner_maintains on app_private.health_alert_delivery for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/health_alert_delivery.sql
--! Included checks/key_figures.sql
-- Every hospital's figures for who looks with psql or scrapes them; one call a hospital.
create or replace view checks.key_figures as
select hospital.id as hospital_id, hospital.slug, figure.name, figure.title, figure.value, figure.target, figure.is_at_least,
  figure.is_met, figure.unit, figure.meaning
from app_public.hospital
cross join lateral app_private.measure_health(hospital.id) as figure;

comment on view checks.key_figures is
  'The key figures of the health of each hospital, with their targets; is_met is null where nothing was measured.';
revoke all on checks.key_figures from public;
grant select on checks.key_figures to app_monitor;
--! EndIncluded checks/key_figures.sql
--! Included checks/daily_report.sql
-- For who looks with psql: select text from checks.daily_report where slug = '…' order by day desc limit 1.
create or replace view checks.daily_report as
select report.hospital_id, hospital.slug, report.day, report.text, report.figures, report.made_at
from app_public.health_report as report
join app_public.hospital on hospital.id = report.hospital_id;

comment on view checks.daily_report is 'The daily reports of the health of each hospital, in words and in figures.';
revoke all on checks.daily_report from public;
grant select on checks.daily_report to app_monitor;
--! EndIncluded checks/daily_report.sql

reset role;
