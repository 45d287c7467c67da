--! Previous: sha1:d4667226a23ec11ae2160dfbe91c9e6632314a9e
--! Hash: sha1:b2e5b158f3adbdffecade16bef69a4245a236e71
--! Message: webhooks-tables

--! split: 1-current.sql
set local role app_owner;

-- Outgoing webhooks: who wants to be told of what, with which secret, and each telling.

create type app_public.webhook_status as enum ('active', 'paused', 'switched_off');
comment on type app_public.webhook_status is
  'Is told of events, was paused by an admin, or was switched off because its target keeps failing.';

create type app_public.webhook_delivery_status as enum ('pending', 'sending', 'delivered', 'failed');
comment on type app_public.webhook_delivery_status is 'Waits to be sent, is being sent, was taken, or was given up.';

create table app_public.webhook_event (
  name text primary key constraint a_webhook_event_is_two_snake_case_words check (name ~ '^[a-z][a-z_]*\.[a-z][a-z_]*$'),
  description text not null constraint a_webhook_event_has_a_description check (length(btrim(description)) between 1 and 500)
);
comment on table app_public.webhook_event is 'The events that a webhook subscription can name.';
comment on column app_public.webhook_event.name is 'The name, which is the type in the body of a delivery.';
comment on column app_public.webhook_event.description is 'When it happens.';

create table app_public.webhook_subscription (
  hospital_id uuid not null constraint webhook_subscription_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  name text not null constraint a_webhook_subscription_has_a_name check (length(btrim(name)) between 1 and 200),
  url text not null
    constraint a_webhook_url_is_http_without_credentials check (url ~* '^https?://[^\s/?#@]+([/?#]\S*)?$')
    constraint a_webhook_url_is_at_most_2000_characters check (length(url) <= 2000),
  events text[] not null constraint a_webhook_subscription_names_events
    check (cardinality(events) between 1 and 50 and array_position(events, null) is null),
  status app_public.webhook_status not null default 'active',
  consecutive_failures integer not null default 0
    constraint webhook_failures_are_not_negative check (consecutive_failures >= 0),
  failing_since timestamptz,
  switched_off_at timestamptz,
  switch_off_reason text
    constraint a_switch_off_reason_is_at_most_500_characters check (length(switch_off_reason) between 1 and 500),
  secret_rotated_at timestamptz,
  created_by uuid default app_private.claim_account_id(),
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint webhook_subscription_created_by_an_account foreign key (hospital_id, created_by)
    references app_public.account (hospital_id, id),
  constraint a_webhook_name_is_unique_in_its_hospital unique (hospital_id, name),
  constraint a_switched_off_webhook_says_when_and_why check (
    (status = 'switched_off') = (switched_off_at is not null)
    and (status = 'switched_off') = (switch_off_reason is not null)),
  constraint a_failing_webhook_fails_since_a_time check (consecutive_failures = 0 or failing_since is not null)
);
create index webhook_subscription_created_by on app_public.webhook_subscription (hospital_id, created_by);
comment on table app_public.webhook_subscription is
  'A system of the hospital''s that is told of events by signed requests. Events while it is paused or switched off are not kept for it.';
comment on column app_public.webhook_subscription.name is 'Name for people, unique in the hospital.';
comment on column app_public.webhook_subscription.url is 'Where requests go; https, unless the operator allows private targets.';
comment on column app_public.webhook_subscription.events is 'The events that it is told of.';
comment on column app_public.webhook_subscription.status is 'Whether it is told.';
comment on column app_public.webhook_subscription.consecutive_failures is 'Deliveries in a row that were given up.';
comment on column app_public.webhook_subscription.failing_since is 'The first failed try since the last delivery that was taken.';
comment on column app_public.webhook_subscription.switched_off_at is 'When it was switched off.';
comment on column app_public.webhook_subscription.switch_off_reason is 'Why it was switched off.';
comment on column app_public.webhook_subscription.secret_rotated_at is 'When its secret was last replaced.';
comment on column app_public.webhook_subscription.created_by is 'Who made it.';
comment on column app_public.webhook_subscription.created_at is 'When it was made.';

create table app_private.webhook_secret (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  subscription_id uuid not null,
  secret text not null constraint a_webhook_secret_is_32_bytes_in_base64 check (secret ~ '^whsec_[A-Za-z0-9+/]{43}=$'),
  expires_at timestamptz,
  primary key (hospital_id, id),
  constraint secret_of_a_webhook_subscription foreign key (hospital_id, subscription_id)
    references app_public.webhook_subscription (hospital_id, id) on delete cascade
);
create unique index a_webhook_has_one_lasting_secret on app_private.webhook_secret (hospital_id, subscription_id)
  where expires_at is null;
create index webhook_secret_of_a_subscription on app_private.webhook_secret (hospital_id, subscription_id);
comment on table app_private.webhook_secret is 'What requests of a webhook subscription are signed with.';
comment on column app_private.webhook_secret.subscription_id is 'The subscription.';
comment on column app_private.webhook_secret.secret is 'The secret, as Standard Webhooks write it.';
comment on column app_private.webhook_secret.expires_at is 'Until when it signs; null: it is the current one.';

create table app_public.webhook_delivery (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  subscription_id uuid not null,
  event text not null constraint a_delivered_event_is_two_snake_case_words check (event ~ '^[a-z][a-z_]*\.[a-z][a-z_]*$'),
  event_id uuid not null default app_private.new_id(),
  payload jsonb not null default '{}' constraint a_webhook_payload_is_an_object check (jsonb_typeof(payload) = 'object'),
  occurred_at timestamptz not null default app_private.clock(),
  status app_public.webhook_delivery_status not null default 'pending',
  attempts integer not null default 0 constraint webhook_attempts_are_not_negative check (attempts >= 0),
  next_attempt_at timestamptz default app_private.clock(),
  leased_until timestamptz,
  lease uuid,
  last_status_code integer
    constraint a_webhook_status_code_is_of_http check (last_status_code between 100 and 999),
  last_error text constraint a_webhook_error_is_at_most_500_characters check (length(last_error) <= 500),
  response_excerpt text constraint a_webhook_excerpt_is_at_most_500_characters check (length(response_excerpt) <= 500),
  duration_ms integer constraint a_webhook_duration_is_not_negative check (duration_ms >= 0),
  created_at timestamptz not null default app_private.clock(),
  ended_at timestamptz,
  primary key (hospital_id, id),
  constraint webhook_delivery_of_a_subscription foreign key (hospital_id, subscription_id)
    references app_public.webhook_subscription (hospital_id, id) on delete cascade,
  constraint a_subscription_is_told_once_of_an_event unique (hospital_id, subscription_id, event_id),
  constraint only_a_pending_webhook_has_a_next_attempt check ((status = 'pending') = (next_attempt_at is not null)),
  constraint only_a_webhook_being_sent_is_leased check (
    (status = 'sending') = (leased_until is not null) and (status = 'sending') = (lease is not null)),
  constraint an_ended_webhook_says_when check ((status in ('delivered', 'failed')) = (ended_at is not null))
);
-- What is due of a subscription: waiting for its time, or held by somebody who has not said how it went.
create index webhook_delivery_by_time on app_public.webhook_delivery
  (hospital_id, subscription_id, coalesce(next_attempt_at, leased_until)) where status in ('pending', 'sending');
create index webhook_delivery_by_status on app_public.webhook_delivery (hospital_id, status, id);
create index webhook_delivery_by_end on app_public.webhook_delivery (hospital_id, ended_at) where ended_at is not null;
comment on table app_public.webhook_delivery is 'An event and a subscription that is told of it, kept for 30 days after its end.';
comment on column app_public.webhook_delivery.subscription_id is 'Who is told.';
comment on column app_public.webhook_delivery.event is 'What happened.';
comment on column app_public.webhook_delivery.event_id is 'Which event it is: the webhook-id of every try, by which receivers know a repetition.';
comment on column app_public.webhook_delivery.payload is 'Identifiers, states and times; who needs more asks for it.';
comment on column app_public.webhook_delivery.occurred_at is 'When it happened.';
comment on column app_public.webhook_delivery.status is 'Where it stands.';
comment on column app_public.webhook_delivery.attempts is 'How often it was tried.';
comment on column app_public.webhook_delivery.next_attempt_at is 'When it is tried next; null unless it waits.';
comment on column app_public.webhook_delivery.leased_until is 'Until when whoever is sending it may say how it went; then it is sent again.';
comment on column app_public.webhook_delivery.lease is 'Which try it is: only that one may say how it went.';
comment on column app_public.webhook_delivery.last_status_code is 'What the receiver answered last.';
comment on column app_public.webhook_delivery.last_error is 'Why the last try failed.';
comment on column app_public.webhook_delivery.response_excerpt is 'The beginning of the last answer.';
comment on column app_public.webhook_delivery.duration_ms is 'How long the last try took.';
comment on column app_public.webhook_delivery.created_at is 'When it was planned.';
comment on column app_public.webhook_delivery.ended_at is 'When it was taken or given up.';

create type app_public.shown_webhook_secret as (subscription_id uuid, secret text);
comment on type app_public.shown_webhook_secret is 'A secret that is shown this once.';
comment on column app_public.shown_webhook_secret.subscription_id is 'The subscription.';
comment on column app_public.shown_webhook_secret.secret is 'The secret: whsec_ and base64.';

create type app_private.claimed_webhook as (
  delivery_id uuid, subscription_id uuid, lease uuid, url text, secrets text[], event text, event_id uuid,
  payload jsonb, occurred_at text);
comment on type app_private.claimed_webhook is 'A webhook to be sent now: the one place where its secrets are in clear.';

reset role;
