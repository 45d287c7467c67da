--! Previous: sha1:87db655de9ecb2a616894189ecee2b1970dace53
--! Hash: sha1:d4667226a23ec11ae2160dfbe91c9e6632314a9e
--! Message: login-tables

--! split: 1-current.sql
-- The rest of login: invitations, links by mail, the second factor, sessions that people see,
-- emergency access to records, and what happened to whose login.

set local role app_owner;

alter table app_public.hospital
  add column is_second_factor_required boolean not null default false,
  add column emergency_access_duration interval not null default interval '1 hour'
    constraint emergency_access_lasts_5_minutes_to_a_day
      check (emergency_access_duration between interval '5 minutes' and interval '1 day'),
  add column security_events_kept_days integer not null default 400
    constraint security_events_are_kept_30_to_3650_days check (security_events_kept_days between 30 and 3650);
comment on column app_public.hospital.is_second_factor_required is
  'Whether admins get no session without a second factor.';
comment on column app_public.hospital.emergency_access_duration is 'How long an emergency access opens a record.';
comment on column app_public.hospital.security_events_kept_days is 'How many days security events are kept.';

alter table app_private.session
  add column last_used_at timestamptz not null default app_private.clock(),
  add column device text constraint a_device_is_named_shortly check (length(device) <= 120),
  add column ip_prefix text constraint a_session_knows_a_network_only check (length(ip_prefix) <= 50);

create type app_public.invitation_status as enum ('pending', 'accepted', 'revoked', 'expired');
comment on type app_public.invitation_status is 'What became of an invitation.';

create table app_public.invitation (
  hospital_id uuid not null constraint invitation_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  email text not null
    constraint an_invited_email_is_a_lower_case_address
      check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  display_name text not null
    constraint who_is_invited_has_a_name check (length(btrim(display_name)) between 1 and 200),
  role app_public.account_role not null constraint staff_are_invited_and_patients_are_not check (role <> 'patient'),
  doctor_id uuid,
  status app_public.invitation_status not null default 'pending',
  invited_by uuid,
  account_id uuid,
  created_at timestamptz not null default app_private.clock(),
  sent_at timestamptz not null default app_private.clock(),
  expires_at timestamptz not null default app_private.clock() + interval '7 days',
  decided_at timestamptz,
  primary key (hospital_id, id),
  constraint invitation_of_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint invitation_by_an_account foreign key (hospital_id, invited_by) references app_public.account (hospital_id, id),
  constraint invitation_became_an_account foreign key (hospital_id, account_id) references app_public.account (hospital_id, id),
  constraint an_invitation_of_a_doctor_names_the_doctor check ((role = 'doctor') = (doctor_id is not null)),
  constraint an_accepted_invitation_has_its_account check ((status = 'accepted') = (account_id is not null)),
  constraint an_open_invitation_is_not_decided check ((status = 'pending') = (decided_at is null))
);
create unique index an_email_is_invited_once_at_a_time on app_public.invitation (hospital_id, email) where status = 'pending';
comment on table app_public.invitation is 'An invitation of a member of the staff to an account, by a link in a mail.';
comment on column app_public.invitation.email is 'Address that is invited, lower case; the account gets it.';
comment on column app_public.invitation.display_name is 'Name for people; the account gets it.';
comment on column app_public.invitation.role is 'What the account may do.';
comment on column app_public.invitation.doctor_id is 'The doctor that the account is, for role doctor.';
comment on column app_public.invitation.status is 'Pending until it is accepted, revoked or expired.';
comment on column app_public.invitation.invited_by is 'The admin who invited.';
comment on column app_public.invitation.sent_at is 'When its link was made and mailed; only the last link is good.';
comment on column app_public.invitation.expires_at is 'Until when its link is good.';
comment on column app_public.invitation.decided_at is 'When it was accepted or revoked, or expired.';

create type app_private.login_purpose as enum ('invitation', 'password_reset', 'second_factor', 'enrolment');
comment on type app_private.login_purpose is 'What a single-use token is good for, and for nothing else.';

create table app_private.login_token (
  hospital_id uuid not null,
  token_hash bytea not null,
  purpose app_private.login_purpose not null,
  account_id uuid,
  invitation_id uuid,
  failed_attempts integer not null default 0,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (hospital_id, token_hash),
  constraint login_token_of_an_account foreign key (hospital_id, account_id)
    references app_public.account (hospital_id, id) on delete cascade,
  constraint login_token_of_an_invitation foreign key (hospital_id, invitation_id)
    references app_public.invitation (hospital_id, id) on delete cascade,
  constraint a_login_token_is_of_an_account_or_an_invitation check (
    (purpose = 'invitation') = (invitation_id is not null) and (invitation_id is null) = (account_id is not null))
);
create index login_token_of_whom on app_private.login_token (hospital_id, account_id);
create index login_token_of_which_invitation on app_private.login_token (hospital_id, invitation_id);
comment on table app_private.login_token is
  'Single-use, single-purpose tokens by SHA-256: links in mails, and what stands between password and second factor.';

create table app_private.outgoing_mail (
  hospital_id uuid not null constraint mail_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  address text not null,
  subject text not null,
  body text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default app_private.clock(),
  next_attempt_at timestamptz not null default app_private.clock(),
  attempts integer not null default 0,
  sent_at timestamptz,
  failed_at timestamptz,
  last_error text constraint an_error_of_mail_is_kept_shortly check (length(last_error) <= 500),
  primary key (hospital_id, id),
  constraint a_mail_is_sent_or_has_failed check (num_nonnulls(sent_at, failed_at) <= 1),
  constraint a_mail_that_is_settled_keeps_no_text check (num_nonnulls(sent_at, failed_at) = 0 or body = '')
);
create index mail_to_be_sent on app_private.outgoing_mail (next_attempt_at) where sent_at is null and failed_at is null;
comment on table app_private.outgoing_mail is
  'Mails of the login, which may hold a secret link: the text is emptied as soon as a mail is sent or given up.';

create table app_private.second_factor (
  hospital_id uuid not null,
  account_id uuid not null,
  sealed_secret text not null constraint a_second_factor_is_sealed check (sealed_secret like 'v1.%'),
  last_used_step bigint not null default 0,
  confirmed_at timestamptz,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, account_id),
  constraint second_factor_of_an_account foreign key (hospital_id, account_id)
    references app_public.account (hospital_id, id) on delete cascade
);
comment on table app_private.second_factor is
  'One-time codes of an account (RFC 6238): the secret sealed with a key that the database does not have, and the last step used.';

create table app_private.recovery_code (
  hospital_id uuid not null,
  account_id uuid not null,
  code_hash bytea not null,
  used_at timestamptz,
  primary key (hospital_id, account_id, code_hash),
  constraint recovery_code_of_a_second_factor foreign key (hospital_id, account_id)
    references app_private.second_factor (hospital_id, account_id) on delete cascade
);
comment on table app_private.recovery_code is
  'Codes that stand in once each for the second factor, by SHA-256; each has 80 random bits.';

create type app_public.security_event_kind as enum (
  'login', 'login_failed', 'locked', 'refresh_reuse', 'session_revoked',
  'password_changed', 'reset_requested',
  'second_factor_enabled', 'second_factor_disabled', 'second_factor_reset', 'second_factor_failed',
  'recovery_code_used', 'second_factor_demanded',
  'invitation_sent', 'invitation_revoked', 'invitation_accepted',
  'role_changed', 'account_deactivated', 'account_reactivated',
  'break_glass', 'emergency_access_revoked', 'emergency_access_reviewed');
comment on type app_public.security_event_kind is 'What happened to the security of an account or a hospital.';

create table app_public.security_event (
  hospital_id uuid not null constraint security_event_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  kind app_public.security_event_kind not null,
  account_id uuid,
  actor_account_id uuid,
  ip_prefix text constraint a_security_event_knows_a_network_only check (length(ip_prefix) <= 50),
  device text constraint a_security_event_names_a_device_shortly check (length(device) <= 120),
  request_id text,
  details jsonb not null default '{}',
  occurred_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint security_event_of_an_account foreign key (hospital_id, account_id)
    references app_public.account (hospital_id, id) on delete cascade,
  constraint security_event_by_an_account foreign key (hospital_id, actor_account_id)
    references app_public.account (hospital_id, id)
);
create index security_event_by_time on app_public.security_event (hospital_id, occurred_at);
create index security_event_of_whom on app_public.security_event (hospital_id, account_id, occurred_at);
create index security_event_by_kind on app_public.security_event (hospital_id, kind, occurred_at);
comment on table app_public.security_event is
  'Append-only log of what happened to logins: successes, failures, links, second factors, rights, emergency access.';
comment on column app_public.security_event.kind is 'What happened.';
comment on column app_public.security_event.actor_account_id is 'Account that acted, where somebody was logged in.';
comment on column app_public.security_event.ip_prefix is 'Network of the client: the first 24 bits of an IPv4 address, 48 of IPv6.';
comment on column app_public.security_event.device is 'What the client said of itself, shortened.';
comment on column app_public.security_event.request_id is 'Request in whose course it happened, as in the server''s log.';
comment on column app_public.security_event.details is 'What else is to be known; never a secret.';
comment on column app_public.security_event.occurred_at is 'When it happened.';

create type app_public.emergency_verdict as enum ('justified', 'unjustified');
comment on type app_public.emergency_verdict is 'What a review made of an emergency access.';

create table app_public.emergency_access (
  hospital_id uuid not null constraint emergency_access_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  account_id uuid not null,
  patient_id uuid not null,
  reason text not null constraint an_emergency_is_explained check (length(btrim(reason)) between 10 and 2000),
  granted_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_by uuid,
  verdict app_public.emergency_verdict,
  review_note text constraint a_review_note_is_short check (length(review_note) <= 2000),
  reviewed_at timestamptz,
  reviewed_by uuid,
  primary key (hospital_id, id),
  constraint emergency_access_of_an_account foreign key (hospital_id, account_id)
    references app_public.account (hospital_id, id),
  constraint emergency_access_to_a_patient foreign key (hospital_id, patient_id)
    references app_public.patient (hospital_id, id),
  constraint emergency_access_revoked_by_an_account foreign key (hospital_id, revoked_by)
    references app_public.account (hospital_id, id),
  constraint emergency_access_reviewed_by_an_account foreign key (hospital_id, reviewed_by)
    references app_public.account (hospital_id, id),
  constraint emergency_access_ends_after_it_begins check (expires_at > granted_at),
  constraint a_reviewed_emergency_access_has_a_verdict check ((verdict is null) = (reviewed_at is null)),
  constraint nobody_reviews_their_own_emergency_access check (reviewed_by <> account_id)
);
create index emergency_access_of_whom on app_public.emergency_access (hospital_id, account_id, patient_id, expires_at);
create index emergency_access_to_whom on app_public.emergency_access (hospital_id, patient_id);
comment on table app_public.emergency_access is
  'Access to a patient''s record that somebody took in an emergency: for a while, with a reason, told to the admins and reviewed by one.';
comment on column app_public.emergency_access.reason is 'Why the record had to be seen, in the words of who took the access.';
comment on column app_public.emergency_access.granted_at is 'Since when it opens the record.';
comment on column app_public.emergency_access.expires_at is 'Until when it opens the record.';
comment on column app_public.emergency_access.revoked_at is 'When it was ended early.';
comment on column app_public.emergency_access.revoked_by is 'The admin who ended it.';
comment on column app_public.emergency_access.reviewed_by is 'The admin who reviewed it.';
comment on column app_public.emergency_access.verdict is 'What the review made of it; empty until then.';
comment on column app_public.emergency_access.review_note is 'What the reviewer noted.';
comment on column app_public.emergency_access.reviewed_at is 'When it was reviewed.';

create type app_public.login_session as (
  id uuid, created_at timestamptz, last_used_at timestamptz, expires_at timestamptz, device text, ip_prefix text,
  is_current boolean);
comment on type app_public.login_session is 'One of one''s own logins that are still good.';
comment on column app_public.login_session.last_used_at is 'When it last got a new access token.';
comment on column app_public.login_session.expires_at is 'When it ends by itself.';
comment on column app_public.login_session.device is 'What the client said of itself at login, shortened.';
comment on column app_public.login_session.ip_prefix is 'Network from which it was last used.';
comment on column app_public.login_session.is_current is 'Whether it is the session of this request.';

reset role;
