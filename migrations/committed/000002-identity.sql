--! Previous: sha1:5bd3ef75a1be074c80f57422763bc0ad79e3c01d
--! Hash: sha1:adbb97d859c2265a0db018504e8dea885d31b519
--! Message: identity

--! split: 02-identity.sql
-- Identity: the tenant, its places, who logs in, and the two logs that every other table writes to.

set local role app_owner;

create table app_public.hospital (
  id uuid primary key default app_private.new_id(),
  slug text not null
    constraint a_slug_names_one_hospital unique
    constraint a_slug_is_lower_case_letters_digits_and_dashes check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null constraint a_hospital_has_a_name check (length(btrim(name)) between 1 and 200),
  time_zone text not null,
  booking_horizon_days integer not null default 30
    constraint a_booking_horizon_is_1_to_365_days check (booking_horizon_days between 1 and 365),
  hold_duration interval not null default interval '5 minutes'
    constraint a_hold_lasts_up_to_an_hour check (hold_duration > interval '0' and hold_duration <= interval '1 hour'),
  rebook_buffer interval not null default interval '5 minutes'
    constraint a_rebook_buffer_is_not_negative check (rebook_buffer >= interval '0'),
  no_show_block_threshold integer not null default 3
    constraint a_no_show_threshold_is_positive check (no_show_block_threshold > 0),
  no_show_window_start time not null default '07:00',
  no_show_window_end time not null default '22:00',
  vitals_alert_buffer interval not null default interval '5 minutes'
    constraint a_vitals_alert_buffer_is_not_negative check (vitals_alert_buffer >= interval '0'),
  doctor_alert_buffer interval not null default interval '10 minutes'
    constraint a_doctor_alert_buffer_is_not_negative check (doctor_alert_buffer >= interval '0'),
  created_at timestamptz not null default app_private.clock(),
  constraint the_no_show_window_starts_before_it_ends check (no_show_window_start < no_show_window_end)
);
comment on table app_public.hospital is
  'A hospital: the tenant that owns everything below it, with its time zone and its booking settings.';
comment on column app_public.hospital.slug is 'Short name used at login and in addresses; lower case, unique.';
comment on column app_public.hospital.name is 'Name for people.';
comment on column app_public.hospital.time_zone is
  'IANA time zone, such as Asia/Kolkata. Local dates, weekdays and working hours are always taken in it.';
comment on column app_public.hospital.booking_horizon_days is 'How many days ahead of today slots are offered and can be booked.';
comment on column app_public.hospital.hold_duration is 'How long a held slot waits for its confirmation.';
comment on column app_public.hospital.rebook_buffer is 'A slot freed by a no-show is bookable again only if it starts later than this from now.';
comment on column app_public.hospital.no_show_block_threshold is 'Number of no-shows at which a patient is blocked.';
comment on column app_public.hospital.no_show_window_start is 'Local time from which no-shows are marked automatically.';
comment on column app_public.hospital.no_show_window_end is 'Local time until which no-shows are marked automatically.';
comment on column app_public.hospital.vitals_alert_buffer is 'Grace beyond the slot''s length before a checked-in patient without vitals raises an alert.';
comment on column app_public.hospital.doctor_alert_buffer is 'Grace beyond the slot''s length before a patient waiting for the doctor raises an alert.';

create type app_public.audit_operation as enum ('insert', 'update', 'delete');
comment on type app_public.audit_operation is 'What happened to a row.';

create table app_public.audit_entry (
  hospital_id uuid not null constraint audit_entry_of_a_hospital references app_public.hospital (id),
  id bigint generated always as identity,
  table_name text not null,
  record_id uuid not null,
  operation app_public.audit_operation not null,
  old_state jsonb,
  new_state jsonb,
  changed_columns jsonb,
  actor_account_id uuid,
  actor_role text not null,
  request_id text,
  transaction_id bigint not null,
  recorded_at timestamptz not null,
  primary key (hospital_id, id)
);
create index audit_entry_of_a_record on app_public.audit_entry (hospital_id, record_id, id);
comment on table app_public.audit_entry is
  'Append-only log of every change of a row: what it was, what it became, who did it. Written in the same transaction as the change.';
comment on column app_public.audit_entry.table_name is 'Table of the changed row.';
comment on column app_public.audit_entry.record_id is 'Identifier of the changed row.';
comment on column app_public.audit_entry.operation is 'Insert, update or delete.';
comment on column app_public.audit_entry.old_state is 'The row before the change; null for an insert.';
comment on column app_public.audit_entry.new_state is 'The row after the change; null for a delete.';
comment on column app_public.audit_entry.changed_columns is 'For an update: the changed columns with their new values.';
comment on column app_public.audit_entry.actor_account_id is 'Account that acted, from the claims; null for jobs and operators.';
comment on column app_public.audit_entry.actor_role is 'Role that acted: patient, doctor, nurse, receptionist, admin, worker, operator or repair:<check>.';
comment on column app_public.audit_entry.request_id is 'Request in whose course it happened, as in the server''s log.';
comment on column app_public.audit_entry.transaction_id is 'Database transaction that made the change: entries of one transaction belong together.';
comment on column app_public.audit_entry.recorded_at is 'Instant of the transaction.';

create table app_private.outbox (
  hospital_id uuid not null constraint outbox_of_a_hospital references app_public.hospital (id),
  id bigint generated always as identity,
  topic text not null,
  key text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  primary key (hospital_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index outbox_in_order on app_private.outbox (id);
comment on table app_private.outbox is
  'What changed and must be told outside. Written with the change, claimed and deleted by the relay; holds identifiers only.';
comment on column app_private.outbox.topic is 'What kind of thing changed.';
comment on column app_private.outbox.key is 'Which one changed.';
comment on column app_private.outbox.payload is 'Identifiers that a listener needs; never data of a patient.';

create table app_public.location (
  hospital_id uuid not null constraint location_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  name text not null constraint a_location_has_a_name check (length(btrim(name)) between 1 and 200),
  is_active boolean not null default true,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint a_location_name_is_unique_in_its_hospital unique (hospital_id, name)
);
comment on table app_public.location is 'A place of the hospital where doctors see patients.';
comment on column app_public.location.name is 'Name for people, unique in the hospital.';
comment on column app_public.location.is_active is 'False: no slots are generated here any more.';

create table app_public.doctor (
  hospital_id uuid not null constraint doctor_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  display_name text not null constraint a_doctor_has_a_name check (length(btrim(display_name)) between 1 and 200),
  specialty text constraint a_specialty_is_not_empty check (length(btrim(specialty)) between 1 and 100),
  slot_duration interval not null default interval '30 minutes'
    constraint a_slot_lasts_5_minutes_to_8_hours check (slot_duration between interval '5 minutes' and interval '8 hours'),
  max_patients_per_day integer not null default 30
    constraint a_daily_limit_is_1_to_500 check (max_patients_per_day between 1 and 500),
  is_available boolean not null default true,
  is_active boolean not null default true,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id)
);
create index doctor_by_specialty on app_public.doctor (hospital_id, specialty);
comment on table app_public.doctor is 'Who sees patients.';
comment on column app_public.doctor.display_name is 'Name for people.';
comment on column app_public.doctor.specialty is 'Field of medicine, such as cardiology.';
comment on column app_public.doctor.slot_duration is 'Length of the slots cut from this doctor''s schedules.';
comment on column app_public.doctor.max_patients_per_day is 'Most appointments a local day; guarded by doctor_day.';
comment on column app_public.doctor.is_available is 'Whether the doctor takes new appointments at present.';
comment on column app_public.doctor.is_active is 'Whether the doctor works here at all.';

create type app_public.patient_status as enum ('active', 'blocked');
comment on type app_public.patient_status is 'Whether a patient may book.';

create table app_public.patient (
  hospital_id uuid not null constraint patient_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  medical_record_number text not null
    constraint a_medical_record_number_is_not_empty check (length(btrim(medical_record_number)) between 1 and 64),
  name text not null constraint a_patient_has_a_name check (length(btrim(name)) between 1 and 200),
  phone text constraint a_phone_is_a_number check (phone ~ '^\+?[0-9][0-9 ()/.-]{2,30}$'),
  email text constraint a_patient_email_is_a_lower_case_address check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  date_of_birth date constraint a_date_of_birth_is_plausible check (date_of_birth >= '1850-01-01'),
  status app_public.patient_status not null default 'active',
  no_show_count integer not null default 0 constraint a_no_show_count_is_not_negative check (no_show_count >= 0),
  blocked_at timestamptz,
  blocked_reason text,
  is_active boolean not null default true,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint a_medical_record_number_is_unique_in_its_hospital unique (hospital_id, medical_record_number),
  constraint a_blocked_patient_has_a_time_and_a_reason check (
    (status = 'blocked') = (blocked_at is not null) and (status = 'blocked') = (blocked_reason is not null))
);
create index patient_by_name on app_public.patient (hospital_id, lower(name));
comment on table app_public.patient is 'Who is seen.';
comment on column app_public.patient.medical_record_number is 'The hospital''s own number of the patient, unique in the hospital.';
comment on column app_public.patient.name is 'Full name.';
comment on column app_public.patient.phone is 'Telephone number.';
comment on column app_public.patient.email is 'E-mail address, lower case.';
comment on column app_public.patient.date_of_birth is 'Date of birth.';
comment on column app_public.patient.status is 'Active, or blocked from booking.';
comment on column app_public.patient.no_show_count is 'How often the patient did not come.';
comment on column app_public.patient.blocked_at is 'Since when the patient is blocked.';
comment on column app_public.patient.blocked_reason is 'Why the patient is blocked.';
comment on column app_public.patient.is_active is 'False: no longer a patient here; cannot book.';

create type app_public.account_role as enum ('patient', 'doctor', 'nurse', 'receptionist', 'admin');
comment on type app_public.account_role is 'What an account may do in its hospital.';

create table app_public.account (
  hospital_id uuid not null constraint account_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  email text not null
    constraint an_account_email_is_a_lower_case_address check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  display_name text not null constraint an_account_has_a_name check (length(btrim(display_name)) between 1 and 200),
  role app_public.account_role not null,
  doctor_id uuid,
  patient_id uuid,
  is_active boolean not null default true,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint an_email_is_one_account_in_its_hospital unique (hospital_id, email),
  constraint a_doctor_has_one_account unique (hospital_id, doctor_id),
  constraint a_patient_has_one_account unique (hospital_id, patient_id),
  constraint account_is_this_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint account_is_this_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint a_doctor_account_names_its_doctor check ((role = 'doctor') = (doctor_id is not null)),
  constraint a_patient_account_names_its_patient check ((role = 'patient') = (patient_id is not null))
);
comment on table app_public.account is 'A login: an e-mail address with one role in one hospital.';
comment on column app_public.account.email is 'Address to log in with, lower case, unique in the hospital.';
comment on column app_public.account.display_name is 'Name for people.';
comment on column app_public.account.role is 'What the account may do.';
comment on column app_public.account.doctor_id is 'The doctor that this account is, for role doctor.';
comment on column app_public.account.patient_id is 'The patient that this account is, for role patient.';
comment on column app_public.account.is_active is 'False: cannot log in; its sessions have ended.';

create table app_private.account_secret (
  hospital_id uuid not null,
  account_id uuid not null,
  password_hash text not null constraint a_password_is_hashed_with_argon2id check (password_hash like '$argon2id$%'),
  failed_attempts integer not null default 0,
  locked_until timestamptz,
  password_changed_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, account_id),
  constraint secret_of_an_account foreign key (hospital_id, account_id)
    references app_public.account (hospital_id, id) on delete cascade
);
comment on table app_private.account_secret is 'Password hash of an account and its count of failed tries; read only by the login functions.';

create table app_private.session (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  account_id uuid not null,
  created_at timestamptz not null default app_private.clock(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  primary key (hospital_id, id),
  constraint session_of_an_account foreign key (hospital_id, account_id)
    references app_public.account (hospital_id, id) on delete cascade,
  constraint an_ended_session_has_a_reason check ((ended_at is null) = (end_reason is null))
);
create index session_of_an_account_not_ended on app_private.session (hospital_id, account_id) where ended_at is null;
create index session_recently_ended on app_private.session (ended_at) where ended_at is not null;
comment on table app_private.session is 'A login that is still good: the family of all refresh tokens rotated from it.';

create table app_private.refresh_token (
  hospital_id uuid not null,
  token_hash bytea not null,
  session_id uuid not null,
  issued_at timestamptz not null default app_private.clock(),
  used_at timestamptz,
  primary key (hospital_id, token_hash),
  constraint token_of_a_session foreign key (hospital_id, session_id)
    references app_private.session (hospital_id, id) on delete cascade
);
create index refresh_token_of_a_session on app_private.refresh_token (hospital_id, session_id);
comment on table app_private.refresh_token is
  'Refresh tokens by SHA-256; each is used once. A second use ends the whole session.';

create table app_private.rate_limit (
  key text primary key,
  points integer not null default 0,
  expire bigint
);
comment on table app_private.rate_limit is 'Counters of the login limiter (rate-limiter-flexible), by hashed key.';

reset role;
