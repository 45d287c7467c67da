-- What reviews, alerts and daily reports need to be stored. Before all that includes the files that many
-- share, because those name these tables.
set local role app_owner;

alter table app_public.hospital
  add column health_alert_quiet_period interval not null default '1 hour'
    constraint a_quiet_period_of_alerts_lasts_a_minute_to_a_day
      check (health_alert_quiet_period between interval '1 minute' and interval '1 day'),
  add column health_chat_room text not null default 'health'
    constraint a_chat_room_has_a_name check (length(btrim(health_chat_room)) between 1 and 200);
comment on column app_public.hospital.health_alert_quiet_period is 'How long nobody is told of the same health alert again.';
comment on column app_public.hospital.health_chat_room is
  'Room of the chat that is told of health alerts, as the operator''s gateway knows it.';

alter table app_public.review_item
  add column is_settled boolean not null default false,
  add constraint only_a_resolved_review_has_settled_itself check (not is_settled or status = 'resolved' and decided_by is null);
comment on column app_public.review_item.is_settled is
  'Whether it has settled itself, because the problem is gone or ignored.';
alter table app_public.review_item rename constraint a_review_note_is_short to a_review_item_note_is_short;
drop index app_public.review_by_priority;
create index review_by_status on app_public.review_item (hospital_id, status, priority, created_at);
create index review_by_finding on app_public.review_item (hospital_id, finding_id);
create index review_of_an_entity on app_public.review_item (hospital_id, entity_id) where entity_id is not null;

alter table app_public.health_alert
  add column told_at timestamptz,
  add column is_settled boolean not null default false,
  add constraint only_a_resolved_health_alert_has_settled_itself
    check (not is_settled or status = 'resolved' and resolved_by is null);
comment on column app_public.health_alert.told_at is
  'When people were last told of this problem; they are not told of it again within the quiet period.';
comment on column app_public.health_alert.is_settled is 'Whether it has ended by itself, because the problem is gone or ignored.';
create index health_alert_by_status on app_public.health_alert (hospital_id, status, last_raised_at);
create index health_alert_by_finding on app_public.health_alert (hospital_id, finding_id, last_raised_at);
create index health_alert_to_tell on app_public.health_alert (hospital_id, last_raised_at)
  where status = 'active' and (told_at is null or told_at < last_raised_at);

create table app_private.health_alert_delivery (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  channel app_public.delivery_channel not null,
  room text not null,
  check_name text not null,
  alert_ids uuid[] not null constraint a_health_message_tells_of_an_alert check (cardinality(alert_ids) > 0),
  title text not null,
  body text not null,
  status app_public.delivery_status not null default 'pending',
  attempts integer not null default 0 constraint health_message_attempts_are_not_negative check (attempts >= 0),
  next_attempt_at timestamptz,
  leased_until timestamptz,
  lease uuid,
  outcome text constraint a_health_message_outcome_is_a_snake_case_word check (outcome ~ '^[a-z][a-z_]*$'),
  last_error text constraint a_health_message_error_is_at_most_500_characters check (length(last_error) <= 500),
  planned_at timestamptz not null default app_private.clock(),
  ended_at timestamptz,
  primary key (hospital_id, id),
  constraint only_a_pending_health_message_has_a_next_attempt check ((status = 'pending') = (next_attempt_at is not null)),
  constraint only_a_health_message_being_sent_is_leased check (
    (status = 'sending') = (leased_until is not null) and (status = 'sending') = (lease is not null)),
  constraint an_ended_health_message_says_when_and_how check (
    (status in ('sent', 'skipped', 'failed')) = (ended_at is not null) and (ended_at is not null) = (outcome is not null))
);
comment on table app_private.health_alert_delivery is
  'Messages about health alerts to a room of the chat, with their tries. Those of the whole system stand under the hospital of noughts.';
comment on column app_private.health_alert_delivery.channel is 'By which channel it goes out.';
comment on column app_private.health_alert_delivery.room is 'Where to, as the gateway knows it.';
comment on column app_private.health_alert_delivery.check_name is 'Check whose alerts it tells of.';
comment on column app_private.health_alert_delivery.alert_ids is 'Alerts that it tells of.';
comment on column app_private.health_alert_delivery.title is 'Its first line.';
comment on column app_private.health_alert_delivery.body is 'Its text: sentences of findings, no patient data.';
comment on column app_private.health_alert_delivery.status is 'How it stands.';
comment on column app_private.health_alert_delivery.attempts is 'How often it was tried.';
comment on column app_private.health_alert_delivery.next_attempt_at is 'When it is to be tried; null unless it waits.';
comment on column app_private.health_alert_delivery.leased_until is 'Until when whoever sends it has it; null unless it is being sent.';
comment on column app_private.health_alert_delivery.lease is 'Names the try that has it.';
comment on column app_private.health_alert_delivery.outcome is 'How it ended: delivered, rejected, gave_up, too_late, no_transport.';
comment on column app_private.health_alert_delivery.last_error is 'Why the last try failed.';
comment on column app_private.health_alert_delivery.planned_at is 'When it was planned.';
comment on column app_private.health_alert_delivery.ended_at is 'When it was sent or given up; null while it is open.';
create index health_message_to_send on app_private.health_alert_delivery (hospital_id, (coalesce(next_attempt_at, leased_until)))
  where status in ('pending', 'sending');
create index health_message_by_time on app_private.health_alert_delivery (hospital_id, ended_at) where ended_at is not null;

create table app_private.health_digest_mark (
  hospital_id uuid not null primary key constraint digest_of_a_hospital references app_public.hospital (id),
  reached_at timestamptz not null,
  reached_before timestamptz not null,
  constraint a_digest_comes_after_the_one_before check (reached_before < reached_at)
);
comment on table app_private.health_digest_mark is 'Up to when the admins of a hospital were told by digests.';
comment on column app_private.health_digest_mark.reached_at is 'When the last digest was due.';
comment on column app_private.health_digest_mark.reached_before is 'When the one before was due: from then on the last one tells.';

create table app_public.health_report (
  hospital_id uuid not null constraint health_report_of_a_hospital references app_public.hospital (id),
  day date not null,
  figures jsonb not null constraint the_figures_of_a_report_are_an_object check (jsonb_typeof(figures) = 'object'),
  text text not null,
  made_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, day)
);
comment on table app_public.health_report is 'The report of a hospital''s health, one for each local day.';
comment on column app_public.health_report.day is 'Local day that it tells of.';
comment on column app_public.health_report.figures is
  'Totals, inconsistencies and their rate, checks, top issues, trend, recovery, detection and open actions.';
comment on column app_public.health_report.text is 'The same in words.';
comment on column app_public.health_report.made_at is 'When it was made last.';

create type app_public.key_figure as (
  name text,
  title text,
  value numeric,
  target numeric,
  is_at_least boolean,
  is_met boolean,
  unit text,
  meaning text
);
comment on type app_public.key_figure is 'A figure by which the health of a hospital is judged.';
comment on column app_public.key_figure.name is 'Name of the figure.';
comment on column app_public.key_figure.title is 'The figure in a few words.';
comment on column app_public.key_figure.value is 'What was measured; null where there was nothing to measure.';
comment on column app_public.key_figure.target is 'What it should reach.';
comment on column app_public.key_figure.is_at_least is 'Whether the value should be at least the target; otherwise at most.';
comment on column app_public.key_figure.is_met is 'Whether the target is met; null where there was nothing to measure.';
comment on column app_public.key_figure.unit is 'Unit of value and target.';
comment on column app_public.key_figure.meaning is 'What exactly is measured.';

reset role;
