--! Previous: sha1:0881d631cfd2b8127da8fbeda8640e9cd15d526f
--! Hash: sha1:33ed90295542881f75dcd3035277790e6cddad2d
--! Message: delivery-tables

--! split: 1-current.sql
set local role app_owner;

-- How notifications reach people outside of the inbox: a row for each channel, who wants what and when,
-- and the addresses that do not exist.

create type app_public.delivery_channel as enum ('in_app', 'email', 'sms', 'chat');
comment on type app_public.delivery_channel is 'A way to reach somebody.';

create type app_public.delivery_status as enum ('pending', 'sending', 'sent', 'skipped', 'failed');
comment on type app_public.delivery_status is
  'Waits to be sent, is being sent, was handed over, was left out on purpose, or was given up.';

create table app_public.notification_delivery (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  notification_id uuid not null,
  patient_id uuid,
  doctor_id uuid,
  account_id uuid,
  channel app_public.delivery_channel not null,
  status app_public.delivery_status not null default 'pending',
  attempts integer not null default 0 constraint delivery_attempts_are_not_negative check (attempts >= 0),
  next_attempt_at timestamptz,
  leased_until timestamptz,
  lease uuid,
  outcome text
    constraint a_delivery_outcome_is_a_snake_case_word check (outcome ~ '^[a-z][a-z_]*$'),
  last_error text constraint a_delivery_error_is_at_most_500_characters check (length(last_error) <= 500),
  address text constraint a_delivery_address_is_masked check (address like '%*%'),
  reference text constraint a_delivery_reference_is_at_most_500_characters check (length(reference) <= 500),
  planned_at timestamptz not null default app_private.clock(),
  ended_at timestamptz,
  primary key (hospital_id, id),
  constraint delivery_of_a_notification foreign key (hospital_id, notification_id)
    references app_public.notification (hospital_id, id) on delete cascade,
  constraint a_notification_goes_out_once_by_each_channel unique (hospital_id, notification_id, channel),
  constraint only_a_pending_delivery_has_a_next_attempt check ((status = 'pending') = (next_attempt_at is not null)),
  constraint only_a_delivery_being_sent_is_leased check (
    (status = 'sending') = (leased_until is not null) and (status = 'sending') = (lease is not null)),
  constraint an_ended_delivery_says_when_and_how check (
    (status in ('sent', 'skipped', 'failed')) = (ended_at is not null)
    and (ended_at is not null) = (outcome is not null)),
  constraint what_is_in_the_inbox_is_delivered check (channel <> 'in_app' or status = 'sent')
);
-- What is due, of one channel: waiting for its time, or held by somebody who has not said how it went.
create index delivery_by_time on app_public.notification_delivery (hospital_id, channel, coalesce(next_attempt_at, leased_until))
  where status in ('pending', 'sending');
-- What an admin looks for.
create index delivery_by_status on app_public.notification_delivery (hospital_id, status, id) where status in ('failed', 'skipped');
comment on table app_public.notification_delivery is
  'What becomes of a notification on one channel. Its words stand in the notification, which only its reader sees.';
comment on column app_public.notification_delivery.notification_id is 'The notification that is delivered.';
comment on column app_public.notification_delivery.patient_id is 'The patient who is told.';
comment on column app_public.notification_delivery.doctor_id is 'The doctor who is told.';
comment on column app_public.notification_delivery.account_id is 'The member of the staff who is told.';
comment on column app_public.notification_delivery.channel is 'By which channel.';
comment on column app_public.notification_delivery.status is 'Where it stands.';
comment on column app_public.notification_delivery.attempts is 'How often it was tried; a transport that cannot be reached does not count.';
comment on column app_public.notification_delivery.next_attempt_at is 'When it is tried next; null unless it waits.';
comment on column app_public.notification_delivery.leased_until is 'Until when whoever is sending it may say how it went; then somebody else sends it again, under the same id.';
comment on column app_public.notification_delivery.lease is 'Which try it is: only that one may say how it went.';
comment on column app_public.notification_delivery.outcome is
  'How it ended: delivered, in_inbox, no_address, no_transport, switched_off, undeliverable_address, too_late, rejected or gave_up.';
comment on column app_public.notification_delivery.last_error is 'What the transport said when it last failed, without address and words.';
comment on column app_public.notification_delivery.address is 'The address of the last try, masked.';
comment on column app_public.notification_delivery.reference is 'What the receiving system calls it.';
comment on column app_public.notification_delivery.planned_at is 'Since when it is to be sent.';
comment on column app_public.notification_delivery.ended_at is 'When it was sent, left out or given up.';

create table app_public.notification_preference (
  hospital_id uuid not null,
  account_id uuid not null,
  topic text not null constraint a_preference_is_about_a_snake_case_word check (topic ~ '^[a-z][a-z_]*$'),
  channel app_public.delivery_channel not null
    constraint the_inbox_is_always_on check (channel <> 'in_app'),
  is_on boolean not null,
  changed_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, account_id, topic, channel),
  constraint preference_of_an_account foreign key (hospital_id, account_id) references app_public.account (hospital_id, id)
);
comment on table app_public.notification_preference is
  'Whether somebody wants to be told of an event, or of a group of events, by a channel. Without a row it is as the notification has it.';
comment on column app_public.notification_preference.account_id is 'Who wants it so.';
comment on column app_public.notification_preference.topic is
  'An event, or a group of them: appointments, requests, waitlist, reminders, security, work or all. An event goes before its group, the group before all.';
comment on column app_public.notification_preference.channel is 'The channel; the inbox is always on.';
comment on column app_public.notification_preference.is_on is 'True: also where the notification would not go by this channel by itself. False: not by this channel.';
comment on column app_public.notification_preference.changed_at is 'When it was last set.';

create table app_public.notification_setting (
  hospital_id uuid not null,
  account_id uuid not null,
  quiet_from time,
  quiet_until time,
  time_zone text,
  changed_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, account_id),
  constraint notification_setting_of_an_account foreign key (hospital_id, account_id) references app_public.account (hospital_id, id),
  constraint quiet_hours_have_a_start_and_an_end check ((quiet_from is null) = (quiet_until is null)),
  constraint quiet_hours_do_not_last_all_day check (quiet_from <> quiet_until)
);
comment on table app_public.notification_setting is 'When somebody does not want to be disturbed.';
comment on column app_public.notification_setting.account_id is 'Whose setting it is.';
comment on column app_public.notification_setting.quiet_from is 'Local time from which nothing of normal priority is sent outside of the inbox.';
comment on column app_public.notification_setting.quiet_until is 'Local time at which what waited is sent; may lie on the next day.';
comment on column app_public.notification_setting.time_zone is 'IANA zone of these times; null: that of the hospital.';
comment on column app_public.notification_setting.changed_at is 'When it was last set.';

create table app_private.undeliverable_address (
  hospital_id uuid not null constraint undeliverable_address_of_a_hospital references app_public.hospital (id),
  channel app_public.delivery_channel not null,
  address_hash bytea not null constraint an_address_is_hashed_with_sha256 check (length(address_hash) = 32),
  since timestamptz not null,
  primary key (hospital_id, channel, address_hash)
);
comment on table app_private.undeliverable_address is
  'Addresses that a transport has refused for good, hashed; nothing is sent there until somebody retries or the address changes.';
comment on column app_private.undeliverable_address.address_hash is 'sha256 of hospital, channel and address.';
comment on column app_private.undeliverable_address.since is 'When it was refused.';

alter table app_public.notification_template drop constraint channels_are_in_app_email_and_sms;
alter table app_public.notification_template add constraint channels_are_in_app_email_sms_and_chat
  check (cardinality(channels) > 0 and channels <@ array['in_app', 'email', 'sms', 'chat']);

-- A delivery handed from the database to whoever sends it.
create type app_private.claimed_delivery as (
  delivery_id uuid,
  notification_id uuid,
  lease uuid,
  event text,
  priority app_public.notification_priority,
  address text,
  title text,
  body text
);
comment on type app_private.claimed_delivery is 'A delivery to be sent now: the one place where its address is in clear.';

reset role;
