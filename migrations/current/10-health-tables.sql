-- What the system knows of its own health: the catalog of checks, runs, findings, the review queue,
-- alerts and the log.
set local role app_owner;

create type app_public.check_severity as enum ('info', 'warning', 'critical');
comment on type app_public.check_severity is
  'How bad a finding is: critical (patients or data are at risk now), warning (something will go wrong), info.';

create type app_public.check_remedy as enum ('repair', 'review', 'operator');
comment on type app_public.check_remedy is
  'What becomes of a finding: repaired without a person where that is safe, else given to people to review, or told to whoever runs the system.';

create type app_public.check_trigger as enum ('manual', 'nightly', 'hourly', 'event');
comment on type app_public.check_trigger is
  'Why checks ran: somebody asked, the nightly audit, the hourly reconciliation, or something changed.';

create table app_public.health_check (
  name text primary key constraint a_check_is_a_snake_case_word check (name ~ '^[a-z][a-z_]*$'),
  domain text not null constraint the_domain_of_a_check_is_a_snake_case_word check (domain ~ '^[a-z][a-z_]*$'),
  severity app_public.check_severity not null,
  entity_type text not null,
  title text not null constraint a_check_has_a_title check (length(btrim(title)) between 1 and 100),
  meaning text not null constraint a_check_says_what_it_means check (length(btrim(meaning)) > 0),
  importance text not null constraint a_check_says_why_it_matters check (length(btrim(importance)) > 0),
  resolution text not null constraint a_check_says_how_to_resolve_it check (length(btrim(resolution)) > 0),
  remedy app_public.check_remedy not null,
  repair text,
  is_event_driven boolean not null,
  constraint a_check_that_repairs_names_its_function check ((remedy = 'repair') = (repair is not null)),
  constraint events_verify_what_they_change check (
    not is_event_driven or entity_type in ('appointment', 'slot', 'doctor', 'patient'))
);
comment on table app_public.health_check is
  'The health checks that there are. Each is a view of the schema checks that is empty while all is well.';
comment on column app_public.health_check.name is 'Name of the check, and of its view.';
comment on column app_public.health_check.domain is 'What it looks at.';
comment on column app_public.health_check.severity is 'How bad a finding of it is.';
comment on column app_public.health_check.entity_type is 'What its findings are about: a table''s name, or system.';
comment on column app_public.health_check.title is 'The check in a few words.';
comment on column app_public.health_check.meaning is 'What a finding means.';
comment on column app_public.health_check.importance is 'Why it matters.';
comment on column app_public.health_check.resolution is 'How people resolve it.';
comment on column app_public.health_check.remedy is 'What becomes of a finding without people.';
comment on column app_public.health_check.repair is 'Function that repairs it; null where nothing is safe to do without a person.';
comment on column app_public.health_check.is_event_driven is
  'Whether it is run for each entity that changed, within seconds of the change.';

create table app_public.check_run (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  trigger app_public.check_trigger not null,
  requested_by uuid,
  check_names text[] not null,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  duration_ms integer not null constraint a_check_run_takes_time check (duration_ms >= 0),
  finding_count integer not null,
  new_count integer not null,
  resolved_count integer not null,
  failed_checks text[] not null default '{}',
  primary key (hospital_id, id),
  constraint check_run_requested_by_an_account
    foreign key (hospital_id, requested_by) references app_public.account (hospital_id, id),
  constraint a_check_run_ends_after_it_starts check (finished_at >= started_at),
  constraint a_check_run_counts_what_it_found check (
    finding_count >= 0 and new_count between 0 and finding_count and resolved_count >= 0)
);
comment on table app_public.check_run is
  'Runs of health checks. Of those that an event set off only the ones that found or resolved something.';
comment on column app_public.check_run.trigger is 'Why it ran.';
comment on column app_public.check_run.requested_by is 'Account of the admin who asked for it; null otherwise.';
comment on column app_public.check_run.check_names is 'Checks that ran.';
comment on column app_public.check_run.started_at is 'When it began.';
comment on column app_public.check_run.finished_at is 'When it ended.';
comment on column app_public.check_run.duration_ms is 'How long it took, in milliseconds.';
comment on column app_public.check_run.finding_count is 'How many rows the checks returned.';
comment on column app_public.check_run.new_count is 'How many of them were not known, or were thought resolved.';
comment on column app_public.check_run.resolved_count is 'How many known findings are gone.';
comment on column app_public.check_run.failed_checks is 'Checks that could not be run; the log tells why.';

create index check_run_by_time on app_public.check_run (hospital_id, started_at);

create table app_public.check_result (
  hospital_id uuid not null,
  run_id uuid not null,
  check_name text not null,
  row_count integer not null constraint a_check_result_counts_rows check (row_count >= 0),
  duration_ms numeric(12, 3) not null constraint a_check_takes_time check (duration_ms >= 0),
  error text,
  primary key (hospital_id, run_id, check_name),
  constraint result_of_a_check_run
    foreign key (hospital_id, run_id) references app_public.check_run (hospital_id, id) on delete cascade
);
comment on table app_public.check_result is 'What each check of a run returned, and how long it took.';
comment on column app_public.check_result.row_count is 'How many rows it returned.';
comment on column app_public.check_result.duration_ms is 'How long it took, in milliseconds.';
comment on column app_public.check_result.error is 'Why it could not be run; null when it could.';

create table app_public.finding (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  check_name text not null,
  severity app_public.check_severity not null,
  entity_type text not null,
  entity_id uuid,
  cache_key text not null,
  detail text not null,
  metadata jsonb not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  times_seen integer not null constraint a_finding_was_seen check (times_seen >= 1),
  detected_after interval,
  resolved_at timestamptz,
  is_auto_corrected boolean not null default false,
  repair_attempts integer not null default 0 constraint repair_attempts_are_not_negative check (repair_attempts >= 0),
  repair_error text,
  ignored_by uuid,
  ignored_at timestamptz,
  ignored_until timestamptz,
  ignore_reason text,
  primary key (hospital_id, id),
  constraint a_problem_is_one_finding unique (hospital_id, cache_key),
  constraint finding_ignored_by_an_account
    foreign key (hospital_id, ignored_by) references app_public.account (hospital_id, id),
  constraint a_finding_is_seen_first_and_then_again check (last_seen_at >= first_seen_at),
  constraint a_finding_is_corrected_when_it_is_resolved check (not is_auto_corrected or resolved_at is not null),
  constraint a_finding_is_ignored_with_a_reason check (
    (ignored_at is null) = (ignore_reason is null) and (ignored_at is not null or (ignored_by is null and ignored_until is null)))
);
comment on table app_public.finding is
  'What health checks found, remembered over time. Findings of the whole system stand under the hospital of noughts.';
comment on column app_public.finding.check_name is 'Check that found it.';
comment on column app_public.finding.severity is 'How bad it is.';
comment on column app_public.finding.entity_type is 'What it is about: a table''s name, or system.';
comment on column app_public.finding.entity_id is 'Identifier of the row that it is about; null where it is about no row.';
comment on column app_public.finding.cache_key is 'Names this very problem; the same problem keeps it.';
comment on column app_public.finding.detail is 'The problem in a sentence.';
comment on column app_public.finding.metadata is 'What the check knows of it: identifiers, counts and times.';
comment on column app_public.finding.first_seen_at is 'When it was found first, since it was last resolved.';
comment on column app_public.finding.last_seen_at is 'When it was found last.';
comment on column app_public.finding.times_seen is 'How many runs have found it.';
comment on column app_public.finding.detected_after is 'How long after the change that caused it; null where that is not known.';
comment on column app_public.finding.resolved_at is 'When it was found gone; null while it is open.';
comment on column app_public.finding.is_auto_corrected is 'Whether a repair without a person has resolved it.';
comment on column app_public.finding.repair_attempts is 'How often a repair was tried.';
comment on column app_public.finding.repair_error is 'Why the last repair did not resolve it.';
comment on column app_public.finding.ignored_by is 'Account of the admin who chose to ignore it; null for operators.';
comment on column app_public.finding.ignored_at is 'When; null while nobody ignores it.';
comment on column app_public.finding.ignored_until is 'Until when it is ignored; null: for good.';
comment on column app_public.finding.ignore_reason is 'Why it is ignored.';

create index open_finding on app_public.finding (hospital_id, check_name, entity_id) where resolved_at is null;
create index finding_by_time on app_public.finding (hospital_id, first_seen_at);
create index finding_by_resolution on app_public.finding (hospital_id, resolved_at) where resolved_at is not null;

create type app_public.review_status as enum ('pending', 'in_review', 'resolved', 'dismissed');
comment on type app_public.review_status is
  'How a review item stands: nobody has it, somebody has claimed it, it is resolved, or it was no problem.';

create table app_public.review_item (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  finding_id uuid,
  reason text not null constraint the_reason_for_a_review_is_a_snake_case_word check (reason ~ '^[a-z][a-z_]*$'),
  priority smallint not null constraint a_review_has_a_priority_from_1_to_5 check (priority between 1 and 5),
  entity_type text not null,
  entity_id uuid,
  detail text not null,
  context jsonb not null default '{}',
  status app_public.review_status not null default 'pending',
  created_at timestamptz not null default app_private.clock(),
  claimed_by uuid,
  claimed_at timestamptz,
  decided_by uuid,
  decided_at timestamptz,
  note text constraint a_review_note_is_short check (length(note) <= 2000),
  primary key (hospital_id, id),
  constraint review_of_a_finding foreign key (hospital_id, finding_id) references app_public.finding (hospital_id, id),
  constraint review_claimed_by_an_account
    foreign key (hospital_id, claimed_by) references app_public.account (hospital_id, id),
  constraint review_decided_by_an_account
    foreign key (hospital_id, decided_by) references app_public.account (hospital_id, id),
  constraint a_review_is_decided_with_a_note check (
    (status in ('resolved', 'dismissed')) = (decided_at is not null) and (decided_at is null or note is not null)),
  constraint a_review_is_claimed_before_it_is_in_review check ((status = 'pending') <= (claimed_at is null)
    and (status = 'in_review') <= (claimed_at is not null))
);
comment on table app_public.review_item is 'What people have to look at, because no machine can resolve it safely.';
comment on column app_public.review_item.finding_id is 'Finding that it is about; null where something else asked for a review.';
comment on column app_public.review_item.reason is 'Why it is here: the name of the check, or what failed.';
comment on column app_public.review_item.priority is 'How urgent it is, from 1 (highest) to 5.';
comment on column app_public.review_item.entity_type is 'What it is about: a table''s name, or system.';
comment on column app_public.review_item.entity_id is 'Identifier of the row that it is about.';
comment on column app_public.review_item.detail is 'The problem in a sentence.';
comment on column app_public.review_item.context is 'What helps to decide: identifiers, counts and times.';
comment on column app_public.review_item.status is 'How it stands.';
comment on column app_public.review_item.claimed_by is 'Account of the admin who looks at it; null for operators.';
comment on column app_public.review_item.claimed_at is 'When it was claimed; null while nobody looks at it.';
comment on column app_public.review_item.decided_by is 'Account of the admin who decided; null when it resolved itself or an operator decided.';
comment on column app_public.review_item.decided_at is 'When it was decided; null while it is open.';
comment on column app_public.review_item.note is 'What was found and done.';

create unique index a_finding_waits_for_one_review on app_public.review_item (hospital_id, finding_id)
  where status in ('pending', 'in_review');
create index review_by_priority on app_public.review_item (hospital_id, priority, created_at)
  where status in ('pending', 'in_review');

create type app_public.health_alert_status as enum ('active', 'acknowledged', 'resolved');
comment on type app_public.health_alert_status is
  'How a health alert stands: raised, seen by a person, or over.';

create table app_public.health_alert (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  finding_id uuid,
  check_name text not null,
  severity app_public.check_severity not null,
  title text not null,
  detail text not null,
  status app_public.health_alert_status not null default 'active',
  times_raised integer not null default 1 constraint an_alert_was_raised check (times_raised >= 1),
  raised_at timestamptz not null default app_private.clock(),
  last_raised_at timestamptz not null default app_private.clock(),
  acknowledged_by uuid,
  acknowledged_at timestamptz,
  resolved_by uuid,
  resolved_at timestamptz,
  note text constraint an_alert_note_is_short check (length(note) <= 2000),
  primary key (hospital_id, id),
  constraint health_alert_of_a_finding foreign key (hospital_id, finding_id) references app_public.finding (hospital_id, id),
  constraint health_alert_acknowledged_by_an_account
    foreign key (hospital_id, acknowledged_by) references app_public.account (hospital_id, id),
  constraint health_alert_resolved_by_an_account
    foreign key (hospital_id, resolved_by) references app_public.account (hospital_id, id),
  constraint a_health_alert_ends_when_it_is_resolved check ((status = 'resolved') = (resolved_at is not null)),
  constraint a_health_alert_is_acknowledged_at_a_time check (status <> 'acknowledged' or acknowledged_at is not null)
);
comment on table app_public.health_alert is 'Problems that people were told of.';
comment on column app_public.health_alert.finding_id is 'Finding that it tells of; null where it tells of something else.';
comment on column app_public.health_alert.check_name is 'Check that found the problem.';
comment on column app_public.health_alert.severity is 'How bad it is.';
comment on column app_public.health_alert.title is 'The problem in a few words.';
comment on column app_public.health_alert.detail is 'The problem in a sentence.';
comment on column app_public.health_alert.status is 'How it stands.';
comment on column app_public.health_alert.times_raised is 'How often it was raised since it is open.';
comment on column app_public.health_alert.raised_at is 'When it was raised first.';
comment on column app_public.health_alert.last_raised_at is 'When it was raised last.';
comment on column app_public.health_alert.acknowledged_by is 'Account of the admin who has seen it; null for operators.';
comment on column app_public.health_alert.acknowledged_at is 'When; null while nobody has.';
comment on column app_public.health_alert.resolved_by is 'Account of the admin who closed it; null when the problem is gone.';
comment on column app_public.health_alert.resolved_at is 'When it ended; null while it is open.';
comment on column app_public.health_alert.note is 'What was done.';

create unique index a_finding_has_one_open_alert on app_public.health_alert (hospital_id, finding_id)
  where status <> 'resolved';
create index health_alert_by_time on app_public.health_alert (hospital_id, raised_at);

create type app_public.log_kind as enum (
  'operation', 'login', 'webhook', 'job', 'security', 'check_run', 'finding', 'repair', 'review', 'alert', 'sync');
comment on type app_public.log_kind is
  'What an entry of the log is about. Health entries are check_run, finding, repair, review and alert; the others are general.';

create type app_public.log_level as enum ('debug', 'info', 'warning', 'error', 'critical');
comment on type app_public.log_level is 'How serious an entry of the log is.';

create table app_public.log_entry (
  hospital_id uuid not null,
  id bigint generated always as identity,
  kind app_public.log_kind not null,
  level app_public.log_level not null,
  name text not null,
  outcome text not null constraint the_outcome_of_an_entry_is_known check (outcome in ('succeeded', 'refused', 'failed', 'noted')),
  code text,
  scenario text,
  duration_ms integer constraint what_is_logged_takes_time check (duration_ms >= 0),
  request_id text,
  actor_account_id uuid,
  actor_role text,
  entity_type text,
  entity_id uuid,
  message text not null constraint a_log_message_is_short check (length(message) <= 1000),
  details jsonb not null default '{}',
  logged_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id)
);
comment on table app_public.log_entry is
  'One stream of what happened: operations, logins, webhooks and jobs with their outcome, and what health checks found and repaired. No patient data.';
comment on column app_public.log_entry.id is 'Grows with time.';
comment on column app_public.log_entry.kind is 'What it is about.';
comment on column app_public.log_entry.level is 'How serious it is.';
comment on column app_public.log_entry.name is 'Name of the operation, job or check.';
comment on column app_public.log_entry.outcome is 'How it ended: succeeded, refused (a rule said no), failed, or noted where nothing ends.';
comment on column app_public.log_entry.code is 'Code of the error, or null.';
comment on column app_public.log_entry.scenario is 'Scenario of the error catalog, or null.';
comment on column app_public.log_entry.duration_ms is 'How long it took, in milliseconds.';
comment on column app_public.log_entry.request_id is 'Identifier of the request, which its answer and the audit have too.';
comment on column app_public.log_entry.actor_account_id is 'Account that acted, or null.';
comment on column app_public.log_entry.actor_role is 'Role that acted.';
comment on column app_public.log_entry.entity_type is 'What it is about: a table''s name, or null.';
comment on column app_public.log_entry.entity_id is 'Identifier of the row that it is about, or null.';
comment on column app_public.log_entry.message is 'What happened, in a sentence.';
comment on column app_public.log_entry.details is 'More about it: identifiers, counts and times.';
comment on column app_public.log_entry.logged_at is 'When it happened.';

create index log_by_time on app_public.log_entry (hospital_id, logged_at, id);
create index log_by_entity on app_public.log_entry (hospital_id, entity_id, id) where entity_id is not null;
create index log_by_request on app_public.log_entry (hospital_id, request_id) where request_id is not null;

reset role;
