--! Previous: sha1:0d9cd402de028fbb661fc1fefb449ff4cff1a447
--! Hash: sha1:c152d121798449ad8f6da460b767915904c74944
--! Message: health-tables

--! split: 1-current.sql
-- Who observes the server itself, and who monitors.
--! Included roles.sql
-- The roles of the house. They belong to the whole cluster, not to one database, so they are
-- created only where missing. Only the two login roles can connect; neither has a password until
-- the migrator sets one, and neither owns anything of the application.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('app_owner', 'nologin noinherit'),
      ('app_authenticator', 'login noinherit'),
      ('app_worker', 'login noinherit'),
      ('app_login', 'nologin noinherit'),
      ('app_anonymous', 'nologin noinherit'),
      ('app_patient', 'nologin noinherit'),
      ('app_doctor', 'nologin noinherit'),
      ('app_nurse', 'nologin noinherit'),
      ('app_receptionist', 'nologin noinherit'),
      ('app_admin', 'nologin noinherit'),
      ('app_monitor', 'nologin noinherit'),
      ('app_eraser', 'nologin noinherit'),
      ('app_scheduler', 'nologin noinherit'),
      ('app_observer', 'nologin inherit')
    ) as role_list (name, options)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.options);
    end if;
  end loop;

  -- Whoever migrates must be able to act as the owner and as the eraser (nobody is a member of it, so
  -- that only its one function can redact), and to give the worker its schema. A superuser already
  -- can; another role grants itself what CREATEROLE entitles it to.
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute format('grant app_owner, app_worker, app_eraser, app_observer to %I', current_user);
  end if;

  -- app_observer sees how long transactions of other roles are open, through the one function that it owns
  -- for that; nobody is a member of it. Whoever may not give that right leaves it out: the check is blind then.
  begin
    grant pg_read_all_stats to app_observer;
  exception when insufficient_privilege then
    raise notice 'pg_read_all_stats is not granted to app_observer: long transactions of other roles are not seen.';
  end;

  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to app_authenticator, app_worker, app_monitor', current_database());
end
$$;

-- The server logs in as app_authenticator and becomes, for one transaction, one of these.
grant app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_scheduler,
  app_monitor
  to app_authenticator;

-- Timeouts stand on the login role, because SET ROLE does not apply a role's own settings.
alter role app_authenticator set statement_timeout = '5s';
alter role app_authenticator set lock_timeout = '2s';
alter role app_authenticator set idle_in_transaction_session_timeout = '10s';
alter role app_authenticator set client_connection_check_interval = '1s';
alter role app_worker set statement_timeout = '5min';
alter role app_worker set lock_timeout = '10s';
alter role app_worker set idle_in_transaction_session_timeout = '1min';
alter role app_worker set client_connection_check_interval = '1s';
--! EndIncluded roles.sql

set local role app_owner;
grant usage on schema app_public, app_private to app_observer;
reset role;
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
-- The system checks that what protects it is still switched on: a manifest of guards that the migrations
-- write themselves, and the checks of references.
set local role app_owner;

create table app_private.guard (
  kind text not null constraint a_guard_is_of_a_known_kind check (kind in (
    'constraint', 'not_null', 'unique_index', 'trigger', 'rule', 'policy', 'row_security', 'grant', 'function', 'owner',
    'default', 'view', 'check', 'role', 'superuser', 'membership', 'default_rights')),
  object text not null,
  name text not null,
  definition text not null,
  source text,
  declared_at timestamptz not null default app_private.clock(),
  primary key (kind, object, name)
);
comment on table app_private.guard is
  'What the migrations declared to guard the data: the manifest that health checks hold the catalogs of Postgres against.';
comment on column app_private.guard.kind is 'What it is: a constraint, trigger, policy, grant or another kind.';
comment on column app_private.guard.object is 'What it stands on: a table or view, a schema (for functions), another object of a grant; empty for roles.';
comment on column app_private.guard.name is 'Its name there.';
comment on column app_private.guard.definition is 'What it is when it is in force; a digest where that would be long.';
comment on column app_private.guard.source is 'Statements that make it anew, where the definition is a digest; null otherwise.';
comment on column app_private.guard.declared_at is 'When a migration declared it as it is.';

reset role;
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
-- The log: who writes it, who reads it, how long it is kept; and the checks of the machinery itself.
set local role app_owner;


alter table app_public.hospital
  add column log_kept_days integer not null default 90
    constraint the_log_is_kept_a_day_to_ten_years check (log_kept_days between 1 and 3650);
comment on column app_public.hospital.log_kept_days is 'Days for which the log of what happened is kept.';

-- What people look for is rare among what is written, and found without reading that; entries of plain
-- success cost none of these indexes anything.
create index log_of_trouble on app_public.log_entry (hospital_id, logged_at, id) where level >= 'warning';
create index log_by_kind on app_public.log_entry (hospital_id, kind, logged_at, id) where kind <> 'operation';

-- Of a kind that it does not know (a parameter of a prepared statement) the planner assumes the average, which
-- is that of operations; those who ask for a kind ask for one of the others.
alter table app_public.log_entry alter column kind set (n_distinct = 1000000);

create table app_private.process_heartbeat (
  process_id text primary key,
  kind text not null constraint a_process_is_a_server_or_a_worker check (kind in ('server', 'worker')),
  environment text not null,
  started_at timestamptz not null,
  beaten_at timestamptz not null,
  drift_ms integer,
  uncertainty_ms integer constraint the_uncertainty_of_a_drift_is_not_negative check (uncertainty_ms >= 0),
  constraint a_drift_is_known_with_its_uncertainty check ((drift_ms is null) = (uncertainty_ms is null))
);
comment on table app_private.process_heartbeat is
  'The servers and workers that live, or lived within the last week, and how far their clocks are from that of the database.';
comment on column app_private.process_heartbeat.process_id is 'Names the process.';
comment on column app_private.process_heartbeat.kind is 'Whether it is a server or a worker.';
comment on column app_private.process_heartbeat.environment is 'The environment that it runs in: production, development or test.';
comment on column app_private.process_heartbeat.started_at is 'When it beat first.';
comment on column app_private.process_heartbeat.beaten_at is 'When it beat last.';
comment on column app_private.process_heartbeat.drift_ms is
  'Milliseconds by which its clock is ahead of the database''s; negative: behind. Null until it has compared them.';
comment on column app_private.process_heartbeat.uncertainty_ms is 'Milliseconds by which the drift may be wrong: half of the time that the answer took.';

reset role;
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
-- The doors to checks and findings: admins, monitors outside, people in psql.
set local role app_owner;

alter table app_public.finding add column domain text;
comment on column app_public.check_result.check_name is 'The check.';
comment on column app_public.finding.domain is 'Domain of its check; null when the check is no more.';

create type app_public.repair_outcome as enum ('repaired', 'needs_a_person', 'failed');
comment on type app_public.repair_outcome is
  'What became of a repair: the check is silent again, it is not safe without a person and waits for a review, or it did not work now.';

create type app_public.finding_repair as (
  finding_id uuid,
  check_name text,
  entity_type text,
  entity_id uuid,
  outcome app_public.repair_outcome,
  message text
);
comment on type app_public.finding_repair is 'What a repair did about a finding.';
comment on column app_public.finding_repair.finding_id is 'The finding.';
comment on column app_public.finding_repair.check_name is 'Check that found it.';
comment on column app_public.finding_repair.entity_type is 'What it is about: a table''s name.';
comment on column app_public.finding_repair.entity_id is 'Identifier of the row that it is about.';
comment on column app_public.finding_repair.outcome is 'What became of it.';
comment on column app_public.finding_repair.message is 'What was done, or why not, in a sentence.';

create type app_public.repair_report as (
  repaired_count integer,
  remaining_count integer,
  for_people_count integer,
  repairs app_public.finding_repair[]
);
comment on type app_public.repair_report is 'What a round of repairs did.';
comment on column app_public.repair_report.repaired_count is 'How many findings were repaired.';
comment on column app_public.repair_report.remaining_count is
  'How many more could be repaired and were not reached in this call: ask again.';
comment on column app_public.repair_report.for_people_count is
  'How many open findings of these checks no repair is safe for: people review them, or operators act.';
comment on column app_public.repair_report.repairs is 'What became of each finding that was tried.';

reset role;
-- When checks run: at night, by the hour, and for what has just changed. How long verifications take, the
-- verification that people ask for, and how long what was found is kept.
set local role app_owner;

create table app_private.verification_hour (
  hospital_id uuid not null,
  hour timestamptz not null,
  verified integer not null,
  total_ms double precision not null,
  buckets integer[] not null constraint durations_stand_in_18_buckets check (cardinality(buckets) = 18),
  primary key (hospital_id, hour)
);
comment on table app_private.verification_hour is
  'Verifications of what changed in a hospital, counted by the hour; each with the time that its whole batch took.';
comment on column app_private.verification_hour.verified is 'How many appointments and slots were verified.';
comment on column app_private.verification_hour.total_ms is 'How long they took together, in milliseconds.';
comment on column app_private.verification_hour.buckets is
  'How many took up to 2^(number - 3) ms and longer than the bucket before; the last one has no bound.';

create index review_item_by_decision on app_public.review_item (hospital_id, decided_at) where decided_at is not null;

create type app_public.verification as (
  is_valid boolean,
  reason text,
  details jsonb,
  duration_ms double precision
);
comment on type app_public.verification is 'What verifying an appointment came to.';
comment on column app_public.verification.is_valid is 'Whether nothing is wrong with it.';
comment on column app_public.verification.reason is 'Name of the check that speaks of the worst fault; null where there is none.';
comment on column app_public.verification.details is
  'Every fault, the worst first: check, severity and title; staff read what it is about, too.';
comment on column app_public.verification.duration_ms is 'How long it took, in milliseconds.';

reset role;
