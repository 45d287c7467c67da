--! Previous: sha1:0f542c02a7bae91479d7d8036011bbfffdf5a5a9
--! Hash: sha1:25cee888839ac1606914ac9761e1d3abac3bc110
--! Message: login

--! split: 1-current.sql
-- Functions and rights: The rest of login: invitations, links by mail, the second factor, sessions that people see,
-- emergency access to records, and what happened to whose login.
set local role app_owner;

--! Included functions/foundation/claim_session_id.sql
create or replace function app_private.claim_session_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('claims.session_id', true), '')::uuid;

comment on function app_private.claim_session_id() is 'Session of the request, or null.';

revoke execute on function app_private.claim_session_id() from public;
--! EndIncluded functions/foundation/claim_session_id.sql
--! Included functions/foundation/claim_origin.sql
-- From where a request comes, as its server saw it: a network, never a whole address, and what the client
-- said of itself, shortened by the server and once more here.
create or replace function app_private.claim_ip_prefix() returns text
language sql stable parallel safe
return left(nullif(current_setting('claims.ip_prefix', true), ''), 50);

create or replace function app_private.claim_device() returns text
language sql stable parallel safe
return left(nullif(current_setting('claims.device', true), ''), 120);

comment on function app_private.claim_ip_prefix() is 'Network from which the request comes, or null.';
comment on function app_private.claim_device() is 'What the request''s client said of itself, or null.';

revoke execute on function app_private.claim_ip_prefix(), app_private.claim_device() from public;
--! EndIncluded functions/foundation/claim_origin.sql
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
--! Included functions/identity/record_security_event.sql
-- Writes down what happened to a login, in the transaction in which it happened. Functions that run as the
-- owner call it; no role may, so nobody can write what did not happen.
create or replace function app_private.record_security_event(
  hospital_id uuid, kind app_public.security_event_kind, account_id uuid default null, details jsonb default '{}')
returns void
language plpgsql volatile
as $$
begin
  insert into app_public.security_event (
    hospital_id, kind, account_id, actor_account_id, ip_prefix, device, request_id, details, occurred_at)
  values (
    record_security_event.hospital_id, record_security_event.kind, record_security_event.account_id,
    app_private.claim_account_id(), app_private.claim_ip_prefix(), app_private.claim_device(),
    app_private.claim_request_id(), record_security_event.details, app_private.clock());
end
$$;

comment on function app_private.record_security_event(uuid, app_public.security_event_kind, uuid, jsonb) is
  'Writes a security event of this request.';

revoke execute on function app_private.record_security_event(uuid, app_public.security_event_kind, uuid, jsonb) from public;
--! EndIncluded functions/identity/record_security_event.sql
--! Included functions/identity/keep_security_event.sql
-- The log is append-only for every client, psql included; only housekeeping and erasing take rows away.
create or replace function app_private.keep_security_event() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('audit_is_append_only', jsonb_build_object('security_event', old.id));
  return null;
end
$$;

comment on function app_private.keep_security_event() is 'Trigger: refuses update and delete of security events.';

revoke execute on function app_private.keep_security_event() from public;

create or replace trigger security_event_is_append_only
  before update on app_public.security_event
  for each row execute function app_private.keep_security_event();

create or replace trigger security_event_is_never_lost
  before delete on app_public.security_event
  for each row when (coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.keep_security_event();
--! EndIncluded functions/identity/keep_security_event.sql
--! Included functions/identity/issue_login_token.sql
-- A new single-use token, in the form of refresh tokens: the hospital and 256 bits. They are the SHA-256 of
-- three random uuids, which have 122 random bits each from the system's own generator (pg_strong_random), so
-- no guess is easier than one of 256 bits. Only its hash is stored, and with that much chance in it, it needs
-- no salt and no slow hash. Earlier tokens of the same purpose and owner die: only the last link is good.
-- Functions that run as the owner call it, and put the token into a mail or the answer to its owner.
create or replace function app_private.issue_login_token(
  hospital_id uuid, purpose app_private.login_purpose, lifetime interval, account_id uuid default null,
  invitation_id uuid default null)
returns text
language plpgsql volatile
as $$
declare
  token text;
begin
  token := translate(rtrim(encode(uuid_send(hospital_id), 'base64'), '='), '+/', '-_') || '.' ||
    translate(rtrim(encode(
      sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
      'base64'), '='), '+/', '-_');
  delete from app_private.login_token
  where login_token.hospital_id = issue_login_token.hospital_id
    and login_token.purpose = issue_login_token.purpose
    and (login_token.account_id = issue_login_token.account_id
      or login_token.invitation_id = issue_login_token.invitation_id);
  insert into app_private.login_token (hospital_id, token_hash, purpose, account_id, invitation_id, expires_at)
  values (
    issue_login_token.hospital_id, sha256(convert_to(token, 'UTF8')), issue_login_token.purpose,
    issue_login_token.account_id, issue_login_token.invitation_id, app_private.clock() + lifetime);
  return token;
end
$$;

comment on function app_private.issue_login_token(uuid, app_private.login_purpose, interval, uuid, uuid) is
  'Stores the hash of a new single-use token and returns the token; earlier ones of this purpose and owner are void.';

revoke execute on function app_private.issue_login_token(uuid, app_private.login_purpose, interval, uuid, uuid) from public;
--! EndIncluded functions/identity/issue_login_token.sql
--! Included functions/identity/send_mail.sql
-- A mail of the login, written with what it tells of, so that neither is without the other. The worker
-- sends it and puts the address of the console in place of {public_url}. Functions that run as the owner
-- call it; a role that could would write to anybody.
create or replace function app_private.send_mail(
  hospital_id uuid, address text, subject text, body text, lifetime interval)
returns void
language plpgsql volatile
as $$
declare
  hospital_name text;
begin
  select regexp_replace(hospital.name, '[[:cntrl:]]', ' ', 'g') into hospital_name
  from app_public.hospital
  where hospital.id = send_mail.hospital_id;
  insert into app_private.outgoing_mail (hospital_id, address, subject, body, expires_at)
  values (
    send_mail.hospital_id, send_mail.address, hospital_name || ': ' || send_mail.subject, send_mail.body,
    app_private.clock() + lifetime);
end
$$;

comment on function app_private.send_mail(uuid, text, text, text, interval) is
  'Leaves a mail to be sent; after its lifetime it is not sent any more.';

revoke execute on function app_private.send_mail(uuid, text, text, text, interval) from public;
--! EndIncluded functions/identity/send_mail.sql
--! Included functions/identity/announce_mail.sql
-- The relay hears of a new mail by a row, in the same transaction. Definer, because who causes a mail may not
-- write the outbox.
create or replace function app_private.announce_mail() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'mail', new.id::text, '{}');
  return null;
end
$$;

comment on function app_private.announce_mail() is 'Trigger: leaves a message in the outbox for a new mail.';

revoke execute on function app_private.announce_mail() from public;

create or replace trigger new_mail_is_announced
  after insert on app_private.outgoing_mail
  for each row execute function app_private.announce_mail();
--! EndIncluded functions/identity/announce_mail.sql
--! Included functions/identity/claim_mail.sql
-- Takes mails that are due, for a few minutes: should the worker die with them, another one takes them then.
-- A mail may so be sent twice, under the same id, by which mail systems recognise it; never not at all. What
-- is too old to be of use is given up, and its text, which may hold a link, is emptied. Definer, because no
-- role may read mails.
create or replace function app_private.claim_mail(hospital_id uuid, most integer)
returns table (id uuid, address text, subject text, body text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  update app_private.outgoing_mail
  set failed_at = instant, body = '', last_error = 'not sent in time'
  where outgoing_mail.hospital_id = claim_mail.hospital_id
    and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null and outgoing_mail.expires_at <= instant;

  return query
    with due as (
      select outgoing_mail.id
      from app_private.outgoing_mail
      where outgoing_mail.hospital_id = claim_mail.hospital_id
        and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null
        and outgoing_mail.next_attempt_at <= instant
      order by outgoing_mail.next_attempt_at
      limit most
      for update skip locked)
    update app_private.outgoing_mail
    set attempts = outgoing_mail.attempts + 1, next_attempt_at = instant + interval '5 minutes'
    from due
    where outgoing_mail.hospital_id = claim_mail.hospital_id and outgoing_mail.id = due.id
    returning outgoing_mail.id, outgoing_mail.address, outgoing_mail.subject, outgoing_mail.body;
end
$$;

comment on function app_private.claim_mail(uuid, integer) is
  'Takes mails of a hospital that are due, for five minutes, and gives up those that are too old.';

revoke execute on function app_private.claim_mail(uuid, integer) from public;
grant execute on function app_private.claim_mail(uuid, integer) to app_worker;
--! EndIncluded functions/identity/claim_mail.sql
--! Included functions/identity/settle_mail.sql
-- What came of an attempt: sent; refused for good; or to be tried again, after one minute, then two, four, up
-- to an hour, and given up after the tenth time. Of a mail that is settled the text is emptied. Saying it
-- twice changes nothing. Definer, because no role may write mails.
create or replace function app_private.settle_mail(hospital_id uuid, id uuid, outcome text, error text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  if outcome = 'sent' then
    update app_private.outgoing_mail
    set sent_at = instant, body = '', last_error = null
    where outgoing_mail.hospital_id = settle_mail.hospital_id and outgoing_mail.id = settle_mail.id
      and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null;
    return;
  end if;
  update app_private.outgoing_mail
  set failed_at = instant, body = '', last_error = left(error, 500)
  where outgoing_mail.hospital_id = settle_mail.hospital_id and outgoing_mail.id = settle_mail.id
    and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null
    and (outcome = 'rejected' or outgoing_mail.attempts >= 10);
  update app_private.outgoing_mail
  set next_attempt_at = instant + least(interval '1 minute' * power(2, outgoing_mail.attempts - 1), interval '1 hour'),
      last_error = left(error, 500)
  where outgoing_mail.hospital_id = settle_mail.hospital_id and outgoing_mail.id = settle_mail.id
    and outgoing_mail.sent_at is null and outgoing_mail.failed_at is null;
end
$$;

comment on function app_private.settle_mail(uuid, uuid, text, text) is
  'Notes what came of sending a mail: sent, rejected, or failed and to be tried again.';

revoke execute on function app_private.settle_mail(uuid, uuid, text, text) from public;
grant execute on function app_private.settle_mail(uuid, uuid, text, text) to app_worker;
--! EndIncluded functions/identity/settle_mail.sql
--! Included functions/identity/hospitals_with_mail.sql
-- Where mails of the login are due. Costs as much as there are mails to be sent. Definer, because no role may
-- read mails; it tells only where there are some.
create or replace function app_private.hospitals_with_mail()
returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return query
    select distinct outgoing_mail.hospital_id
    from app_private.outgoing_mail
    where outgoing_mail.sent_at is null and outgoing_mail.failed_at is null
      and outgoing_mail.next_attempt_at <= instant;
end
$$;

comment on function app_private.hospitals_with_mail() is 'Hospitals with mails of the login that are due.';

revoke execute on function app_private.hospitals_with_mail() from public;
grant execute on function app_private.hospitals_with_mail() to app_worker;
--! EndIncluded functions/identity/hospitals_with_mail.sql
--! Included functions/identity/end_sessions.sql
-- Ends sessions of an account; triggers tell the servers. Functions that run as the owner call it, with the
-- account's row locked, so that no session is opened past it.
create or replace function app_private.end_sessions(
  hospital_id uuid, account_id uuid, reason text, except_session_id uuid default null)
returns uuid[]
language plpgsql volatile
as $$
declare
  ids uuid[];
begin
  with ended as (
    update app_private.session
    set ended_at = app_private.clock(), end_reason = reason
    where session.hospital_id = end_sessions.hospital_id and session.account_id = end_sessions.account_id
      and session.ended_at is null and session.id is distinct from except_session_id
    returning session.id)
  select coalesce(array_agg(ended.id), '{}') into ids from ended;
  return ids;
end
$$;

comment on function app_private.end_sessions(uuid, uuid, text, uuid) is
  'Ends the sessions of an account, but for one, and returns their ids.';

revoke execute on function app_private.end_sessions(uuid, uuid, text, uuid) from public;
--! EndIncluded functions/identity/end_sessions.sql
--! Included functions/identity/tell_account.sql
-- Tells somebody what happened to their login: in their inbox, and by a mail that no setting silences,
-- because it is how they notice that it was not themselves. Functions that run as the owner call it.
create or replace function app_private.tell_account(hospital_id uuid, account_id uuid, happening text)
returns void
language plpgsql volatile
as $$
declare
  told app_public.account;
  template app_public.notification_template;
begin
  select * into told
  from app_public.account
  where account.hospital_id = tell_account.hospital_id and account.id = tell_account.account_id;
  select * into template
  from app_public.notification_template
  where notification_template.event = happening and notification_template.audience = 'staff';
  insert into app_public.notification (
    hospital_id, patient_id, doctor_id, account_id, event, priority, channels, title, body, created_at)
  values (
    told.hospital_id, told.patient_id, told.doctor_id,
    case when told.patient_id is null and told.doctor_id is null then told.id end,
    template.event, template.priority, template.channels, template.title, template.body, app_private.clock());
  perform app_private.send_mail(
    told.hospital_id, told.email, template.title, template.body, interval '2 days');
end
$$;

comment on function app_private.tell_account(uuid, uuid, text) is
  'Tells an account what happened to its login, in its inbox and by mail.';

revoke execute on function app_private.tell_account(uuid, uuid, text) from public;
--! EndIncluded functions/identity/tell_account.sql
--! Included functions/identity/guard_staff_role.sql
-- What a member of the staff can be: never a patient, and a doctor only as a doctor of the hospital whose
-- login nobody else has.
create or replace function app_private.guard_staff_role(
  hospital_id uuid, role app_public.account_role, doctor_id uuid, except_account_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  if role = 'patient' or (role = 'doctor') <> (doctor_id is not null) then
    perform app_private.refuse('role_not_possible', jsonb_build_object('role', role));
  end if;
  if doctor_id is null then
    return;
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = guard_staff_role.hospital_id and doctor.id = guard_staff_role.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  if exists (
    select from app_public.account
    where account.hospital_id = guard_staff_role.hospital_id and account.doctor_id = guard_staff_role.doctor_id
      and account.id is distinct from except_account_id)
  then
    perform app_private.refuse('doctor_has_account', jsonb_build_object('doctor_id', doctor_id));
  end if;
end
$$;

comment on function app_private.guard_staff_role(uuid, app_public.account_role, uuid, uuid) is
  'Refuses a role that a member of the staff cannot have.';

revoke execute on function app_private.guard_staff_role(uuid, app_public.account_role, uuid, uuid) from public;
--! EndIncluded functions/identity/guard_staff_role.sql
--! Included functions/identity/admit_invitation.sql
-- An invitation's life: pending; then accepted (with the account that only accept_invitation can write),
-- revoked or expired; sent again, it is pending anew with a new link. Who invited, and until when, is
-- written here. Definer, because it looks at all accounts and doctors.
create or replace function app_private.admit_invitation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  if tg_op = 'INSERT' then
    perform app_private.guard_staff_role(new.hospital_id, new.role, new.doctor_id);
    if exists (
      select from app_public.account
      where account.hospital_id = new.hospital_id and account.email = new.email)
    then
      perform app_private.refuse('email_taken');
    end if;
    if exists (
      select from app_public.invitation
      where invitation.hospital_id = new.hospital_id and invitation.email = new.email
        and invitation.status = 'pending')
    then
      perform app_private.refuse('already_invited');
    end if;
    new.invited_by := app_private.claim_account_id();
    new.created_at := instant;
    new.sent_at := instant;
    new.expires_at := instant + interval '7 days';
    return new;
  end if;

  if old.status in ('accepted', 'revoked') then
    perform app_private.refuse('invitation_not_pending', jsonb_build_object('status', old.status));
  end if;
  if new.sent_at is distinct from old.sent_at then
    new.status := 'pending';
    new.sent_at := instant;
    new.expires_at := instant + interval '7 days';
  end if;
  new.decided_at := case when new.status <> 'pending' then instant end;
  return new;
end
$$;

comment on function app_private.admit_invitation() is
  'Trigger: judges a new invitation and changes of one, and writes who invited and until when.';

revoke execute on function app_private.admit_invitation() from public;

create or replace trigger invitation_is_admitted
  before insert or update of status, sent_at on app_public.invitation
  for each row execute function app_private.admit_invitation();
--! EndIncluded functions/identity/admit_invitation.sql
--! Included functions/identity/send_invitation.sql
-- A new or repeated invitation gets a new link, a revoked one loses its own. Link and mail are made here, in
-- one go: the admin who invites never sees the link. Definer, because no role may write tokens or mails.
create or replace function app_private.send_invitation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  token text;
begin
  if new.status <> 'pending' then
    delete from app_private.login_token
    where login_token.hospital_id = new.hospital_id and login_token.invitation_id = new.id;
    if new.status = 'revoked' then
      perform app_private.record_security_event(
        new.hospital_id, 'invitation_revoked', null, jsonb_build_object('invitation_id', new.id));
    end if;
    return null;
  end if;

  token := app_private.issue_login_token(
    new.hospital_id, 'invitation', interval '7 days', invitation_id => new.id);
  perform app_private.send_mail(new.hospital_id, new.email, 'your account',
    E'You are invited to an account. Choose a password here, within seven days:\n\n{public_url}/invitation/' ||
    token || E'\n\nIf you do not expect this, leave it alone; nothing happens then.\n',
    interval '7 days');
  perform app_private.record_security_event(
    new.hospital_id, 'invitation_sent', null, jsonb_build_object('invitation_id', new.id, 'role', new.role));
  return null;
end
$$;

comment on function app_private.send_invitation() is
  'Trigger: mails the link of a new or repeated invitation, and voids that of one that has ended.';

revoke execute on function app_private.send_invitation() from public;

create or replace trigger new_invitation_is_sent
  after insert on app_public.invitation
  for each row execute function app_private.send_invitation();

create or replace trigger changed_invitation_is_sent_or_voided
  after update of status, sent_at on app_public.invitation
  for each row when ((old.status, old.sent_at) is distinct from (new.status, new.sent_at))
  execute function app_private.send_invitation();
--! EndIncluded functions/identity/send_invitation.sql
--! Included functions/identity/invite_account.sql
-- One plain insert; triggers judge it and send the mail.
create or replace function app_public.invite_account(
  email text, display_name text, role app_public.account_role, doctor_id uuid default null)
returns app_public.invitation
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  invited app_public.invitation;
begin
  insert into app_public.invitation (hospital_id, email, display_name, role, doctor_id)
  values (hospital, lower(btrim(email)), btrim(display_name), role, doctor_id)
  returning * into invited;
  return invited;
end
$$;

comment on function app_public.invite_account(text, text, app_public.account_role, uuid) is
  'Invites a member of the staff to an account, by a mail with a link that is good for seven days. For admins.';

revoke execute on function app_public.invite_account(text, text, app_public.account_role, uuid) from public;
grant execute on function app_public.invite_account(text, text, app_public.account_role, uuid) to app_admin;
--! EndIncluded functions/identity/invite_account.sql
--! Included functions/identity/revoke_invitation.sql
create or replace function app_public.revoke_invitation(invitation_id uuid)
returns app_public.invitation
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.invitation;
begin
  update app_public.invitation
  set status = 'revoked'
  where invitation.hospital_id = hospital and invitation.id = invitation_id
  returning * into changed;
  if not found then
    perform app_private.refuse('invitation_not_found', jsonb_build_object('invitation_id', invitation_id));
  end if;
  return changed;
end
$$;

comment on function app_public.revoke_invitation(uuid) is
  'Takes back an invitation that was not accepted; its link is void at once. For admins.';

revoke execute on function app_public.revoke_invitation(uuid) from public;
grant execute on function app_public.revoke_invitation(uuid) to app_admin;
--! EndIncluded functions/identity/revoke_invitation.sql
--! Included functions/identity/resend_invitation.sql
create or replace function app_public.resend_invitation(invitation_id uuid)
returns app_public.invitation
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.invitation;
begin
  -- 'infinity' only says: now. The trigger writes the instant.
  update app_public.invitation
  set sent_at = 'infinity'
  where invitation.hospital_id = hospital and invitation.id = invitation_id
  returning * into changed;
  if not found then
    perform app_private.refuse('invitation_not_found', jsonb_build_object('invitation_id', invitation_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resend_invitation(uuid) is
  'Mails a new link, good for seven days, to who was invited and has not accepted; earlier links are void. For admins.';

revoke execute on function app_public.resend_invitation(uuid) from public;
grant execute on function app_public.resend_invitation(uuid) to app_admin;
--! EndIncluded functions/identity/resend_invitation.sql
--! Included functions/identity/find_link.sql
-- Whose a link is, while it is good: what a new password must not be made of. Asked before a password is
-- hashed, so that made-up links cost nothing. Definer, because no role may read tokens.
create or replace function app_private.find_link(
  hospital_id uuid, token_hash bytea, purpose app_private.login_purpose)
returns table (hospital text, email text, name text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select hospital.slug, coalesce(account.email, invitation.email),
      coalesce(account.display_name, invitation.display_name)
    from app_private.login_token
    join app_public.hospital on hospital.id = find_link.hospital_id
    left join app_public.account
      on account.hospital_id = find_link.hospital_id and account.id = login_token.account_id and account.is_active
    left join app_public.invitation
      on invitation.hospital_id = find_link.hospital_id and invitation.id = login_token.invitation_id
        and invitation.status = 'pending'
    where login_token.hospital_id = find_link.hospital_id and login_token.token_hash = find_link.token_hash
      and login_token.purpose = find_link.purpose and login_token.used_at is null
      and login_token.expires_at > app_private.clock()
      and coalesce(account.id, invitation.id) is not null;
end
$$;

comment on function app_private.find_link(uuid, bytea, app_private.login_purpose) is
  'Whom a link that is still good belongs to; no row for any other.';

revoke execute on function app_private.find_link(uuid, bytea, app_private.login_purpose) from public;
grant execute on function app_private.find_link(uuid, bytea, app_private.login_purpose) to app_login;
--! EndIncluded functions/identity/find_link.sql
--! Included functions/identity/accept_invitation.sql
-- The invited person chooses a password and has an account: all of it, or nothing. The invitation is locked
-- first, so of two who accept at once one waits and finds it accepted. Definer, because nobody who is not
-- logged in may write accounts.
create or replace function app_private.accept_invitation(hospital_id uuid, token_hash bytea, password_hash text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  invited uuid;
  present app_public.invitation;
  created uuid;
begin
  select login_token.invitation_id into invited
  from app_private.login_token
  where login_token.hospital_id = accept_invitation.hospital_id
    and login_token.token_hash = accept_invitation.token_hash and login_token.purpose = 'invitation';
  select * into present
  from app_public.invitation
  where invitation.hospital_id = accept_invitation.hospital_id and invitation.id = invited
  for update;
  -- Asked again under the lock: the link may have been voided while this waited.
  if present.status is distinct from 'pending' or present.expires_at <= instant or not exists (
    select from app_private.login_token
    where login_token.hospital_id = accept_invitation.hospital_id
      and login_token.token_hash = accept_invitation.token_hash
      and login_token.used_at is null and login_token.expires_at > instant)
  then
    perform app_private.refuse('link_not_valid');
  end if;

  perform app_private.guard_staff_role(present.hospital_id, present.role, present.doctor_id);
  insert into app_public.account (hospital_id, email, display_name, role, doctor_id)
  values (present.hospital_id, present.email, present.display_name, present.role, present.doctor_id)
  on conflict on constraint an_email_is_one_account_in_its_hospital do nothing
  returning account.id into created;
  if created is null then
    perform app_private.refuse('email_taken');
  end if;
  insert into app_private.account_secret (hospital_id, account_id, password_hash)
  values (present.hospital_id, created, accept_invitation.password_hash);
  update app_public.invitation
  set status = 'accepted', account_id = created
  where invitation.hospital_id = accept_invitation.hospital_id and invitation.id = present.id;
  perform app_private.record_security_event(
    present.hospital_id, 'invitation_accepted', created, jsonb_build_object('invitation_id', present.id));
  return created;
end
$$;

comment on function app_private.accept_invitation(uuid, bytea, text) is
  'Makes the account of an invitation by its link, once, and returns it.';

revoke execute on function app_private.accept_invitation(uuid, bytea, text) from public;
grant execute on function app_private.accept_invitation(uuid, bytea, text) to app_login;
--! EndIncluded functions/identity/accept_invitation.sql
drop function app_private.open_session(uuid, uuid, bytea, interval);
--! Included functions/identity/find_login.sql
-- What is needed to check the password of somebody who is logged in and wants to change how they log in.
-- Definer, because no role may read account_secret.
create or replace function app_private.find_login(hospital_id uuid, account_id uuid)
returns table (
  hospital text, email text, name text, role app_public.account_role, password_hash text, is_locked boolean)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select hospital.slug, account.email, account.display_name, account.role, account_secret.password_hash,
      coalesce(account_secret.locked_until > app_private.clock(), false)
    from app_public.account
    join app_public.hospital on hospital.id = find_login.hospital_id
    join app_private.account_secret
      on account_secret.hospital_id = find_login.hospital_id and account_secret.account_id = account.id
    where account.hospital_id = find_login.hospital_id and account.id = find_login.account_id and account.is_active;
end
$$;

comment on function app_private.find_login(uuid, uuid) is
  'Password hash and lock of an active account by its id; no row where there is none.';

revoke execute on function app_private.find_login(uuid, uuid) from public;
grant execute on function app_private.find_login(uuid, uuid) to app_login;
--! EndIncluded functions/identity/find_login.sql
--! Included functions/identity/second_factor_needed.sql
-- What stands between a right password and a session: the second factor, where there is one; for an admin of
-- a hospital that requires one, its enrolment. The hospital is locked, shared: should it begin to require one
-- at this moment, the session that is about to begin is either seen there and ended, or needs it here.
create or replace function app_private.second_factor_needed(
  hospital_id uuid, account_id uuid, role app_public.account_role)
returns app_private.login_purpose
language plpgsql volatile
as $$
declare
  is_required boolean;
begin
  if exists (
    select from app_private.second_factor
    where second_factor.hospital_id = second_factor_needed.hospital_id
      and second_factor.account_id = second_factor_needed.account_id and second_factor.confirmed_at is not null)
  then
    return 'second_factor'::app_private.login_purpose;
  end if;
  if role <> 'admin' then
    return null;
  end if;
  select hospital.is_second_factor_required into is_required
  from app_public.hospital
  where hospital.id = second_factor_needed.hospital_id
  for share;
  return case when is_required then 'enrolment'::app_private.login_purpose end;
end
$$;

comment on function app_private.second_factor_needed(uuid, uuid, app_public.account_role) is
  'What an account must still show after its password; null for nothing.';

revoke execute on function app_private.second_factor_needed(uuid, uuid, app_public.account_role) from public;
--! EndIncluded functions/identity/second_factor_needed.sql
--! Included functions/identity/begin_session.sql
-- Begins the session of somebody who has shown all that is asked of them. The account is locked first,
-- shared: a deactivation, a change of role or a new password at the same moment either waits and then ends
-- this session, or has happened and is seen here. Lock order: account, session. Functions that run as the
-- owner call it; no role may.
create or replace function app_private.begin_session(
  hospital_id uuid, account_id uuid, token_hash bytea, lifetime interval)
returns table (
  session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text, display_name text)
language plpgsql volatile
as $$
declare
  instant timestamptz := app_private.clock();
  present app_public.account;
  opened uuid;
begin
  select * into present
  from app_public.account
  where account.hospital_id = begin_session.hospital_id and account.id = begin_session.account_id
    and account.is_active
  for share;
  if not found then
    perform app_private.refuse('invalid_credentials');
  end if;

  insert into app_private.session (hospital_id, account_id, expires_at, last_used_at, device, ip_prefix)
  values (
    begin_session.hospital_id, begin_session.account_id, instant + lifetime, instant, app_private.claim_device(),
    app_private.claim_ip_prefix())
  returning session.id into opened;
  insert into app_private.refresh_token (hospital_id, token_hash, session_id)
  values (begin_session.hospital_id, begin_session.token_hash, opened);

  update app_private.account_secret
  set failed_attempts = 0, locked_until = null
  where account_secret.hospital_id = begin_session.hospital_id
    and account_secret.account_id = begin_session.account_id
    and (account_secret.failed_attempts > 0 or account_secret.locked_until is not null);
  perform app_private.record_security_event(
    begin_session.hospital_id, 'login', begin_session.account_id, jsonb_build_object('session_id', opened));

  return query select opened, present.role, present.doctor_id, present.patient_id, present.email, present.display_name;
end
$$;

comment on function app_private.begin_session(uuid, uuid, bytea, interval) is
  'Begins a session with its first refresh token, forgets failed tries, and returns what the access token says.';

revoke execute on function app_private.begin_session(uuid, uuid, bytea, interval) from public;
--! EndIncluded functions/identity/begin_session.sql
--! Included functions/identity/open_session.sql
-- Opens the session of somebody whose password was right. password_hash is the one that was compared: should
-- the password have been changed since, it was not right any more. Nobody with a second factor gets in here
-- without it, nor an admin who must have one. The account is locked before any of that is asked, as
-- begin_session says. Definer, because no role may write sessions.
create or replace function app_private.open_session(
  hospital_id uuid, account_id uuid, token_hash bytea, lifetime interval, password_hash text default null)
returns table (
  session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text, display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = open_session.hospital_id and account.id = open_session.account_id
  for share;
  if password_hash is not null and not exists (
    select from app_private.account_secret
    where account_secret.hospital_id = open_session.hospital_id
      and account_secret.account_id = open_session.account_id
      and account_secret.password_hash = open_session.password_hash)
  then
    perform app_private.refuse('invalid_credentials');
  end if;
  if app_private.second_factor_needed(present.hospital_id, present.id, present.role) is not null then
    perform app_private.refuse('second_factor_required');
  end if;
  return query
    select * from app_private.begin_session(
      open_session.hospital_id, open_session.account_id, open_session.token_hash, open_session.lifetime);
end
$$;

comment on function app_private.open_session(uuid, uuid, bytea, interval, text) is
  'Opens a session after a right password, where nothing more is needed, and returns what the access token says.';

revoke execute on function app_private.open_session(uuid, uuid, bytea, interval, text) from public;
grant execute on function app_private.open_session(uuid, uuid, bytea, interval, text) to app_login;
--! EndIncluded functions/identity/open_session.sql
--! Included functions/identity/rotate_session.sql
-- One refresh token for the next. A token that was used before is in two hands, and nobody can tell
-- whose: the whole session ends. It must end for good, so this is told by a row and never raised: an
-- error would roll the end back. Whatever else is wrong (unknown, expired, ended, account inactive) is
-- no row. Lock order: account, session; so two uses of one token stand in line, and a deactivation of
-- the account is either seen or ends what is made here. Definer, because no role may read sessions.
create or replace function app_private.rotate_session(
  hospital_id uuid, old_token_hash bytea, new_token_hash bytea)
returns table (
  is_reused boolean, session_id uuid, account_id uuid, role app_public.account_role, doctor_id uuid,
  patient_id uuid, email text, display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  owner_id uuid;
  family uuid;
  present app_public.account;
  is_used boolean;
begin
  select session.account_id, session.id into owner_id, family
  from app_private.refresh_token
  join app_private.session
    on session.hospital_id = rotate_session.hospital_id and session.id = refresh_token.session_id
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  if not found then
    return;
  end if;

  select * into present
  from app_public.account
  where account.hospital_id = rotate_session.hospital_id and account.id = owner_id
  for share;
  perform from app_private.session
  where session.hospital_id = rotate_session.hospital_id and session.id = family
    and session.ended_at is null and session.expires_at > instant
  for update;
  if not found or not present.is_active then
    return;
  end if;

  -- Asked again under the lock: somebody may have used it while this waited.
  select refresh_token.used_at is not null into is_used
  from app_private.refresh_token
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  if is_used then
    update app_private.session
    set ended_at = instant, end_reason = 'refresh_token_reused'
    where session.hospital_id = rotate_session.hospital_id and session.id = family;
    perform app_private.record_security_event(
      rotate_session.hospital_id, 'refresh_reuse', owner_id, jsonb_build_object('session_id', family));
    return query select true, family, owner_id, null::app_public.account_role, null::uuid, null::uuid, null, null;
    return;
  end if;

  update app_private.refresh_token
  set used_at = instant
  where refresh_token.hospital_id = rotate_session.hospital_id
    and refresh_token.token_hash = old_token_hash;
  insert into app_private.refresh_token (hospital_id, token_hash, session_id)
  values (rotate_session.hospital_id, new_token_hash, family);
  update app_private.session
  set last_used_at = instant, ip_prefix = coalesce(app_private.claim_ip_prefix(), session.ip_prefix)
  where session.hospital_id = rotate_session.hospital_id and session.id = family;
  return query
    select false, family, owner_id, present.role, present.doctor_id, present.patient_id, present.email,
      present.display_name;
end
$$;

comment on function app_private.rotate_session(uuid, bytea, bytea) is
  'Uses up a refresh token for a new one and returns the account as it is now; a second use ends the session.';

revoke execute on function app_private.rotate_session(uuid, bytea, bytea) from public;
grant execute on function app_private.rotate_session(uuid, bytea, bytea) to app_login;
--! EndIncluded functions/identity/rotate_session.sql
--! Included functions/identity/record_failed_login.sql
-- The second line behind the limiter of the server, which may have forgotten: from the tenth failure
-- in a row on, the account is locked for one minute, then two, four, eight, and at most fifteen. Tries
-- during a lock do not prolong it, a day of rest forgets all, and a login that succeeds does too:
-- nobody can lock somebody else out for good. Definer, because no role may write account_secret.
create or replace function app_private.record_failed_login(hospital_id uuid, account_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  secret app_private.account_secret;
begin
  select * into secret
  from app_private.account_secret
  where account_secret.hospital_id = record_failed_login.hospital_id
    and account_secret.account_id = record_failed_login.account_id
  for no key update;
  if not found then
    return;
  end if;
  perform app_private.record_security_event(
    record_failed_login.hospital_id, 'login_failed', record_failed_login.account_id);
  if secret.locked_until > instant then
    return;
  end if;

  secret.failed_attempts := 1 + case
    when secret.locked_until < instant - interval '1 day' then 0
    else least(secret.failed_attempts, 100)
  end;
  update app_private.account_secret
  set failed_attempts = secret.failed_attempts,
      locked_until = case
        when secret.failed_attempts >= 10
          then instant + least(interval '1 minute' * power(2, least(secret.failed_attempts - 10, 4)), interval '15 minutes')
      end
  where account_secret.hospital_id = record_failed_login.hospital_id
    and account_secret.account_id = record_failed_login.account_id;
  if secret.failed_attempts >= 10 then
    perform app_private.record_security_event(
      record_failed_login.hospital_id, 'locked', record_failed_login.account_id);
  end if;
end
$$;

comment on function app_private.record_failed_login(uuid, uuid) is
  'Counts a wrong password; many in a row lock the account for a while.';

revoke execute on function app_private.record_failed_login(uuid, uuid) from public;
grant execute on function app_private.record_failed_login(uuid, uuid) to app_login;
--! EndIncluded functions/identity/record_failed_login.sql
--! Included functions/identity/record_unknown_login.sql
-- A login that names no account of a hospital: that it happened, from where, and not which address was tried.
-- Definer, because no role may write events.
create or replace function app_private.record_unknown_login(hospital_slug text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  if found then
    perform app_private.record_security_event(hospital, 'login_failed');
  end if;
end
$$;

comment on function app_private.record_unknown_login(text) is
  'Writes that a login named no account of this hospital.';

revoke execute on function app_private.record_unknown_login(text) from public;
grant execute on function app_private.record_unknown_login(text) to app_login;
--! EndIncluded functions/identity/record_unknown_login.sql
--! Included functions/identity/request_password_reset.sql
-- The link to a new password goes to the account's own address, and to nobody else: not to who asked, nor into
-- an answer. Who asks is answered before this runs, so it may take the time it takes. A new link voids the
-- last one. Definer, because no role may write tokens or mails.
create or replace function app_private.request_password_reset(hospital_slug text, email text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid;
  present app_public.account;
begin
  select hospital.id into hospital from app_public.hospital where hospital.slug = hospital_slug;
  select * into present
  from app_public.account
  where account.hospital_id = hospital and account.email = request_password_reset.email and account.is_active
  for share;
  if not found then
    return;
  end if;
  perform app_private.send_mail(hospital, present.email, 'a new password',
    E'Choose a new password here, within 30 minutes:\n\n{public_url}/password/' ||
    app_private.issue_login_token(hospital, 'password_reset', interval '30 minutes', account_id => present.id) ||
    E'\n\nIf you did not ask for this, leave it alone; your password stays as it is.\n',
    interval '30 minutes');
  perform app_private.record_security_event(hospital, 'reset_requested', present.id);
end
$$;

comment on function app_private.request_password_reset(text, text) is
  'Mails a link to a new password to the account of this address, where there is one.';

revoke execute on function app_private.request_password_reset(text, text) from public;
grant execute on function app_private.request_password_reset(text, text) to app_login;
--! EndIncluded functions/identity/request_password_reset.sql
--! Included functions/identity/reset_password.sql
-- A new password by a link: the link is used up, every session of the account ends, a lock is lifted, and the
-- account is told. The account's row is locked first, so a login at the same moment comes before, and its
-- session ends, or after, and finds the new password; of two who use one link, one waits and is refused.
-- Definer, because no role may write secrets.
create or replace function app_private.reset_password(hospital_id uuid, token_hash bytea, password_hash text)
returns table (account_id uuid, session_ids uuid[])
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  owner_id uuid;
begin
  select login_token.account_id into owner_id
  from app_private.login_token
  where login_token.hospital_id = reset_password.hospital_id
    and login_token.token_hash = reset_password.token_hash and login_token.purpose = 'password_reset';
  perform from app_public.account
  where account.hospital_id = reset_password.hospital_id and account.id = owner_id and account.is_active
  for no key update;
  if not found then
    perform app_private.refuse('link_not_valid');
  end if;
  update app_private.login_token
  set used_at = instant
  where login_token.hospital_id = reset_password.hospital_id
    and login_token.token_hash = reset_password.token_hash
    and login_token.used_at is null and login_token.expires_at > instant;
  if not found then
    perform app_private.refuse('link_not_valid');
  end if;

  insert into app_private.account_secret (hospital_id, account_id, password_hash, password_changed_at)
  values (reset_password.hospital_id, owner_id, reset_password.password_hash, instant)
  on conflict on constraint account_secret_pkey do update
  set password_hash = excluded.password_hash, password_changed_at = excluded.password_changed_at,
      failed_attempts = 0, locked_until = null;
  -- Whoever knew the old password may stand before the second factor with it.
  delete from app_private.login_token
  where login_token.hospital_id = reset_password.hospital_id and login_token.account_id = owner_id;
  perform app_private.record_security_event(
    reset_password.hospital_id, 'password_changed', owner_id, '{"by": "link"}');
  perform app_private.tell_account(reset_password.hospital_id, owner_id, 'password_changed');
  return query
    select owner_id, app_private.end_sessions(reset_password.hospital_id, owner_id, 'password_changed');
end
$$;

comment on function app_private.reset_password(uuid, bytea, text) is
  'Sets a new password by its link, once; returns the account and the sessions that ended.';

revoke execute on function app_private.reset_password(uuid, bytea, text) from public;
grant execute on function app_private.reset_password(uuid, bytea, text) to app_login;
--! EndIncluded functions/identity/reset_password.sql
--! Included functions/identity/change_password.sql
-- A new password by somebody who is logged in and gave the present one. known_hash is the one that was
-- compared: should it have changed since, nothing happens. All other sessions end. Definer, because no role
-- may write secrets.
create or replace function app_private.change_password(
  hospital_id uuid, account_id uuid, known_hash text, password_hash text, session_id uuid)
returns uuid[]
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform from app_public.account
  where account.hospital_id = change_password.hospital_id and account.id = change_password.account_id
    and account.is_active
  for no key update;
  update app_private.account_secret
  set password_hash = change_password.password_hash, password_changed_at = app_private.clock(),
      failed_attempts = 0, locked_until = null
  where account_secret.hospital_id = change_password.hospital_id
    and account_secret.account_id = change_password.account_id
    and account_secret.password_hash = known_hash;
  if not found then
    perform app_private.refuse('invalid_credentials');
  end if;
  delete from app_private.login_token
  where login_token.hospital_id = change_password.hospital_id
    and login_token.account_id = change_password.account_id;
  perform app_private.record_security_event(
    change_password.hospital_id, 'password_changed', change_password.account_id, '{"by": "password"}');
  perform app_private.tell_account(change_password.hospital_id, change_password.account_id, 'password_changed');
  return app_private.end_sessions(
    change_password.hospital_id, change_password.account_id, 'password_changed', change_password.session_id);
end
$$;

comment on function app_private.change_password(uuid, uuid, text, text, uuid) is
  'Changes a password whose present hash is known_hash; returns the sessions that ended, all but this one.';

revoke execute on function app_private.change_password(uuid, uuid, text, text, uuid) from public;
grant execute on function app_private.change_password(uuid, uuid, text, text, uuid) to app_login;
--! EndIncluded functions/identity/change_password.sql
--! Included functions/identity/guard_account.sql
-- What an account may become, whoever changes it. A hospital never loses its last active admin: the hospital's
-- row is the lock at which two admins who demote each other stand in line, and the second then finds that it
-- is not an admin any more, or that nobody would be left. Nobody changes their own rights. Lock order: account,
-- hospital; accounts of patients take no lock. Definer, because it looks at all accounts.
create or replace function app_private.guard_account() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor_id uuid := app_private.claim_account_id();
begin
  if (old.role = 'patient') <> (new.role = 'patient') then
    perform app_private.refuse('role_not_possible', jsonb_build_object('role', new.role));
  end if;
  if new.role = 'patient' then
    return new;
  end if;

  perform from app_public.hospital
  where hospital.id = new.hospital_id
  for no key update;
  if actor_id is not null then
    if actor_id = new.id then
      perform app_private.refuse('own_account');
    end if;
    if not exists (
      select from app_public.account
      where account.hospital_id = new.hospital_id and account.id = actor_id
        and account.role = 'admin' and account.is_active)
    then
      perform app_private.refuse('forbidden');
    end if;
  end if;
  if (new.role, new.doctor_id) is distinct from (old.role, old.doctor_id) then
    perform app_private.guard_staff_role(new.hospital_id, new.role, new.doctor_id, new.id);
  end if;
  if old.role = 'admin' and old.is_active and not (new.role = 'admin' and new.is_active) and not exists (
    select from app_public.account
    where account.hospital_id = new.hospital_id and account.id <> new.id
      and account.role = 'admin' and account.is_active)
  then
    perform app_private.refuse('last_admin');
  end if;
  return new;
end
$$;

comment on function app_private.guard_account() is
  'Trigger: refuses rights that an account cannot have, and to leave a hospital without an active admin.';

revoke execute on function app_private.guard_account() from public;

create or replace trigger account_change_is_guarded
  before update of is_active, role, doctor_id, patient_id on app_public.account
  for each row when (
    (old.is_active, old.role, old.doctor_id, old.patient_id)
      is distinct from (new.is_active, new.role, new.doctor_id, new.patient_id))
  execute function app_private.guard_account();
--! EndIncluded functions/identity/guard_account.sql
--! Included functions/identity/record_account_change.sql
-- What an account may do has changed: that is an event, and links of the account are void. Definer, because
-- who changes an account may not write either.
create or replace function app_private.record_account_change() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from app_private.login_token
  where login_token.hospital_id = new.hospital_id and login_token.account_id = new.id;
  if old.is_active and not new.is_active then
    perform app_private.record_security_event(new.hospital_id, 'account_deactivated', new.id);
  elsif new.is_active and not old.is_active then
    perform app_private.record_security_event(new.hospital_id, 'account_reactivated', new.id);
  end if;
  if (old.role, old.doctor_id) is distinct from (new.role, new.doctor_id) then
    perform app_private.record_security_event(
      new.hospital_id, 'role_changed', new.id, jsonb_build_object('from', old.role, 'to', new.role));
  end if;
  return null;
end
$$;

comment on function app_private.record_account_change() is
  'Trigger: writes the security event of a change of rights, and voids the account''s links.';

revoke execute on function app_private.record_account_change() from public;

create or replace trigger account_change_is_recorded
  after update of is_active, role, doctor_id, patient_id on app_public.account
  for each row when (
    (old.is_active, old.role, old.doctor_id, old.patient_id)
      is distinct from (new.is_active, new.role, new.doctor_id, new.patient_id))
  execute function app_private.record_account_change();
--! EndIncluded functions/identity/record_account_change.sql
--! Included functions/identity/change_account_role.sql
-- One plain update; triggers judge it and end the account's sessions.
create or replace function app_public.change_account_role(
  account_id uuid, role app_public.account_role, doctor_id uuid default null)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.account;
begin
  update app_public.account
  set role = change_account_role.role, doctor_id = change_account_role.doctor_id
  where account.hospital_id = hospital and account.id = account_id
  returning * into changed;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  return changed;
end
$$;

comment on function app_public.change_account_role(uuid, app_public.account_role, uuid) is
  'Changes what a member of the staff may do; its sessions end at once. Never one''s own role, nor that of the last active admin. For admins.';

revoke execute on function app_public.change_account_role(uuid, app_public.account_role, uuid) from public;
grant execute on function app_public.change_account_role(uuid, app_public.account_role, uuid) to app_admin;
--! EndIncluded functions/identity/change_account_role.sql
--! Included functions/identity/deactivate_account.sql
create or replace function app_public.deactivate_account(account_id uuid)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.account;
begin
  update app_public.account
  set is_active = false
  where account.hospital_id = hospital and account.id = account_id
  returning * into changed;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  return changed;
end
$$;

comment on function app_public.deactivate_account(uuid) is
  'Switches an account off: it cannot log in, and its sessions end at once. Never one''s own, nor the last active admin. For admins.';

revoke execute on function app_public.deactivate_account(uuid) from public;
grant execute on function app_public.deactivate_account(uuid) to app_admin;
--! EndIncluded functions/identity/deactivate_account.sql
--! Included functions/identity/reactivate_account.sql
create or replace function app_public.reactivate_account(account_id uuid)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.account;
begin
  update app_public.account
  set is_active = true
  where account.hospital_id = hospital and account.id = account_id
  returning * into changed;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  return changed;
end
$$;

comment on function app_public.reactivate_account(uuid) is
  'Lets a deactivated account log in again, with its old password. For admins.';

revoke execute on function app_public.reactivate_account(uuid) from public;
grant execute on function app_public.reactivate_account(uuid) to app_admin;
--! EndIncluded functions/identity/reactivate_account.sql
--! Included functions/identity/end_own_sessions.sql
-- Ends sessions of who asks: one of them, or all but the one that asks. Whose they are is read from the
-- claims, so nobody can name somebody else's. Definer, because no role may write sessions.
create or replace function app_private.end_own_sessions(hospital_id uuid, session_id uuid default null)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  present_id uuid := app_private.claim_session_id();
  ended integer;
begin
  if hospital_id is distinct from hospital then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.account
  where account.hospital_id = hospital and account.id = own_id
  for share;
  update app_private.session
  set ended_at = app_private.clock(), end_reason = 'revoked'
  where session.hospital_id = hospital and session.account_id = own_id and session.ended_at is null
    and case
      when end_own_sessions.session_id is null then session.id is distinct from present_id
      else session.id = end_own_sessions.session_id
    end;
  get diagnostics ended = row_count;
  if ended > 0 then
    perform app_private.record_security_event(
      hospital, 'session_revoked', own_id, jsonb_build_object('session_count', ended));
  end if;
  return ended;
end
$$;

comment on function app_private.end_own_sessions(uuid, uuid) is
  'Ends one session of the account of the request, or all others, and returns how many.';

revoke execute on function app_private.end_own_sessions(uuid, uuid) from public;
grant execute on function app_private.end_own_sessions(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/identity/end_own_sessions.sql
--! Included functions/identity/own_sessions.sql
-- The sessions of who asks, by the claims. Definer, because no role may read sessions.
create or replace function app_private.own_sessions()
returns setof app_public.login_session
language plpgsql stable security definer
set search_path = ''
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  present_id uuid := app_private.claim_session_id();
begin
  return query
    select session.id, session.created_at, session.last_used_at, session.expires_at, session.device,
      session.ip_prefix, session.id is not distinct from present_id
    from app_private.session
    where session.hospital_id = hospital and session.account_id = own_id and session.ended_at is null
      and session.expires_at > app_private.clock()
    order by session.last_used_at desc, session.id;
end
$$;

comment on function app_private.own_sessions() is 'Sessions of the account of the request that are still good, last used first.';

revoke execute on function app_private.own_sessions() from public;
grant execute on function app_private.own_sessions()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/identity/own_sessions.sql
--! Included functions/identity/my_sessions.sql
create or replace function app_public.my_sessions()
returns setof app_public.login_session
language plpgsql stable
as $$
begin
  perform app_private.request_hospital_id();
  return query select * from app_private.own_sessions();
end
$$;

comment on function app_public.my_sessions() is 'One''s own logins that are still good, last used first.';

revoke execute on function app_public.my_sessions() from public;
grant execute on function app_public.my_sessions()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/identity/my_sessions.sql
--! Included functions/identity/revoke_session.sql
create or replace function app_public.revoke_session(session_id uuid)
returns boolean
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if session_id is null or app_private.end_own_sessions(hospital, session_id) = 0 then
    perform app_private.refuse('session_not_found', jsonb_build_object('session_id', session_id));
  end if;
  return true;
end
$$;

comment on function app_public.revoke_session(uuid) is
  'Ends one of one''s own sessions; access tokens of it are refused at once.';

revoke execute on function app_public.revoke_session(uuid) from public;
grant execute on function app_public.revoke_session(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/identity/revoke_session.sql
--! Included functions/identity/revoke_other_sessions.sql
create or replace function app_public.revoke_other_sessions()
returns integer
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.end_own_sessions(hospital);
end
$$;

comment on function app_public.revoke_other_sessions() is
  'Ends all of one''s own sessions but the present one, and says how many that were.';

revoke execute on function app_public.revoke_other_sessions() from public;
grant execute on function app_public.revoke_other_sessions()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/identity/revoke_other_sessions.sql
--! Included functions/identity/use_second_factor.sql
-- Uses up a one-time code, by its step in time, or a recovery code. Compared and advanced in one guarded
-- update each: of two who use the same code at the same moment, one waits and then finds it used. Functions
-- that run as the owner call it.
create or replace function app_private.use_second_factor(
  hospital_id uuid, account_id uuid, step bigint, code_hash bytea)
returns boolean
language plpgsql volatile
as $$
begin
  if step is not null then
    update app_private.second_factor
    set last_used_step = step
    where second_factor.hospital_id = use_second_factor.hospital_id
      and second_factor.account_id = use_second_factor.account_id
      and second_factor.confirmed_at is not null and second_factor.last_used_step < step;
    return found;
  end if;
  update app_private.recovery_code
  set used_at = app_private.clock()
  where recovery_code.hospital_id = use_second_factor.hospital_id
    and recovery_code.account_id = use_second_factor.account_id
    and recovery_code.code_hash = use_second_factor.code_hash and recovery_code.used_at is null;
  if not found then
    return false;
  end if;
  perform app_private.record_security_event(
    use_second_factor.hospital_id, 'recovery_code_used', use_second_factor.account_id);
  return true;
end
$$;

comment on function app_private.use_second_factor(uuid, uuid, bigint, bytea) is
  'Uses up a one-time code by its step, or a recovery code by its hash; false when it was used before.';

revoke execute on function app_private.use_second_factor(uuid, uuid, bigint, bytea) from public;
--! EndIncluded functions/identity/use_second_factor.sql
--! Included functions/identity/begin_challenge.sql
-- After a right password: what is still needed, with a token that is good for showing it and for nothing
-- else, five minutes long; no row where nothing is. Definer, because no role may write tokens.
create or replace function app_private.begin_challenge(hospital_id uuid, account_id uuid, password_hash text)
returns table (purpose app_private.login_purpose, challenge text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  needed app_private.login_purpose;
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = begin_challenge.hospital_id and account.id = begin_challenge.account_id
    and account.is_active
  for share;
  if not found or not exists (
    select from app_private.account_secret
    where account_secret.hospital_id = begin_challenge.hospital_id
      and account_secret.account_id = begin_challenge.account_id
      and account_secret.password_hash = begin_challenge.password_hash)
  then
    perform app_private.refuse('invalid_credentials');
  end if;
  needed := app_private.second_factor_needed(present.hospital_id, present.id, present.role);
  if needed is not null then
    return query
      select needed, app_private.issue_login_token(
        begin_challenge.hospital_id, needed, interval '5 minutes', account_id => present.id);
  end if;
end
$$;

comment on function app_private.begin_challenge(uuid, uuid, text) is
  'What an account must still show after its password, and the token to show it with; no row for nothing.';

revoke execute on function app_private.begin_challenge(uuid, uuid, text) from public;
grant execute on function app_private.begin_challenge(uuid, uuid, text) to app_login;
--! EndIncluded functions/identity/begin_challenge.sql
--! Included functions/identity/find_challenge.sql
-- Whose a challenge is, while it is good: unused, in time, and with fewer than five wrong codes. Definer,
-- because no role may read tokens.
create or replace function app_private.find_challenge(
  hospital_id uuid, token_hash bytea, purpose app_private.login_purpose)
returns uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  owner_id uuid;
begin
  select account.id into owner_id
  from app_private.login_token
  join app_public.account
    on account.hospital_id = find_challenge.hospital_id and account.id = login_token.account_id and account.is_active
  where login_token.hospital_id = find_challenge.hospital_id
    and login_token.token_hash = find_challenge.token_hash and login_token.purpose = find_challenge.purpose
    and login_token.used_at is null and login_token.failed_attempts < 5
    and login_token.expires_at > app_private.clock();
  return owner_id;
end
$$;

comment on function app_private.find_challenge(uuid, bytea, app_private.login_purpose) is
  'The account of a challenge that is still good; null for any other.';

revoke execute on function app_private.find_challenge(uuid, bytea, app_private.login_purpose) from public;
grant execute on function app_private.find_challenge(uuid, bytea, app_private.login_purpose) to app_login;
--! EndIncluded functions/identity/find_challenge.sql
--! Included functions/identity/fail_challenge.sql
-- Counts a wrong code: the fifth ends the challenge, and the password is asked again. Without a challenge it
-- is somebody who is logged in. Definer, because no role may write tokens or events.
create or replace function app_private.fail_challenge(hospital_id uuid, account_id uuid, token_hash bytea default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  update app_private.login_token
  set failed_attempts = login_token.failed_attempts + 1
  where login_token.hospital_id = fail_challenge.hospital_id
    and login_token.token_hash = fail_challenge.token_hash and login_token.account_id = fail_challenge.account_id;
  perform app_private.record_security_event(
    fail_challenge.hospital_id, 'second_factor_failed', fail_challenge.account_id);
end
$$;

comment on function app_private.fail_challenge(uuid, uuid, bytea) is 'Counts a wrong code of a second factor.';

revoke execute on function app_private.fail_challenge(uuid, uuid, bytea) from public;
grant execute on function app_private.fail_challenge(uuid, uuid, bytea) to app_login;
--! EndIncluded functions/identity/fail_challenge.sql
--! Included functions/identity/pass_challenge.sql
-- The session of somebody whose code was right: challenge and code are used up with it, or nothing happens.
-- Lock order: account, token, second factor, session. Definer, because no role may write any of it.
create or replace function app_private.pass_challenge(
  hospital_id uuid, challenge_hash bytea, step bigint, code_hash bytea, token_hash bytea, lifetime interval)
returns table (
  account_id uuid, session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text,
  display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  owner_id uuid := app_private.find_challenge(hospital_id, challenge_hash, 'second_factor');
begin
  perform from app_public.account
  where account.hospital_id = pass_challenge.hospital_id and account.id = owner_id
  for share;
  update app_private.login_token
  set used_at = app_private.clock()
  where login_token.hospital_id = pass_challenge.hospital_id and login_token.token_hash = challenge_hash
    and login_token.account_id = owner_id and login_token.used_at is null;
  if not found then
    perform app_private.refuse('challenge_not_valid');
  end if;
  if not app_private.use_second_factor(hospital_id, owner_id, step, code_hash) then
    perform app_private.refuse('second_factor_wrong');
  end if;
  return query
    select owner_id, begun.*
    from app_private.begin_session(
      pass_challenge.hospital_id, owner_id, pass_challenge.token_hash, pass_challenge.lifetime) as begun;
end
$$;

comment on function app_private.pass_challenge(uuid, bytea, bigint, bytea, bytea, interval) is
  'Opens a session after a right code; challenge and code are used up.';

revoke execute on function app_private.pass_challenge(uuid, bytea, bigint, bytea, bytea, interval) from public;
grant execute on function app_private.pass_challenge(uuid, bytea, bigint, bytea, bytea, interval) to app_login;
--! EndIncluded functions/identity/pass_challenge.sql
--! Included functions/identity/find_second_factor.sql
-- The sealed secret of an account's codes, with the instant at which they are to be judged: the database's
-- clock, as everything. Definer, because no role may read secrets.
create or replace function app_private.find_second_factor(hospital_id uuid, account_id uuid)
returns table (sealed_secret text, is_confirmed boolean, instant timestamptz)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select second_factor.sealed_secret, second_factor.confirmed_at is not null, app_private.clock()
    from app_private.second_factor
    where second_factor.hospital_id = find_second_factor.hospital_id
      and second_factor.account_id = find_second_factor.account_id;
end
$$;

comment on function app_private.find_second_factor(uuid, uuid) is
  'The sealed secret of an account''s one-time codes, and the present instant.';

revoke execute on function app_private.find_second_factor(uuid, uuid) from public;
grant execute on function app_private.find_second_factor(uuid, uuid) to app_login;
--! EndIncluded functions/identity/find_second_factor.sql
--! Included functions/identity/enrol_second_factor.sql
-- Keeps a new secret until a code of it has been shown; it counts for nothing before. For staff. A second
-- factor that counts is never replaced: it has to be disabled first. Definer, because no role may write
-- secrets.
create or replace function app_private.enrol_second_factor(hospital_id uuid, account_id uuid, sealed_secret text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform from app_public.account
  where account.hospital_id = enrol_second_factor.hospital_id and account.id = enrol_second_factor.account_id
    and account.is_active and account.role <> 'patient'
  for no key update;
  if not found then
    perform app_private.refuse('forbidden');
  end if;
  insert into app_private.second_factor (hospital_id, account_id, sealed_secret)
  values (enrol_second_factor.hospital_id, enrol_second_factor.account_id, enrol_second_factor.sealed_secret)
  on conflict on constraint second_factor_pkey do update
  set sealed_secret = excluded.sealed_secret, last_used_step = 0, created_at = excluded.created_at
  where second_factor.hospital_id = enrol_second_factor.hospital_id and second_factor.confirmed_at is null;
  if not found then
    perform app_private.refuse('second_factor_exists');
  end if;
end
$$;

comment on function app_private.enrol_second_factor(uuid, uuid, text) is
  'Keeps the sealed secret of a second factor that is not confirmed yet.';

revoke execute on function app_private.enrol_second_factor(uuid, uuid, text) from public;
grant execute on function app_private.enrol_second_factor(uuid, uuid, text) to app_login;
--! EndIncluded functions/identity/enrol_second_factor.sql
--! Included functions/identity/reseal_second_factor.sql
-- The same secret, sealed with the present key: when a code was right. Compared with what was opened, so that
-- a new enrolment is never overwritten. Definer, because no role may write secrets.
create or replace function app_private.reseal_second_factor(
  hospital_id uuid, account_id uuid, known_secret text, sealed_secret text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  update app_private.second_factor
  set sealed_secret = reseal_second_factor.sealed_secret
  where second_factor.hospital_id = reseal_second_factor.hospital_id
    and second_factor.account_id = reseal_second_factor.account_id
    and second_factor.sealed_secret = known_secret;
end
$$;

comment on function app_private.reseal_second_factor(uuid, uuid, text, text) is
  'Puts a secret that is sealed with a new key in the place of what it was.';

revoke execute on function app_private.reseal_second_factor(uuid, uuid, text, text) from public;
grant execute on function app_private.reseal_second_factor(uuid, uuid, text, text) to app_login;
--! EndIncluded functions/identity/reseal_second_factor.sql
--! Included functions/identity/confirm_second_factor.sql
-- A code of the new secret was right: from now on the account needs it. sealed_secret is the one that the code
-- was compared with. The code is used up, and the recovery codes are kept by their hashes. Definer, because no
-- role may write secrets.
create or replace function app_private.confirm_second_factor(
  hospital_id uuid, account_id uuid, sealed_secret text, step bigint, code_hashes bytea[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform from app_public.account
  where account.hospital_id = confirm_second_factor.hospital_id and account.id = confirm_second_factor.account_id
  for no key update;
  update app_private.second_factor
  set confirmed_at = app_private.clock(), last_used_step = step
  where second_factor.hospital_id = confirm_second_factor.hospital_id
    and second_factor.account_id = confirm_second_factor.account_id
    and second_factor.sealed_secret = confirm_second_factor.sealed_secret and second_factor.confirmed_at is null;
  if not found then
    perform app_private.refuse('second_factor_exists');
  end if;
  delete from app_private.recovery_code
  where recovery_code.hospital_id = confirm_second_factor.hospital_id
    and recovery_code.account_id = confirm_second_factor.account_id;
  insert into app_private.recovery_code (hospital_id, account_id, code_hash)
  select confirm_second_factor.hospital_id, confirm_second_factor.account_id, code.hash
  from unnest(code_hashes) as code (hash);
  perform app_private.record_security_event(
    confirm_second_factor.hospital_id, 'second_factor_enabled', confirm_second_factor.account_id);
  perform app_private.tell_account(
    confirm_second_factor.hospital_id, confirm_second_factor.account_id, 'second_factor_enabled');
end
$$;

comment on function app_private.confirm_second_factor(uuid, uuid, text, bigint, bytea[]) is
  'Puts a second factor into force after a right code, with the hashes of its recovery codes.';

revoke execute on function app_private.confirm_second_factor(uuid, uuid, text, bigint, bytea[]) from public;
grant execute on function app_private.confirm_second_factor(uuid, uuid, text, bigint, bytea[]) to app_login;
--! EndIncluded functions/identity/confirm_second_factor.sql
--! Included functions/identity/pass_enrolment.sql
-- The session of somebody who had to enrol and has: the challenge is used up with it. Definer, because no role
-- may write sessions.
create or replace function app_private.pass_enrolment(
  hospital_id uuid, challenge_hash bytea, token_hash bytea, lifetime interval)
returns table (
  account_id uuid, session_id uuid, role app_public.account_role, doctor_id uuid, patient_id uuid, email text,
  display_name text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  owner_id uuid := app_private.find_challenge(hospital_id, challenge_hash, 'enrolment');
begin
  update app_private.login_token
  set used_at = app_private.clock()
  where login_token.hospital_id = pass_enrolment.hospital_id and login_token.token_hash = challenge_hash
    and login_token.account_id = owner_id and login_token.used_at is null;
  if not found or not exists (
    select from app_private.second_factor
    where second_factor.hospital_id = pass_enrolment.hospital_id and second_factor.account_id = owner_id
      and second_factor.confirmed_at is not null)
  then
    perform app_private.refuse('challenge_not_valid');
  end if;
  return query
    select owner_id, begun.*
    from app_private.begin_session(
      pass_enrolment.hospital_id, owner_id, pass_enrolment.token_hash, pass_enrolment.lifetime) as begun;
end
$$;

comment on function app_private.pass_enrolment(uuid, bytea, bytea, interval) is
  'Opens a session after an enrolment that was demanded; its challenge is used up.';

revoke execute on function app_private.pass_enrolment(uuid, bytea, bytea, interval) from public;
grant execute on function app_private.pass_enrolment(uuid, bytea, bytea, interval) to app_login;
--! EndIncluded functions/identity/pass_enrolment.sql
--! Included functions/identity/disable_second_factor.sql
-- Who gave the password and a code may do without from now on, unless the hospital requires it of them.
-- Definer, because no role may write secrets.
create or replace function app_private.disable_second_factor(
  hospital_id uuid, account_id uuid, step bigint, code_hash bytea)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = disable_second_factor.hospital_id and account.id = disable_second_factor.account_id
  for no key update;
  if not app_private.use_second_factor(hospital_id, present.id, step, code_hash) then
    perform app_private.refuse('second_factor_wrong');
  end if;
  delete from app_private.second_factor
  where second_factor.hospital_id = disable_second_factor.hospital_id and second_factor.account_id = present.id;
  if app_private.second_factor_needed(present.hospital_id, present.id, present.role) is not null then
    perform app_private.refuse('second_factor_is_required');
  end if;
  perform app_private.record_security_event(present.hospital_id, 'second_factor_disabled', present.id);
  perform app_private.tell_account(present.hospital_id, present.id, 'second_factor_disabled');
end
$$;

comment on function app_private.disable_second_factor(uuid, uuid, bigint, bytea) is
  'Takes an account''s second factor away after a right code, where it is not required.';

revoke execute on function app_private.disable_second_factor(uuid, uuid, bigint, bytea) from public;
grant execute on function app_private.disable_second_factor(uuid, uuid, bigint, bytea) to app_login;
--! EndIncluded functions/identity/disable_second_factor.sql
--! Included functions/identity/demand_second_factor.sql
-- When a hospital begins to require a second factor, admins without one lose their sessions and enrol at their
-- next login. Who demands it has one, so that nobody shuts everybody out, themselves included. Definer, because
-- no role may read second factors or write sessions.
create or replace function app_private.demand_second_factor() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor_id uuid := app_private.claim_account_id();
begin
  if actor_id is not null and not exists (
    select from app_private.second_factor
    where second_factor.hospital_id = new.id and second_factor.account_id = actor_id
      and second_factor.confirmed_at is not null)
  then
    perform app_private.refuse('second_factor_not_found');
  end if;
  perform app_private.end_sessions(account.hospital_id, account.id, 'second_factor_required')
  from app_public.account
  where account.hospital_id = new.id and account.role = 'admin' and not exists (
    select from app_private.second_factor
    where second_factor.hospital_id = new.id and second_factor.account_id = account.id
      and second_factor.confirmed_at is not null);
  perform app_private.record_security_event(new.id, 'second_factor_demanded', actor_id);
  return null;
end
$$;

comment on function app_private.demand_second_factor() is
  'Trigger: ends the sessions of admins without a second factor when the hospital begins to require one.';

revoke execute on function app_private.demand_second_factor() from public;

create or replace trigger second_factor_is_demanded
  after update of is_second_factor_required on app_public.hospital
  for each row when (new.is_second_factor_required and not old.is_second_factor_required)
  execute function app_private.demand_second_factor();
--! EndIncluded functions/identity/demand_second_factor.sql
--! Included functions/identity/remove_second_factor.sql
-- For somebody who lost it: an admin takes the second factor of another account away. Its sessions end, and it
-- is told. The admin is read from the claims and asked of the database again. Definer, because no role may
-- write secrets.
create or replace function app_private.remove_second_factor(hospital_id uuid, account_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  actor_id uuid := app_private.claim_account_id();
begin
  if hospital_id is distinct from hospital then
    perform app_private.refuse('forbidden');
  end if;
  if actor_id = account_id then
    perform app_private.refuse('own_account');
  end if;
  if not exists (
    select from app_public.account
    where account.hospital_id = hospital and account.id = actor_id and account.role = 'admin' and account.is_active)
  then
    perform app_private.refuse('forbidden');
  end if;
  perform from app_public.account
  where account.hospital_id = hospital and account.id = remove_second_factor.account_id
  for no key update;
  delete from app_private.second_factor
  where second_factor.hospital_id = hospital and second_factor.account_id = remove_second_factor.account_id;
  if not found then
    perform app_private.refuse('second_factor_not_found');
  end if;
  delete from app_private.login_token
  where login_token.hospital_id = hospital and login_token.account_id = remove_second_factor.account_id;
  perform app_private.end_sessions(hospital, remove_second_factor.account_id, 'second_factor_reset');
  perform app_private.record_security_event(hospital, 'second_factor_reset', remove_second_factor.account_id);
  perform app_private.tell_account(hospital, remove_second_factor.account_id, 'second_factor_reset');
end
$$;

comment on function app_private.remove_second_factor(uuid, uuid) is
  'Takes away the second factor of another account of the request''s hospital, and ends its sessions.';

revoke execute on function app_private.remove_second_factor(uuid, uuid) from public;
grant execute on function app_private.remove_second_factor(uuid, uuid) to app_admin;
--! EndIncluded functions/identity/remove_second_factor.sql
--! Included functions/identity/reset_second_factor.sql
create or replace function app_public.reset_second_factor(account_id uuid)
returns app_public.account
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  present app_public.account;
begin
  select * into present
  from app_public.account
  where account.hospital_id = hospital and account.id = account_id;
  if not found then
    perform app_private.refuse('account_not_found', jsonb_build_object('account_id', account_id));
  end if;
  perform app_private.remove_second_factor(hospital, account_id);
  return present;
end
$$;

comment on function app_public.reset_second_factor(uuid) is
  'Takes away the second factor of somebody who lost it; their sessions end, and they are told. Never one''s own. For admins.';

revoke execute on function app_public.reset_second_factor(uuid) from public;
grant execute on function app_public.reset_second_factor(uuid) to app_admin;
--! EndIncluded functions/identity/reset_second_factor.sql
--! Included functions/identity/update_security_settings.sql
create or replace function app_public.update_security_settings(
  is_second_factor_required boolean default null, emergency_access_duration interval default null,
  security_events_kept_days integer default null)
returns app_public.hospital
language plpgsql volatile
as $$
declare
  own_id uuid := app_private.request_hospital_id();
  changed app_public.hospital;
begin
  perform app_private.guard_input(jsonb_build_object(
    'emergency_access_duration', case
      when emergency_access_duration not between interval '5 minutes' and interval '1 day'
      then 'is not 5 minutes to a day' end,
    'security_events_kept_days', case
      when security_events_kept_days not between 30 and 3650 then 'is not 30 to 3650' end));
  update app_public.hospital
  set is_second_factor_required =
        coalesce(update_security_settings.is_second_factor_required, hospital.is_second_factor_required),
      emergency_access_duration =
        coalesce(update_security_settings.emergency_access_duration, hospital.emergency_access_duration),
      security_events_kept_days =
        coalesce(update_security_settings.security_events_kept_days, hospital.security_events_kept_days)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_security_settings(boolean, interval, integer) is
  'Changes how the hospital guards logins and records; what is left out stays as it is. Who requires a second factor of admins must have one; admins without lose their sessions. For admins.';

revoke execute on function app_public.update_security_settings(boolean, interval, integer) from public;
grant execute on function app_public.update_security_settings(boolean, interval, integer) to app_admin;
--! EndIncluded functions/identity/update_security_settings.sql
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
--! Included functions/identity/admit_emergency_access.sql
-- Whose it is, since when and until when is written here, whatever a client says. The account is locked, so
-- that its accesses in force are counted one after another. Definer, because who takes it may not see the
-- patient, nor lock the account.
create or replace function app_private.admit_emergency_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
begin
  new.account_id := coalesce(app_private.claim_account_id(), new.account_id);
  new.granted_at := instant;
  select instant + hospital.emergency_access_duration into new.expires_at
  from app_public.hospital
  where hospital.id = new.hospital_id;
  if not exists (
    select from app_public.patient where patient.hospital_id = new.hospital_id and patient.id = new.patient_id)
  then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', new.patient_id));
  end if;

  perform from app_public.account
  where account.hospital_id = new.hospital_id and account.id = new.account_id
  for no key update;
  if (
    select count(*) >= 5
    from app_public.emergency_access
    where emergency_access.hospital_id = new.hospital_id and emergency_access.account_id = new.account_id
      and emergency_access.expires_at > instant and emergency_access.revoked_at is null)
  then
    perform app_private.refuse('too_many_emergencies', '{"most": 5}');
  end if;
  return new;
end
$$;

comment on function app_private.admit_emergency_access() is
  'Trigger: dates an emergency access, and refuses the sixth in force of an account.';

revoke execute on function app_private.admit_emergency_access() from public;

create or replace trigger emergency_access_is_admitted
  before insert on app_public.emergency_access
  for each row execute function app_private.admit_emergency_access();
--! EndIncluded functions/identity/admit_emergency_access.sql
--! Included functions/identity/tell_of_emergency_access.sql
-- Every other admin is told at once, in the same transaction: no access without that. Definer, because no role
-- may write to others' inboxes.
create or replace function app_private.tell_of_emergency_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  template app_public.notification_template;
  taker_name text;
  patient_name text;
begin
  select account.display_name into taker_name
  from app_public.account
  where account.hospital_id = new.hospital_id and account.id = new.account_id;
  select patient.name into patient_name
  from app_public.patient
  where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
  select * into template
  from app_public.notification_template
  where notification_template.event = 'record_opened_in_emergency' and notification_template.audience = 'staff';

  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select new.hospital_id, account.id, template.event, template.priority, template.channels, template.title,
    app_private.fill_template(template.body, patient_name, taker_name, null, null, jsonb_build_object('reason', new.reason)),
    app_private.clock()
  from app_public.account
  where account.hospital_id = new.hospital_id and account.role = 'admin' and account.is_active
    and account.id <> new.account_id;
  perform app_private.record_security_event(
    new.hospital_id, 'break_glass', new.account_id,
    jsonb_build_object('emergency_access_id', new.id, 'patient_id', new.patient_id));
  return null;
end
$$;

comment on function app_private.tell_of_emergency_access() is
  'Trigger: tells the admins of an emergency access, and writes the event.';

revoke execute on function app_private.tell_of_emergency_access() from public;

create or replace trigger emergency_access_is_told
  after insert on app_public.emergency_access
  for each row execute function app_private.tell_of_emergency_access();
--! EndIncluded functions/identity/tell_of_emergency_access.sql
--! Included functions/identity/guard_emergency_access.sql
-- An emergency access is ended early, and reviewed, once each; who and when is written here. Nobody reviews
-- their own. Definer, because it writes events, which no role may.
create or replace function app_private.guard_emergency_access() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  actor_id uuid := app_private.claim_account_id();
begin
  if new.revoked_at is distinct from old.revoked_at then
    if old.revoked_at is not null or old.expires_at <= instant then
      perform app_private.refuse('emergency_access_over', jsonb_build_object('emergency_access_id', old.id));
    end if;
    new.revoked_at := instant;
    new.revoked_by := actor_id;
    perform app_private.record_security_event(
      new.hospital_id, 'emergency_access_revoked', new.account_id, jsonb_build_object('emergency_access_id', new.id));
  end if;
  if (new.verdict, new.review_note) is distinct from (old.verdict, old.review_note) then
    if actor_id = old.account_id then
      perform app_private.refuse('own_emergency_access');
    end if;
    if old.verdict is not null then
      perform app_private.refuse('emergency_access_reviewed', jsonb_build_object('emergency_access_id', old.id));
    end if;
    new.reviewed_at := instant;
    new.reviewed_by := actor_id;
    perform app_private.record_security_event(
      new.hospital_id, 'emergency_access_reviewed', new.account_id,
      jsonb_build_object('emergency_access_id', new.id, 'verdict', new.verdict));
  end if;
  return new;
end
$$;

comment on function app_private.guard_emergency_access() is
  'Trigger: judges the end and the review of an emergency access, and writes by whom and when.';

revoke execute on function app_private.guard_emergency_access() from public;

create or replace trigger emergency_access_change_is_guarded
  before update of revoked_at, verdict on app_public.emergency_access
  for each row execute function app_private.guard_emergency_access();
--! EndIncluded functions/identity/guard_emergency_access.sql
--! Included functions/identity/break_glass.sql
-- Asked again while one is in force, it returns that one: whoever repeats a request gets its first answer.
create or replace function app_public.break_glass(patient_id uuid, reason text)
returns app_public.emergency_access
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  own_id uuid := app_private.claim_account_id();
  granted app_public.emergency_access;
begin
  perform app_private.guard_input(jsonb_build_object(
    'reason', case when coalesce(length(btrim(reason)), 0) not between 10 and 2000 then 'is not 10 to 2000 characters long' end));
  select * into granted
  from app_public.emergency_access
  where emergency_access.hospital_id = hospital
    and emergency_access.id = app_private.has_emergency_access(hospital, own_id, break_glass.patient_id);
  if found then
    return granted;
  end if;
  insert into app_public.emergency_access (hospital_id, patient_id, reason)
  values (hospital, break_glass.patient_id, btrim(break_glass.reason))
  returning * into granted;
  return granted;
end
$$;

comment on function app_public.break_glass(uuid, text) is
  'Opens the record of a patient in an emergency, for a while; every admin is told at once, and one reviews it. At most five at a time. For doctors, nurses and admins.';

revoke execute on function app_public.break_glass(uuid, text) from public;
grant execute on function app_public.break_glass(uuid, text) to app_doctor, app_nurse, app_admin;
--! EndIncluded functions/identity/break_glass.sql
--! Included functions/identity/revoke_emergency_access.sql
create or replace function app_public.revoke_emergency_access(emergency_access_id uuid)
returns app_public.emergency_access
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.emergency_access;
begin
  -- 'infinity' only says: now. The trigger writes the instant.
  update app_public.emergency_access
  set revoked_at = 'infinity'
  where emergency_access.hospital_id = hospital and emergency_access.id = emergency_access_id
  returning * into changed;
  if not found then
    perform app_private.refuse(
      'emergency_access_not_found', jsonb_build_object('emergency_access_id', emergency_access_id));
  end if;
  return changed;
end
$$;

comment on function app_public.revoke_emergency_access(uuid) is
  'Ends an emergency access that is in force. For admins.';

revoke execute on function app_public.revoke_emergency_access(uuid) from public;
grant execute on function app_public.revoke_emergency_access(uuid) to app_admin;
--! EndIncluded functions/identity/revoke_emergency_access.sql
--! Included functions/identity/review_emergency_access.sql
create or replace function app_public.review_emergency_access(
  emergency_access_id uuid, verdict app_public.emergency_verdict, note text default null)
returns app_public.emergency_access
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.emergency_access;
begin
  perform app_private.guard_input(jsonb_build_object(
    'verdict', case when verdict is null then 'is missing' end,
    'note', case when length(note) > 2000 then 'has more than 2000 characters' end));
  update app_public.emergency_access
  set verdict = review_emergency_access.verdict, review_note = note
  where emergency_access.hospital_id = hospital and emergency_access.id = emergency_access_id
  returning * into changed;
  if not found then
    perform app_private.refuse(
      'emergency_access_not_found', jsonb_build_object('emergency_access_id', emergency_access_id));
  end if;
  return changed;
end
$$;

comment on function app_public.review_emergency_access(uuid, app_public.emergency_verdict, text) is
  'Says whether an emergency access was justified; once, and never of one''s own. For admins.';

revoke execute on function app_public.review_emergency_access(uuid, app_public.emergency_verdict, text) from public;
grant execute on function app_public.review_emergency_access(uuid, app_public.emergency_verdict, text) to app_admin;
--! EndIncluded functions/identity/review_emergency_access.sql
--! Included functions/identity/tidy_login.sql
-- Every night: invitations whose time has passed are marked so, links and challenges that nobody can use any
-- more, settled mails of a month ago and events older than the hospital keeps them go. Definer, because no
-- role may delete any of it.
create or replace function app_private.tidy_login(hospital_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  limit_of_memory timestamptz;
begin
  update app_public.invitation
  set status = 'expired'
  where invitation.hospital_id = tidy_login.hospital_id
    and invitation.status = 'pending' and invitation.expires_at <= instant;
  delete from app_private.login_token
  where login_token.hospital_id = tidy_login.hospital_id and login_token.expires_at <= instant;
  delete from app_private.outgoing_mail
  where outgoing_mail.hospital_id = tidy_login.hospital_id
    and coalesce(outgoing_mail.sent_at, outgoing_mail.failed_at) < instant - interval '30 days';

  select instant - make_interval(days => hospital.security_events_kept_days) into limit_of_memory
  from app_public.hospital
  where hospital.id = tidy_login.hospital_id;
  perform set_config('slotkeeper.housekeeping', 'on', true);
  delete from app_public.security_event
  where security_event.hospital_id = tidy_login.hospital_id and security_event.occurred_at < limit_of_memory;
  perform set_config('slotkeeper.housekeeping', '', true);
end
$$;

comment on function app_private.tidy_login(uuid) is
  'Marks what has expired of a hospital''s logins, and deletes what is not kept any longer.';

revoke execute on function app_private.tidy_login(uuid) from public;
grant execute on function app_private.tidy_login(uuid) to app_worker;
--! EndIncluded functions/identity/tidy_login.sql
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
--! Included policies/account.sql
-- Everybody sees their own account; admins see those of their hospital, and change what those may do, as far as
-- a trigger lets them (identity/guard_account). Accounts are made by the login functions.
alter table app_public.account enable row level security;
alter table app_public.account force row level security;

grant select on app_public.account to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (role, doctor_id, is_active) on app_public.account to app_admin;

drop policy if exists everybody_reads_their_own on app_public.account;
create policy everybody_reads_their_own on app_public.account for select to app_patient, app_doctor, app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.account;
create policy admins_read_their_hospital on app_public.account for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_their_hospital on app_public.account;
create policy admins_change_their_hospital on app_public.account for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.account;
create policy worker_reads_all on app_public.account for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.account;
create policy owner_maintains on app_public.account for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/account.sql
--! Included policies/invitation.sql
-- Invitations are the admins'. What became of one is written by triggers: an admin may only revoke it or send it
-- again, and see nothing of its link.
alter table app_public.invitation enable row level security;
alter table app_public.invitation force row level security;

grant select on app_public.invitation to app_admin;
grant insert (hospital_id, email, display_name, role, doctor_id) on app_public.invitation to app_admin;
grant update (status, sent_at) on app_public.invitation to app_admin;

drop policy if exists admins_read_their_hospital on app_public.invitation;
create policy admins_read_their_hospital on app_public.invitation for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_invite_into_their_hospital on app_public.invitation;
create policy admins_invite_into_their_hospital on app_public.invitation for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_their_hospital on app_public.invitation;
create policy admins_change_their_hospital on app_public.invitation for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.invitation;
create policy owner_maintains on app_public.invitation for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/invitation.sql
--! Included policies/security_event.sql
-- Admins read the events of their hospital, everybody their own. Nobody has a right to write: functions of the
-- login do, as the owner.
alter table app_public.security_event enable row level security;
alter table app_public.security_event force row level security;

grant select on app_public.security_event to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists everybody_reads_their_own on app_public.security_event;
create policy everybody_reads_their_own on app_public.security_event for select
  to app_patient, app_doctor, app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.security_event;
create policy admins_read_their_hospital on app_public.security_event for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.security_event;
create policy owner_maintains on app_public.security_event for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/security_event.sql
--! Included policies/emergency_access.sql
-- Who may take one reads their own; admins read all of their hospital, end and review them. Whose it is and until
-- when is written by a trigger.
alter table app_public.emergency_access enable row level security;
alter table app_public.emergency_access force row level security;

grant select on app_public.emergency_access to app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, patient_id, reason) on app_public.emergency_access to app_doctor, app_nurse, app_admin;
grant update (revoked_at, verdict, review_note) on app_public.emergency_access to app_admin;

drop policy if exists staff_read_their_own on app_public.emergency_access;
create policy staff_read_their_own on app_public.emergency_access for select to app_doctor, app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.emergency_access;
create policy admins_read_their_hospital on app_public.emergency_access for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_break_glass on app_public.emergency_access;
create policy staff_break_glass on app_public.emergency_access for insert to app_doctor, app_nurse, app_admin
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_change_their_hospital on app_public.emergency_access;
create policy admins_change_their_hospital on app_public.emergency_access for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.emergency_access;
create policy owner_maintains on app_public.emergency_access for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/emergency_access.sql

reset role;
