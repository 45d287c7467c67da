--! Previous: sha1:1478c36e7ce1260e45c7df913206ba46dba3387f
--! Hash: sha1:5de79d87acefecd3df18f10f0802aec0e73b05a5
--! Message: alerts-and-consultations

--! split: 1-current.sql
-- Functions and rights: The day of the visit: who waits too long, what the doctor writes, and who has seen it.
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
--! Included functions/audit/withhold.sql
-- A recorded state without what is only read with a trace: that a value was there stays, and so does that
-- it changed; what it was does not.
create or replace function app_private.withhold(state jsonb, fields text[]) returns jsonb
language sql immutable parallel safe
return case
  when jsonb_typeof(state) <> 'object' then state
  else state || coalesce((
    select jsonb_object_agg(field, '[withheld]')
    from unnest(fields) as field
    where jsonb_typeof(state -> field) <> 'null'), '{}')
end;

comment on function app_private.withhold(jsonb, text[]) is
  'A state of a row with the values of these columns replaced by [withheld].';

revoke execute on function app_private.withhold(jsonb, text[]) from public;
--! EndIncluded functions/audit/withhold.sql
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
--! Included functions/visits/admit_stage_alert.sql
-- Every alert begins as active, about an appointment of its hospital, whose patient and doctor it copies:
-- by the doctor row-level security tells whose alert it is, and who has arrived moves to nobody else.
create or replace function app_private.admit_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  if new.status <> 'active' then
    perform app_private.refuse('illegal_alert_transition', jsonb_build_object('from', 'new', 'to', new.status));
  end if;
  select appointment.patient_id, appointment.doctor_id into new.patient_id, new.doctor_id
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id;
  if not found then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  new.raised_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_stage_alert() is
  'Trigger: lets an alert begin as active, with the patient and the doctor of its appointment.';

revoke execute on function app_private.admit_stage_alert() from public;

create or replace trigger stage_alert_is_admitted
  before insert on app_public.stage_alert
  for each row execute function app_private.admit_stage_alert();
--! EndIncluded functions/visits/admit_stage_alert.sql
--! Included functions/visits/change_stage_alert.sql
-- The life of an alert: active, acknowledged, resolved, never back, for every client; it fires whenever a
-- statement names the status, so that acknowledging what somebody else has acknowledged is refused and
-- not ignored. Who and when come from the claims and the clock. Only triggers and jobs, which run as the
-- owner, may say that an alert ended by itself; no client is granted the column.
create or replace function app_private.change_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if old.status = 'resolved' or new.status not in ('acknowledged', 'resolved') or new.status = old.status then
    perform app_private.refuse('illegal_alert_transition',
      jsonb_build_object('alert_id', old.id, 'from', old.status, 'to', new.status));
  end if;
  if new.status = 'acknowledged' then
    new.acknowledged_at := instant;
    new.acknowledged_by := app_private.claim_account_id();
    return new;
  end if;
  new.resolved_at := instant;
  new.resolution := coalesce(new.resolution, 'manual');
  new.resolved_by := case when new.resolution = 'manual' then app_private.claim_account_id() end;
  return new;
end
$$;

comment on function app_private.change_stage_alert() is
  'Trigger: lets an alert be acknowledged and resolved, by whom and when.';

revoke execute on function app_private.change_stage_alert() from public;

create or replace trigger stage_alert_has_one_life
  before update of status on app_public.stage_alert
  for each row execute function app_private.change_stage_alert();
--! EndIncluded functions/visits/change_stage_alert.sql
--! Included functions/visits/announce_stage_alert.sql
-- Tells the outside, by a row: identifiers only, in the same transaction. The relay carries it to those
-- who watch the alerts of this doctor, or of all.
create or replace function app_private.announce_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'stage_alert', new.id::text, jsonb_build_object(
    'doctor_id', new.doctor_id, 'alert_ids', jsonb_build_array(new.id)));
  return null;
end
$$;

comment on function app_private.announce_stage_alert() is
  'Trigger: leaves a message in the outbox for every new alert and every change of its state.';

revoke execute on function app_private.announce_stage_alert() from public;

create or replace trigger stage_alert_is_announced
  after insert or update of status on app_public.stage_alert
  for each row execute function app_private.announce_stage_alert();
--! EndIncluded functions/visits/announce_stage_alert.sql
--! Included functions/visits/tell_of_stage_alert.sql
-- A doctor is told, urgently and by name of the patient, that somebody is ready and waits for them: it is
-- theirs alone to act on, and they may look at no board. Missing vital signs are told to nobody's inbox:
-- they are a matter of whichever nurse is free, who watch the waiting room and its live alerts, and one
-- message to each nurse of the hospital would be many for one that is needed.
create or replace function app_private.tell_of_stage_alert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  visit app_public.appointment;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id;
  perform app_private.notify_of_appointment('patient_waits', 'doctor', visit, jsonb_build_object(
    'message', floor(extract(epoch from new.raised_at - new.waiting_since) / 60)::text));
  return null;
end
$$;

comment on function app_private.tell_of_stage_alert() is
  'Trigger: tells a doctor that a patient has waited too long for them.';

revoke execute on function app_private.tell_of_stage_alert() from public;

create or replace trigger waiting_for_the_doctor_is_told
  after insert on app_public.stage_alert
  for each row when (new.kind = 'no_doctor')
  execute function app_private.tell_of_stage_alert();
--! EndIncluded functions/visits/tell_of_stage_alert.sql
--! Included functions/visits/settle_stage_alerts.sql
-- An alert ends with the wait that it tells of: with the vital signs, with the start of the consultation,
-- or when the patient is done or gone. Whoever raises one holds the appointment meanwhile, so the one
-- cannot slip past the other. The appointment is locked before its alerts, as in raise_stage_alerts.
create or replace function app_private.settle_stage_alerts() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.stage_alert
  set status = 'resolved', resolution = 'auto'
  where stage_alert.hospital_id = new.hospital_id
    and stage_alert.appointment_id = new.id
    and stage_alert.status <> 'resolved'
    and (new.status <> 'checked_in' or stage_alert.kind = 'no_vitals');
  return null;
end
$$;

comment on function app_private.settle_stage_alerts() is
  'Trigger: resolves the alerts of an appointment whose wait is over.';

revoke execute on function app_private.settle_stage_alerts() from public;

create or replace trigger stage_alerts_end_with_the_wait
  after update of status, vitals_recorded_at on app_public.appointment
  for each row when (
    old.status = 'checked_in'
    and (new.status <> 'checked_in' or new.vitals_recorded_at is distinct from old.vitals_recorded_at))
  execute function app_private.settle_stage_alerts();
--! EndIncluded functions/visits/settle_stage_alerts.sql
--! Included functions/visits/local_midnight.sql
-- The start of the local day in which an instant lies; the offset is that of midnight itself.
create or replace function app_private.local_midnight(instant timestamptz, time_zone text) returns timestamptz
language sql stable parallel safe
return (instant at time zone time_zone)::date::timestamp at time zone time_zone;

comment on function app_private.local_midnight(timestamptz, text) is
  'Start of the local day in which an instant lies.';

revoke execute on function app_private.local_midnight(timestamptz, text) from public;
--! EndIncluded functions/visits/local_midnight.sql
--! Included functions/visits/waiting_stages.sql
-- Where everybody stands who arrived in this time and is not done: the one place that says what a stage
-- is, since when it lasts and when it has lasted too long. A consultation that was abandoned begins the
-- wait anew. Served by the index of those who wait (appointment_in_the_waiting_room): the cost follows
-- them, and not the visits of the day. Definer, because nobody may read consultations; of them it tells
-- only that one is under way and since when.
create or replace function app_private.waiting_stages(
  hospital_id uuid, arrived_from timestamptz, arrived_before timestamptz)
returns table (
  appointment_id uuid, doctor_id uuid, stage app_public.waiting_stage,
  waiting_since timestamptz, due_at timestamptz, consultation_id uuid)
language plpgsql stable security definer rows 20
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select visit.id, visit.doctor_id,
    (case
      when visit.status = 'in_progress' then 'with_doctor'
      when visit.vitals_recorded_at is null then 'waiting_for_vitals'
      else 'waiting_for_doctor' end)::app_public.waiting_stage,
    began.instant,
    case when visit.status = 'checked_in' then began.instant + doctor.slot_duration
      + case when visit.vitals_recorded_at is null then hospital.vitals_alert_buffer else hospital.doctor_alert_buffer end end,
    began.consultation_id
  from app_public.appointment as visit
  join app_public.hospital on hospital.id = waiting_stages.hospital_id
  join app_public.doctor on doctor.hospital_id = waiting_stages.hospital_id and doctor.id = visit.doctor_id
  cross join lateral (
    select
      greatest(visit.checked_in_at, visit.vitals_recorded_at, max(coalesce(consultation.ended_at, consultation.started_at))),
      (array_agg(consultation.id) filter (where consultation.ended_at is null))[1]
    from app_public.consultation
    where consultation.hospital_id = waiting_stages.hospital_id and consultation.appointment_id = visit.id
  ) as began (instant, consultation_id)
  where visit.hospital_id = waiting_stages.hospital_id
    and visit.status in ('checked_in', 'in_progress')
    and visit.checked_in_at >= arrived_from
    and visit.checked_in_at < arrived_before;
end
$$;

comment on function app_private.waiting_stages(uuid, timestamptz, timestamptz) is
  'The stage of every appointment whose patient arrived in a time and is not done, since when, and until when it may last.';

revoke execute on function app_private.waiting_stages(uuid, timestamptz, timestamptz) from public;
grant execute on function app_private.waiting_stages(uuid, timestamptz, timestamptz)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/visits/waiting_stages.sql
--! Included functions/visits/due_stages.sql
-- The waits of the hospital's local day that have become too long and have no alert of their own yet. One
-- that somebody has resolved by hand is not raised again for the same wait; a new wait has its own. Only
-- functions that run as the owner call it, so nobody is granted it.
create or replace function app_private.due_stages(hospital_id uuid)
returns table (appointment_id uuid, kind app_public.stage_alert_kind, waiting_since timestamptz, due_at timestamptz)
language plpgsql stable rows 5
as $$
declare
  instant timestamptz := app_private.clock();
  midnight timestamptz;
begin
  select app_private.local_midnight(instant, hospital.time_zone) into midnight
  from app_public.hospital
  where hospital.id = due_stages.hospital_id;
  return query
  select waiting.appointment_id, due.kind, waiting.waiting_since, waiting.due_at
  from app_private.waiting_stages(due_stages.hospital_id, midnight, 'infinity') as waiting
  cross join lateral (
    select (case waiting.stage when 'waiting_for_vitals' then 'no_vitals' else 'no_doctor' end)::app_public.stage_alert_kind
  ) as due (kind)
  where waiting.due_at <= instant
    and not exists (
      select from app_public.stage_alert as raised
      where raised.hospital_id = due_stages.hospital_id
        and raised.appointment_id = waiting.appointment_id
        and raised.kind = due.kind
        and (raised.status <> 'resolved' or raised.waiting_since >= waiting.waiting_since));
end
$$;

comment on function app_private.due_stages(uuid) is
  'Waits of the local day that are too long and have no alert yet.';

revoke execute on function app_private.due_stages(uuid) from public;
--! EndIncluded functions/visits/due_stages.sql
--! Included functions/visits/has_due_stage.sql
-- Whether there is something for raise_stage_alerts to do: what the sweep asks of each hospital. Definer,
-- because the worker reads neither alerts nor consultations.
create or replace function app_private.has_due_stage(hospital_id uuid) returns boolean
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return exists (select from app_private.due_stages(hospital_id))
    or exists (
      select from app_public.stage_alert as forgotten
      join app_public.hospital on hospital.id = has_due_stage.hospital_id
      where forgotten.hospital_id = has_due_stage.hospital_id
        and forgotten.status <> 'resolved'
        and forgotten.due_at < app_private.local_midnight(app_private.clock(), hospital.time_zone));
end
$$;

comment on function app_private.has_due_stage(uuid) is
  'Whether a hospital has alerts to raise, or some of a day that has passed.';

revoke execute on function app_private.has_due_stage(uuid) from public;
grant execute on function app_private.has_due_stage(uuid) to app_worker;
--! EndIncluded functions/visits/has_due_stage.sql
--! Included functions/visits/raise_stage_alerts.sql
-- Raises the alerts that are due, and ends those of days that have passed: nobody waits overnight. The
-- appointments are held while it looks at them again, so that none is raised for a patient who is just
-- being called in; one that somebody holds is left to the next minute, as is one that another sweep has
-- in hand, so it waits for no appointment. What is due, it finds twice: the second time under the locks.
-- Definer, because nobody may write alerts.
create or replace function app_private.raise_stage_alerts(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  held uuid[];
  raised integer := 0;
  midnight timestamptz;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select array_agg(waiting.id) into held
  from (
    select appointment.id
    from app_public.appointment
    where appointment.hospital_id = raise_stage_alerts.hospital_id
      and appointment.id = any (array(
        select due.appointment_id from app_private.due_stages(raise_stage_alerts.hospital_id) as due))
      and appointment.status = 'checked_in'
    for no key update skip locked
  ) as waiting;

  if held is not null then
    insert into app_public.stage_alert (hospital_id, appointment_id, kind, waiting_since, due_at)
    select raise_stage_alerts.hospital_id, due.appointment_id, due.kind, due.waiting_since, due.due_at
    from app_private.due_stages(raise_stage_alerts.hospital_id) as due
    where due.appointment_id = any (held)
    order by due.due_at
    on conflict do nothing;
    get diagnostics raised = row_count;
  end if;

  select app_private.local_midnight(app_private.clock(), hospital.time_zone) into midnight
  from app_public.hospital
  where hospital.id = raise_stage_alerts.hospital_id;
  update app_public.stage_alert
  set status = 'resolved', resolution = 'auto'
  where stage_alert.hospital_id = raise_stage_alerts.hospital_id
    and stage_alert.status <> 'resolved'
    and stage_alert.due_at < midnight;
  return raised;
end
$$;

comment on function app_private.raise_stage_alerts(uuid) is
  'Raises the alerts of a hospital that are due and ends those of days that have passed; returns how many it raised.';

revoke execute on function app_private.raise_stage_alerts(uuid) from public;
grant execute on function app_private.raise_stage_alerts(uuid) to app_worker;
--! EndIncluded functions/visits/raise_stage_alerts.sql
--! Included functions/visits/acknowledge_stage_alert.sql
-- One plain update under the caller's own rights: doctors reach the alerts of their own patients, the
-- others of the staff all of the hospital; the table's trigger knows the rest.
create or replace function app_public.acknowledge_stage_alert(alert_id uuid)
returns app_public.stage_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.stage_alert;
begin
  update app_public.stage_alert set status = 'acknowledged'
  where stage_alert.hospital_id = hospital and stage_alert.id = alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('stage_alert_not_found', jsonb_build_object('alert_id', alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.acknowledge_stage_alert(uuid) is
  'Says that you take care of a patient who waits too long. For the staff; doctors for their own patients.';

revoke execute on function app_public.acknowledge_stage_alert(uuid) from public;
grant execute on function app_public.acknowledge_stage_alert(uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/visits/acknowledge_stage_alert.sql
--! Included functions/visits/resolve_stage_alert.sql
-- See acknowledge_stage_alert. What is resolved by hand is not raised again for the same wait.
create or replace function app_public.resolve_stage_alert(alert_id uuid, note text default null)
returns app_public.stage_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.stage_alert;
begin
  update app_public.stage_alert set status = 'resolved', note = nullif(btrim(resolve_stage_alert.note), '')
  where stage_alert.hospital_id = hospital and stage_alert.id = alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('stage_alert_not_found', jsonb_build_object('alert_id', alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resolve_stage_alert(uuid, text) is
  'Ends an alert by hand; the same wait raises no other one. For the staff; doctors for their own patients.';

revoke execute on function app_public.resolve_stage_alert(uuid, text) from public;
grant execute on function app_public.resolve_stage_alert(uuid, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/visits/resolve_stage_alert.sql
--! Included functions/visits/waiting_room.sql
-- Those who have arrived on a local day of the hospital and are not done, whoever waits too long first.
-- Read under the caller's own rights by the keys that waiting_stages found; a doctor sees their own.
create or replace function app_public.waiting_room(
  doctor_id uuid default null, location_id uuid default null, day date default null)
returns setof app_public.waiting_patient
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  sees_own_only boolean := app_private.actor_role() = 'doctor';
  own_doctor uuid := app_private.claim_doctor_id();
  instant timestamptz := app_private.clock();
  midnight timestamptz;
  next_midnight timestamptz;
begin
  select local.day::timestamp at time zone house.time_zone, (local.day + 1)::timestamp at time zone house.time_zone
  into midnight, next_midnight
  from app_public.hospital as house
  cross join lateral (
    select coalesce(waiting_room.day, (instant at time zone house.time_zone)::date)
  ) as local (day)
  where house.id = hospital;

  return query
  select visit.id, visit.patient_id, patient.name, visit.doctor_id, doctor.display_name, visit.location_id,
    visit.starts_at, visit.checked_in_at,
    floor(extract(epoch from
      case waiting.stage when 'with_doctor' then waiting.waiting_since else instant end - visit.checked_in_at) / 60)::integer,
    waiting.stage, waiting.waiting_since, waiting.due_at, waiting.consultation_id,
    coalesce((
      select array_agg(alert order by alert.due_at)
      from app_public.stage_alert as alert
      where alert.hospital_id = hospital and alert.appointment_id = visit.id and alert.status <> 'resolved'), '{}')
  from app_private.waiting_stages(hospital, midnight, next_midnight) as waiting
  join app_public.appointment as visit on visit.hospital_id = hospital and visit.id = waiting.appointment_id
  join app_public.patient on patient.hospital_id = hospital and patient.id = visit.patient_id
  join app_public.doctor on doctor.hospital_id = hospital and doctor.id = visit.doctor_id
  where (waiting_room.doctor_id is null or visit.doctor_id = waiting_room.doctor_id)
    and (not sees_own_only or visit.doctor_id = own_doctor)
    and (waiting_room.location_id is null or visit.location_id = waiting_room.location_id)
  order by waiting.due_at nulls last, visit.starts_at, visit.id;
end
$$;

comment on function app_public.waiting_room(uuid, uuid, date) is
  'Patients who have arrived and are not done, whoever waits too long first, those with the doctor last. Doctors see their own, the others of the staff all of the hospital. Today unless a day is given.';

revoke execute on function app_public.waiting_room(uuid, uuid, date) from public;
grant execute on function app_public.waiting_room(uuid, uuid, date)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/visits/waiting_room.sql
--! Included functions/visits/admit_consultation.sql
-- A consultation begins with a patient who has arrived, by the doctor of the visit. The appointment is
-- locked first, so that two who start at once come in turn and the second finds the first's; it is the
-- lock of every change of the appointment, too, so that nobody ends the visit meanwhile. Patient and
-- doctor are the appointment's.
create or replace function app_private.admit_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  visit app_public.appointment;
  open_id uuid;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id
  for no key update;
  if not found then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  if actor <> 'operator' and (actor <> 'doctor' or visit.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('appointment_id', new.appointment_id));
  end if;

  select consultation.id into open_id
  from app_public.consultation
  where consultation.hospital_id = new.hospital_id
    and consultation.appointment_id = new.appointment_id
    and consultation.status in ('started', 'in_progress');
  if found then
    perform app_private.refuse('consultation_open',
      jsonb_build_object('appointment_id', new.appointment_id, 'consultation_id', open_id));
  end if;
  if visit.status not in ('checked_in', 'in_progress') then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', visit.status, 'to', 'in_progress'));
  end if;

  new.patient_id := visit.patient_id;
  new.doctor_id := visit.doctor_id;
  new.status := 'started';
  new.started_by := app_private.claim_account_id();
  new.started_at := app_private.clock();
  new.updated_at := new.started_at;
  new.ended_at := null;
  new.abandon_reason := null;
  return new;
end
$$;

comment on function app_private.admit_consultation() is
  'Trigger: lets the doctor of a visit start its consultation, one at a time.';

revoke execute on function app_private.admit_consultation() from public;

create or replace trigger consultation_is_admitted
  before insert on app_public.consultation
  for each row execute function app_private.admit_consultation();
--! EndIncluded functions/visits/admit_consultation.sql
--! Included functions/visits/begin_consultation.sql
-- What begins with a consultation, in its own transaction: the visit is in progress, and its doctor takes
-- part as the primary one.
create or replace function app_private.begin_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.appointment
  set status = 'in_progress'
  where appointment.hospital_id = new.hospital_id
    and appointment.id = new.appointment_id
    and appointment.status = 'checked_in';
  insert into app_public.consultation_participant (hospital_id, consultation_id, doctor_id, role)
  values (new.hospital_id, new.id, new.doctor_id, 'primary');
  return null;
end
$$;

comment on function app_private.begin_consultation() is
  'Trigger: sets the visit of a new consultation in progress, and its doctor as the primary one.';

revoke execute on function app_private.begin_consultation() from public;

create or replace trigger consultation_begins_the_visit
  after insert on app_public.consultation
  for each row execute function app_private.begin_consultation();
--! EndIncluded functions/visits/begin_consultation.sql
--! Included functions/retention/personal_fields.sql
-- What says who somebody is, or what they said: the columns that erasing a person takes out of the
-- recorded states of each table. A table whose rows tell of a person and are audited belongs here.
create or replace function app_private.personal_fields(table_name text) returns text[]
language sql immutable parallel safe
return case table_name
  when 'patient' then array['name', 'medical_record_number', 'phone', 'email', 'date_of_birth', 'blocked_reason']
  when 'account' then array['email', 'display_name']
  when 'appointment' then array['reason', 'notes', 'cancellation_reason']
  when 'appointment_move' then array['reason']
  when 'appointment_series' then array['reason']
  when 'waitlist_entry' then array['reason']
  when 'notification' then array['title', 'body']
  when 'stage_alert' then array['note']
  when 'consultation' then array['chief_complaint', 'diagnosis', 'notes', 'abandon_reason']
  when 'consultation_addendum' then array['text']
  when 'record_access' then array['purpose']
  when 'invitation' then array['email', 'display_name']
  when 'emergency_access' then array['reason', 'review_note']
  else array[]::text[]
end;

comment on function app_private.personal_fields(text) is
  'Columns of a table that identify a person or hold what they said: those that erasing redacts in the audit log.';

revoke execute on function app_private.personal_fields(text) from public;
grant execute on function app_private.personal_fields(text) to app_eraser;
--! EndIncluded functions/retention/personal_fields.sql
--! Included functions/retention/redacted_state.sql
-- A recorded state of a row without what is personal in it. What was null stays null and what is erased
-- already stays as it is, so that the log still explains the row as it now stands, and redacting twice
-- is redacting once. A list that had something in it has one erased thing in it.
create or replace function app_private.redacted_state(table_name text, state jsonb) returns jsonb
language sql immutable parallel safe
return case
  when jsonb_typeof(state) <> 'object' then state
  else state || coalesce((
    select jsonb_object_agg(field,
      case when jsonb_typeof(state -> field) = 'array' then '["[erased]"]' else '"[erased]"' end::jsonb)
    from unnest(app_private.personal_fields(table_name)) as field
    where jsonb_typeof(state -> field) <> 'null'
      and state -> field <> '[]'
      and state ->> field !~ '^(\[erased\]|Erased patient|erased-[0-9a-f-]{36}(@erased\.invalid)?)$'), '{}')
end;

comment on function app_private.redacted_state(text, jsonb) is
  'A state of a row of this table as the audit log has it, with every personal value replaced by [erased].';

revoke execute on function app_private.redacted_state(text, jsonb) from public;
grant execute on function app_private.redacted_state(text, jsonb) to app_eraser;
--! EndIncluded functions/retention/redacted_state.sql
--! Included functions/retention/redacted_row.sql
-- What redaction makes of a whole row of the log or of the archive: everything else in it stays as it is.
create or replace function app_private.redacted_row(table_name text, stored jsonb) returns jsonb
language sql immutable parallel safe
return stored || case table_name
  when 'audit_entry' then jsonb_build_object(
    'old_state', app_private.redacted_state(stored ->> 'table_name', stored -> 'old_state'),
    'new_state', app_private.redacted_state(stored ->> 'table_name', stored -> 'new_state'),
    'changed_columns', app_private.redacted_state(stored ->> 'table_name', stored -> 'changed_columns'))
  when 'appointment_archive' then jsonb_build_object(
    'reason', null, 'notes', null, 'cancellation_reason', null,
    'moves', coalesce((
      select jsonb_agg(move || '{"reason": null}' order by number)
      from jsonb_array_elements(stored -> 'moves') with ordinality as archived (move, number)), '[]'),
    'stage_alerts', coalesce((
      select jsonb_agg(alert || '{"note": null}' order by number)
      from jsonb_array_elements(stored -> 'stage_alerts') with ordinality as archived (alert, number)), '[]'))
  when 'record_access' then app_private.redacted_state('record_access', stored)
end;

comment on function app_private.redacted_row(text, jsonb) is
  'A row of audit_entry, appointment_archive or record_access as it is once its person is erased.';

revoke execute on function app_private.redacted_row(text, jsonb) from public;
grant execute on function app_private.redacted_row(text, jsonb) to app_eraser;
--! EndIncluded functions/retention/redacted_row.sql
--! Included functions/visits/guard_consultation.sql
-- What may change in a consultation, for every client: nothing once it has ended, but for the redaction of
-- an erased person; before that, its doctor writes. Completing asks for everything that is missing at
-- once, in the same statement that completes. Two who write at once come in turn at the row, and the
-- second sees what the first has left, also that it ended.
create or replace function app_private.guard_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  missing text[];
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if old.status in ('completed', 'abandoned') then
    if to_jsonb(new) = app_private.redacted_state('consultation', to_jsonb(old)) and exists (
        select from app_public.patient
        where patient.hospital_id = old.hospital_id and patient.id = old.patient_id and patient.erased_at is not null)
    then
      return new;
    end if;
    perform app_private.refuse('consultation_is_final',
      jsonb_build_object('consultation_id', old.id, 'status', old.status));
  end if;
  if actor <> 'operator' and (actor <> 'doctor' or old.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', old.id));
  end if;

  if new.status = 'completed' then
    missing := array_remove(array[
      case when new.chief_complaint is null then 'chief_complaint' end,
      case when cardinality(new.diagnosis) = 0 then 'diagnosis' end], null);
    if cardinality(missing) > 0 then
      perform app_private.refuse('consultation_incomplete',
        jsonb_build_object('consultation_id', old.id, 'missing', missing));
    end if;
  elsif new.status <> 'abandoned' then
    new.status := 'in_progress';
  end if;
  new.updated_at := app_private.clock();
  new.ended_at := case when new.status in ('completed', 'abandoned') then new.updated_at end;
  return new;
end
$$;

comment on function app_private.guard_consultation() is
  'Trigger: lets the doctor of an open consultation change, complete and abandon it.';

revoke execute on function app_private.guard_consultation() from public;

create or replace trigger consultation_is_kept_once_it_ended
  before update on app_public.consultation
  for each row execute function app_private.guard_consultation();
--! EndIncluded functions/visits/guard_consultation.sql
--! Included functions/visits/carry_consultation.sql
-- The visit follows its consultation, in the same transaction: completed, it is completed; abandoned, the
-- patient is back in the waiting room, and another consultation may be started.
create or replace function app_private.carry_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  update app_public.appointment
  set status = (case new.status when 'completed' then 'completed' else 'checked_in' end)::app_public.appointment_status
  where appointment.hospital_id = new.hospital_id
    and appointment.id = new.appointment_id
    and appointment.status = 'in_progress';
  return null;
end
$$;

comment on function app_private.carry_consultation() is
  'Trigger: completes the visit of a completed consultation, and lets that of an abandoned one wait again.';

revoke execute on function app_private.carry_consultation() from public;

create or replace trigger visit_follows_its_consultation
  after update on app_public.consultation
  for each row when (new.ended_at is not null and old.ended_at is null)
  execute function app_private.carry_consultation();
--! EndIncluded functions/visits/carry_consultation.sql
--! Included functions/visits/guard_open_consultation.sql
-- A visit in progress does not end past its consultation: as long as one is open, the visit's state
-- changes with it and by nothing else. And nobody goes back to the waiting room but by the consultation
-- that was abandoned, whose trigger makes the change, though the state machine lists it. It fires before
-- the state machine, by its name, and leaves to it what a role may not or nobody may.
create or replace function app_private.guard_open_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  open_id uuid;
begin
  if new.status = 'checked_in' and pg_trigger_depth() = 1 then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', new.status));
  end if;
  if app_private.actor_role() not in ('doctor', 'operator') then
    return new;
  end if;
  select consultation.id into open_id
  from app_public.consultation
  where consultation.hospital_id = old.hospital_id
    and consultation.appointment_id = old.id
    and consultation.status in ('started', 'in_progress');
  if found then
    perform app_private.refuse('consultation_open',
      jsonb_build_object('appointment_id', old.id, 'consultation_id', open_id));
  end if;
  return new;
end
$$;

comment on function app_private.guard_open_consultation() is
  'Trigger: refuses to end a visit past its open consultation.';

revoke execute on function app_private.guard_open_consultation() from public;

create or replace trigger appointment_in_progress_ends_with_its_consultation
  before update of status on app_public.appointment
  for each row when (old.status = 'in_progress' and new.status in ('completed', 'checked_in'))
  execute function app_private.guard_open_consultation();
--! EndIncluded functions/visits/guard_open_consultation.sql
--! Included functions/visits/admit_participant.sql
-- Who takes part in a consultation says its doctor, as long as it is open. The consultation is locked, so
-- that nobody is added to one that is just being completed.
create or replace function app_private.admit_participant() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  joined app_public.consultation;
  doctor_is_active boolean;
  present_role app_public.participant_role;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into joined
  from app_public.consultation
  where consultation.hospital_id = new.hospital_id and consultation.id = new.consultation_id
  for no key update;
  if not found then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  if actor <> 'operator' and (actor <> 'doctor' or joined.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  select doctor.is_active into doctor_is_active
  from app_public.doctor
  where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', new.doctor_id));
  end if;
  if joined.status in ('completed', 'abandoned') then
    perform app_private.refuse('consultation_is_final',
      jsonb_build_object('consultation_id', joined.id, 'status', joined.status));
  end if;
  if not doctor_is_active then
    perform app_private.refuse('doctor_inactive', jsonb_build_object('doctor_id', new.doctor_id));
  end if;

  select consultation_participant.role into present_role
  from app_public.consultation_participant
  where consultation_participant.hospital_id = new.hospital_id
    and consultation_participant.consultation_id = new.consultation_id
    and consultation_participant.doctor_id = new.doctor_id;
  if found then
    perform app_private.refuse('already_participating',
      jsonb_build_object('doctor_id', new.doctor_id, 'role', present_role));
  end if;
  if new.role = 'primary' and new.doctor_id <> joined.doctor_id then
    perform app_private.refuse('one_primary_doctor', jsonb_build_object('doctor_id', joined.doctor_id));
  end if;

  new.patient_id := joined.patient_id;
  new.added_by := app_private.claim_account_id();
  new.added_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_participant() is
  'Trigger: lets the doctor of an open consultation add others, each once.';

revoke execute on function app_private.admit_participant() from public;

create or replace trigger participant_is_admitted_once
  before insert on app_public.consultation_participant
  for each row execute function app_private.admit_participant();
--! EndIncluded functions/visits/admit_participant.sql
--! Included functions/visits/guard_participant_leave.sql
-- The doctor of an open consultation removes others from it, never oneself; who took part in one that has
-- ended, did. The log keeps that they were there.
create or replace function app_private.guard_participant_leave() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  left_one app_public.consultation;
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  select * into left_one
  from app_public.consultation
  where consultation.hospital_id = old.hospital_id and consultation.id = old.consultation_id
  for no key update;
  if actor <> 'operator' and (actor <> 'doctor' or left_one.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', old.consultation_id));
  end if;
  if left_one.status in ('completed', 'abandoned') then
    perform app_private.refuse('consultation_is_final',
      jsonb_build_object('consultation_id', left_one.id, 'status', left_one.status));
  end if;
  if old.role = 'primary' then
    perform app_private.refuse('one_primary_doctor', jsonb_build_object('doctor_id', old.doctor_id));
  end if;
  return old;
end
$$;

comment on function app_private.guard_participant_leave() is
  'Trigger: lets the doctor of an open consultation remove others.';

revoke execute on function app_private.guard_participant_leave() from public;

create or replace trigger participant_leaves_an_open_consultation
  before delete on app_public.consultation_participant
  for each row execute function app_private.guard_participant_leave();
--! EndIncluded functions/visits/guard_participant_leave.sql
--! Included functions/visits/tell_of_participant.sql
-- A doctor who is called into a consultation is told at once: somebody waits for them in a room.
create or replace function app_private.tell_of_participant() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  visit app_public.appointment;
begin
  select appointment.* into visit
  from app_public.consultation
  join app_public.appointment
    on appointment.hospital_id = new.hospital_id and appointment.id = consultation.appointment_id
  where consultation.hospital_id = new.hospital_id and consultation.id = new.consultation_id;
  -- The inbox is that of the doctor who was added, not of the one who has the appointment.
  visit.doctor_id := new.doctor_id;
  perform app_private.notify_of_appointment('participant_added', 'doctor', visit,
    jsonb_build_object('message', new.role));
  return null;
end
$$;

comment on function app_private.tell_of_participant() is
  'Trigger: tells a doctor that they were added to a consultation.';

revoke execute on function app_private.tell_of_participant() from public;

create or replace trigger added_participant_is_told
  after insert on app_public.consultation_participant
  for each row when (new.role <> 'primary')
  execute function app_private.tell_of_participant();
--! EndIncluded functions/visits/tell_of_participant.sql
--! Included functions/visits/admit_addendum.sql
-- A completed consultation is added to by those who took part in it, and never changed.
create or replace function app_private.admit_addendum() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  amended app_public.consultation;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into amended
  from app_public.consultation
  where consultation.hospital_id = new.hospital_id and consultation.id = new.consultation_id;
  if not found then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  if actor <> 'operator' and not app_private.takes_part(new.hospital_id, new.consultation_id) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', new.consultation_id));
  end if;
  if amended.status <> 'completed' then
    perform app_private.refuse('consultation_not_completed',
      jsonb_build_object('consultation_id', new.consultation_id, 'status', amended.status));
  end if;
  new.patient_id := amended.patient_id;
  new.doctor_id := app_private.claim_doctor_id();
  new.added_by := app_private.claim_account_id();
  new.added_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_addendum() is
  'Trigger: lets those who took part add to a completed consultation.';

revoke execute on function app_private.admit_addendum() from public;

create or replace trigger addendum_is_admitted_once
  before insert on app_public.consultation_addendum
  for each row execute function app_private.admit_addendum();
--! EndIncluded functions/visits/admit_addendum.sql
--! Included functions/visits/keep_addendum.sql
-- What was added stays as it was added, for everybody, but for the redaction of an erased person.
create or replace function app_private.keep_addendum() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and exists (
      select from app_public.patient
      where patient.hospital_id = old.hospital_id and patient.id = old.patient_id and patient.erased_at is not null)
    and to_jsonb(new) = app_private.redacted_state('consultation_addendum', to_jsonb(old))
  then
    return new;
  end if;
  perform app_private.refuse('consultation_is_final',
    jsonb_build_object('consultation_id', old.consultation_id, 'status', 'completed'));
  return null;
end
$$;

comment on function app_private.keep_addendum() is 'Trigger: refuses update and delete of addenda.';

revoke execute on function app_private.keep_addendum() from public;

create or replace trigger addendum_is_never_changed
  before update or delete on app_public.consultation_addendum
  for each row execute function app_private.keep_addendum();
--! EndIncluded functions/visits/keep_addendum.sql
--! Included functions/visits/keep_record_access.sql
-- Who has seen what is never changed, by nobody: request roles have no privilege, and this trigger stops
-- the owner and a superuser's slip. The one exception is the redaction of an erased person (see
-- audit/keep_audit), whose purpose may have been told in words about them.
create or replace function app_private.keep_record_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('access_log_is_append_only', jsonb_build_object('record_access', old.id));
  return null;
end
$$;

comment on function app_private.keep_record_access() is 'Trigger: refuses update and delete of the log of readings.';

revoke execute on function app_private.keep_record_access() from public;

create or replace trigger access_log_is_append_only
  before update on app_public.record_access
  for each row when (current_user <> 'app_eraser')
  execute function app_private.keep_record_access();

create or replace trigger access_log_never_loses_a_row
  before delete on app_public.record_access
  for each row execute function app_private.keep_record_access();
--! EndIncluded functions/visits/keep_record_access.sql
--! Included functions/visits/vitals_of.sql
-- The vital signs of a patient as a record shows them, newest first: the one place where readers of
-- records get them. Called by functions that run as the owner, and by the export, which leaves a trace.
create or replace function app_private.vitals_of(hospital_id uuid, patient_id uuid) returns jsonb
language plpgsql stable
as $$
begin
  return coalesce((
    select jsonb_agg(jsonb_strip_nulls(to_jsonb(entry) - array['hospital_id', 'patient_id'])
      order by entry.recorded_at desc, entry.id desc)
    from app_public.vitals_entry as entry
    where entry.hospital_id = vitals_of.hospital_id and entry.patient_id = vitals_of.patient_id), '[]');
end
$$;

comment on function app_private.vitals_of(uuid, uuid) is
  'Vital signs of a patient, newest first, as a list of objects.';

revoke execute on function app_private.vitals_of(uuid, uuid) from public;
--! EndIncluded functions/visits/vitals_of.sql
--! Included functions/identity/has_emergency_access.sql
-- Under the rights of the caller: everybody may read their own.
create or replace function app_private.has_emergency_access(hospital_id uuid, account_id uuid, patient_id uuid)
returns uuid
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
  in_force uuid;
begin
  select emergency_access.id into in_force
  from app_public.emergency_access
  where emergency_access.hospital_id = has_emergency_access.hospital_id
    and emergency_access.account_id = has_emergency_access.account_id
    and emergency_access.patient_id = has_emergency_access.patient_id
    and emergency_access.expires_at > instant and emergency_access.revoked_at is null
  order by emergency_access.expires_at desc
  limit 1;
  return in_force;
end
$$;

comment on function app_private.has_emergency_access(uuid, uuid, uuid) is
  'The emergency access of this account to this patient''s record that is in force; null when there is none.';

revoke execute on function app_private.has_emergency_access(uuid, uuid, uuid) from public;
grant execute on function app_private.has_emergency_access(uuid, uuid, uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/identity/has_emergency_access.sql
--! Included functions/visits/leave_trace.sql
-- One row a reading, in the transaction of the reading itself: who has not left a trace has not read.
-- Called by the functions that read, which run as the owner; no role may write the log.
create or replace function app_private.leave_trace(
  hospital_id uuid, patient_id uuid, part app_public.record_part, purpose text,
  consultation_id uuid default null, emergency_grant_id uuid default null)
returns uuid
language plpgsql volatile
as $$
declare
  access_id uuid := app_private.new_id();
  reader_id uuid := app_private.claim_account_id();
  reader_name text;
begin
  select account.display_name into reader_name
  from app_public.account
  where account.hospital_id = leave_trace.hospital_id and account.id = reader_id;
  insert into app_public.record_access (
    hospital_id, id, patient_id, account_id, reader_role, reader_name, part, consultation_id, purpose,
    emergency_grant_id, request_id, accessed_at)
  values (
    hospital_id, access_id, patient_id, reader_id, app_private.actor_role(),
    coalesce(reader_name, app_private.actor_role()), part, consultation_id, btrim(purpose), emergency_grant_id,
    app_private.claim_request_id(), app_private.clock());
  return access_id;
end
$$;

comment on function app_private.leave_trace(uuid, uuid, app_public.record_part, text, uuid, uuid) is
  'Writes down that the caller reads a medical record, and what for; returns the row''s id.';

revoke execute on function app_private.leave_trace(uuid, uuid, app_public.record_part, text, uuid, uuid) from public;
--! EndIncluded functions/visits/leave_trace.sql
--! Included functions/visits/show_consultation.sql
-- A consultation with its participants and addenda. It asks nobody who they are: the functions that call
-- it do, run as the owner, and no role may call it.
create or replace function app_private.show_consultation(hospital_id uuid, consultation_id uuid)
returns app_public.consultation_record
language plpgsql stable
as $$
declare
  shown app_public.consultation_record;
begin
  select consultation.id, consultation.appointment_id, consultation.patient_id, consultation.doctor_id,
    consultation.status, consultation.chief_complaint, consultation.diagnosis, consultation.notes,
    consultation.started_at, consultation.ended_at, consultation.abandon_reason,
    coalesce((
      select array_agg(
        row(member.doctor_id, doctor.display_name, member.role, member.added_at)::app_public.consultation_member
        order by member.role, member.added_at, member.id)
      from app_public.consultation_participant as member
      join app_public.doctor on doctor.hospital_id = show_consultation.hospital_id and doctor.id = member.doctor_id
      where member.hospital_id = show_consultation.hospital_id and member.consultation_id = consultation.id), '{}'),
    coalesce((
      select array_agg(
        row(addendum.text, doctor.display_name, addendum.added_at)::app_public.consultation_note
        order by addendum.added_at, addendum.id)
      from app_public.consultation_addendum as addendum
      left join app_public.doctor on doctor.hospital_id = show_consultation.hospital_id and doctor.id = addendum.doctor_id
      where addendum.hospital_id = show_consultation.hospital_id and addendum.consultation_id = consultation.id), '{}')
  into shown
  from app_public.consultation
  where consultation.hospital_id = show_consultation.hospital_id and consultation.id = show_consultation.consultation_id;
  return shown;
end
$$;

comment on function app_private.show_consultation(uuid, uuid) is 'A consultation with all that belongs to it.';

revoke execute on function app_private.show_consultation(uuid, uuid) from public;
--! EndIncluded functions/visits/show_consultation.sql
--! Included functions/visits/takes_part.sql
-- Whether the doctor of the request takes part in a consultation. Called by functions that run as the owner.
create or replace function app_private.takes_part(hospital_id uuid, consultation_id uuid) returns boolean
language plpgsql stable
as $$
declare
  asking uuid := app_private.claim_doctor_id();
begin
  return app_private.actor_role() = 'doctor' and exists (
    select from app_public.consultation_participant as member
    where member.hospital_id = takes_part.hospital_id
      and member.consultation_id = takes_part.consultation_id
      and member.doctor_id = asking);
end
$$;

comment on function app_private.takes_part(uuid, uuid) is
  'Whether the doctor of the request takes part in a consultation.';

revoke execute on function app_private.takes_part(uuid, uuid) from public;
--! EndIncluded functions/visits/takes_part.sql
--! Included functions/visits/treats_patient.sql
-- Who has to do with a patient, and may open the record without more: a doctor with an appointment that
-- was not called off (also one of past years) or a part in a consultation; a nurse for those who are here
-- today, were yesterday or come tomorrow. Reception and admins have to do with the calendar and not with
-- the record. Called by functions that run as the owner.
create or replace function app_private.treats_patient(hospital_id uuid, patient_id uuid) returns boolean
language plpgsql stable
as $$
declare
  actor text := app_private.actor_role();
  asking uuid := app_private.claim_doctor_id();
  instant timestamptz := app_private.clock();
begin
  if actor = 'nurse' then
    return exists (
      select from app_public.appointment
      where appointment.hospital_id = treats_patient.hospital_id
        and appointment.patient_id = treats_patient.patient_id
        and appointment.starts_at between instant - interval '24 hours' and instant + interval '24 hours'
        and appointment.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed'));
  end if;
  return actor = 'doctor' and (
    exists (
      select from app_public.appointment
      where appointment.hospital_id = treats_patient.hospital_id
        and appointment.patient_id = treats_patient.patient_id
        and appointment.doctor_id = asking
        and appointment.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed', 'no_show'))
    or exists (
      select from app_public.consultation_participant as member
      where member.hospital_id = treats_patient.hospital_id
        and member.doctor_id = asking
        and member.patient_id = treats_patient.patient_id)
    or exists (
      select from app_public.appointment_archive as archived
      where archived.hospital_id = treats_patient.hospital_id
        and archived.patient_id = treats_patient.patient_id
        and archived.doctor_id = asking
        and archived.status in ('completed', 'no_show')));
end
$$;

comment on function app_private.treats_patient(uuid, uuid) is
  'Whether who asks has to do with a patient as a doctor or a nurse.';

revoke execute on function app_private.treats_patient(uuid, uuid) from public;
--! EndIncluded functions/visits/treats_patient.sql
--! Included functions/visits/own_consultation.sql
-- What a doctor gets back who has just written in a consultation: the consultation, which they know. Of
-- their writing the audit log tells; a reading that writes nothing goes through read_consultation.
create or replace function app_private.own_consultation(hospital_id uuid, consultation_id uuid)
returns app_public.consultation_record
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not app_private.takes_part(hospital_id, consultation_id) then
    perform app_private.refuse('record_access_denied', jsonb_build_object('consultation_id', consultation_id));
  end if;
  return app_private.show_consultation(hospital_id, consultation_id);
end
$$;

comment on function app_private.own_consultation(uuid, uuid) is
  'A consultation, for a doctor who takes part in it and has just written.';

revoke execute on function app_private.own_consultation(uuid, uuid) from public;
grant execute on function app_private.own_consultation(uuid, uuid) to app_doctor;
--! EndIncluded functions/visits/own_consultation.sql
--! Included functions/visits/read_consultation.sql
-- Reads one consultation for those who take part in it, and leaves a trace in the same transaction. Definer,
-- because no member of the staff may read the table.
create or replace function app_private.read_consultation(hospital_id uuid, consultation_id uuid, purpose text)
returns app_public.consultation_record
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  shown app_public.consultation_record;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  shown := app_private.show_consultation(hospital_id, consultation_id);
  if shown.consultation_id is null then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', consultation_id));
  end if;
  if not app_private.takes_part(hospital_id, consultation_id) then
    perform app_private.refuse('record_access_denied', jsonb_build_object('consultation_id', consultation_id));
  end if;
  perform app_private.leave_trace(hospital_id, shown.patient_id, 'consultation', purpose, shown.consultation_id);
  return shown;
end
$$;

comment on function app_private.read_consultation(uuid, uuid, text) is
  'A consultation, for those who take part in it; leaves a trace.';

revoke execute on function app_private.read_consultation(uuid, uuid, text) from public;
grant execute on function app_private.read_consultation(uuid, uuid, text) to app_doctor;
--! EndIncluded functions/visits/read_consultation.sql
--! Included functions/visits/change_consultation.sql
-- The one write of everybody who writes in a consultation: what `changes` names takes its value, all else
-- stays. Who may and what may be, the table's triggers say, as to every client; it runs as the owner only
-- because a doctor may not read the row that they change, and an update has to find it.
create or replace function app_private.change_consultation(hospital_id uuid, consultation_id uuid, changes jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  update app_public.consultation
  set chief_complaint = case when changes ? 'chief_complaint'
        then changes ->> 'chief_complaint' else consultation.chief_complaint end,
      diagnosis = case when changes ? 'diagnosis'
        then array(select jsonb_array_elements_text(changes -> 'diagnosis')) else consultation.diagnosis end,
      notes = case when changes ? 'notes' then changes ->> 'notes' else consultation.notes end,
      status = coalesce((changes ->> 'status')::app_public.consultation_status, consultation.status),
      abandon_reason = changes ->> 'abandon_reason'
  where consultation.hospital_id = change_consultation.hospital_id
    and consultation.id = change_consultation.consultation_id;
  if not found then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', consultation_id));
  end if;
end
$$;

comment on function app_private.change_consultation(uuid, uuid, jsonb) is
  'Writes in a consultation what is named: chief_complaint, diagnosis, notes, status, abandon_reason.';

revoke execute on function app_private.change_consultation(uuid, uuid, jsonb) from public;
grant execute on function app_private.change_consultation(uuid, uuid, jsonb) to app_doctor;
--! EndIncluded functions/visits/change_consultation.sql
--! Included functions/visits/remove_from_consultation.sql
-- Deletes the one row; who may, the table's trigger says. Definer, because no role may delete, nor see the
-- row that is to go.
create or replace function app_private.remove_from_consultation(hospital_id uuid, consultation_id uuid, doctor_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  delete from app_public.consultation_participant as member
  where member.hospital_id = remove_from_consultation.hospital_id
    and member.consultation_id = remove_from_consultation.consultation_id
    and member.doctor_id = remove_from_consultation.doctor_id;
  if not found then
    perform app_private.refuse('participant_not_found',
      jsonb_build_object('consultation_id', consultation_id, 'doctor_id', doctor_id));
  end if;
end
$$;

comment on function app_private.remove_from_consultation(uuid, uuid, uuid) is
  'Removes a doctor from a consultation.';

revoke execute on function app_private.remove_from_consultation(uuid, uuid, uuid) from public;
grant execute on function app_private.remove_from_consultation(uuid, uuid, uuid) to app_doctor;
--! EndIncluded functions/visits/remove_from_consultation.sql
--! Included functions/visits/read_patient_record.sql
-- Opens the record of a patient for those who have to do with them, or have emergency access, and leaves a
-- trace in the same transaction: a reading that is rolled back was not shown to anybody. Definer, because
-- no member of the staff may read consultations, and nobody may write the log.
create or replace function app_private.read_patient_record(hospital_id uuid, patient_id uuid, purpose text)
returns app_public.patient_record
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  person app_public.patient;
  emergency_grant uuid;
  record app_public.patient_record;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select * into person
  from app_public.patient
  where patient.hospital_id = read_patient_record.hospital_id and patient.id = read_patient_record.patient_id;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  if not app_private.treats_patient(hospital_id, patient_id) then
    emergency_grant := app_private.has_emergency_access(hospital_id, app_private.claim_account_id(), patient_id);
    if emergency_grant is null then
      perform app_private.refuse('record_access_denied', jsonb_build_object('patient_id', patient_id));
    end if;
  end if;

  record.access_id := app_private.leave_trace(
    hospital_id, patient_id, 'patient_record', purpose, emergency_grant_id => emergency_grant);
  record.patient_id := person.id;
  record.medical_record_number := person.medical_record_number;
  record.name := person.name;
  record.date_of_birth := person.date_of_birth;
  record.phone := person.phone;
  record.email := person.email;
  record.vitals := app_private.vitals_of(hospital_id, patient_id);

  select coalesce(array_agg(
    row(visit.id, visit.doctor_id, doctor.display_name, visit.starts_at, visit.ends_at, visit.status,
      visit.reason, visit.notes)::app_public.recorded_visit
    order by visit.starts_at desc, visit.id), '{}')
  into record.visits
  from (
    select appointment.id, appointment.doctor_id, appointment.starts_at, appointment.ends_at,
      appointment.status, appointment.reason, appointment.notes
    from app_public.appointment
    where appointment.hospital_id = read_patient_record.hospital_id
      and appointment.patient_id = read_patient_record.patient_id
    union all
    select archived.id, archived.doctor_id, archived.starts_at, archived.ends_at,
      archived.status, archived.reason, archived.notes
    from app_public.appointment_archive as archived
    where archived.hospital_id = read_patient_record.hospital_id
      and archived.patient_id = read_patient_record.patient_id
  ) as visit
  join app_public.doctor on doctor.hospital_id = read_patient_record.hospital_id and doctor.id = visit.doctor_id;

  select coalesce(array_agg(
    app_private.show_consultation(read_patient_record.hospital_id, consultation.id)
    order by consultation.started_at desc, consultation.id), '{}')
  into record.consultations
  from app_public.consultation
  where consultation.hospital_id = read_patient_record.hospital_id
    and consultation.patient_id = read_patient_record.patient_id;
  return record;
end
$$;

comment on function app_private.read_patient_record(uuid, uuid, text) is
  'The record of a patient, for those who may open it; leaves a trace.';

revoke execute on function app_private.read_patient_record(uuid, uuid, text) from public;
grant execute on function app_private.read_patient_record(uuid, uuid, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/visits/read_patient_record.sql
--! Included functions/visits/export_medical_record.sql
-- The medical part of what export_patient gives a person: consultations, with the doctors' working notes,
-- vital signs, and who has opened the record. The admin who exports it could read it, so the export leaves a
-- trace like every other reading. Definer, because admins may not read consultations.
create or replace function app_private.export_medical_record(hospital_id uuid, patient_id uuid) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  exported jsonb;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform app_private.leave_trace(hospital_id, patient_id, 'export', 'export for the person');
  select jsonb_build_object(
    'vitals', app_private.vitals_of(export_medical_record.hospital_id, export_medical_record.patient_id),
    'consultations', (
      select coalesce(jsonb_agg(
        to_jsonb(app_private.show_consultation(export_medical_record.hospital_id, consultation.id))
        order by consultation.started_at, consultation.id), '[]')
      from app_public.consultation
      where consultation.hospital_id = export_medical_record.hospital_id
        and consultation.patient_id = export_medical_record.patient_id),
    'record_accesses', (
      select coalesce(jsonb_agg(to_jsonb(access) - 'request_id' order by access.id), '[]')
      from app_public.record_access as access
      where access.hospital_id = export_medical_record.hospital_id
        and access.patient_id = export_medical_record.patient_id))
  into exported;
  return exported;
end
$$;

comment on function app_private.export_medical_record(uuid, uuid) is
  'Consultations, vital signs and readings of a patient, for the person; leaves a trace.';

revoke execute on function app_private.export_medical_record(uuid, uuid) from public;
grant execute on function app_private.export_medical_record(uuid, uuid) to app_admin;
--! EndIncluded functions/visits/export_medical_record.sql
--! Included functions/visits/start_consultation.sql
-- One plain insert under the caller's own rights; the table's triggers do the rest. The id is made first,
-- because a doctor may not read the table, not even the row that they have just written.
create or replace function app_public.start_consultation(appointment_id uuid)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  new_consultation uuid := app_private.new_id();
begin
  insert into app_public.consultation (hospital_id, id, appointment_id)
  values (hospital, new_consultation, start_consultation.appointment_id);
  return app_private.own_consultation(hospital, new_consultation);
end
$$;

comment on function app_public.start_consultation(uuid) is
  'Calls a patient in who has arrived: the appointment is in progress. For the doctor of the appointment.';

revoke execute on function app_public.start_consultation(uuid) from public;
grant execute on function app_public.start_consultation(uuid) to app_doctor;
--! EndIncluded functions/visits/start_consultation.sql
--! Included functions/visits/update_consultation.sql
-- Texts are trimmed here, so that what the table keeps is what was said; see change_consultation.
create or replace function app_public.update_consultation(
  consultation_id uuid, chief_complaint text default null, diagnosis text[] default null, notes text default null)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  findings text[];
begin
  findings := array(
    select btrim(finding.words)
    from unnest(update_consultation.diagnosis) with ordinality as finding (words, number)
    order by finding.number);
  perform app_private.guard_input(jsonb_build_object(
    'chief_complaint', case when length(chief_complaint) > 2000 then 'at most 2000 characters' end,
    'diagnosis', case
      when array_position(findings, null) is not null or array_position(findings, '') is not null then 'none may be empty'
      when cardinality(findings) > 50 then 'at most 50' end,
    'notes', case when length(notes) > 20000 then 'at most 20000 characters' end));

  perform app_private.change_consultation(hospital, consultation_id, '{}'
    || case when chief_complaint is null then '{}' else jsonb_build_object('chief_complaint', nullif(btrim(chief_complaint), '')) end
    || case when diagnosis is null then '{}' else jsonb_build_object('diagnosis', findings) end
    || case when notes is null then '{}' else jsonb_build_object('notes', nullif(btrim(notes), '')) end);
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.update_consultation(uuid, text, text[], text) is
  'Writes in an open consultation. A null leaves a value as it is; an empty text or list clears it. For the doctor of the consultation.';

revoke execute on function app_public.update_consultation(uuid, text, text[], text) from public;
grant execute on function app_public.update_consultation(uuid, text, text[], text) to app_doctor;
--! EndIncluded functions/visits/update_consultation.sql
--! Included functions/visits/complete_consultation.sql
-- See change_consultation; the appointment follows in the same transaction.
create or replace function app_public.complete_consultation(consultation_id uuid)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.change_consultation(hospital, consultation_id, '{"status": "completed"}');
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.complete_consultation(uuid) is
  'Completes a consultation and its appointment. It needs a chief complaint and at least one diagnosis; details.missing names all that is missing. For the doctor of the consultation.';

revoke execute on function app_public.complete_consultation(uuid) from public;
grant execute on function app_public.complete_consultation(uuid) to app_doctor;
--! EndIncluded functions/visits/complete_consultation.sql
--! Included functions/visits/abandon_consultation.sql
-- See change_consultation; the patient waits again in the same transaction.
create or replace function app_public.abandon_consultation(consultation_id uuid, reason text)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('reason', case
    when length(btrim(coalesce(reason, ''))) = 0 then 'is required'
    when length(reason) > 2000 then 'at most 2000 characters' end));
  perform app_private.change_consultation(hospital, consultation_id,
    jsonb_build_object('status', 'abandoned', 'abandon_reason', btrim(reason)));
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.abandon_consultation(uuid, text) is
  'Ends a consultation without a result: the patient waits again, and another consultation may be started. For the doctor of the consultation.';

revoke execute on function app_public.abandon_consultation(uuid, text) from public;
grant execute on function app_public.abandon_consultation(uuid, text) to app_doctor;
--! EndIncluded functions/visits/abandon_consultation.sql
--! Included functions/visits/add_participant.sql
-- One plain insert under the caller's own rights; see admit_participant.
create or replace function app_public.add_participant(
  consultation_id uuid, doctor_id uuid, role app_public.participant_role)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  insert into app_public.consultation_participant (hospital_id, consultation_id, doctor_id, role)
  values (hospital, add_participant.consultation_id, add_participant.doctor_id, add_participant.role);
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.add_participant(uuid, uuid, app_public.participant_role) is
  'Adds a doctor to an open consultation, who is told at once and may read it. For the doctor of the consultation.';

revoke execute on function app_public.add_participant(uuid, uuid, app_public.participant_role) from public;
grant execute on function app_public.add_participant(uuid, uuid, app_public.participant_role) to app_doctor;
--! EndIncluded functions/visits/add_participant.sql
--! Included functions/visits/remove_participant.sql
-- See remove_from_consultation and guard_participant_leave.
create or replace function app_public.remove_participant(consultation_id uuid, doctor_id uuid)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.remove_from_consultation(hospital, consultation_id, doctor_id);
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.remove_participant(uuid, uuid) is
  'Removes a doctor from an open consultation. For the doctor of the consultation.';

revoke execute on function app_public.remove_participant(uuid, uuid) from public;
grant execute on function app_public.remove_participant(uuid, uuid) to app_doctor;
--! EndIncluded functions/visits/remove_participant.sql
--! Included functions/visits/add_addendum.sql
-- One plain insert under the caller's own rights; see admit_addendum.
create or replace function app_public.add_addendum(consultation_id uuid, text text)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('text', case
    when length(btrim(coalesce(add_addendum.text, ''))) = 0 then 'is required'
    when length(add_addendum.text) > 10000 then 'at most 10000 characters' end));
  insert into app_public.consultation_addendum (hospital_id, consultation_id, text)
  values (hospital, add_addendum.consultation_id, btrim(add_addendum.text));
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.add_addendum(uuid, text) is
  'Adds to a completed consultation, which itself never changes. For doctors who took part.';

revoke execute on function app_public.add_addendum(uuid, text) from public;
grant execute on function app_public.add_addendum(uuid, text) to app_doctor;
--! EndIncluded functions/visits/add_addendum.sql
--! Included functions/visits/open_consultation.sql
-- Volatile, because it leaves a trace: to GraphQL it is a mutation.
create or replace function app_public.open_consultation(
  consultation_id uuid, purpose text default 'taking part in the consultation')
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('purpose', case
    when length(btrim(coalesce(purpose, ''))) = 0 then 'is required'
    when length(purpose) > 500 then 'at most 500 characters' end));
  return app_private.read_consultation(hospital, consultation_id, purpose);
end
$$;

comment on function app_public.open_consultation(uuid, text) is
  'Reads a consultation in which you take part. The patient and the hospital''s admins see that you did.';

revoke execute on function app_public.open_consultation(uuid, text) from public;
grant execute on function app_public.open_consultation(uuid, text) to app_doctor;
--! EndIncluded functions/visits/open_consultation.sql
--! Included functions/visits/open_patient_record.sql
-- Volatile, because it leaves a trace: to GraphQL it is a mutation. Granted to all staff: most of them are
-- refused unless they treat the patient, and are told how to get in when it has to be.
create or replace function app_public.open_patient_record(patient_id uuid, purpose text)
returns app_public.patient_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('purpose', case
    when length(btrim(coalesce(purpose, ''))) = 0 then 'is required'
    when length(purpose) > 500 then 'at most 500 characters' end));
  return app_private.read_patient_record(hospital, patient_id, purpose);
end
$$;

comment on function app_public.open_patient_record(uuid, text) is
  'Opens the medical record of a patient: visits, vital signs, consultations. For doctors who have or had an appointment with the patient or took part in a consultation, and for nurses while the patient has a visit within a day. The patient and the hospital''s admins see who opened it and what for.';

revoke execute on function app_public.open_patient_record(uuid, text) from public;
grant execute on function app_public.open_patient_record(uuid, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/visits/open_patient_record.sql
--! Included functions/retention/guard_redaction.sql
-- The log and the archive change in one way only: a row about a person who has been erased becomes its
-- own redaction, exactly, with nothing added, nothing left out and nothing else touched. It is judged
-- here, by the result, so that even the function that redacts can do nothing else.
-- Trigger arguments: the table's name; the scenario of the refusal.
create or replace function app_private.guard_redaction() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  before jsonb := to_jsonb(old);
  person uuid := (case
    when tg_argv[0] in ('appointment_archive', 'record_access') then before ->> 'patient_id'
    when before ->> 'table_name' = 'patient' then before ->> 'record_id'
    else coalesce(before #>> '{new_state,patient_id}', before #>> '{old_state,patient_id}')
  end)::uuid;
begin
  if to_jsonb(new) <> app_private.redacted_row(tg_argv[0], before)
    or not exists (
      select from app_public.patient
      where patient.hospital_id = old.hospital_id and patient.id = person and patient.erased_at is not null)
  then
    perform app_private.refuse(tg_argv[1], jsonb_build_object(tg_argv[0], old.id));
  end if;
  return new;
end
$$;

comment on function app_private.guard_redaction() is
  'Trigger: refuses every change that is not the redaction of a row about an erased person.';

revoke execute on function app_private.guard_redaction() from public;

create or replace trigger audit_changes_only_by_redaction
  before update on app_public.audit_entry
  for each row when (current_user = 'app_eraser')
  execute function app_private.guard_redaction('audit_entry', 'audit_is_append_only');

create or replace trigger archive_changes_only_by_redaction
  before update on app_public.appointment_archive
  for each row when (current_user = 'app_eraser')
  execute function app_private.guard_redaction('appointment_archive', 'archive_is_append_only');

create or replace trigger access_log_changes_only_by_redaction
  before update on app_public.record_access
  for each row when (current_user = 'app_eraser')
  execute function app_private.guard_redaction('record_access', 'access_log_is_append_only');
--! EndIncluded functions/retention/guard_redaction.sql
--! Included functions/retention/redact_history.sql
-- The one function that changes what is otherwise never changed: entries of the log and rows of the
-- archive, and what for a record was read. It belongs to app_eraser, a role that nobody is a member of, and the triggers of both tables
-- let that role do nothing but redact rows about a person who has been erased (guard_redaction). Its
-- policies reach no further than the hospital of the request. Only erase_person calls it. Entries are
-- found by the records that they tell of, through the index, never by searching the log.
grant create on schema app_private to app_eraser;
set local role app_eraser;

create or replace function app_private.redact_history(hospital_id uuid, patient_id uuid, record_ids uuid[])
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  redacted integer;
begin
  update app_public.appointment_archive
  set reason = null,
      notes = null,
      cancellation_reason = null,
      moves = app_private.redacted_row('appointment_archive', jsonb_build_object('moves', appointment_archive.moves)) -> 'moves',
      stage_alerts = app_private.redacted_row('appointment_archive',
        jsonb_build_object('stage_alerts', appointment_archive.stage_alerts)) -> 'stage_alerts'
  where appointment_archive.hospital_id = redact_history.hospital_id
    and appointment_archive.patient_id = redact_history.patient_id
    and (num_nonnulls(appointment_archive.reason, appointment_archive.notes, appointment_archive.cancellation_reason) > 0
      or appointment_archive.moves @? '$[*].reason ? (@ != null)'
      or appointment_archive.stage_alerts @? '$[*].note ? (@ != null)');

  -- Who has seen what stays; what for may have been said in words about the person.
  update app_public.record_access
  set purpose = '[erased]'
  where record_access.hospital_id = redact_history.hospital_id
    and record_access.patient_id = redact_history.patient_id
    and record_access.purpose <> '[erased]';

  update app_public.audit_entry
  set old_state = app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
      new_state = app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
      changed_columns = app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns)
  where audit_entry.hospital_id = redact_history.hospital_id
    and audit_entry.record_id = any (redact_history.record_ids)
    and (audit_entry.old_state, audit_entry.new_state, audit_entry.changed_columns) is distinct from (
      app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
      app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
      app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns));
  get diagnostics redacted = row_count;
  return redacted;
end
$$;

comment on function app_private.redact_history(uuid, uuid, uuid[]) is
  'Redacts what the archive and the audit log have of an erased person; returns how many audit entries changed.';

revoke execute on function app_private.redact_history(uuid, uuid, uuid[]) from public;
grant execute on function app_private.redact_history(uuid, uuid, uuid[]) to app_owner;

set local role app_owner;
revoke create on schema app_private from app_eraser;
--! EndIncluded functions/retention/redact_history.sql
--! Included functions/retention/archive_appointments.sql
-- Moves ended appointments of past years to the archive, one batch a call: whoever calls again goes on,
-- and a call that dies has done nothing. It reads, doctor by doctor, the stretch of the index that lies
-- before the first kept year, which the archive itself keeps nearly empty; so a night with nothing due
-- costs one look a doctor, whatever is stored. Rows that somebody has locked are left to the next call:
-- it waits for no appointment and takes no lock on patients' or slots' counts, so no booking waits for
-- it. An appointment of a past year that never ended is not touched.
-- The row in the archive explains the one that left; the log gets one entry a batch (record_batch)
-- and not each row's data once more. Moves, alerts, the number within a series and the offer of the waitlist
-- go along; consultations stay where nobody reads them without a trace; seats are held no more, and messages of the inbox go. An idempotency key is forgotten with
-- its appointment: its slot lies in the past by then, so that a very late repetition is refused and
-- never books again.
-- Definer, because nobody may delete an appointment or write the archive.
create or replace function app_private.archive_appointments(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  boundary timestamptz := app_private.retention_boundary(hospital_id);
  instant timestamptz := app_private.clock();
  due uuid[];
begin
  select array_agg(ended.id) into due
  from (
    select of_doctor.id
    from app_public.doctor
    cross join lateral (
      select appointment.id
      from app_public.appointment
      where appointment.hospital_id = archive_appointments.hospital_id
        and appointment.doctor_id = doctor.id
        and appointment.starts_at < boundary
        and appointment.status in ('completed', 'cancelled', 'no_show', 'expired')
      order by appointment.starts_at
      limit most
      for update skip locked
    ) as of_doctor
    where doctor.hospital_id = archive_appointments.hospital_id
    limit most
  ) as ended;
  if due is null then
    return 0;
  end if;

  insert into app_public.appointment_archive (
    hospital_id, id, slot_id, doctor_id, patient_id, location_id, service_id, series_id, occurrence_number,
    starts_at, ends_at, status, source, reason, notes, checked_in_at, vitals_recorded_at, completed_at,
    cancelled_at, cancelled_by, cancellation_reason, cancellation_cause, rescheduled_from,
    created_by, created_at, updated_at, moves, waitlist_offer, stage_alerts, archived_at)
  select
    appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.patient_id,
    appointment.location_id, appointment.service_id, appointment.series_id,
    (select min(occurrence.number)
     from app_public.series_occurrence as occurrence
     where occurrence.hospital_id = archive_appointments.hospital_id
       and occurrence.appointment_id = appointment.id),
    appointment.starts_at, appointment.ends_at, appointment.status, appointment.source, appointment.reason,
    appointment.notes, appointment.checked_in_at, appointment.vitals_recorded_at, appointment.completed_at,
    appointment.cancelled_at, appointment.cancelled_by, appointment.cancellation_reason,
    appointment.cancellation_cause, appointment.rescheduled_from,
    appointment.created_by, appointment.created_at, appointment.updated_at,
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'id', move.id, 'doctor_id', move.doctor_id,
        'from_slot_id', move.from_slot_id, 'from_starts_at', from_slot.starts_at,
        'to_slot_id', move.to_slot_id, 'to_starts_at', to_slot.starts_at,
        'reason', move.reason, 'moved_by', move.moved_by, 'moved_at', move.moved_at)
        order by move.moved_at, move.id)
      from app_public.appointment_move as move
      join app_public.slot as from_slot
        on from_slot.hospital_id = archive_appointments.hospital_id and from_slot.id = move.from_slot_id
      join app_public.slot as to_slot
        on to_slot.hospital_id = archive_appointments.hospital_id and to_slot.id = move.to_slot_id
      where move.hospital_id = archive_appointments.hospital_id and move.appointment_id = appointment.id), '[]'),
    (select jsonb_build_object(
       'id', offer.id, 'entry_id', offer.entry_id, 'slot_id', offer.slot_id, 'outcome', offer.outcome,
       'offered_at', offer.offered_at, 'decided_at', offer.decided_at)
     from app_public.waitlist_offer as offer
     where offer.hospital_id = archive_appointments.hospital_id and offer.appointment_id = appointment.id),
    coalesce((
      select jsonb_agg(to_jsonb(alert) - array['hospital_id', 'appointment_id', 'patient_id', 'doctor_id']
        order by alert.raised_at, alert.id)
      from app_public.stage_alert as alert
      where alert.hospital_id = archive_appointments.hospital_id and alert.appointment_id = appointment.id), '[]'),
    instant
  from app_public.appointment
  where appointment.hospital_id = archive_appointments.hospital_id and appointment.id = any (due);

  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.appointment
  where appointment.hospital_id = archive_appointments.hospital_id and appointment.id = any (due);
  perform set_config('slotkeeper.housekeeping', '', true);

  perform app_private.record_batch(hospital_id, 'appointment_archive', 'insert',
    jsonb_build_object('archived_count', cardinality(due), 'archived_at', instant, 'starting_before', boundary));
  return cardinality(due);
end
$$;

comment on function app_private.archive_appointments(uuid, integer) is
  'Moves ended appointments of a hospital''s past years to the archive, at most so many, and returns how many.';

revoke execute on function app_private.archive_appointments(uuid, integer) from public;
grant execute on function app_private.archive_appointments(uuid, integer) to app_worker;
--! EndIncluded functions/retention/archive_appointments.sql
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
--! Included policies/appointment_archive.sql
-- Who may see an appointment may see it in the archive: patients their own, staff those of their
-- hospital. Nobody writes it; the nightly job adds as the owner, who may add and read but neither change
-- nor remove, and the eraser redacts within the hospital of the request.
alter table app_public.appointment_archive enable row level security;
alter table app_public.appointment_archive force row level security;

grant select on app_public.appointment_archive to app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_eraser;
grant update (reason, notes, cancellation_reason, moves, stage_alerts) on app_public.appointment_archive to app_eraser;
revoke delete, truncate on app_public.appointment_archive from app_owner;
-- The owner keeps the privilege of update, without a policy for it and against the trigger keep_archive:
-- Postgres asks it of whoever holds a row that the archive refers to.

drop policy if exists patients_read_their_own on app_public.appointment_archive;
create policy patients_read_their_own on app_public.appointment_archive for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment_archive;
create policy staff_read_their_hospital on app_public.appointment_archive for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_reads_its_hospital on app_public.appointment_archive;
create policy eraser_reads_its_hospital on app_public.appointment_archive for select to app_eraser
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_redacts_in_its_hospital on app_public.appointment_archive;
create policy eraser_redacts_in_its_hospital on app_public.appointment_archive for update to app_eraser
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.appointment_archive;
create policy owner_reads on app_public.appointment_archive for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.appointment_archive;
create policy owner_appends on app_public.appointment_archive for insert to app_owner
  with check (true);
--! EndIncluded policies/appointment_archive.sql
--! Included policies/stage_alert.sql
-- The staff see the alerts of their hospital and take care of them, doctors those of their own patients;
-- patients see none. Nobody adds one: the sweep does, as the owner. Only the state and the note are granted:
-- that a wait ended by itself is not for a client to say.
alter table app_public.stage_alert enable row level security;
alter table app_public.stage_alert force row level security;

grant select on app_public.stage_alert to app_doctor, app_nurse, app_receptionist, app_admin;
grant update (status, note) on app_public.stage_alert to app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of insert or delete to anybody, and none to app_worker: it calls raise_stage_alerts.

drop policy if exists doctors_read_their_own on app_public.stage_alert;
create policy doctors_read_their_own on app_public.stage_alert for select to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_answer_their_own on app_public.stage_alert;
create policy doctors_answer_their_own on app_public.stage_alert for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists staff_read_their_hospital on app_public.stage_alert;
create policy staff_read_their_hospital on app_public.stage_alert for select to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_answer_in_their_hospital on app_public.stage_alert;
create policy staff_answer_in_their_hospital on app_public.stage_alert for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.stage_alert;
create policy owner_maintains on app_public.stage_alert for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/stage_alert.sql
--! Included policies/consultation.sql
-- Patients read their own consultations once they are completed, without the working notes, which are part
-- of an export. No member of the staff reads the table: Postgres leaves no trace of a select, so they read
-- by open_consultation and open_patient_record, which do. Doctors start consultations of their own
-- appointments; further writes go through change_consultation, because an update would have to read.
alter table app_public.consultation enable row level security;
alter table app_public.consultation force row level security;

grant select (hospital_id, id, appointment_id, patient_id, doctor_id, status, chief_complaint, diagnosis, started_at, ended_at)
  on app_public.consultation to app_patient;
grant insert (hospital_id, id, appointment_id) on app_public.consultation to app_doctor;
-- No grant of select, update or delete to staff, and none at all to app_worker and app_monitor.

drop policy if exists patients_read_their_own on app_public.consultation;
create policy patients_read_their_own on app_public.consultation for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id() and status = 'completed');

drop policy if exists doctors_start_their_own on app_public.consultation;
create policy doctors_start_their_own on app_public.consultation for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.consultation;
create policy owner_maintains on app_public.consultation for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/consultation.sql
--! Included policies/consultation_participant.sql
-- Patients see which doctors took part. Staff see it in the consultation, with a trace. Doctors add others
-- to their own consultations; whose it is, the table's trigger says.
alter table app_public.consultation_participant enable row level security;
alter table app_public.consultation_participant force row level security;

grant select on app_public.consultation_participant to app_patient;
grant insert (hospital_id, consultation_id, doctor_id, role) on app_public.consultation_participant to app_doctor;
-- No grant of delete to anybody: remove_from_consultation does it, as the owner.

drop policy if exists patients_read_their_own on app_public.consultation_participant;
create policy patients_read_their_own on app_public.consultation_participant for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_add_others on app_public.consultation_participant;
create policy doctors_add_others on app_public.consultation_participant for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.consultation_participant;
create policy owner_maintains on app_public.consultation_participant for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/consultation_participant.sql
--! Included policies/consultation_addendum.sql
-- Patients read what was added to their consultations; doctors add, where they took part, and read it with
-- the consultation.
alter table app_public.consultation_addendum enable row level security;
alter table app_public.consultation_addendum force row level security;

grant select on app_public.consultation_addendum to app_patient;
grant insert (hospital_id, consultation_id, text) on app_public.consultation_addendum to app_doctor;
-- No grant of update or delete to anybody: what was added stays.

drop policy if exists patients_read_their_own on app_public.consultation_addendum;
create policy patients_read_their_own on app_public.consultation_addendum for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_add_to_theirs on app_public.consultation_addendum;
create policy doctors_add_to_theirs on app_public.consultation_addendum for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.consultation_addendum;
create policy owner_maintains on app_public.consultation_addendum for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/consultation_addendum.sql
--! Included policies/record_access.sql
-- Patients see who has opened their record; admins see all of the hospital. Nobody is granted to write it:
-- the functions that read do, as the owner, who may add and read but neither change nor remove; only the
-- eraser redacts the purpose, in the hospital of the request and only as guard_redaction lets it.
alter table app_public.record_access enable row level security;
alter table app_public.record_access force row level security;

grant select on app_public.record_access to app_patient, app_admin, app_eraser;
grant update (purpose) on app_public.record_access to app_eraser;
revoke delete, truncate on app_public.record_access from app_owner;
-- The owner keeps the privilege of update, without a policy for it and against the trigger
-- keep_record_access: Postgres asks it of whoever holds a row that the log refers to.

drop policy if exists patients_see_who_read on app_public.record_access;
create policy patients_see_who_read on app_public.record_access for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists admins_read_their_hospital on app_public.record_access;
create policy admins_read_their_hospital on app_public.record_access for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_reads_its_hospital on app_public.record_access;
create policy eraser_reads_its_hospital on app_public.record_access for select to app_eraser
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_redacts_in_its_hospital on app_public.record_access;
create policy eraser_redacts_in_its_hospital on app_public.record_access for update to app_eraser
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.record_access;
create policy owner_reads on app_public.record_access for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.record_access;
create policy owner_appends on app_public.record_access for insert to app_owner
  with check (true);
--! EndIncluded policies/record_access.sql

reset role;
