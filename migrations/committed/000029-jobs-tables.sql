--! Previous: sha1:201f260c80680dc3a0ef4577d9870b303b663172
--! Hash: sha1:87db655de9ecb2a616894189ecee2b1970dace53
--! Message: jobs-tables

--! split: 1-current.sql
-- Runs of background jobs: what ran, whether it is well, who is told, and who may ask for a run.

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
      ('app_scheduler', 'nologin noinherit')
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
    execute format('grant app_owner, app_worker, app_eraser to %I', current_user);
  end if;

  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to app_authenticator, app_worker, app_monitor', current_database());
end
$$;

-- The server logs in as app_authenticator and becomes, for one transaction, one of these.
grant app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_scheduler
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

grant usage on schema app_public, app_private to app_scheduler;

create type app_public.job_outcome as enum ('waiting', 'running', 'succeeded', 'failed', 'stuck', 'skipped');
comment on type app_public.job_outcome is
  'How a run of a job stands: waiting for a worker, running, succeeded, failed, stuck (no sign of life), skipped (another run of it was running).';

create type app_public.job_trigger as enum ('cron', 'manual', 'external', 'event');
comment on type app_public.job_trigger is
  'What started a run: the crontab, an admin, a scheduler outside, or something that happened (a change, another job, a second try).';

create table app_public.job (
  name text primary key constraint a_job_is_a_snake_case_word check (name ~ '^[a-z][a-z_]*$'),
  description text not null constraint a_job_says_what_it_does check (length(btrim(description)) > 0),
  expected_interval interval,
  stuck_after interval not null,
  is_of_hospital boolean not null,
  is_single boolean not null,
  is_counted boolean not null,
  is_manual boolean not null,
  is_external boolean not null,
  constraint times_of_a_job_are_at_least_a_minute check (
    stuck_after >= interval '1 minute' and coalesce(expected_interval >= interval '1 minute', true)),
  constraint jobs_that_are_counted_run_beside_each_other check (not (is_single and is_counted)),
  constraint the_crontab_runs_jobs_of_no_hospital check (expected_interval is null or not is_of_hospital),
  constraint admins_ask_for_jobs_of_a_hospital check (is_of_hospital or not is_manual),
  constraint schedulers_ask_for_jobs_of_no_hospital check (not is_external or not is_of_hospital)
);
comment on table app_public.job is 'The background jobs that there are.';
comment on column app_public.job.name is 'Name of the job.';
comment on column app_public.job.description is 'What it does.';
comment on column app_public.job.expected_interval is 'How often the crontab runs it; null: not by the crontab.';
comment on column app_public.job.stuck_after is 'After how long without a sign of life a run counts as stuck.';
comment on column app_public.job.is_of_hospital is 'Whether each run is for one hospital; else it looks after all of them.';
comment on column app_public.job.is_single is 'Whether a run is skipped while another one runs.';
comment on column app_public.job.is_counted is
  'Whether its runs are so many that short successful ones are only counted by the hour.';
comment on column app_public.job.is_manual is 'Whether admins may ask for a run in their hospital.';
comment on column app_public.job.is_external is 'Whether a scheduler outside may ask for a run.';

create table app_public.job_run (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  job text not null,
  started_by app_public.job_trigger not null,
  requested_by uuid,
  outcome app_public.job_outcome not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  heartbeat_at timestamptz,
  finished_at timestamptz,
  duration_ms integer constraint a_duration_is_not_negative check (duration_ms >= 0),
  items integer constraint items_of_a_run_are_not_negative check (items >= 0),
  hospitals integer not null default 0,
  hospitals_done integer not null default 0,
  hospitals_failed integer not null default 0,
  items_done integer not null default 0,
  error_code text,
  scenario text,
  error text constraint an_error_of_a_run_is_short check (length(error) <= 500),
  worker_id text,
  primary key (hospital_id, id),
  constraint run_requested_by_an_account foreign key (hospital_id, requested_by) references app_public.account (hospital_id, id),
  constraint a_run_ends_when_its_outcome_is_known check ((outcome in ('waiting', 'running')) = (finished_at is null)),
  constraint hospitals_of_a_run_are_not_negative check (hospitals >= 0 and hospitals_done >= 0 and hospitals_failed >= 0 and items_done >= 0)
);
comment on table app_public.job_run is
  'Runs of background jobs in a hospital, kept for 30 days. Of jobs that are counted by the hour only those that failed, took long or were asked for.';
comment on column app_public.job_run.job is 'Name of the job.';
comment on column app_public.job_run.started_by is 'What started it.';
comment on column app_public.job_run.requested_by is 'Account of the admin who asked for it; null otherwise.';
comment on column app_public.job_run.outcome is 'How it stands.';
comment on column app_public.job_run.started_at is 'When a worker began; null while it waits.';
comment on column app_public.job_run.heartbeat_at is 'Last sign of life.';
comment on column app_public.job_run.finished_at is 'When it ended; null until then.';
comment on column app_public.job_run.duration_ms is 'How long the work took, in milliseconds, by the clock of the worker.';
comment on column app_public.job_run.items is 'How many things it dealt with; null where it does not count any.';
comment on column app_public.job_run.hospitals is 'For how many hospitals it added work; only of runs that were asked for.';
comment on column app_public.job_run.hospitals_done is 'In how many of them that work is done, or has failed once.';
comment on column app_public.job_run.hospitals_failed is 'In how many of them that work has failed.';
comment on column app_public.job_run.items_done is 'How many things that work dealt with, in all of them.';
comment on column app_public.job_run.error_code is 'SQLSTATE, or the kind of the error, of a run that failed.';
comment on column app_public.job_run.scenario is 'Scenario of the error catalog, where the error has one.';
comment on column app_public.job_run.error is 'What went wrong, without data; the log of the worker knows more.';
comment on column app_public.job_run.worker_id is 'Worker that ran it.';

create index job_run_by_time on app_public.job_run (hospital_id, job, created_at);
create index open_job_run on app_public.job_run (hospital_id, job, id) where outcome in ('waiting', 'running');

create table app_private.job_state (
  hospital_id uuid not null,
  job text not null,
  consecutive_failures integer not null,
  last_started_at timestamptz not null,
  last_finished_at timestamptz not null,
  last_outcome app_public.job_outcome not null,
  last_error text,
  last_success_at timestamptz,
  last_success_ms integer,
  last_success_items integer,
  told_at timestamptz,
  primary key (hospital_id, job)
);
comment on table app_private.job_state is
  'What is known of a job in a hospital (or of the machinery, under the hospital of noughts) since its last success; told_at: since when admins know that it fails.';

create table app_private.job_hour (
  hospital_id uuid not null,
  job text not null,
  hour timestamptz not null,
  runs integer not null,
  failures integer not null,
  items bigint not null,
  total_ms bigint not null,
  longest_ms integer not null,
  primary key (hospital_id, job, hour)
);
comment on table app_private.job_hour is 'Runs of a job in a hospital, counted by the hour in which they ended.';

create type app_public.job_run_summary as (
  id uuid,
  started_by app_public.job_trigger,
  outcome app_public.job_outcome,
  started_at timestamptz,
  duration_ms integer,
  items integer,
  error text
);
comment on type app_public.job_run_summary is 'A run of a job, in short.';
comment on column app_public.job_run_summary.started_by is 'What started it.';
comment on column app_public.job_run_summary.outcome is 'How it stands.';
comment on column app_public.job_run_summary.started_at is 'When a worker began; null while it waits.';
comment on column app_public.job_run_summary.duration_ms is 'How long the work took, in milliseconds.';
comment on column app_public.job_run_summary.items is 'How many things it dealt with.';
comment on column app_public.job_run_summary.error is 'What went wrong.';

create type app_public.job_health as (
  job text,
  description text,
  is_of_hospital boolean,
  is_healthy boolean,
  message text,
  is_within_working_hours boolean,
  is_running boolean,
  last_run_at timestamptz,
  last_outcome app_public.job_outcome,
  last_error text,
  consecutive_failures integer,
  last_success_at timestamptz,
  last_success_ms integer,
  last_success_items integer,
  runs_of_day integer,
  failures_of_day integer,
  success_rate_of_day numeric,
  runs_of_week integer,
  failures_of_week integer,
  success_rate_of_week numeric,
  expected_interval interval,
  next_expected_at timestamptz,
  is_overdue boolean,
  is_manual boolean,
  recent_runs app_public.job_run_summary[]
);
comment on type app_public.job_health is 'How a background job does.';
comment on column app_public.job_health.job is 'Name of the job.';
comment on column app_public.job_health.description is 'What it does.';
comment on column app_public.job_health.is_of_hospital is 'Whether this is about its runs in your hospital; else about the machinery that serves all.';
comment on column app_public.job_health.is_healthy is
  'Whether a worker lives, the job is not overdue, no run is stuck, and fewer than three runs in a row have failed.';
comment on column app_public.job_health.message is 'The same, in a sentence.';
comment on column app_public.job_health.is_within_working_hours is
  'Whether it is now, on the hospital''s own clock, within the hours in which no-shows are marked.';
comment on column app_public.job_health.is_running is 'Whether a run is going on and gives signs of life.';
comment on column app_public.job_health.last_run_at is 'When the last run began.';
comment on column app_public.job_health.last_outcome is 'How the last run ended.';
comment on column app_public.job_health.last_error is 'What went wrong in the last run that failed since the last success.';
comment on column app_public.job_health.consecutive_failures is 'How many runs have failed since the last success.';
comment on column app_public.job_health.last_success_at is 'When a run last succeeded.';
comment on column app_public.job_health.last_success_ms is 'How long that took, in milliseconds.';
comment on column app_public.job_health.last_success_items is 'How many things it dealt with.';
comment on column app_public.job_health.runs_of_day is 'Runs that ended within 24 hours, to the hour.';
comment on column app_public.job_health.failures_of_day is 'How many of them failed or were stuck.';
comment on column app_public.job_health.success_rate_of_day is 'Share of them that succeeded, 0 to 1; null without any.';
comment on column app_public.job_health.runs_of_week is 'Runs that ended within 7 days.';
comment on column app_public.job_health.failures_of_week is 'How many of them failed or were stuck.';
comment on column app_public.job_health.success_rate_of_week is 'Share of them that succeeded, 0 to 1; null without any.';
comment on column app_public.job_health.expected_interval is 'How often the crontab runs it; null: not by the crontab.';
comment on column app_public.job_health.next_expected_at is 'When the crontab runs it next.';
comment on column app_public.job_health.is_overdue is 'Whether two runs of the crontab have been missed.';
comment on column app_public.job_health.is_manual is 'Whether you may ask for a run.';
comment on column app_public.job_health.recent_runs is 'The last ten runs that are recorded one by one, newest first.';

reset role;
