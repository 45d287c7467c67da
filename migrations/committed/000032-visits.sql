--! Previous: sha1:b2e5b158f3adbdffecade16bef69a4245a236e71
--! Hash: sha1:1478c36e7ce1260e45c7df913206ba46dba3387f
--! Message: visits

--! split: 1-current.sql
-- Functions and rights: The day of the visit: arriving, vital signs, who did not come, and what that means for them.
set local role app_owner;

--! Included catalog/appointment_transition.sql
-- The state machine of appointments. staff: doctor (own), nurse, receptionist, admin.
-- Own, for patients and doctors, is a matter of row-level security.
with wanted (from_status, to_status, roles) as (
  values
    (null, 'requested', '{patient,doctor,nurse,receptionist,admin,worker}'),
    (null, 'held', '{patient,doctor,nurse,receptionist,admin,worker}'),
    (null, 'scheduled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('requested', 'held', '{doctor,receptionist,admin}'),
    ('requested', 'scheduled', '{doctor,receptionist,admin}'),
    ('requested', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('requested', 'expired', '{worker}'),
    ('held', 'scheduled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('held', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('held', 'expired', '{worker}'),
    ('scheduled', 'confirmed', '{patient,doctor,nurse,receptionist,admin}'),
    ('scheduled', 'checked_in', '{doctor,nurse,receptionist,admin}'),
    ('scheduled', 'completed', '{doctor}'),
    ('scheduled', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('scheduled', 'no_show', '{doctor,nurse,receptionist,admin,worker}'),
    ('confirmed', 'checked_in', '{doctor,nurse,receptionist,admin}'),
    ('confirmed', 'completed', '{doctor}'),
    ('confirmed', 'cancelled', '{patient,doctor,nurse,receptionist,admin,worker}'),
    ('confirmed', 'no_show', '{doctor,nurse,receptionist,admin,worker}'),
    ('checked_in', 'in_progress', '{doctor}'),
    ('checked_in', 'completed', '{doctor}'),
    ('in_progress', 'completed', '{doctor}'),
    ('no_show', 'scheduled', '{admin}'),
    ('no_show', 'confirmed', '{admin}'),
    ('no_show', 'checked_in', '{admin}'),
    -- Only by the consultation that was abandoned; see visits/guard_open_consultation.
    ('in_progress', 'checked_in', '{doctor}')
)
insert into app_public.appointment_transition (from_status, to_status, roles)
select from_status::app_public.appointment_status, to_status::app_public.appointment_status, roles::text[]
from wanted
on conflict on constraint a_transition_is_listed_once do update
set roles = excluded.roles
where appointment_transition.roles <> excluded.roles;
--! EndIncluded catalog/appointment_transition.sql
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
--! Included functions/visits/guard_visit_day.sql
-- A patient arrives on the day of the visit, in the hospital's own days, and a visit is not over before
-- its day has come. An operator in psql may write down later what happened; an admin who undoes a no-show
-- says that the patient was there.
create or replace function app_private.guard_visit_day(
  actor text, visit app_public.appointment, to_status app_public.appointment_status, instant timestamptz)
returns void
language plpgsql stable
as $$
declare
  zone text;
  day date;
  today date;
begin
  if actor = 'operator' or to_status not in ('checked_in', 'completed') or visit.status = 'no_show' then
    return;
  end if;
  select hospital.time_zone into zone from app_public.hospital where hospital.id = visit.hospital_id;
  day := (visit.starts_at at time zone zone)::date;
  today := (instant at time zone zone)::date;
  if day > today or to_status = 'checked_in' and day <> today and visit.status in ('scheduled', 'confirmed') then
    perform app_private.refuse('not_the_day_of_the_visit', jsonb_build_object('day', day, 'today', today));
  end if;
end
$$;

comment on function app_private.guard_visit_day(
  text, app_public.appointment, app_public.appointment_status, timestamptz) is
  'Refuses to check a patient in on another day than that of the visit, and to complete a visit before its day.';

revoke execute on function app_private.guard_visit_day(
  text, app_public.appointment, app_public.appointment_status, timestamptz) from public;
--! EndIncluded functions/visits/guard_visit_day.sql
--! Included functions/visits/guard_undo.sql
-- A visit that counts as missed comes back by undo_no_show alone, which says why; what else changes the
-- state of an appointment finds it ended. The reason is handed over as a setting of the transaction.
create or replace function app_private.guard_undo(actor text, visit app_public.appointment) returns void
language plpgsql stable
as $$
begin
  if visit.status = 'no_show' and actor <> 'operator'
    and coalesce(current_setting('slotkeeper.undo_reason', true), '') = ''
  then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', visit.status));
  end if;
end
$$;

comment on function app_private.guard_undo(text, app_public.appointment) is
  'Refuses to change the state of a missed visit other than by undoing that it was missed.';

revoke execute on function app_private.guard_undo(text, app_public.appointment) from public;
--! EndIncluded functions/visits/guard_undo.sql
--! Included functions/visits/no_show_reason.sql
-- Why a visit is marked as missed: what mark_no_show was told, handed over as a setting of the
-- transaction; else it follows from who acts.
create or replace function app_private.no_show_reason(actor text) returns app_public.no_show_reason
language sql stable
return coalesce(
  nullif(current_setting('slotkeeper.no_show_reason', true), ''),
  case actor when 'worker' then 'auto_timeout' when 'doctor' then 'manual_doctor' else 'manual_staff' end
)::app_public.no_show_reason;

comment on function app_private.no_show_reason(text) is 'Why a visit is being marked as missed.';

revoke execute on function app_private.no_show_reason(text) from public;
--! EndIncluded functions/visits/no_show_reason.sql
--! Included functions/visits/no_show_due_at.sql
-- A visit counts as missed by itself when the time of one of the doctor's slots has gone by since its start.
create or replace function app_private.no_show_due_at(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz)
returns timestamptz
language plpgsql stable
as $$
begin
  return (
    select no_show_due_at.starts_at + doctor.slot_duration
    from app_public.doctor
    where doctor.hospital_id = no_show_due_at.hospital_id and doctor.id = no_show_due_at.doctor_id);
end
$$;

comment on function app_private.no_show_due_at(uuid, uuid, timestamptz) is
  'From when a visit with this doctor counts as missed if the patient has not arrived.';

revoke execute on function app_private.no_show_due_at(uuid, uuid, timestamptz) from public;
--! EndIncluded functions/visits/no_show_due_at.sql
--! Included functions/visits/guard_no_show.sql
-- Nobody has failed to come before the visit began, unless the patient said so; by itself a visit is
-- missed only when its time-out has gone by, whatever the job believes. An operator in psql may write down
-- what is known. The patient is locked before the
-- seats that are given back, as in every booking, because the count is theirs.
create or replace function app_private.guard_no_show(
  actor text, visit app_public.appointment, instant timestamptz)
returns void
language plpgsql
as $$
declare
  due_at timestamptz := visit.starts_at;
begin
  if actor = 'worker' then
    due_at := app_private.no_show_due_at(visit.hospital_id, visit.doctor_id, visit.starts_at);
  end if;
  if actor <> 'operator' and instant < due_at and app_private.no_show_reason(actor) <> 'patient_called' then
    perform app_private.refuse('no_show_too_early', jsonb_build_object('from', due_at));
  end if;
  perform from app_public.patient
  where patient.hospital_id = visit.hospital_id and patient.id = visit.patient_id
  for no key update;
end
$$;

comment on function app_private.guard_no_show(text, app_public.appointment, timestamptz) is
  'Refuses to mark a visit as missed before its time.';

revoke execute on function app_private.guard_no_show(text, app_public.appointment, timestamptz) from public;
--! EndIncluded functions/visits/guard_no_show.sql
--! Included functions/visits/return_to_seat.sql
-- A visit that was not missed after all gets its seats back. The rules of booking do not judge it (its
-- time may have passed, the slot may be closed by now, the patient may be blocked because of it); what
-- cannot be is still refused: a seat that somebody else has taken, a full day, a patient who is elsewhere
-- by now. Locks as in every booking: patient, slots, days.
create or replace function app_private.return_to_seat(visit app_public.appointment) returns void
language plpgsql
as $$
declare
  slot_ids uuid[] := array[visit.slot_id];
  other_id uuid;
begin
  perform from app_public.patient
  where patient.hospital_id = visit.hospital_id and patient.id = visit.patient_id
  for no key update;
  if visit.service_id is not null then
    slot_ids := slot_ids || coalesce(
      app_private.needed_slots(visit.hospital_id, visit.slot_id, visit.service_id, visit.during), '{}');
  end if;
  perform app_private.expire_lapsed_holds(visit.hospital_id, visit.slot_id, visit.patient_id, slot_ids);
  perform app_private.lock_seats(visit.hospital_id, slot_ids);

  select appointment.id into other_id
  from app_public.appointment
  where appointment.hospital_id = visit.hospital_id
    and appointment.patient_id = visit.patient_id
    and appointment.during && visit.during
    and appointment.holds_seat
  limit 1;
  if other_id is not null then
    perform app_private.refuse('patient_double_booked', jsonb_build_object('appointment_id', other_id));
  end if;
  if exists (
    select from app_public.slot
    where slot.hospital_id = visit.hospital_id and slot.id = any (slot_ids) and slot.withdrawn_at is not null)
  then
    perform app_private.refuse('slot_withdrawn', jsonb_build_object('slot_id', visit.slot_id));
  elsif exists (
    select from app_public.slot
    where slot.hospital_id = visit.hospital_id and slot.id = any (slot_ids) and slot.booked_count >= slot.capacity)
  then
    perform app_private.refuse('seat_no_longer_free', jsonb_build_object('slot_id', visit.slot_id));
  end if;

  update app_public.slot
  set booked_count = booked_count + 1
  where slot.hospital_id = visit.hospital_id and slot.id = visit.slot_id;
  update app_public.doctor_day
  set booked_count = doctor_day.booked_count + 1
  from app_public.hospital
  where hospital.id = visit.hospital_id
    and doctor_day.hospital_id = visit.hospital_id
    and doctor_day.doctor_id = visit.doctor_id
    and doctor_day.day = (visit.starts_at at time zone hospital.time_zone)::date
    and doctor_day.booked_count < doctor_day.max_patients;
  if not found then
    perform app_private.refuse('daily_limit_reached');
  end if;
end
$$;

comment on function app_private.return_to_seat(app_public.appointment) is
  'Takes the seats of a visit again that had been given back because the patient seemed not to come.';

revoke execute on function app_private.return_to_seat(app_public.appointment) from public;
--! EndIncluded functions/visits/return_to_seat.sql
--! Included functions/booking/change_appointment_status.sql
-- Every change of state, for every client. It fires whenever a statement names the status, even with
-- the value that the row already has: cancelling what is cancelled is refused, not ignored.
-- What the new state needs (times, who cancelled and why) is written here, from the claims and the
-- clock. A request that gets a slot keeps its own time when it is accepted, and takes the slot's when
-- another time is proposed.
create or replace function app_private.change_appointment_status() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  perform app_private.guard_undo(actor, old);
  perform app_private.guard_transition(actor, old.status, new.status);
  perform app_private.guard_deadline(old, new.status, instant);
  perform app_private.guard_visit_day(actor, old, new.status, instant);
  if new.status = 'no_show' then
    perform app_private.guard_no_show(actor, old, instant);
  end if;

  new.updated_at := instant;
  new.held_until := case when new.status = 'held' then old.held_until end;
  new.checked_in_at := case when new.status = 'checked_in' and old.status <> 'in_progress' then instant else old.checked_in_at end;
  new.completed_at := case when new.status = 'completed' then instant end;
  new.cancelled_at := case when new.status = 'cancelled' then instant end;
  new.cancelled_by := case when new.status = 'cancelled' then app_private.claim_account_id() end;
  new.cancellation_cause := case when new.status = 'cancelled' then
    coalesce(new.cancellation_cause, app_private.cancellation_cause(actor, old.status)) end;

  if (old.holds_seat or old.status = 'no_show')
    and (new.slot_id, new.doctor_id, new.location_id, new.during)
      is distinct from (old.slot_id, old.doctor_id, old.location_id, old.during)
  then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', new.status));
  end if;
  if old.holds_seat and not app_private.holds_seat(new.status) then
    perform app_private.leave_seats(old);
  elsif old.status = 'no_show' then
    perform app_private.return_to_seat(old);
  elsif not old.holds_seat and app_private.holds_seat(new.status) then
    new.doctor_id := null;
    new.location_id := null;
    new.during := case when new.status <> 'held' then old.during end;
    new := app_private.seat_appointment(new);
    if new.status = 'held' then
      new.held_until := app_private.held_until(new, is_offer => true);
    end if;
  end if;
  return new;
end
$$;

comment on function app_private.change_appointment_status() is
  'Trigger: lets an appointment change its state along the state machine, with its seats and its times.';

revoke execute on function app_private.change_appointment_status() from public;

create or replace trigger appointment_status_follows_the_state_machine
  before update of status on app_public.appointment
  for each row execute function app_private.change_appointment_status();
--! EndIncluded functions/booking/change_appointment_status.sql
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
  when from_status = 'no_show' then 'no_show_undone'
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
--! Included functions/visits/record_no_show.sql
-- What follows from a missed visit, and from taking that back: the log, the patient's count, the block at
-- the threshold, the messages, all in the transaction that changes the state, whoever changes it. The
-- patient is locked already. A block that the threshold made goes when the count falls below it; one
-- that somebody decided stays.
create or replace function app_private.record_no_show() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  tenant app_public.hospital;
  missed app_public.patient;
  reaches boolean;
  was_forgiven boolean;
begin
  select * into tenant from app_public.hospital where hospital.id = new.hospital_id;

  if new.status = 'no_show' then
    update app_public.patient
    set no_show_count = patient.no_show_count + 1
    where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
    returning * into missed;
    reaches := missed.status = 'active'
      and missed.no_show_count - missed.no_shows_forgiven >= tenant.no_show_block_threshold;
    insert into app_public.no_show_log (
      hospital_id, appointment_id, patient_id, doctor_id, reason, comment, slot_starts_at, timeout_minutes,
      status_before, is_slot_released, is_patient_notified, has_blocked_patient, marked_by, marked_at)
    select new.hospital_id, new.id, new.patient_id, new.doctor_id,
      app_private.no_show_reason(app_private.actor_role()),
      nullif(current_setting('slotkeeper.no_show_comment', true), ''), new.starts_at,
      extract(epoch from doctor.slot_duration)::integer / 60,
      old.status, new.starts_at > instant + tenant.rebook_buffer, true, reaches,
      app_private.claim_account_id(), instant
    from app_public.doctor
    where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id;
    perform app_private.notify_of_appointment('no_show', 'patient', new);
    if reaches then
      update app_public.patient
      set status = 'blocked', blocked_reason = 'Missed appointments'
      where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
      perform app_private.notify_of_appointment('patient_blocked', 'patient', new);
    end if;
    return null;
  end if;

  update app_public.no_show_log
  set undone_at = instant, undone_by = app_private.claim_account_id(), undo_reason = nullif(current_setting('slotkeeper.undo_reason', true), '')
  where no_show_log.hospital_id = new.hospital_id
    and no_show_log.appointment_id = new.id
    and no_show_log.undone_at is null
  returning no_show_log.is_forgiven into was_forgiven;
  update app_public.patient
  set no_show_count = patient.no_show_count - 1,
      no_shows_forgiven = patient.no_shows_forgiven - was_forgiven::integer
  where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
  returning * into missed;
  if missed.no_show_count - missed.no_shows_forgiven < tenant.no_show_block_threshold
    and exists (
      select from app_public.patient_block
      where patient_block.hospital_id = new.hospital_id
        and patient_block.patient_id = new.patient_id
        and patient_block.unblocked_at is null
        and patient_block.is_automatic)
  then
    update app_public.patient
    set status = 'active'
    where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
  end if;
  perform app_private.notify_of_appointment('no_show_undone', 'patient', new);
  return null;
end
$$;

comment on function app_private.record_no_show() is
  'Trigger: logs a missed visit, counts it and blocks the patient at the threshold; or takes that back.';

revoke execute on function app_private.record_no_show() from public;

create or replace trigger no_show_is_recorded
  after update of status on app_public.appointment
  for each row when (new.status = 'no_show' and old.status <> 'no_show' or old.status = 'no_show' and new.status <> 'no_show')
  execute function app_private.record_no_show();
--! EndIncluded functions/visits/record_no_show.sql
--! Included functions/visits/mark_no_show.sql
-- The reason and the comment are for the log alone: they are handed over as settings of the transaction,
-- and taken back at once, so that they are stored in one place (record_no_show).
-- No grant to app_patient: patients cancel.
create or replace function app_public.mark_no_show(
  appointment_id uuid, reason app_public.no_show_reason default null, comment text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  marked app_public.appointment;
begin
  if reason = 'auto_timeout' then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is for the automatic sweep'));
  elsif length(comment) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('comment', 'has more than 2000 characters'));
  end if;
  -- By whom follows from who acts, whatever is said.
  perform set_config('slotkeeper.no_show_reason', case when reason = 'patient_called' then 'patient_called' else '' end, true),
    set_config('slotkeeper.no_show_comment', coalesce(comment, ''), true);
  marked := app_private.transit_appointment(appointment_id, 'no_show');
  perform set_config('slotkeeper.no_show_reason', '', true), set_config('slotkeeper.no_show_comment', '', true);
  return marked;
end
$$;

comment on function app_public.mark_no_show(uuid, app_public.no_show_reason, text) is
  'Marks that the patient did not come to a visit that has begun, or (reason patient_called) will not come. It is logged, counted and told to the patient, who is blocked at the hospital''s noShowBlockThreshold. Without a reason: manual_doctor or manual_staff. For staff.';

revoke execute on function app_public.mark_no_show(uuid, app_public.no_show_reason, text) from public;
grant execute on function app_public.mark_no_show(uuid, app_public.no_show_reason, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/visits/mark_no_show.sql
--! Included functions/visits/undo_no_show.sql
-- Whoever seemed not to come and is still expected is expected again as before; whose time-out has gone by
-- must have been there unnoticed, and counts as arrived: expected again, the next sweep would find them
-- missing once more.
create or replace function app_public.undo_no_show(appointment_id uuid, reason text)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  standing app_public.no_show_log;
  undone app_public.appointment;
begin
  if length(btrim(coalesce(reason, ''))) = 0 or length(reason) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is not 1 to 2000 characters long'));
  end if;
  select * into standing
  from app_public.no_show_log
  where no_show_log.hospital_id = hospital
    and no_show_log.appointment_id = undo_no_show.appointment_id
    and no_show_log.undone_at is null;
  if standing.id is null then
    if not exists (
      select from app_public.appointment
      where appointment.hospital_id = hospital and appointment.id = undo_no_show.appointment_id)
    then
      perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
    end if;
    perform app_private.refuse('not_a_no_show', jsonb_build_object('appointment_id', appointment_id));
  end if;

  perform set_config('slotkeeper.undo_reason', reason, true);
  undone := app_private.transit_appointment(
    appointment_id,
    case
      when standing.slot_starts_at + make_interval(mins => standing.timeout_minutes) > app_private.clock()
      then standing.status_before
      else 'checked_in'
    end);
  perform set_config('slotkeeper.undo_reason', '', true);
  return undone;
end
$$;

comment on function app_public.undo_no_show(uuid, text) is
  'Takes back that a patient did not come: the visit gets its seat again (scheduled or confirmed as before while it can still begin, else checked_in), the count goes back, and a block that it caused is lifted. For admins.';

revoke execute on function app_public.undo_no_show(uuid, text) from public;
grant execute on function app_public.undo_no_show(uuid, text) to app_admin;
--! EndIncluded functions/visits/undo_no_show.sql
--! Included functions/visits/mark_no_shows.sql
-- The sweep: visits of a hospital that nobody came to, oldest first, one batch a call. Who is just being
-- checked in, cancelled or moved is skipped, and so is a patient who is just booking: the next run finds
-- what is left. Everything is locked in the order of every booking (appointments, patients by id, slots
-- by id, days by key) before the first row changes. One run a hospital at a time; a second one leaves at
-- once. It looks back two days, so that what fell due while no worker ran is not forgotten, and no
-- further: what is older is a question for people (the check on stale appointments finds it).
-- Within the hospital's own hours only; the caller looks at the window (hospitals_with_no_shows), the
-- time-out itself is guarded by the state machine (guard_no_show). It acts as the worker and runs as the
-- owner, because locking needs rights that the worker lacks. Cost follows what is due
-- (appointment_awaited_by_time).
create or replace function app_private.mark_no_shows(hospital_id uuid, most integer default 200)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  instant timestamptz := app_private.clock();
  due uuid[];
  patient_ids uuid[];
  marked integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not pg_try_advisory_xact_lock(hashtextextended('mark_no_shows', 0) # hashtextextended(hospital_id::text, 0)) then
    return 0;
  end if;

  select array_agg(visit.id), array_agg(distinct visit.patient_id) into due, patient_ids
  from (
    select appointment.id, appointment.patient_id
    from app_public.appointment
    join app_public.doctor
      on doctor.hospital_id = mark_no_shows.hospital_id and doctor.id = appointment.doctor_id
    where appointment.hospital_id = mark_no_shows.hospital_id
      and appointment.status in ('scheduled', 'confirmed')
      and appointment.starts_at > instant - interval '2 days'
      and appointment.starts_at <= instant
      and appointment.starts_at + doctor.slot_duration <= instant
    order by appointment.starts_at
    limit most
    for no key update of appointment skip locked
  ) as visit;
  if due is null then
    return 0;
  end if;

  patient_ids := array(
    select patient.id
    from app_public.patient
    where patient.hospital_id = mark_no_shows.hospital_id and patient.id = any (patient_ids)
    order by patient.id
    for no key update skip locked);
  due := array(
    select appointment.id
    from app_public.appointment
    where appointment.hospital_id = mark_no_shows.hospital_id
      and appointment.id = any (due)
      and appointment.patient_id = any (patient_ids));
  perform app_private.lock_seats(hospital_id, app_private.seats_of(hospital_id, due));

  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  update app_public.appointment
  set status = 'no_show'
  where appointment.hospital_id = mark_no_shows.hospital_id and appointment.id = any (due);
  get diagnostics marked = row_count;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return marked;
end
$$;

comment on function app_private.mark_no_shows(uuid, integer) is
  'Marks the visits of a hospital as missed whose patients have not arrived in time, at most so many; returns how many.';

revoke execute on function app_private.mark_no_shows(uuid, integer) from public;
grant execute on function app_private.mark_no_shows(uuid, integer) to app_worker;
--! EndIncluded functions/visits/mark_no_shows.sql
--! Included functions/visits/hospitals_with_no_shows.sql
-- Where the sweep has something to do now: hospitals inside their own hours, one look by index each.
create or replace function app_private.hospitals_with_no_shows() returns setof uuid
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
  select hospital.id
  from app_public.hospital
  where (instant at time zone hospital.time_zone)::time >= hospital.no_show_window_start
    and (instant at time zone hospital.time_zone)::time < hospital.no_show_window_end
    and exists (
      select from app_public.appointment
      join app_public.doctor
        on doctor.hospital_id = hospital.id and doctor.id = appointment.doctor_id
      where appointment.hospital_id = hospital.id
        and appointment.status in ('scheduled', 'confirmed')
        and appointment.starts_at > instant - interval '2 days'
        and appointment.starts_at <= instant
        and appointment.starts_at + doctor.slot_duration <= instant);
end
$$;

comment on function app_private.hospitals_with_no_shows() is
  'Hospitals in whose no-show window it is now, and where somebody has not come in time.';

revoke execute on function app_private.hospitals_with_no_shows() from public;
grant execute on function app_private.hospitals_with_no_shows() to app_worker;
--! EndIncluded functions/visits/hospitals_with_no_shows.sql
--! Included functions/visits/change_patient_status.sql
-- A block has a time, a reason and a row of its own in patient_block, whoever sets it. Unblocking starts
-- a new count towards the threshold: what was missed before is forgiven, not forgotten. The reason of an
-- unblocking is handed over as a setting of the transaction (unblock_patient).
create or replace function app_private.change_patient_status() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
  is_automatic boolean := pg_trigger_depth() > 1;
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if new.status = 'blocked' then
    new.blocked_at := coalesce(new.blocked_at, instant);
    if new.blocked_reason is not null then
      insert into app_public.patient_block (hospital_id, patient_id, reason, is_automatic, blocked_by, blocked_at)
      values (new.hospital_id, new.id, new.blocked_reason, is_automatic,
        case when not is_automatic then app_private.claim_account_id() end, new.blocked_at);
    end if;
  else
    new.blocked_at := null;
    new.blocked_reason := null;
    if not is_automatic then
      new.no_shows_forgiven := new.no_show_count;
      update app_public.no_show_log
      set is_forgiven = true
      where no_show_log.hospital_id = old.hospital_id
        and no_show_log.patient_id = old.id
        and no_show_log.undone_at is null;
    end if;
    update app_public.patient_block
    set unblocked_at = greatest(instant, patient_block.blocked_at),
        unblocked_by = app_private.claim_account_id(),
        unblock_reason = nullif(current_setting('slotkeeper.unblock_reason', true), '')
    where patient_block.hospital_id = old.hospital_id
      and patient_block.patient_id = old.id
      and patient_block.unblocked_at is null;
  end if;
  return new;
end
$$;

comment on function app_private.change_patient_status() is
  'Trigger: completes a block or an unblocking of a patient and writes it down.';

revoke execute on function app_private.change_patient_status() from public;

create or replace trigger patient_status_is_written_down
  before update of status on app_public.patient
  for each row when (new.status <> old.status)
  execute function app_private.change_patient_status();
--! EndIncluded functions/visits/change_patient_status.sql
--! Included functions/visits/block_patient.sql
-- Appointments that the patient has already stay: whoever blocks decides on them one by one.
create or replace function app_public.block_patient(patient_id uuid, reason text)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  if length(btrim(coalesce(reason, ''))) = 0 or length(reason) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is not 1 to 2000 characters long'));
  end if;
  update app_public.patient
  set status = 'blocked', blocked_reason = block_patient.reason
  where patient.hospital_id = hospital and patient.id = patient_id and patient.status = 'active'
  returning * into changed;
  if found then
    return changed;
  end if;
  if exists (select from app_public.patient where patient.hospital_id = hospital and patient.id = patient_id) then
    perform app_private.refuse('patient_is_blocked', jsonb_build_object('patient_id', patient_id));
  end if;
  perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  return null;
end
$$;

comment on function app_public.block_patient(uuid, text) is
  'Blocks a patient from booking, with a reason. Appointments that exist stay. For receptionists and admins.';

revoke execute on function app_public.block_patient(uuid, text) from public;
grant execute on function app_public.block_patient(uuid, text) to app_receptionist, app_admin;
--! EndIncluded functions/visits/block_patient.sql
--! Included functions/visits/unblock_patient.sql
-- Reception may, because it is reception that talks to the patient; the reason is kept with the block.
create or replace function app_public.unblock_patient(patient_id uuid, reason text)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  if length(btrim(coalesce(reason, ''))) = 0 or length(reason) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is not 1 to 2000 characters long'));
  end if;
  perform set_config('slotkeeper.unblock_reason', reason, true);
  update app_public.patient
  set status = 'active'
  where patient.hospital_id = hospital and patient.id = patient_id and patient.status = 'blocked'
  returning * into changed;
  perform set_config('slotkeeper.unblock_reason', '', true);
  if changed.id is not null then
    return changed;
  end if;
  if exists (select from app_public.patient where patient.hospital_id = hospital and patient.id = patient_id) then
    perform app_private.refuse('patient_is_not_blocked', jsonb_build_object('patient_id', patient_id));
  end if;
  perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  return null;
end
$$;

comment on function app_public.unblock_patient(uuid, text) is
  'Lets a blocked patient book again, with a reason. Visits missed before no longer count towards the next block. For receptionists and admins.';

revoke execute on function app_public.unblock_patient(uuid, text) from public;
grant execute on function app_public.unblock_patient(uuid, text) to app_receptionist, app_admin;
--! EndIncluded functions/visits/unblock_patient.sql
--! Included functions/visits/keep_no_show_counts.sql
-- Counts of missed visits follow the log and nothing else: only a statement run by another trigger
-- (record_no_show, change_patient_status) may change them.
create or replace function app_private.keep_no_show_counts() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('counter_is_derived', jsonb_build_object('table', 'patient'));
  return null;
end
$$;

comment on function app_private.keep_no_show_counts() is 'Trigger: refuses a count of missed visits that somebody writes by hand.';

revoke execute on function app_private.keep_no_show_counts() from public;

create or replace trigger patient_starts_without_no_shows
  before insert on app_public.patient
  for each row when (new.no_show_count <> 0 or new.no_shows_forgiven <> 0)
  execute function app_private.keep_no_show_counts();

create or replace trigger patient_counts_follow_the_log
  before update of no_show_count, no_shows_forgiven on app_public.patient
  for each row when (
    pg_trigger_depth() = 0
    and (new.no_show_count, new.no_shows_forgiven) is distinct from (old.no_show_count, old.no_shows_forgiven))
  execute function app_private.keep_no_show_counts();
--! EndIncluded functions/visits/keep_no_show_counts.sql
--! Included functions/visits/keep_log.sql
-- What has happened is not rewritten: rows of the logs of a visit come from triggers, change once (a
-- no-show is undone, a block ends, a text is erased) and never go.
create or replace function app_private.keep_log() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('log_follows_what_happened', jsonb_build_object('table', tg_argv[0]));
  return null;
end
$$;

comment on function app_private.keep_log() is 'Trigger: refuses to write into a log by hand.';

revoke execute on function app_private.keep_log() from public;

create or replace trigger what_happened_writes_the_no_show_log
  before insert or delete on app_public.no_show_log
  for each row when (pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('no_show_log');

create or replace trigger what_happened_changes_the_no_show_log
  before update on app_public.no_show_log
  for each row when (
    new is distinct from old
    and pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('no_show_log');

create or replace trigger what_happened_writes_the_patient_block
  before insert or delete on app_public.patient_block
  for each row when (pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('patient_block');

create or replace trigger what_happened_changes_the_patient_block
  before update on app_public.patient_block
  for each row when (
    new is distinct from old
    and pg_trigger_depth() = 0 and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_log('patient_block');
--! EndIncluded functions/visits/keep_log.sql
--! Included functions/visits/admit_vitals.sql
-- Vital signs belong to a patient who has arrived; a correction belongs to the same visit as what it
-- corrects. Who, when, of whom and for which doctor is never the client's to say. The appointment learns
-- of the first ones, which ends the wait for them.
create or replace function app_private.admit_vitals() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
  visit app_public.appointment;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id
  for no key update;
  if visit.id is null then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  perform app_private.guard_own_slot(visit.doctor_id);
  if visit.status not in ('checked_in', 'in_progress')
    and not (visit.status = 'completed' and new.corrects is not null)
  then
    perform app_private.refuse('patient_not_checked_in', jsonb_build_object('status', visit.status));
  end if;
  if new.corrects is not null and not exists (
    select from app_public.vitals_entry
    where vitals_entry.hospital_id = new.hospital_id
      and vitals_entry.id = new.corrects
      and vitals_entry.appointment_id = new.appointment_id
      and not exists (
        select from app_public.vitals_entry as later
        where later.hospital_id = new.hospital_id and later.corrects = new.corrects))
  then
    perform app_private.refuse('vitals_not_found', jsonb_build_object('vitals_entry_id', new.corrects));
  end if;

  new.patient_id := visit.patient_id;
  new.doctor_id := visit.doctor_id;
  new.recorded_by := app_private.claim_account_id();
  new.recorded_at := instant;
  if visit.vitals_recorded_at is null then
    update app_public.appointment
    set vitals_recorded_at = instant, updated_at = instant
    where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id;
  end if;
  return new;
end
$$;

comment on function app_private.admit_vitals() is
  'Trigger: takes vital signs of a patient who has arrived, or refuses them.';

revoke execute on function app_private.admit_vitals() from public;

create or replace trigger vitals_are_admitted
  before insert on app_public.vitals_entry
  for each row execute function app_private.admit_vitals();
--! EndIncluded functions/visits/admit_vitals.sql
--! Included functions/visits/record_vitals.sql
-- One plain insert; the trigger decides. What is returned is the appointment: staff read vital signs only
-- with the record, which leaves a trace.
-- No grant to app_receptionist and app_admin: taking vital signs is medical work.
create or replace function app_public.record_vitals(
  appointment_id uuid,
  systolic integer default null,
  diastolic integer default null,
  heart_rate integer default null,
  respiratory_rate integer default null,
  oxygen_saturation integer default null,
  temperature numeric default null,
  weight numeric default null,
  height numeric default null,
  note text default null,
  corrects uuid default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  visit app_public.appointment;
begin
  perform app_private.guard_input(jsonb_build_object(
    'systolic', case
      when systolic not between 30 and 300 then 'is not 30 to 300 mmHg'
      when (systolic is null) <> (diastolic is null) then 'comes with diastolic'
      when systolic <= diastolic then 'is not above diastolic' end,
    'diastolic', case when diastolic not between 10 and 250 then 'is not 10 to 250 mmHg' end,
    'heart_rate', case when heart_rate not between 10 and 350 then 'is not 10 to 350 a minute' end,
    'respiratory_rate', case when respiratory_rate not between 2 and 120 then 'is not 2 to 120 a minute' end,
    'oxygen_saturation', case when oxygen_saturation not between 30 and 100 then 'is not 30 to 100 percent' end,
    'temperature', case when temperature not between 20 and 45 then 'is not 20 to 45 degrees Celsius' end,
    'weight', case when weight <= 0 or weight > 700 then 'is not above 0 and up to 700 kg' end,
    'height', case when height not between 15 and 280 then 'is not 15 to 280 cm' end,
    'note', case when length(note) > 2000 then 'has more than 2000 characters' end,
    'vitals', case when num_nonnulls(systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation, temperature, weight, height) = 0
      then 'measure nothing' end));
  insert into app_public.vitals_entry (
    hospital_id, appointment_id, systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation,
    temperature, weight, height, note, corrects)
  values (
    hospital, record_vitals.appointment_id, record_vitals.systolic, record_vitals.diastolic, record_vitals.heart_rate,
    record_vitals.respiratory_rate, record_vitals.oxygen_saturation, record_vitals.temperature, record_vitals.weight,
    record_vitals.height, record_vitals.note, record_vitals.corrects);

  select * into visit
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = record_vitals.appointment_id;
  return visit;
end
$$;

comment on function app_public.record_vitals(
  uuid, integer, integer, integer, integer, integer, numeric, numeric, numeric, text, uuid) is
  'Records vital signs of a patient who has checked in: mmHg, beats and breaths a minute, percent, degrees Celsius, kg, cm; at least one. A mistake is corrected by recording again with corrects. For nurses, and doctors for their own visits.';

revoke execute on function app_public.record_vitals(
  uuid, integer, integer, integer, integer, integer, numeric, numeric, numeric, text, uuid) from public;
grant execute on function app_public.record_vitals(
  uuid, integer, integer, integer, integer, integer, numeric, numeric, numeric, text, uuid) to app_doctor, app_nurse;
--! EndIncluded functions/visits/record_vitals.sql
--! Included functions/visits/no_show_statistics.sql
-- Read under the caller's own rights: one stretch of time, of the appointments and of the archive. A
-- doctor counts their own. Lead time falls into the steps in
-- which hospitals look at it, named by their least days.
create or replace function app_public.no_show_statistics(
  from_day date, to_day date, group_by app_public.no_show_grouping default 'doctor')
returns setof app_public.no_show_statistic
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  sees_all boolean := app_private.actor_role() <> 'doctor';
  own_doctor uuid := app_private.claim_doctor_id();
  zone text;
begin
  perform app_private.guard_input(jsonb_build_object('to_day', case
    when from_day is null or to_day is null or to_day < from_day or to_day - from_day > 1100
    then 'is not from_day or up to three years later' end));
  select tenant.time_zone into zone from app_public.hospital as tenant where tenant.id = hospital;

  return query
  select counted.key, case group_by
      when 'doctor' then (
        select doctor.display_name from app_public.doctor where doctor.hospital_id = hospital and doctor.id::text = counted.key)
      when 'location' then (
        select location.name from app_public.location where location.hospital_id = hospital and location.id::text = counted.key)
      when 'service' then coalesce((
        select service.name from app_public.service where service.hospital_id = hospital and service.id::text = counted.key), 'none')
      when 'weekday' then (
        array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[counted.key::integer]
      when 'hour' then lpad(counted.key, 2, '0') || ':00'
      else case counted.key
        when '0' then 'same day' when '1' then '1 to 2 days' when '3' then '3 to 7 days'
        when '8' then '8 to 14 days' when '15' then '15 to 30 days' else 'over 30 days' end
    end,
    counted.visits, counted.no_shows, round(counted.no_shows::numeric / counted.visits, 4)
  from (
    select
      case group_by
        when 'doctor' then visit.doctor_id::text
        when 'location' then visit.location_id::text
        when 'service' then coalesce(visit.service_id::text, '')
        when 'weekday' then extract(isodow from visit.starts_at at time zone zone)::integer::text
        when 'hour' then extract(hour from visit.starts_at at time zone zone)::integer::text
        else (
          select max(step)::text
          from unnest(array[0, 1, 3, 8, 15, 31]) as step
          where step <= greatest(0,
            (visit.starts_at at time zone zone)::date - (visit.created_at at time zone zone)::date))
      end as key,
      count(*)::integer as visits,
      (count(*) filter (where visit.status = 'no_show'))::integer as no_shows
    from (
      select appointment.doctor_id, appointment.location_id, appointment.service_id,
        appointment.starts_at, appointment.created_at, appointment.status
      from app_public.appointment
      where appointment.hospital_id = hospital
        and appointment.doctor_id in (
          select doctor.id from app_public.doctor
          where doctor.hospital_id = hospital and (sees_all or doctor.id = own_doctor))
        and appointment.starts_at >= from_day::timestamp at time zone zone
        and appointment.starts_at < (to_day + 1)::timestamp at time zone zone
      union all
      select archived.doctor_id, archived.location_id, archived.service_id,
        archived.starts_at, archived.created_at, archived.status
      from app_public.appointment_archive as archived
      where archived.hospital_id = hospital
        and (sees_all or archived.doctor_id = own_doctor)
        and archived.starts_at >= from_day::timestamp at time zone zone
        and archived.starts_at < (to_day + 1)::timestamp at time zone zone
    ) as visit
    where visit.status in ('checked_in', 'in_progress', 'completed', 'no_show')
    group by 1
  ) as counted
  order by case when group_by in ('weekday', 'hour', 'lead_time') then counted.key::integer end,
    counted.no_shows desc, counted.key;
end
$$;

comment on function app_public.no_show_statistics(date, date, app_public.no_show_grouping) is
  'How many visits of these local days were missed, by doctor, weekday, hour, lead time, location or service, with counts and rate. Archived visits count. For admins; doctors see their own.';

revoke execute on function app_public.no_show_statistics(date, date, app_public.no_show_grouping) from public;
grant execute on function app_public.no_show_statistics(date, date, app_public.no_show_grouping)
  to app_doctor, app_admin;
--! EndIncluded functions/visits/no_show_statistics.sql
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
--! Included policies/no_show_log.sql
-- Staff see who did not come, patients that they themselves did not, without what was said of it.
-- Nobody is granted to write: triggers do.
alter table app_public.no_show_log enable row level security;
alter table app_public.no_show_log force row level security;

grant select on app_public.no_show_log to app_doctor, app_nurse, app_receptionist, app_admin;
grant select (hospital_id, id, appointment_id, patient_id, doctor_id, reason, slot_starts_at, marked_at, undone_at) on app_public.no_show_log to app_patient;

drop policy if exists patients_read_their_own on app_public.no_show_log;
create policy patients_read_their_own on app_public.no_show_log for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.no_show_log;
create policy staff_read_their_hospital on app_public.no_show_log for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.no_show_log;
create policy owner_maintains on app_public.no_show_log for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/no_show_log.sql
--! Included policies/patient_block.sql
-- Staff see when and why a patient was blocked. No grant to app_patient: the reason is for the staff.
-- Nobody is granted to write: triggers do.
alter table app_public.patient_block enable row level security;
alter table app_public.patient_block force row level security;

grant select on app_public.patient_block to app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists staff_read_their_hospital on app_public.patient_block;
create policy staff_read_their_hospital on app_public.patient_block for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.patient_block;
create policy owner_maintains on app_public.patient_block for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/patient_block.sql
--! Included policies/vitals_entry.sql
-- Patients read their own. Nurses and doctors record, and like all staff read with the record of the
-- patient only, which leaves a trace: no grant of select to them.
alter table app_public.vitals_entry enable row level security;
alter table app_public.vitals_entry force row level security;

grant select on app_public.vitals_entry to app_patient;
grant insert (hospital_id, appointment_id, systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation, temperature, weight, height, note, corrects) on app_public.vitals_entry to app_doctor, app_nurse;

drop policy if exists patients_read_their_own on app_public.vitals_entry;
create policy patients_read_their_own on app_public.vitals_entry for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_record_for_their_own on app_public.vitals_entry;
create policy doctors_record_for_their_own on app_public.vitals_entry for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_record on app_public.vitals_entry;
create policy nurses_record on app_public.vitals_entry for insert to app_nurse
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.vitals_entry;
create policy owner_maintains on app_public.vitals_entry for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/vitals_entry.sql
--! Included policies/patient.sql
-- Patients see themselves; staff see the patients of their hospital. Reception and admins register
-- them, correct their particulars and block them; counts are granted to nobody here.
alter table app_public.patient enable row level security;
alter table app_public.patient force row level security;

grant select on app_public.patient to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, medical_record_number, name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
grant update (name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
grant update (is_active, status, blocked_reason) on app_public.patient to app_receptionist, app_admin;
-- No grant to app_monitor: checks name a patient by id, never by particulars.

drop policy if exists patients_read_themselves on app_public.patient;
create policy patients_read_themselves on app_public.patient for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.patient;
create policy staff_read_their_hospital on app_public.patient for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_registers on app_public.patient;
create policy reception_registers on app_public.patient for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_corrects on app_public.patient;
create policy reception_corrects on app_public.patient for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.patient;
create policy worker_reads_all on app_public.patient for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.patient;
create policy owner_maintains on app_public.patient for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/patient.sql

reset role;
