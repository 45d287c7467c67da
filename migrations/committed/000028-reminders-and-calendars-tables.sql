--! Previous: sha1:33ed90295542881f75dcd3035277790e6cddad2d
--! Hash: sha1:201f260c80680dc3a0ef4577d9870b303b663172
--! Message: reminders-and-calendars-tables

--! split: 1-current.sql
-- Reminders before the visit, links in messages, calendar feeds.

set local role app_owner;

--! Included functions/notifications/is_reminder_offsets.sql
-- What the check of hospital.reminder_offsets asks, and what the mutation asks before. An offset is a span
-- of absolute time: a day is 24 hours, whatever the clocks do in between.
create or replace function app_private.is_reminder_offsets(offsets interval[]) returns boolean
language plpgsql immutable strict parallel safe
as $$
declare
  seconds numeric[];
begin
  select array_agg(extract(epoch from given)) into seconds from unnest(offsets) as given;
  return coalesce(array_ndims(offsets), 1) = 1
    and coalesce(cardinality(seconds), 0) between 1 and 5
    and array_position(seconds, null) is null
    and 300 <= all (seconds) and 2592000 >= all (seconds)
    and (select count(distinct second) from unnest(seconds) as second) = cardinality(seconds);
end
$$;

comment on function app_private.is_reminder_offsets(interval[]) is
  'Whether these are 1 to 5 distinct spans of 5 minutes to 30 days.';

revoke execute on function app_private.is_reminder_offsets(interval[]) from public;
grant execute on function app_private.is_reminder_offsets(interval[]) to app_admin;
--! EndIncluded functions/notifications/is_reminder_offsets.sql
--! Included functions/notifications/absolute_span.sql
-- '1 day' added to an instant follows the clocks of the session's zone; this many seconds do not.
create or replace function app_private.absolute_span(span interval) returns interval
language sql immutable parallel safe
return make_interval(secs => extract(epoch from span)::double precision);

comment on function app_private.absolute_span(interval) is 'The same span in absolute time: a day is 24 hours.';

revoke execute on function app_private.absolute_span(interval) from public;
grant execute on function app_private.absolute_span(interval) to app_worker;
--! EndIncluded functions/notifications/absolute_span.sql

alter table app_public.hospital
  add column reminder_offsets interval[] not null default '{24:00:00,02:00:00}'
    constraint reminders_are_1_to_5_spans_of_5_minutes_to_30_days check (app_private.is_reminder_offsets(reminder_offsets));
comment on column app_public.hospital.reminder_offsets is
  'How long before their visit patients are reminded, in absolute time: a day is 24 hours.';

-- What lies ahead and is reminded of, by time, over all doctors.
create index appointment_awaited_by_time on app_public.appointment (hospital_id, starts_at)
  where status in ('scheduled', 'confirmed');

create table app_public.appointment_reminder (
  hospital_id uuid not null constraint reminder_of_a_hospital references app_public.hospital (id),
  appointment_id uuid not null,
  starts_at timestamptz not null,
  lead_time interval not null constraint a_reminder_comes_before_the_visit check (lead_time > interval '0'),
  notification_id uuid not null,
  created_at timestamptz not null,
  primary key (hospital_id, appointment_id, starts_at, lead_time),
  constraint reminder_of_an_appointment foreign key (hospital_id, appointment_id)
    references app_public.appointment (hospital_id, id) on delete cascade,
  constraint reminder_by_a_notification foreign key (hospital_id, notification_id)
    references app_public.notification (hospital_id, id) on delete cascade
);
comment on table app_public.appointment_reminder is
  'A reminder that a patient was sent, for the start that the visit had then.';
comment on column app_public.appointment_reminder.starts_at is 'Start of the visit that it was for.';
comment on column app_public.appointment_reminder.lead_time is 'Which of the hospital''s reminders it was.';
create index reminder_with_a_notification on app_public.appointment_reminder (hospital_id, notification_id);

create table app_private.reminder_mark (
  hospital_id uuid not null constraint reminder_mark_of_a_hospital references app_public.hospital (id) on delete cascade,
  reached_at timestamptz not null,
  primary key (hospital_id)
);
comment on table app_private.reminder_mark is 'Until when reminders of a hospital have been looked for.';
comment on column app_private.reminder_mark.reached_at is 'What came due until then has been sent, or will not be.';

create table app_public.calendar_feed (
  hospital_id uuid not null constraint calendar_feed_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  account_id uuid not null,
  created_at timestamptz not null default app_private.clock(),
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (hospital_id, id),
  constraint calendar_feed_of_an_account foreign key (hospital_id, account_id)
    references app_public.account (hospital_id, id),
  constraint a_feed_is_revoked_after_it_was_made check (revoked_at >= created_at)
);
comment on table app_public.calendar_feed is
  'A private address from which a calendar program reads the visits of an account.';
comment on column app_public.calendar_feed.last_used_at is 'When it was last read, to the hour; null: never.';
comment on column app_public.calendar_feed.revoked_at is 'Since when it answers nobody any more; null: it does.';
create index calendar_feed_by_account on app_public.calendar_feed (hospital_id, account_id);

create table app_private.calendar_feed_secret (
  hospital_id uuid not null,
  token_hash bytea not null constraint a_feed_token_hash_is_sha256 check (length(token_hash) = 32),
  feed_id uuid not null,
  primary key (hospital_id, token_hash),
  constraint a_feed_has_one_secret unique (hospital_id, feed_id),
  constraint secret_of_a_calendar_feed foreign key (hospital_id, feed_id)
    references app_public.calendar_feed (hospital_id, id) on delete cascade
);
comment on table app_private.calendar_feed_secret is 'Hash of the secret in the address of a calendar feed.';
comment on column app_private.calendar_feed_secret.token_hash is 'SHA-256 of the token''s bytes: the hospital and 256 random bits.';

create type app_public.new_calendar_feed as (feed_id uuid, path text);
comment on type app_public.new_calendar_feed is 'A calendar feed that was just made, with its secret.';
comment on column app_public.new_calendar_feed.feed_id is 'The feed, to revoke it by.';
comment on column app_public.new_calendar_feed.path is 'Path of its address on this server. A secret: it is told only now.';

reset role;
