--! Previous: sha1:e226a6b3662ef0459b0c23e4796da349e32f4f0a
--! Hash: sha1:1b78418002cabf078b42defff22b27f840a68a35
--! Message: seals-and-history

--! split: 1-current.sql
-- Functions and rights: History that proves itself: seals of the audit log, an appointment as it was, and the checks of what the
-- log tells.
set local role app_owner;

--! Included policies/audit_seal.sql
-- Admins read the seals of their hospital. Nobody is granted to write one: the functions that seal do, as
-- the owner, who may add and read but neither change nor remove.
alter table app_public.audit_seal enable row level security;
alter table app_public.audit_seal force row level security;

grant select on app_public.audit_seal to app_admin;
revoke delete, truncate on app_public.audit_seal from app_owner;
-- The owner keeps the privilege of update, without a policy for it and against the trigger keep_seals:
-- Postgres asks it of whoever holds a row that another table refers to.

drop policy if exists admins_read_their_hospital on app_public.audit_seal;
create policy admins_read_their_hospital on app_public.audit_seal for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.audit_seal;
create policy owner_reads on app_public.audit_seal for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.audit_seal;
create policy owner_appends on app_public.audit_seal for insert to app_owner
  with check (true);
--! EndIncluded policies/audit_seal.sql
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
--! Included functions/audit/keep_seals.sql
-- Seals are append-only for everybody, the owner and a superuser's slip included: what a legal erasure
-- changes in sealed entries is told by another seal, never by changing one.
create or replace function app_private.keep_seals() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('audit_is_append_only', jsonb_build_object('audit_seal', old.number));
  return null;
end
$$;

comment on function app_private.keep_seals() is 'Trigger: refuses update and delete of seals of the audit log.';

revoke execute on function app_private.keep_seals() from public;

create or replace trigger seals_are_append_only
  before update of hospital_id, id, number, kind, batch_number, patient_id, entry_count, first_entry_id, last_entry_id, entries_hash, replaced_hash, previous_hash, hash, sealed_at on app_public.audit_seal
  for each row execute function app_private.keep_seals();

create or replace trigger seals_are_never_lost
  before delete on app_public.audit_seal
  for each row execute function app_private.keep_seals();
--! EndIncluded functions/audit/keep_seals.sql
--! Included functions/audit/audit_entry_text.sql
-- The text of an entry that is hashed: every column, in an order of its own, so that a column added later
-- does not break the seals of what was written before it. jsonb has one text for one value on every
-- version, instants are counted in seconds, and so neither a session's settings nor an upgrade change it.
create or replace function app_private.audit_entry_text(entry app_public.audit_entry) returns text
language sql stable parallel safe
return jsonb_build_array(
  entry.hospital_id, entry.id, entry.table_name, entry.record_id, entry.operation,
  entry.old_state, entry.new_state, entry.changed_columns,
  entry.actor_account_id, entry.actor_role, entry.request_id, entry.transaction_id,
  extract(epoch from entry.recorded_at))::text;

comment on function app_private.audit_entry_text(app_public.audit_entry) is
  'Everything that an entry of the audit log says, as one text that never changes by itself.';

revoke execute on function app_private.audit_entry_text(app_public.audit_entry) from public;
grant execute on function app_private.audit_entry_text(app_public.audit_entry) to app_monitor;
--! EndIncluded functions/audit/audit_entry_text.sql
--! Included functions/audit/audit_entry_digest.sql
-- 16 bytes of SHA-256 over the salt and the text: enough that nobody finds another entry with the same, and
-- a third of what it takes to keep them for every entry.
create or replace function app_private.audit_entry_digest(salt bytea, entry app_public.audit_entry) returns bytea
language sql stable parallel safe
return substring(sha256(salt || convert_to(app_private.audit_entry_text(entry), 'UTF8')) from 1 for 16);

comment on function app_private.audit_entry_digest(bytea, app_public.audit_entry) is
  'Digest of an entry of the audit log under a salt.';

revoke execute on function app_private.audit_entry_digest(bytea, app_public.audit_entry) from public;
grant execute on function app_private.audit_entry_digest(bytea, app_public.audit_entry) to app_monitor;
--! EndIncluded functions/audit/audit_entry_digest.sql
--! Included functions/audit/entries_hash.sql
-- Ids and digests of a batch in their order: neither can be changed, left out, added or swapped without
-- changing it.
create or replace function app_private.entries_hash(entry_ids bigint[], digests bytea[]) returns text
language sql immutable parallel safe
return (
  select encode(sha256(string_agg(int8send(entry.id) || entry.digest, ''::bytea order by entry.position)), 'hex')
  from unnest(entry_ids, digests) with ordinality as entry (id, digest, position));

comment on function app_private.entries_hash(bigint[], bytea[]) is 'SHA-256 of a batch of entries of the audit log.';

revoke execute on function app_private.entries_hash(bigint[], bytea[]) from public;
grant execute on function app_private.entries_hash(bigint[], bytea[]) to app_monitor;
--! EndIncluded functions/audit/entries_hash.sql
--! Included functions/audit/seal_hash.sql
-- Everything a seal says but its own hash; the hash of the seal before is part of it, and makes the chain.
create or replace function app_private.seal_hash(seal app_public.audit_seal) returns text
language sql stable parallel safe
return encode(sha256(convert_to(jsonb_build_array(
  seal.hospital_id, seal.id, seal.number, seal.kind, seal.batch_number, seal.patient_id, seal.entry_count,
  seal.first_entry_id, seal.last_entry_id, seal.entries_hash, seal.replaced_hash, seal.previous_hash,
  extract(epoch from seal.sealed_at))::text, 'UTF8')), 'hex');

comment on function app_private.seal_hash(app_public.audit_seal) is 'SHA-256 of a seal of the audit log.';

revoke execute on function app_private.seal_hash(app_public.audit_seal) from public;
grant execute on function app_private.seal_hash(app_public.audit_seal) to app_monitor;
--! EndIncluded functions/audit/seal_hash.sql
--! Included functions/audit/write_seal.sql
-- The next link of a hospital's chain. Whoever calls holds lock_seals, so no two links are made at once.
-- The mark is the second place that knows the newest seal: the end of the chain cannot be cut off unseen.
create or replace function app_private.write_seal(seal app_public.audit_seal) returns app_public.audit_seal
language plpgsql
as $$
declare
  mark app_private.audit_seal_mark;
begin
  select * into mark
  from app_private.audit_seal_mark
  where audit_seal_mark.hospital_id = seal.hospital_id;

  seal.id := app_private.new_id();
  seal.number := mark.last_number + 1;
  seal.batch_number := coalesce(seal.batch_number, seal.number);
  seal.previous_hash := mark.last_hash;
  seal.sealed_at := app_private.clock();
  seal.hash := app_private.seal_hash(seal);
  insert into app_public.audit_seal (
    hospital_id, id, number, kind, batch_number, patient_id, entry_count, first_entry_id, last_entry_id,
    entries_hash, replaced_hash, previous_hash, hash, sealed_at)
  values (
    seal.hospital_id, seal.id, seal.number, seal.kind, seal.batch_number, seal.patient_id, seal.entry_count,
    seal.first_entry_id, seal.last_entry_id, seal.entries_hash, seal.replaced_hash, seal.previous_hash,
    seal.hash, seal.sealed_at);
  update app_private.audit_seal_mark
  set last_number = seal.number, last_hash = seal.hash,
      last_entry_id = greatest(audit_seal_mark.last_entry_id, seal.last_entry_id)
  where audit_seal_mark.hospital_id = seal.hospital_id;
  return seal;
end
$$;

comment on function app_private.write_seal(app_public.audit_seal) is
  'Adds a seal to the chain of a hospital and returns it with its number and hashes.';

revoke execute on function app_private.write_seal(app_public.audit_seal) from public;
--! EndIncluded functions/audit/write_seal.sql
--! Included functions/audit/lock_seals.sql
-- Whoever seals, and whoever redacts what may be sealed, comes in turn: one of them a hospital. Nobody
-- who books takes it. It is the last lock of an erasure, and a sealer holds nothing else, so neither can
-- wait for the other in a circle.
create or replace function app_private.lock_seals(hospital_id uuid, is_waiting boolean default true) returns boolean
language plpgsql
as $$
begin
  if is_waiting then
    perform pg_advisory_xact_lock(hashtextextended(concat('audit_seal', hospital_id), 0));
    return true;
  end if;
  return pg_try_advisory_xact_lock(hashtextextended(concat('audit_seal', hospital_id), 0));
end
$$;

comment on function app_private.lock_seals(uuid, boolean) is
  'Locks the seals of a hospital until the end of the transaction; whether it has them, where it does not wait.';

revoke execute on function app_private.lock_seals(uuid, boolean) from public;
grant execute on function app_private.lock_seals(uuid, boolean) to app_eraser;
--! EndIncluded functions/audit/lock_seals.sql
--! Included functions/audit/seal_audit.sql
-- Seals the next entries of a hospital, at most so many, and returns how many; whoever calls again goes
-- on. Bookings take no part in it: an entry is written as ever, and read here a moment later.
--
-- Every entry is sealed exactly once. What can be seen is committed and can be sealed, in the order of
-- ids; what is sealed already is known by the contents of the last seals. But an entry with a lower id may
-- be committed later, so ids are only done with (settled_id) when no transaction is left that could
-- still show one: first the counter of ids is read, then this transaction takes its number. Whoever has a
-- greater one draws ids beyond the counter (a transaction has its number when it writes the row that an
-- entry tells of); when all with lesser ones are over, whatever they have written is seen by the next
-- statement. A transaction that stays open delays that and nothing else: entries beside it are sealed.
--
-- Numbers of transactions belong to one cluster. A dump that is restored elsewhere begins with lower ones:
-- a number that is still to come tells it, and then nothing of the old cluster is running any more. No
-- number is compared with one that an entry carries.
-- Definer, because no role may write seals. Two at once: the second one returns and leaves it to the first.
create or replace function app_private.seal_audit(hospital_id uuid, most integer default 1000) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  mark app_private.audit_seal_mark;
  is_new_transaction boolean := pg_current_xact_id_if_assigned() is null
    and current_setting('transaction_isolation') = 'read committed';
  counted bigint;
  running pg_snapshot;
  batch record;
  seal app_public.audit_seal;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not app_private.lock_seals(hospital_id, is_waiting => false) then
    return 0;
  end if;
  select audit_entry_id_seq.last_value - (not audit_entry_id_seq.is_called)::integer into counted
  from app_public.audit_entry_id_seq;
  select pg_current_snapshot() into running;
  perform pg_current_xact_id();

  select * into mark from app_private.audit_seal_mark where audit_seal_mark.hospital_id = seal_audit.hospital_id;
  if not found then
    insert into app_private.audit_seal_mark (hospital_id) values (seal_audit.hospital_id) returning * into mark;
  end if;

  with sealed as materialized (
    select unnest(content.entry_ids) as id
    from app_public.audit_seal as recent
    join app_private.audit_seal_content as content
      on content.hospital_id = seal_audit.hospital_id and content.seal_id = recent.id
    where recent.hospital_id = seal_audit.hospital_id
      and recent.last_entry_id > mark.settled_id
      and recent.kind = 'entries'
  ), unsealed as materialized (
    select entry.id
    from app_public.audit_entry as entry
    where entry.hospital_id = seal_audit.hospital_id
      and entry.id > mark.settled_id
      and not exists (select from sealed where sealed.id = entry.id)
    order by entry.id
    limit most
  ), salted as materialized (
    select unsealed.id, uuid_send(gen_random_uuid()) as salt from unsealed
  ), due as (
    select salted.id, salted.salt, app_private.audit_entry_digest(salted.salt, entry) as digest
    from salted
    join app_public.audit_entry as entry
      on entry.hospital_id = seal_audit.hospital_id and entry.id = salted.id
  )
  select count(*)::integer as entry_count, array_agg(due.id order by due.id) as entry_ids,
    array_agg(due.salt order by due.id) as salts, array_agg(due.digest order by due.id) as digests
  into batch
  from due;

  if batch.entry_count > 0 then
    seal.hospital_id := seal_audit.hospital_id;
    seal.kind := 'entries';
    seal.entry_count := batch.entry_count;
    seal.first_entry_id := batch.entry_ids[1];
    seal.last_entry_id := batch.entry_ids[batch.entry_count];
    seal.entries_hash := app_private.entries_hash(batch.entry_ids, batch.digests);
    seal := app_private.write_seal(seal);
    insert into app_private.audit_seal_content (hospital_id, seal_id, entry_ids, salts, digests)
    values (seal_audit.hospital_id, seal.id, batch.entry_ids, batch.salts, batch.digests);
  end if;

  -- With more left than a batch takes, ids are done with up to its last one. A transaction that had its number
  -- before, or looks at one snapshot only, cannot tell.
  if is_new_transaction then
    if mark.reached_transaction <= pg_snapshot_xmin(running) or mark.reached_transaction >= pg_snapshot_xmax(running) then
      mark.settled_id := case when batch.entry_count = most
        then least(mark.reached_id, seal.last_entry_id) else mark.reached_id end;
      if mark.settled_id = mark.reached_id then
        mark.reached_id := null;
        mark.reached_transaction := null;
      end if;
    end if;
    if mark.reached_id is null and counted > mark.settled_id then
      mark.reached_id := counted;
      mark.reached_transaction := pg_current_xact_id();
    end if;
    update app_private.audit_seal_mark
    set settled_id = mark.settled_id, reached_id = mark.reached_id, reached_transaction = mark.reached_transaction
    where audit_seal_mark.hospital_id = seal_audit.hospital_id
      and (audit_seal_mark.settled_id, audit_seal_mark.reached_id) is distinct from (mark.settled_id, mark.reached_id);
  end if;
  return batch.entry_count;
end
$$;

comment on function app_private.seal_audit(uuid, integer) is
  'Seals the next entries of a hospital''s audit log, at most so many, and returns how many.';

revoke execute on function app_private.seal_audit(uuid, integer) from public;
grant execute on function app_private.seal_audit(uuid, integer) to app_worker;
--! EndIncluded functions/audit/seal_audit.sql
--! Included functions/audit/hospitals_to_seal.sql
-- Where entries wait to be sealed, or what is sealed can be settled: one look at the end of each
-- hospital's log, however long it is. Definer, because nobody reads the marks.
create or replace function app_private.hospitals_to_seal() returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  running pg_snapshot := pg_current_snapshot();
begin
  return query
  select hospital.id
  from app_public.hospital
  left join app_private.audit_seal_mark as mark on mark.hospital_id = hospital.id
  cross join lateral (
    select entry.id
    from app_public.audit_entry as entry
    where entry.hospital_id = hospital.id
    order by entry.id desc
    limit 1
  ) as newest
  where newest.id > coalesce(mark.last_entry_id, 0)
    or newest.id > mark.settled_id and (
      mark.reached_transaction is null
      or mark.reached_transaction <= pg_snapshot_xmin(running)
      or mark.reached_transaction >= pg_snapshot_xmax(running));
end
$$;

comment on function app_private.hospitals_to_seal() is 'Hospitals whose audit log has entries to seal.';

revoke execute on function app_private.hospitals_to_seal() from public;
grant execute on function app_private.hospitals_to_seal() to app_worker;
--! EndIncluded functions/audit/hospitals_to_seal.sql
--! Included functions/audit/newest_seal.sql
-- Definer, because nobody reads the marks. It tells a number and a hash.
create or replace function app_private.newest_seal(hospital_id uuid, out number integer, out hash text)
returns setof record
language plpgsql stable security definer rows 1
set search_path = ''
as $$
begin
  return query
  select mark.last_number, mark.last_hash
  from app_private.audit_seal_mark as mark
  where mark.hospital_id = newest_seal.hospital_id and mark.last_number > 0;
end
$$;

comment on function app_private.newest_seal(uuid) is 'Number and hash of the newest seal of a hospital''s audit log.';

revoke execute on function app_private.newest_seal(uuid) from public;
grant execute on function app_private.newest_seal(uuid) to app_worker, app_monitor;
--! EndIncluded functions/audit/newest_seal.sql
--! Included functions/audit/altered_entries.sql
-- Which of these entries are not what was sealed: asked before they are redacted, so that a redaction
-- never makes an entry good that somebody had changed before.
-- Definer, because only the owner reads what seals close; for the eraser.
create or replace function app_private.altered_entries(hospital_id uuid, entry_ids bigint[]) returns bigint[]
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return array(
    select sealed.id
    from app_public.audit_seal as seal
    join app_private.audit_seal_content as content
      on content.hospital_id = altered_entries.hospital_id and content.seal_id = seal.id
    cross join lateral unnest(content.entry_ids, content.salts, content.digests) as sealed (id, salt, digest)
    left join app_public.audit_entry as entry
      on entry.hospital_id = altered_entries.hospital_id and entry.id = sealed.id
    where seal.hospital_id = altered_entries.hospital_id
      and seal.kind = 'entries'
      and exists (
        select from unnest(altered_entries.entry_ids) as wanted (id)
        where wanted.id between seal.first_entry_id and seal.last_entry_id)
      and sealed.id = any (altered_entries.entry_ids)
      and app_private.audit_entry_digest(sealed.salt, entry) is distinct from sealed.digest);
end
$$;

comment on function app_private.altered_entries(uuid, bigint[]) is
  'Those of these entries of the audit log that differ from what was sealed.';

revoke execute on function app_private.altered_entries(uuid, bigint[]) from public;
grant execute on function app_private.altered_entries(uuid, bigint[]) to app_eraser;
--! EndIncluded functions/audit/altered_entries.sql
--! Included functions/audit/seal_redaction.sql
-- Erasing a person changes sealed entries, lawfully. The chain tells it: for each batch concerned a seal
-- that names the person, the hash of the batch before and the hash after. Redacted entries get a new salt
-- and digest, and the old ones are forgotten: what is left, a hash under a salt that nobody has, cannot
-- be used to guess what an entry said. All others keep their digest, and so does an entry that was not
-- what had been sealed, or is not redacted now: its digest becomes one that fits nothing.
-- Only the eraser can call it, while it redacts. The same change by hand has no such seal, and a seal for
-- somebody who is not erased is found (redaction_unfounded).
-- Definer, because no role may write seals.
create or replace function app_private.seal_redaction(
  hospital_id uuid, patient_id uuid, redacted_ids bigint[], altered_ids bigint[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  touched record;
  anew record;
  seal app_public.audit_seal;
begin
  for touched in
    select batch.id, batch.number, batch.first_entry_id, batch.last_entry_id,
      content.entry_ids, content.salts, content.digests
    from app_public.audit_seal as batch
    join app_private.audit_seal_content as content
      on content.hospital_id = seal_redaction.hospital_id and content.seal_id = batch.id
    where batch.hospital_id = seal_redaction.hospital_id
      and batch.kind = 'entries'
      and exists (
        select from unnest(redacted_ids) as redacted (id)
        where redacted.id between batch.first_entry_id and batch.last_entry_id)
      and content.entry_ids && redacted_ids
    order by batch.number
  loop
    with sealed as materialized (
      select was.position, was.id, was.salt, was.digest,
        case when was.id = any (redacted_ids) then uuid_send(gen_random_uuid()) end as new_salt
      from unnest(touched.entry_ids, touched.salts, touched.digests) with ordinality as was (id, salt, digest, position)
    )
    select count(sealed.new_salt)::integer as entry_count,
      array_agg(coalesce(sealed.new_salt, sealed.salt) order by sealed.position) as salts,
      array_agg(case
        when sealed.new_salt is null then sealed.digest
        when sealed.id = any (altered_ids)
          or to_jsonb(entry) <> app_private.redacted_row('audit_entry', to_jsonb(entry)) then '\x00'
        else app_private.audit_entry_digest(sealed.new_salt, entry)
      end order by sealed.position) as digests
    into anew
    from sealed
    left join app_public.audit_entry as entry
      on entry.hospital_id = seal_redaction.hospital_id and entry.id = sealed.id and sealed.new_salt is not null;

    seal := null;
    seal.hospital_id := seal_redaction.hospital_id;
    seal.kind := 'redaction';
    seal.batch_number := touched.number;
    seal.patient_id := seal_redaction.patient_id;
    seal.entry_count := anew.entry_count;
    seal.first_entry_id := touched.first_entry_id;
    seal.last_entry_id := touched.last_entry_id;
    seal.replaced_hash := app_private.entries_hash(touched.entry_ids, touched.digests);
    seal.entries_hash := app_private.entries_hash(touched.entry_ids, anew.digests);
    perform app_private.write_seal(seal);
    update app_private.audit_seal_content
    set salts = anew.salts, digests = anew.digests
    where audit_seal_content.hospital_id = seal_redaction.hospital_id
      and audit_seal_content.seal_id = touched.id;
  end loop;
end
$$;

comment on function app_private.seal_redaction(uuid, uuid, bigint[], bigint[]) is
  'Seals that entries of the audit log were redacted because a person was erased.';

revoke execute on function app_private.seal_redaction(uuid, uuid, bigint[], bigint[]) from public;
grant execute on function app_private.seal_redaction(uuid, uuid, bigint[], bigint[]) to app_eraser;
--! EndIncluded functions/audit/seal_redaction.sql
--! Included functions/retention/redact_history.sql
-- The one function that changes what is otherwise never changed: entries of the log and rows of the
-- archive, and what for a record was read. It belongs to app_eraser, a role that nobody is a member of, and the triggers of both tables
-- let that role do nothing but redact rows about a person who has been erased (guard_redaction). Its
-- policies reach no further than the hospital of the request. Only erase_person calls it. Entries are
-- found by the records that they tell of, through the index, never by searching the log. While entries
-- are redacted nobody seals, so that each is sealed as it was before or as it is after, and what was sealed
-- before gets a seal of its redaction.
grant create on schema app_private to app_eraser;
set local role app_eraser;

create or replace function app_private.redact_history(hospital_id uuid, patient_id uuid, record_ids uuid[])
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  due bigint[];
  altered bigint[];
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

  perform app_private.lock_seals(hospital_id);
  due := array(
    select audit_entry.id
    from app_public.audit_entry
    where audit_entry.hospital_id = redact_history.hospital_id
      and audit_entry.record_id = any (redact_history.record_ids)
      and (audit_entry.old_state, audit_entry.new_state, audit_entry.changed_columns) is distinct from (
        app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
        app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
        app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns)));
  altered := app_private.altered_entries(hospital_id, due);
  update app_public.audit_entry
  set old_state = app_private.redacted_state(audit_entry.table_name, audit_entry.old_state),
      new_state = app_private.redacted_state(audit_entry.table_name, audit_entry.new_state),
      changed_columns = app_private.redacted_state(audit_entry.table_name, audit_entry.changed_columns)
  where audit_entry.hospital_id = redact_history.hospital_id and audit_entry.id = any (due);
  perform app_private.seal_redaction(hospital_id, patient_id, due, altered);
  return cardinality(due);
end
$$;

comment on function app_private.redact_history(uuid, uuid, uuid[]) is
  'Redacts what the archive and the audit log have of an erased person; returns how many audit entries changed.';

revoke execute on function app_private.redact_history(uuid, uuid, uuid[]) from public;
grant execute on function app_private.redact_history(uuid, uuid, uuid[]) to app_owner;

set local role app_owner;
revoke create on schema app_private from app_eraser;
--! EndIncluded functions/retention/redact_history.sql
--! Included functions/audit/keep_audit.sql
-- The log is append-only for everybody. Request roles have no privilege to change it; this trigger
-- stops the owner and a superuser's slip as well. The one exception is the redaction of an erased
-- person: only the role app_eraser, which nobody can become and which owns one function
-- (retention/redact_history), and only to what guard_redaction lets pass.
-- Sealed entries (seal_audit) change in that way as well; seal_redaction tells it in the chain.
create or replace function app_private.keep_audit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('audit_is_append_only', jsonb_build_object('audit_entry', old.id));
  return null;
end
$$;

comment on function app_private.keep_audit() is 'Trigger: refuses update and delete of audit entries.';

revoke execute on function app_private.keep_audit() from public;

create or replace trigger audit_is_append_only
  before update on app_public.audit_entry
  for each row when (current_user <> 'app_eraser')
  execute function app_private.keep_audit();

create or replace trigger audit_never_loses_an_entry
  before delete on app_public.audit_entry
  for each row execute function app_private.keep_audit();
--! EndIncluded functions/audit/keep_audit.sql
--! Included functions/audit/audit_problems.sql
-- What is wrong with the sealed log of a hospital, between two seals. Set-based: each entry and each seal
-- is read once, so the whole log can be asked for in psql.
-- 1. The chain: numbers without a gap up to the one the mark knows, each hash right and each seal naming
--    the hash of the one before.
-- 2. What a seal closes is what its last seal (the first one or a redaction) hashed; every redaction
--    replaced what was there and is about somebody who is erased.
-- 3. The entries: each as it was sealed, none gone.
-- 4. No entry where all is sealed that no seal knows, from the end of the batch before. An id can be closed by a seal outside the range,
--    when transactions overlapped; so all seals that reach into the ids asked for are looked at.
-- Definer, because only the owner reads what seals close. For check_audit, and operators in psql.
create or replace function app_private.audit_problems(
  hospital_id uuid, from_number integer default 1, to_number integer default 2147483647)
returns setof app_public.audit_problem
language plpgsql stable security definer rows 10
set search_path = ''
as $$
declare
  mark app_private.audit_seal_mark;
  span record;
begin
  select * into mark from app_private.audit_seal_mark where audit_seal_mark.hospital_id = audit_problems.hospital_id;
  select
    coalesce((
      select former.last_entry_id + 1
      from app_public.audit_seal as former
      where former.hospital_id = audit_problems.hospital_id and former.number < from_number and former.kind = 'entries'
      order by former.number desc
      limit 1), 0) as first_id,
    case when to_number < coalesce(mark.last_number, 0)
      then least(max(seal.last_entry_id) filter (where seal.kind = 'entries'), mark.settled_id)
      else mark.settled_id end as last_id
  into span
  from app_public.audit_seal as seal
  where seal.hospital_id = audit_problems.hospital_id and seal.number between from_number and to_number;

  return query
  select 'seal_missing'::app_public.audit_problem_kind, missing.number, null::bigint,
    format('Seal %s is not there any more.', missing.number)
  from generate_series(greatest(from_number, 1), least(to_number, mark.last_number)) as missing (number)
  where not exists (
    select from app_public.audit_seal as seal
    where seal.hospital_id = audit_problems.hospital_id and seal.number = missing.number);

  return query
  select judged.kind, seal.number, null::bigint, judged.detail
  from app_public.audit_seal as seal
  left join app_public.audit_seal as before
    on before.hospital_id = audit_problems.hospital_id and before.number = seal.number - 1
  left join app_private.audit_seal_content as content
    on content.hospital_id = audit_problems.hospital_id and content.seal_id = seal.id
  left join lateral (
    select redaction.entries_hash
    from app_public.audit_seal as redaction
    where redaction.hospital_id = audit_problems.hospital_id and redaction.batch_number = seal.number
      and redaction.kind = 'redaction' and redaction.number > seal.number
      and redaction.first_entry_id = seal.first_entry_id and redaction.last_entry_id = seal.last_entry_id
    order by redaction.number desc
    limit 1
  ) as redacted on true
  left join lateral (
    select former.entries_hash
    from app_public.audit_seal as former
    where former.hospital_id = audit_problems.hospital_id and former.batch_number = seal.batch_number
      and former.number < seal.number and former.last_entry_id = seal.last_entry_id
    order by former.number desc
    limit 1
  ) as replaced on true
  cross join lateral (
    select 'seal_altered'::app_public.audit_problem_kind, format('Seal %s was changed: it does not fit its hash.', seal.number)
    where seal.hash <> app_private.seal_hash(seal)
    union all
    select 'chain_broken'::app_public.audit_problem_kind, format('Seal %s does not follow seal %s.', seal.number, seal.number - 1)
    where seal.number > 1 and before.hash <> seal.previous_hash
      or seal.number = mark.last_number and seal.hash <> mark.last_hash
      or seal.number > coalesce(mark.last_number, 0)
    union all
    select 'content_altered'::app_public.audit_problem_kind,
      format('What seal %s closes was changed: it does not fit its hash.', seal.number)
    where seal.kind = 'entries'
      and (content.seal_id is null
        or cardinality(content.entry_ids) <> seal.entry_count
        or app_private.entries_hash(content.entry_ids, content.digests)
          is distinct from coalesce(redacted.entries_hash, seal.entries_hash))
    union all
    select 'redaction_unfounded'::app_public.audit_problem_kind,
      format('Seal %s tells of a redaction that nothing explains.', seal.number)
    where seal.kind = 'redaction'
      and (replaced.entries_hash is distinct from seal.replaced_hash
        or not exists (
          select from app_public.patient
          where patient.hospital_id = audit_problems.hospital_id and patient.id = seal.patient_id
            and patient.erased_at is not null))
  ) as judged (kind, detail)
  where seal.hospital_id = audit_problems.hospital_id and seal.number between from_number and to_number
  order by seal.number;

  return query
  select case when entry.id is null then 'entry_missing' else 'entry_altered' end::app_public.audit_problem_kind,
    seal.number, sealed.id,
    case when entry.id is null
      then format('Entry %s, which seal %s closes, is not there any more.', sealed.id, seal.number)
      else format('Entry %s is not what seal %s closed.', sealed.id, seal.number) end
  from app_public.audit_seal as seal
  join app_private.audit_seal_content as content
    on content.hospital_id = audit_problems.hospital_id and content.seal_id = seal.id
  cross join lateral unnest(content.entry_ids, content.salts, content.digests) as sealed (id, salt, digest)
  left join app_public.audit_entry as entry
    on entry.hospital_id = audit_problems.hospital_id and entry.id = sealed.id
  where seal.hospital_id = audit_problems.hospital_id and seal.number between from_number and to_number
    and (entry.id is null or app_private.audit_entry_digest(sealed.salt, entry) is distinct from sealed.digest)
  order by sealed.id;

  return query
  select 'entry_added'::app_public.audit_problem_kind, null::integer, entry.id,
    format('Entry %s stands where all was sealed, and no seal closes it.', entry.id)
  from app_public.audit_entry as entry
  where entry.hospital_id = audit_problems.hospital_id
    and entry.id between span.first_id and span.last_id
    and not exists (
      select from (
        select unnest(content.entry_ids) as id
        from app_public.audit_seal as seal
        join app_private.audit_seal_content as content
          on content.hospital_id = audit_problems.hospital_id and content.seal_id = seal.id
        where seal.hospital_id = audit_problems.hospital_id
          and seal.first_entry_id <= span.last_id and seal.last_entry_id >= span.first_id
      ) as sealed
      where sealed.id = entry.id)
  order by entry.id;
end
$$;

comment on function app_private.audit_problems(uuid, integer, integer) is
  'What is wrong with the sealed audit log of a hospital, between two seals; no row where nothing is.';

revoke execute on function app_private.audit_problems(uuid, integer, integer) from public;
grant execute on function app_private.audit_problems(uuid, integer, integer) to app_worker, app_monitor;
--! EndIncluded functions/audit/audit_problems.sql
--! Included functions/audit/check_audit.sql
-- Looked at before it is read: how many entries are asked for, because verifying reads every one of them, and
-- a request has five seconds. Definer, because only the owner reads what seals close; it answers for the
-- hospital of the request only.
create or replace function app_private.check_audit(
  hospital_id uuid, sealed_from timestamptz, sealed_until timestamptz, known_hash text, most integer default 50000)
returns app_public.audit_verification
language plpgsql stable security definer
set search_path = ''
as $$
declare
  span record;
  found_problems app_public.audit_problem[];
  newest_hash text;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select min(seal.number) as first_number, max(seal.number) as last_number,
    coalesce(sum(seal.entry_count) filter (where seal.kind = 'entries'), 0)::integer as entry_count
  into span
  from app_public.audit_seal as seal
  where seal.hospital_id = check_audit.hospital_id
    and seal.sealed_at >= coalesce(check_audit.sealed_from, '-infinity')
    and seal.sealed_at <= coalesce(check_audit.sealed_until, 'infinity');
  if span.entry_count > most then
    perform app_private.refuse('audit_range_too_long',
      jsonb_build_object('entry_count', span.entry_count, 'most', most));
  end if;

  found_problems := array(
    select problem
    from app_private.audit_problems(check_audit.hospital_id,
      case when check_audit.sealed_from is null then 1 else coalesce(span.first_number, 1) end,
      case when check_audit.sealed_until is null then 2147483647 else coalesce(span.last_number, 0) end) as problem);
  if known_hash is not null and not exists (
    select from app_public.audit_seal as seal
    where seal.hospital_id = check_audit.hospital_id and seal.hash = check_audit.known_hash)
  then
    found_problems := found_problems || row(
      'hash_unknown', null, null, 'No seal has the hash that you kept: the chain was written anew, or it is of another hospital.')::app_public.audit_problem;
  end if;
  select seal.hash into newest_hash
  from app_public.audit_seal as seal
  where seal.hospital_id = check_audit.hospital_id and seal.number = span.last_number;

  return row(
    cardinality(found_problems) = 0,
    span.first_number,
    span.last_number,
    newest_hash,
    span.entry_count,
    (select entry.recorded_at
     from app_public.audit_entry as entry
     where entry.hospital_id = check_audit.hospital_id
       and entry.id > coalesce((
         select mark.last_entry_id from app_private.audit_seal_mark as mark
         where mark.hospital_id = check_audit.hospital_id), 0)
     order by entry.id
     limit 1),
    cardinality(found_problems),
    found_problems[1:100])::app_public.audit_verification;
end
$$;

comment on function app_private.check_audit(uuid, timestamptz, timestamptz, text, integer) is
  'Whether what was sealed of a hospital''s audit log between two instants is as it was.';

revoke execute on function app_private.check_audit(uuid, timestamptz, timestamptz, text, integer) from public;
grant execute on function app_private.check_audit(uuid, timestamptz, timestamptz, text, integer) to app_admin;
--! EndIncluded functions/audit/check_audit.sql
--! Included functions/audit/verify_audit.sql
-- Thin: the seals are read with raised rights, for the hospital of the request.
create or replace function app_public.verify_audit(
  sealed_from timestamptz default null, sealed_until timestamptz default null, known_hash text default null)
returns app_public.audit_verification
language plpgsql stable
as $$
begin
  return app_private.check_audit(app_private.request_hospital_id(), sealed_from, sealed_until, known_hash);
end
$$;

comment on function app_public.verify_audit(timestamptz, timestamptz, text) is
  'Verifies the sealed audit log: that no entry was changed, removed or added since it was sealed, and that the chain of seals is whole. At most 50,000 entries at a time: give a range. A hash that you kept elsewhere proves that the chain was not written anew. For admins.';

revoke execute on function app_public.verify_audit(timestamptz, timestamptz, text) from public;
grant execute on function app_public.verify_audit(timestamptz, timestamptz, text) to app_admin;
--! EndIncluded functions/audit/verify_audit.sql
--! Included functions/booking/read_past_appointment.sql
-- The state that the last entry up to an instant left. Entries of one appointment are in the order in which
-- its lock was passed on, which is that of their ids; the instant of an entry is that at which its
-- transaction began, as everywhere. What an erased person said is not told: no words are, only states,
-- times and who acted. It runs as the owner, because not all staff read the log, and asks the log itself
-- whether the caller may: staff of the hospital. What is not theirs and what is not there look alike.
-- An entry of a counter that was repaired tells no state and is passed over.
create or replace function app_private.read_past_appointment(
  hospital_id uuid, appointment_id uuid, instant timestamptz)
returns app_public.past_appointment
language plpgsql stable security definer
set search_path = ''
as $$
declare
  told app_public.audit_entry;
  later integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not exists (
    select from app_public.audit_entry as entry
    where entry.hospital_id = read_past_appointment.hospital_id
      and entry.record_id = read_past_appointment.appointment_id
      and entry.table_name = 'appointment')
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;

  select entry.* into told
  from app_public.audit_entry as entry
  where entry.hospital_id = read_past_appointment.hospital_id
    and entry.record_id = read_past_appointment.appointment_id
    and entry.table_name = 'appointment'
    and entry.recorded_at <= read_past_appointment.instant
    and (entry.new_state ? 'status' or entry.operation = 'delete')
  order by entry.id desc
  limit 1;
  if told.id is null or told.operation = 'delete' then
    return null;
  end if;
  select count(*) into later
  from app_public.audit_entry as entry
  where entry.hospital_id = read_past_appointment.hospital_id
    and entry.record_id = read_past_appointment.appointment_id
    and entry.table_name = 'appointment'
    and entry.id > told.id;

  return row(
    read_past_appointment.appointment_id,
    told.new_state ->> 'status',
    told.new_state ->> 'slot_id',
    told.new_state ->> 'doctor_id',
    told.new_state ->> 'patient_id',
    told.new_state ->> 'location_id',
    told.new_state ->> 'service_id',
    told.new_state ->> 'starts_at',
    told.new_state ->> 'ends_at',
    told.new_state ->> 'held_until',
    told.recorded_at,
    told.actor_role,
    told.actor_account_id,
    told.id,
    later)::app_public.past_appointment;
end
$$;

comment on function app_private.read_past_appointment(uuid, uuid, timestamptz) is
  'An appointment as it was at an instant, from the audit log; null before it was made and after it was removed.';

revoke execute on function app_private.read_past_appointment(uuid, uuid, timestamptz) from public;
grant execute on function app_private.read_past_appointment(uuid, uuid, timestamptz)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/read_past_appointment.sql
--! Included functions/booking/appointment_as_of.sql
-- Not for patients: appointment_history tells them what happened to their own.
create or replace function app_public.appointment_as_of(appointment_id uuid, instant timestamptz)
returns app_public.past_appointment
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.read_past_appointment(hospital, appointment_id, instant);
end
$$;

comment on function app_public.appointment_as_of(uuid, timestamptz) is
  'An appointment as it was at an instant: state, time, doctor, and who had made it so; also of an archived one. Null before it was made; at an instant ahead it is as it is now. For staff.';

revoke execute on function app_public.appointment_as_of(uuid, timestamptz) from public;
grant execute on function app_public.appointment_as_of(uuid, timestamptz)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/appointment_as_of.sql
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
--! Included checks/history/illegal_transition_in_audit.sql
-- The table of transitions says what may happen and to whom; the log says what did, whoever did it and by
-- whatever way. A repair acts as the worker, an operator may do what anybody may. The list is a
-- handful of texts that each entry is looked up in while the log is read once; of an update only the few
-- changed columns are read, unless they name a state.
-- What happened does not change any more, and what is sealed cannot: of sealed entries those of the last
-- 35 days are judged, 35 times each, by the rules of their time, and those since the first of
-- which a finding is still open. Of a hospital that nobody seals everything is.
create or replace view checks.illegal_transition_in_audit as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.record_id as entity_id,
  case
    when broken.operation = 'delete' then
      format('The log tells that the appointment was removed while it was %s, by the role %s.', broken.from_status, broken.actor_role)
    when broken.is_listed then
      format('The log tells that the appointment went from %s to %s, which the role %s may not do.',
        coalesce(broken.from_status, 'nothing'), broken.to_status, broken.actor_role)
    else
      format('The log tells that the appointment went from %s to %s, which nobody may do.',
        coalesce(broken.from_status, 'nothing'), coalesce(broken.to_status, 'nothing'))
  end as detail,
  jsonb_build_object('audit_entry_id', broken.id, 'from_status', broken.from_status, 'to_status', broken.to_status,
    'actor_role', broken.actor_role, 'recorded_at', broken.recorded_at) as metadata,
  concat_ws(':', entry.name, broken.record_id, broken.id) as cache_key
from (
  select log.hospital_id, log.id, log.record_id, log.operation, log.actor_role, log.recorded_at,
    log.old_state ->> 'status' as from_status, log.new_state ->> 'status' as to_status,
    exists (
      select from app_public.appointment_transition as listed
      where coalesce(listed.from_status::text, '') = coalesce(log.old_state ->> 'status', '')
        and listed.to_status::text = log.new_state ->> 'status') as is_listed
  from (
    select hospital.id as hospital_id, case when mark.hospital_id is null then 0
      else least(mark.settled_id, recent.first_entry_id, known.first_entry_id) end as first_id
    from app_public.hospital
    left join app_private.audit_seal_mark as mark on mark.hospital_id = hospital.id
    left join lateral (
      select min(seal.first_entry_id) as first_entry_id
      from app_public.audit_seal as seal
      where seal.hospital_id = hospital.id
        and seal.kind = 'entries'
        and seal.sealed_at > (select app_private.clock()) - interval '35 days'
    ) as recent on true
    left join lateral (
      select min((finding.metadata ->> 'audit_entry_id')::bigint) as first_entry_id
      from app_public.finding
      where finding.hospital_id = hospital.id
        and finding.check_name = 'illegal_transition_in_audit'
        and finding.resolved_at is null
    ) as known on true
  ) as judged
  join app_public.audit_entry as log on log.hospital_id = judged.hospital_id
  where log.table_name = 'appointment'
    and log.id >= judged.first_id
    and (log.operation <> 'update' or log.changed_columns ? 'status')
    and case
      when log.id < judged.first_id then false
      when log.operation = 'delete' then log.old_state ->> 'status' in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress')
      else (
        coalesce(log.old_state ->> 'status', ''),
        coalesce(coalesce(log.changed_columns, log.new_state) ->> 'status', ''),
        case when log.actor_role like 'repair:%' then 'worker' else log.actor_role end
      ) not in (
        select coalesce(listed.from_status::text, ''), listed.to_status::text, allowed.role
        from app_public.appointment_transition as listed
        cross join lateral unnest(listed.roles || 'operator'::text) as allowed (role))
    end
) as broken
join app_public.health_check as entry on entry.name = 'illegal_transition_in_audit';

comment on view checks.illegal_transition_in_audit is
  'Changes of state in the audit log that the state machine does not allow, or not to who made them.';
revoke all on checks.illegal_transition_in_audit from public;
grant select on checks.illegal_transition_in_audit to app_monitor;

select app_private.declare_check(
  name => 'illegal_transition_in_audit', domain => 'history', severity => 'critical', entity_type => 'appointment',
  title => 'An appointment changed in a way that is not allowed',
  meaning => 'The audit log tells of a change of state that the state machine does not list, or not for the role that made it.',
  importance => 'A rule was switched off or gone round: other appointments may have changed the same way, and nobody can tell who was right.',
  resolution => 'Read the appointment''s history, find out how the rule was passed (missing_guard names what is switched off), and bring the appointment into its right state.',
  remedy => 'review');
--! EndIncluded checks/history/illegal_transition_in_audit.sql
--! Included checks/history/reschedule_kept_old_seat.sql
-- A move gives up all its old seats in the transaction that takes the new ones. What is left of an old one
-- is either a row of a further seat away from the visit, or a count in the slot that was left that no
-- appointment and no further seat explains. A further seat for a buffer lies beside the visit, at most the
-- two hours that a buffer may take away; a nearer one is old only if the visit was moved out of it and
-- the service's buffers do not need it.
create or replace view checks.reschedule_kept_old_seat as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.appointment_id as entity_id,
  broken.detail,
  jsonb_build_object('slot_id', broken.slot_id, 'doctor_id', broken.doctor_id) || broken.facts as metadata,
  concat_ws(':', entry.name, broken.appointment_id, broken.slot_id) as cache_key
from (
  select seat.hospital_id, seat.appointment_id, seat.slot_id, seat.doctor_id,
    'The appointment was moved and still holds a seat in a slot that it left.' as detail,
    jsonb_build_object('seat_starts_at', slot.starts_at, 'starts_at', visit.starts_at) as facts
  from app_public.appointment_seat as seat
  join app_public.appointment as visit on visit.hospital_id = seat.hospital_id and visit.id = seat.appointment_id
  join app_public.slot on slot.hospital_id = seat.hospital_id and slot.id = seat.slot_id
  left join app_public.service on service.hospital_id = visit.hospital_id and service.id = visit.service_id
  where visit.rescheduled_from is not null
    and visit.holds_seat
    and (slot.doctor_id <> visit.doctor_id
      or slot.ends_at <= visit.starts_at - interval '2 hours'
      or slot.starts_at >= visit.ends_at + interval '2 hours'
      or (slot.ends_at <= visit.starts_at - coalesce(service.buffer_before, interval '0')
          or slot.starts_at >= visit.ends_at + coalesce(service.buffer_after, interval '0'))
        and exists (
          select from app_public.appointment_move as move
          where move.hospital_id = seat.hospital_id and move.appointment_id = seat.appointment_id
            and move.from_slot_id = seat.slot_id))
  union all
  select departure.hospital_id, departure.appointment_id, slot.id, slot.doctor_id,
    format('The appointment was moved away, and the slot that it left still counts %s of %s seats too many.',
      slot.booked_count - held.seats, slot.booked_count),
    jsonb_build_object('booked_count', slot.booked_count, 'seated', held.seats)
  from (
    select move.hospital_id, move.appointment_id, move.from_slot_id
    from app_public.appointment_move as move
    union
    select visit.hospital_id, visit.id, visit.rescheduled_from
    from app_public.appointment as visit
    where visit.rescheduled_from is not null
  ) as departure
  join app_public.slot
    on slot.hospital_id = departure.hospital_id and slot.id = departure.from_slot_id and slot.booked_count > 0
  cross join lateral (
    select (
      select count(*) from app_public.appointment as visit
      where visit.hospital_id = slot.hospital_id and visit.slot_id = slot.id and visit.holds_seat
    ) + (
      select count(*) from app_public.appointment_seat as seat
      where seat.hospital_id = slot.hospital_id and seat.slot_id = slot.id
    ) as seats
  ) as held
  where slot.booked_count > held.seats
) as broken
join app_public.health_check as entry on entry.name = 'reschedule_kept_old_seat';

comment on view checks.reschedule_kept_old_seat is
  'Appointments that were moved, and of whose old seat something is left.';
revoke all on checks.reschedule_kept_old_seat from public;
grant select on checks.reschedule_kept_old_seat to app_monitor;

select app_private.declare_check(
  name => 'reschedule_kept_old_seat', domain => 'history', severity => 'critical', entity_type => 'appointment',
  title => 'A moved appointment has kept its old seat',
  meaning => 'The appointment was moved to another slot, but a seat of the slot that it left is still held or counted.',
  importance => 'Nobody sits in that seat and nobody can book it; at a full slot patients are turned away for nothing.',
  resolution => 'Look at the slot that was left. A count alone is put right by slot_counter_mismatch; a further seat that is left has to be removed after asking whether the visit needs it.',
  remedy => 'review', is_event_driven => true);
--! EndIncluded checks/history/reschedule_kept_old_seat.sql
--! Included checks/history/half_applied_import.sql
-- An import stores all of its rows or nothing. So a run has as many rows as it says, and each names a record
-- that is there, is archived, or was removed since by somebody whom the log names.
create or replace view checks.half_applied_import as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The import brought %s rows, but %s are remembered and %s of their records are missing.',
    broken.row_count, broken.remembered, broken.missing) as detail,
  jsonb_build_object('kind', broken.kind, 'row_count', broken.row_count, 'remembered', broken.remembered,
    'missing', broken.missing, 'first_missing_row', broken.first_missing_row, 'imported_at', broken.imported_at) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select run.hospital_id, run.id, run.kind, run.row_count, run.imported_at, brought.remembered, brought.missing,
    brought.first_missing_row
  from app_public.import_run as run
  cross join lateral (
    select count(*) as remembered,
      count(*) filter (where judged.is_missing) as missing,
      min(brought_row.row_number) filter (where judged.is_missing) as first_missing_row
    from app_public.imported_row as brought_row
    cross join lateral (
      select case run.kind
        when 'doctors' then not exists (
          select from app_public.doctor
          where doctor.hospital_id = run.hospital_id and doctor.id = brought_row.record_id)
        when 'patients' then not exists (
          select from app_public.patient
          where patient.hospital_id = run.hospital_id and patient.id = brought_row.record_id)
        when 'schedules' then not exists (
          select from app_public.schedule
          where schedule.hospital_id = run.hospital_id and schedule.id = brought_row.record_id)
        when 'appointments' then not exists (
            select from app_public.appointment
            where appointment.hospital_id = run.hospital_id and appointment.id = brought_row.record_id)
          and not exists (
            select from app_public.appointment_archive as archived
            where archived.hospital_id = run.hospital_id and archived.id = brought_row.record_id)
      end and not exists (
        select from app_public.audit_entry as log
        where log.hospital_id = run.hospital_id and log.record_id = brought_row.record_id and log.operation = 'delete'
      ) as is_missing
    ) as judged
    where brought_row.hospital_id = run.hospital_id and brought_row.run_id = run.id
  ) as brought
  where brought.remembered <> run.row_count or brought.missing > 0
) as broken
join app_public.health_check as entry on entry.name = 'half_applied_import';

comment on view checks.half_applied_import is
  'Imports of which not every row became a record, though an import stores all or nothing.';
revoke all on checks.half_applied_import from public;
grant select on checks.half_applied_import to app_monitor;

select app_private.declare_check(
  name => 'half_applied_import', domain => 'history', severity => 'critical', entity_type => 'import_run',
  title => 'An import is only half there',
  meaning => 'The import has fewer or more remembered rows than it brought, or records that it made are gone without a trace.',
  importance => 'Patients, doctors, hours or visits that everybody believes to be there are not, and the same file cannot be imported again.',
  resolution => 'Compare the file with the rows that are remembered, and enter what is missing; where a restore has lost it, restore again.',
  remedy => 'review');
--! EndIncluded checks/history/half_applied_import.sql
--! Included checks/history/audit_gap.sql
-- The last entry of a record is the row as it now stands, in the columns that decide something; a row
-- without an entry was put there by a hand, and an entry without its row was left by one. Compared is only
-- what the log keeps in words: nothing that it withholds, nothing that an erased person takes out of it, and
-- nothing that its last entry does not tell (of a repaired counter it tells the counter). An archived
-- appointment stands in the archive, which got it without an entry of its own.
-- Reading the states of millions of entries is what takes time, so it is left to rows that need it: where
-- the very transaction that wrote a row left an entry about it, the row is explained. xmin is the lower
-- half of its number, or that of a savepoint, which fits no entry and only costs the longer look. What this
-- transaction itself has written is always looked at. After a restore every row is, once a night, until it
-- changes.
create or replace view checks.audit_gap as
select broken.hospital_id, entry.name as check_name, entry.severity, broken.table_name as entity_type,
  broken.record_id as entity_id, broken.detail,
  jsonb_build_object('audit_entry_id', broken.audit_entry_id, 'differences', broken.differences) as metadata,
  concat_ws(':', entry.name, broken.table_name, broken.record_id) as cache_key
from (
  select suspect.hospital_id, suspect.table_name, suspect.id as record_id, log.id as audit_entry_id, differing.fields as differences,
    case
      when log.id is null then format('The log knows nothing of this row of %s.', suspect.table_name)
      when log.operation = 'delete' then format('The log tells that this row of %s was removed, but it is there.', suspect.table_name)
      else format('This row of %s is not what the log last told: %s.', suspect.table_name,
        (select string_agg(field.key, ', ' order by field.key) from jsonb_each(differing.fields) as field))
    end as detail
  from (
    select visit.hospital_id, visit.id, 'appointment' as table_name, visit.xmin as writer from app_public.appointment as visit
    union all
    select patient.hospital_id, patient.id, 'patient', patient.xmin from app_public.patient
    union all
    select account.hospital_id, account.id, 'account', account.xmin from app_public.account
    union all
    select doctor.hospital_id, doctor.id, 'doctor', doctor.xmin from app_public.doctor
    union all
    select schedule.hospital_id, schedule.id, 'schedule', schedule.xmin from app_public.schedule
    union all
    select absence.hospital_id, absence.id, 'absence', absence.xmin from app_public.absence
  ) as suspect
  left join lateral (
    select written.id, written.operation, written.new_state
    from app_public.audit_entry as written
    where written.hospital_id = suspect.hospital_id and written.record_id = suspect.id
    order by written.id desc
    limit 1
  ) as log on true
  left join lateral (
    select jsonb_build_object('status', visit.status, 'slot_id', visit.slot_id, 'doctor_id', visit.doctor_id,
      'patient_id', visit.patient_id, 'starts_at', visit.starts_at, 'ends_at', visit.ends_at) as state
    from app_public.appointment as visit
    where suspect.table_name = 'appointment' and visit.hospital_id = suspect.hospital_id and visit.id = suspect.id
    union all
    select jsonb_build_object('status', patient.status, 'is_active', patient.is_active, 'no_show_count', patient.no_show_count)
    from app_public.patient
    where suspect.table_name = 'patient' and patient.hospital_id = suspect.hospital_id and patient.id = suspect.id
    union all
    select jsonb_build_object('role', account.role, 'is_active', account.is_active, 'doctor_id', account.doctor_id,
      'patient_id', account.patient_id)
    from app_public.account
    where suspect.table_name = 'account' and account.hospital_id = suspect.hospital_id and account.id = suspect.id
    union all
    select jsonb_build_object('is_active', doctor.is_active, 'is_available', doctor.is_available,
      'max_patients_per_day', doctor.max_patients_per_day)
    from app_public.doctor
    where suspect.table_name = 'doctor' and doctor.hospital_id = suspect.hospital_id and doctor.id = suspect.id
    union all
    select jsonb_build_object('is_active', schedule.is_active, 'weekday', schedule.weekday, 'start_time', schedule.start_time,
      'end_time', schedule.end_time, 'slot_capacity', schedule.slot_capacity)
    from app_public.schedule
    where suspect.table_name = 'schedule' and schedule.hospital_id = suspect.hospital_id and schedule.id = suspect.id
    union all
    select jsonb_build_object('status', absence.status, 'first_day', absence.first_day, 'last_day', absence.last_day)
    from app_public.absence
    where suspect.table_name = 'absence' and absence.hospital_id = suspect.hospital_id and absence.id = suspect.id
  ) as stored on true
  left join lateral (
    select jsonb_object_agg(field.key, jsonb_build_object('logged', log.new_state -> field.key, 'stored', field.value)) as fields
    from jsonb_each(stored.state) as field
    where log.new_state ? field.key
      and case when field.key in ('starts_at', 'ends_at')
        then (log.new_state ->> field.key)::timestamptz is distinct from (field.value #>> '{}')::timestamptz
        else log.new_state -> field.key <> field.value end
  ) as differing on true
  where not exists (
      select from app_public.audit_entry as explaining
      where explaining.hospital_id = suspect.hospital_id and explaining.record_id = suspect.id
        and (explaining.transaction_id & 4294967295) = nullif(
          suspect.writer::text::bigint, (select pg_current_xact_id_if_assigned()::text::bigint & 4294967295)))
    and (log.id is null or log.operation = 'delete' or differing.fields is not null)
  union all
  select gone.hospital_id, 'appointment', gone.record_id, log.id, null,
    'The log knows this appointment, but it is gone without a trace.'
  from (
    select written.hospital_id, written.record_id
    from app_public.audit_entry as written
    group by written.hospital_id, written.record_id
  ) as gone
  cross join lateral (
    select told.id, told.table_name, told.operation
    from app_public.audit_entry as told
    where told.hospital_id = gone.hospital_id and told.record_id = gone.record_id
    order by told.id desc
    limit 1
  ) as log
  where not exists (
      select from app_public.appointment as visit
      where visit.hospital_id = gone.hospital_id and visit.id = gone.record_id)
    and not exists (
      select from app_public.patient
      where patient.hospital_id = gone.hospital_id and patient.id = gone.record_id)
    and not exists (
      select from app_public.appointment_archive as archived
      where archived.hospital_id = gone.hospital_id and archived.id = gone.record_id)
    and log.table_name = 'appointment'
    and log.operation <> 'delete'
) as broken
join app_public.health_check as entry on entry.name = 'audit_gap';

comment on view checks.audit_gap is
  'Appointments, patients, accounts, doctors, schedules and absences whose state the audit log does not explain.';
revoke all on checks.audit_gap from public;
grant select on checks.audit_gap to app_monitor;

select app_private.declare_check(
  name => 'audit_gap', domain => 'history', severity => 'critical', entity_type => 'appointment',
  title => 'A state that the audit log does not explain',
  meaning => 'A row differs from what its last audit entry says, has no entry at all, or is gone while the log says it is there.',
  importance => 'Somebody changed data with the triggers off, or a restore brought tables of different moments together: nobody can tell who decided what.',
  resolution => 'Compare the row with its last entry, find out which is right, and bring the row there through the functions for it; then the log explains it again.',
  remedy => 'review');
--! EndIncluded checks/history/audit_gap.sql
--! Included checks/history/broken_audit_seal.sql
-- What the nightly audit verifies of the seals: the chain of the last eight days (each seal fits its hash and
-- names the one before, and the mark knows the last one), and every entry that was sealed since the
-- last night but one. That costs what a day costs, whatever is stored, and a change of yesterday, when
-- there is most to hide, is told the next morning. Verifying everything reads everything: verifyAudit, the job
-- verify_audit and app_private.audit_problems do, when somebody wants to know.
-- One row a seal and kind of problem; a seal that is gone is told by the one after it.
create or replace view checks.broken_audit_seal as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  broken.detail,
  jsonb_build_object('number', broken.number, 'sealed_at', broken.sealed_at) || broken.facts as metadata,
  concat_ws(':', entry.name, broken.id, broken.problem) as cache_key
from (
  select seal.hospital_id, seal.id, seal.number, seal.sealed_at, judged.problem, judged.detail, '{}'::jsonb as facts
  from app_public.audit_seal as seal
  left join app_public.audit_seal as before
    on before.hospital_id = seal.hospital_id and before.number = seal.number - 1
  left join app_private.audit_seal_mark as mark on mark.hospital_id = seal.hospital_id
  left join app_public.audit_seal as after
    on after.hospital_id = seal.hospital_id and after.number = seal.number + 1
  cross join lateral (
    select 'altered', format('Seal %s of the audit log was changed: it does not fit its hash.', seal.number)
    where seal.hash <> app_private.seal_hash(seal)
    union all
    select 'missing', format('Seal %s of the audit log is gone.', seal.number - 1)
    where seal.number > 1 and before.id is null
    union all
    select 'chain', format('Seal %s of the audit log does not follow the seal before it.', seal.number)
    where before.hash <> seal.previous_hash
    union all
    select 'last', format('After seal %s of the audit log others are gone, or it is not the last that was made.', seal.number)
    where after.id is null
      and (seal.number, seal.hash) is distinct from (mark.last_number, mark.last_hash)
  ) as judged (problem, detail)
  where seal.sealed_at > (select app_private.clock()) - interval '8 days'
  union all
  select seal.hospital_id, seal.id, seal.number, seal.sealed_at, 'entries',
    case when found.altered_ids is null
      then format('What seal %s of the audit log closes was changed.', seal.number)
      else format('%s entries of the audit log are not what seal %s closed.', cardinality(found.altered_ids), seal.number) end,
    jsonb_build_object('audit_entry_ids', found.altered_ids[1:20])
  from app_public.audit_seal as seal
  left join app_private.audit_seal_content as content
    on content.hospital_id = seal.hospital_id and content.seal_id = seal.id
  left join lateral (
    select redaction.entries_hash
    from app_public.audit_seal as redaction
    where redaction.hospital_id = seal.hospital_id
      and redaction.last_entry_id = seal.last_entry_id
      and redaction.batch_number = seal.number
    order by redaction.number desc
    limit 1
  ) as newest on true
  cross join lateral (
    select array_agg(sealed.id order by sealed.id) as altered_ids
    from unnest(content.entry_ids, content.salts, content.digests) as sealed (id, salt, digest)
    left join app_public.audit_entry as log on log.hospital_id = seal.hospital_id and log.id = sealed.id
    where log.id is null or app_private.audit_entry_digest(sealed.salt, log) <> sealed.digest
  ) as found
  where seal.kind = 'entries'
    and seal.sealed_at > (select app_private.clock()) - interval '2 days'
    and (found.altered_ids is not null
      or content.seal_id is null
      or app_private.entries_hash(content.entry_ids, content.digests) is distinct from newest.entries_hash)
) as broken
join app_public.health_check as entry on entry.name = 'broken_audit_seal';

comment on view checks.broken_audit_seal is
  'Seals of the audit log of the last days that do not fit what they close, or each other.';
revoke all on checks.broken_audit_seal from public;
grant select on checks.broken_audit_seal to app_monitor;

select app_private.declare_check(
  name => 'broken_audit_seal', domain => 'history', severity => 'critical', entity_type => 'audit_seal',
  title => 'The sealed audit log was changed',
  meaning => 'Entries of the audit log differ from what was sealed, or a seal was changed or removed.',
  importance => 'Somebody with rights on the database has rewritten history: what the log says can no longer be relied on, and what it was to hide is not known.',
  resolution => 'Keep a copy of the database as it is now. Verify the whole log (verifyAudit, or app_private.audit_problems in psql) to learn which entries, compare them with a backup from before, and find out who had access.',
  remedy => 'operator');
--! EndIncluded checks/history/broken_audit_seal.sql
--! Included checks/system/unsealed_audit.sql
-- The first entry beyond what is sealed, one look a hospital. Somebody seals every minute; an hour late,
-- nobody does.
create or replace view checks.unsealed_audit as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.hospital_id as entity_id,
  format('Entries of the audit log wait since %s to be sealed.', to_char(broken.recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) as detail,
  jsonb_build_object('audit_entry_id', broken.id, 'recorded_at', broken.recorded_at) as metadata,
  concat_ws(':', entry.name, broken.hospital_id) as cache_key
from (
  select hospital.id as hospital_id, oldest.id, oldest.recorded_at
  from app_public.hospital
  left join app_private.audit_seal_mark as mark on mark.hospital_id = hospital.id
  cross join lateral (
    select log.id, log.recorded_at
    from app_public.audit_entry as log
    where log.hospital_id = hospital.id and log.id > coalesce(mark.last_entry_id, 0)
    order by log.id
    limit 1
  ) as oldest
  where oldest.recorded_at < (select app_private.clock()) - interval '1 hour'
) as broken
join app_public.health_check as entry on entry.name = 'unsealed_audit';

comment on view checks.unsealed_audit is 'Hospitals whose audit log has entries older than an hour that no seal closes.';
revoke all on checks.unsealed_audit from public;
grant select on checks.unsealed_audit to app_monitor;

select app_private.declare_check(
  name => 'unsealed_audit', domain => 'system', severity => 'warning', entity_type => 'hospital',
  title => 'The audit log is not being sealed',
  meaning => 'Entries of the audit log are older than an hour and no seal closes them.',
  importance => 'What is not sealed can be changed by somebody with rights on the database without being found.',
  resolution => 'See that a worker runs, and what cronHealth says of sweep_audit and seal_audit; ask for seal_audit by hand.',
  remedy => 'operator');
--! EndIncluded checks/system/unsealed_audit.sql
--! Included checks/all_findings.sql
-- Everything that is wrong now, of all checks.
select app_private.unite_checks();

comment on view checks.all_findings is 'Everything that is wrong now: the findings of all checks. Empty while all is well.';
revoke all on checks.all_findings from public;
grant select on checks.all_findings to app_monitor;

comment on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'What the event-driven checks say of these appointments, slots, doctors and patients of a hospital.';
revoke execute on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) from public;
--! EndIncluded checks/all_findings.sql

reset role;
