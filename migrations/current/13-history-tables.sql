-- History that proves itself: seals of the audit log, an appointment as it was, and the checks of what the
-- log tells.
set local role app_owner;

create type app_public.audit_seal_kind as enum ('entries', 'redaction');
comment on type app_public.audit_seal_kind is
  'What a seal closes: new entries of the audit log, or the redaction of entries about a person who was erased.';

create table app_public.audit_seal (
  hospital_id uuid not null constraint audit_seal_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  number integer not null constraint seals_are_numbered_from_1 check (number > 0),
  kind app_public.audit_seal_kind not null,
  batch_number integer not null,
  patient_id uuid,
  entry_count integer not null constraint a_seal_closes_something check (entry_count > 0),
  first_entry_id bigint not null,
  last_entry_id bigint not null,
  entries_hash text not null,
  replaced_hash text,
  previous_hash text,
  hash text not null,
  sealed_at timestamptz not null,
  primary key (hospital_id, id),
  constraint seals_of_a_hospital_are_numbered unique (hospital_id, number),
  constraint redaction_of_a_patient foreign key (hospital_id, patient_id)
    references app_public.patient (hospital_id, id),
  constraint a_redaction_tells_of_whom_and_what_it_replaces check (
    case kind
      when 'entries' then batch_number = number and patient_id is null and replaced_hash is null
      else batch_number < number and patient_id is not null and replaced_hash is not null
    end),
  constraint only_the_first_seal_follows_none check ((number = 1) = (previous_hash is null))
);
create index audit_seal_by_last_entry on app_public.audit_seal (hospital_id, last_entry_id);
create index audit_seal_by_time on app_public.audit_seal (hospital_id, sealed_at);
create index audit_seal_of_a_patient on app_public.audit_seal (hospital_id, patient_id);
comment on table app_public.audit_seal is
  'Seals of the audit log, a chain: each closes a batch of entries and names the seal before it, so that nothing sealed can be changed, removed or added unseen.';
comment on column app_public.audit_seal.number is 'Place in the chain of the hospital, from 1.';
comment on column app_public.audit_seal.kind is 'What it closes.';
comment on column app_public.audit_seal.batch_number is
  'Number of the seal that closed these entries first; of a redaction an earlier one.';
comment on column app_public.audit_seal.patient_id is 'Of a redaction: the person who was erased.';
comment on column app_public.audit_seal.entry_count is 'How many entries it closes; of a redaction how many changed.';
comment on column app_public.audit_seal.first_entry_id is 'Least id of the batch.';
comment on column app_public.audit_seal.last_entry_id is 'Greatest id of the batch.';
comment on column app_public.audit_seal.entries_hash is 'SHA-256 of the batch as it is now.';
comment on column app_public.audit_seal.replaced_hash is 'Of a redaction: SHA-256 of the batch as it was before.';
comment on column app_public.audit_seal.previous_hash is 'Hash of the seal before; null for the first.';
comment on column app_public.audit_seal.hash is
  'SHA-256 of everything else in this row. Keep the newest one elsewhere: verifyAudit tells later whether it still stands.';
comment on column app_public.audit_seal.sealed_at is 'When it was made.';

create table app_private.audit_seal_content (
  hospital_id uuid not null,
  seal_id uuid not null,
  entry_ids bigint[] not null,
  salts bytea[] not null,
  digests bytea[] not null,
  primary key (hospital_id, seal_id),
  constraint content_of_a_seal foreign key (hospital_id, seal_id)
    references app_public.audit_seal (hospital_id, id)
);
comment on table app_private.audit_seal_content is
  'Which entries a seal closes, and of each a digest of its salted text. The salt of a redacted entry is forgotten, so that nobody can guess what it said.';

create table app_private.audit_seal_mark (
  hospital_id uuid primary key constraint audit_seal_mark_of_a_hospital references app_public.hospital (id),
  last_number integer not null default 0,
  last_hash text,
  last_entry_id bigint not null default 0,
  settled_id bigint not null default 0,
  reached_id bigint,
  reached_transaction xid8
);
comment on table app_private.audit_seal_mark is 'How far the audit log of a hospital is sealed.';
comment on column app_private.audit_seal_mark.last_number is 'Number of the newest seal.';
comment on column app_private.audit_seal_mark.last_hash is 'Hash of the newest seal.';
comment on column app_private.audit_seal_mark.last_entry_id is 'Greatest id that is sealed.';
comment on column app_private.audit_seal_mark.settled_id is
  'Up to this id every entry that there will ever be is sealed.';
comment on column app_private.audit_seal_mark.reached_id is
  'The next settled_id, as soon as every transaction before reached_transaction is over.';
comment on column app_private.audit_seal_mark.reached_transaction is
  'First transaction that can only write entries with ids beyond reached_id.';

create type app_public.audit_problem_kind as enum (
  'entry_altered', 'entry_missing', 'entry_added', 'content_altered', 'seal_altered', 'seal_missing',
  'chain_broken', 'redaction_unfounded', 'hash_unknown');
comment on type app_public.audit_problem_kind is
  'What is wrong with the sealed audit log: an entry was changed, removed, or added where all was sealed; what a seal closes was changed; a seal was changed, removed, or does not follow the one before; a redaction has no erased person; a hash that you kept stands for no seal.';

create type app_public.audit_problem as (
  kind app_public.audit_problem_kind,
  seal_number integer,
  audit_entry_id bigint,
  detail text
);
comment on type app_public.audit_problem is 'Something that is wrong with the sealed audit log.';
comment on column app_public.audit_problem.kind is 'What is wrong.';
comment on column app_public.audit_problem.seal_number is 'Number of the seal; null where it is about none.';
comment on column app_public.audit_problem.audit_entry_id is 'The entry; null where it is about none, or not known.';
comment on column app_public.audit_problem.detail is 'The problem in a sentence.';

create type app_public.audit_verification as (
  is_valid boolean,
  first_number integer,
  last_number integer,
  last_hash text,
  entry_count integer,
  unsealed_since timestamptz,
  problem_count integer,
  problems app_public.audit_problem[]
);
comment on type app_public.audit_verification is 'Whether the sealed audit log is as it was sealed.';
comment on column app_public.audit_verification.is_valid is 'Whether nothing is wrong.';
comment on column app_public.audit_verification.first_number is 'Number of the first seal that was looked at; null when there was none.';
comment on column app_public.audit_verification.last_number is 'Number of the last seal that was looked at.';
comment on column app_public.audit_verification.last_hash is
  'Hash of that seal: kept elsewhere, it proves later that nobody has written the chain anew.';
comment on column app_public.audit_verification.entry_count is 'How many sealed entries were looked at.';
comment on column app_public.audit_verification.unsealed_since is
  'Time of the oldest entry that waits to be sealed; null when none does.';
comment on column app_public.audit_verification.problem_count is 'How many problems there are, also those that are not listed.';
comment on column app_public.audit_verification.problems is 'The problems, at most 100.';

create type app_public.past_appointment as (
  appointment_id uuid,
  status app_public.appointment_status,
  slot_id uuid,
  doctor_id uuid,
  patient_id uuid,
  location_id uuid,
  service_id uuid,
  starts_at timestamptz,
  ends_at timestamptz,
  held_until timestamptz,
  changed_at timestamptz,
  changed_by_role text,
  changed_by uuid,
  audit_entry_id bigint,
  later_changes integer
);
comment on type app_public.past_appointment is 'An appointment as it was at an instant.';
comment on column app_public.past_appointment.appointment_id is 'The appointment.';
comment on column app_public.past_appointment.status is 'Its state then.';
comment on column app_public.past_appointment.slot_id is 'The slot whose seat it held or had held then.';
comment on column app_public.past_appointment.doctor_id is 'Its doctor then.';
comment on column app_public.past_appointment.patient_id is 'Its patient.';
comment on column app_public.past_appointment.location_id is 'Its location then.';
comment on column app_public.past_appointment.service_id is 'The kind of visit.';
comment on column app_public.past_appointment.starts_at is 'When it was to start.';
comment on column app_public.past_appointment.ends_at is 'When it was to end.';
comment on column app_public.past_appointment.held_until is 'Until when its seat was held then.';
comment on column app_public.past_appointment.changed_at is 'Since when it was so.';
comment on column app_public.past_appointment.changed_by_role is 'Role that made it so.';
comment on column app_public.past_appointment.changed_by is 'Account that made it so; null for jobs and operators.';
comment on column app_public.past_appointment.audit_entry_id is 'Entry of the audit log that tells it.';
comment on column app_public.past_appointment.later_changes is 'How often it has changed since.';

reset role;
