--! Previous: sha1:1b78418002cabf078b42defff22b27f840a68a35
--! Hash: sha1:84f294559da3015f5dc8dcdde6b636838e0b71c1
--! Message: operations-log

--! split: 1-current.sql
-- Functions and rights: The log: who writes it, who reads it, how long it is kept; and the checks of the machinery itself.
set local role app_owner;

drop function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], text[]);

--! Included policies/hospital.sql
-- Members see the hospital they belong to; its admins change its settings.
alter table app_public.hospital enable row level security;
alter table app_public.hospital force row level security;

grant select on app_public.hospital to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant update (name, booking_horizon_days, generated_days, hold_duration, offer_duration, rebook_buffer, no_show_block_threshold, no_show_window_start, no_show_window_end, vitals_alert_buffer, doctor_alert_buffer, kept_years, reminder_offsets, log_kept_days) on app_public.hospital to app_admin;
grant update (is_second_factor_required, emergency_access_duration, security_events_kept_days) on app_public.hospital to app_admin;
grant update (health_alert_quiet_period, health_chat_room) on app_public.hospital to app_admin;
-- No grant of time_zone to anybody: change_time_zone carries along what is written in local time.

drop policy if exists members_read_their_hospital on app_public.hospital;
create policy members_read_their_hospital on app_public.hospital for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.hospital;
create policy worker_reads_all on app_public.hospital for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.hospital;
create policy monitor_reads_all on app_public.hospital for select to app_monitor
  using (true);

drop policy if exists admins_change_their_hospital on app_public.hospital;
create policy admins_change_their_hospital on app_public.hospital for update to app_admin
  using (id = app_private.claim_hospital_id())
  with check (id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.hospital;
create policy owner_maintains on app_public.hospital for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/hospital.sql
--! Included policies/log_entry.sql
-- Admins read the log of their hospital; what concerns the whole system is for operators. Nobody has a
-- right to write: write_log, log_health and the triggers of jobs and webhooks do, as the owner.
alter table app_public.log_entry enable row level security;
alter table app_public.log_entry force row level security;

grant select on app_public.log_entry to app_admin;
-- Select to app_monitor: the log holds no data of patients.
grant select on app_public.log_entry to app_monitor;

drop policy if exists admins_read_their_hospital on app_public.log_entry;
create policy admins_read_their_hospital on app_public.log_entry for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.log_entry;
create policy monitor_reads_all on app_public.log_entry for select to app_monitor
  using (true);

-- Functions write and remove as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.log_entry;
create policy owner_maintains on app_public.log_entry for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/log_entry.sql
--! Included policies/process_heartbeat.sql
-- Written by beat_process alone, as the owner; app_monitor may look. It says nothing of any hospital.
alter table app_private.process_heartbeat enable row level security;
alter table app_private.process_heartbeat force row level security;

grant select on app_private.process_heartbeat to app_monitor;

drop policy if exists monitor_reads_all on app_private.process_heartbeat;
create policy monitor_reads_all on app_private.process_heartbeat for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.process_heartbeat;
create policy owner_maintains on app_private.process_heartbeat for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/process_heartbeat.sql
--! Included functions/scheduling/update_hospital_settings.sql
-- Null leaves a setting as it is; generated_days, which may be empty, is emptied by clear. The time zone
-- is not among them: change_time_zone carries along what is written in local time. More days ahead get
-- their slots from the job that the message in the outbox starts.
create or replace function app_public.update_hospital_settings(
  name text default null, booking_horizon_days integer default null, generated_days integer default null,
  hold_duration interval default null, offer_duration interval default null, rebook_buffer interval default null,
  no_show_block_threshold integer default null, no_show_window_start time default null,
  no_show_window_end time default null, vitals_alert_buffer interval default null,
  doctor_alert_buffer interval default null, kept_years integer default null, reminder_offsets interval[] default null,
  log_kept_days integer default null, clear text[] default '{}')
returns app_public.hospital
language plpgsql volatile
as $$
declare
  own_id uuid := app_private.request_hospital_id();
  present app_public.hospital;
  changed app_public.hospital;
begin
  select * into present from app_public.hospital where hospital.id = own_id;
  perform app_private.guard_input(jsonb_build_object(
    'name', case when length(btrim(name)) not between 1 and 200 then 'is not 1 to 200 characters long' end,
    'booking_horizon_days', case when booking_horizon_days not between 1 and 365 then 'is not 1 to 365' end,
    'generated_days', case when generated_days not between 1 and 365 then 'is not 1 to 365' end,
    'hold_duration', case when hold_duration <= interval '0' or hold_duration > interval '1 hour' then 'is not above 0 and up to an hour' end,
    'offer_duration', case when offer_duration not between interval '5 minutes' and interval '3 days' then 'is not 5 minutes to 3 days' end,
    'rebook_buffer', case when rebook_buffer < interval '0' then 'is negative' end,
    'no_show_block_threshold', case when no_show_block_threshold < 1 then 'is not positive' end,
    'no_show_window_end', case
      when coalesce(no_show_window_end, present.no_show_window_end) <= coalesce(no_show_window_start, present.no_show_window_start)
      then 'is not after the start of the window' end,
    'vitals_alert_buffer', case when vitals_alert_buffer < interval '0' then 'is negative' end,
    'doctor_alert_buffer', case when doctor_alert_buffer < interval '0' then 'is negative' end,
    'kept_years', case when kept_years not between 0 and 50 then 'is not 0 to 50' end,
    'reminder_offsets', case when not app_private.is_reminder_offsets(reminder_offsets) then 'is not 1 to 5 distinct spans of 5 minutes to 30 days' end,
    'log_kept_days', case when log_kept_days not between 1 and 3650 then 'is not 1 to 3650' end,
    'clear', case when not clear <@ array['generated_days'] then 'names more than generated_days' end));

  update app_public.hospital
  set name = coalesce(update_hospital_settings.name, hospital.name),
      booking_horizon_days = coalesce(update_hospital_settings.booking_horizon_days, hospital.booking_horizon_days),
      generated_days = coalesce(
        update_hospital_settings.generated_days, case when not 'generated_days' = any (clear) then hospital.generated_days end),
      hold_duration = coalesce(update_hospital_settings.hold_duration, hospital.hold_duration),
      offer_duration = coalesce(update_hospital_settings.offer_duration, hospital.offer_duration),
      rebook_buffer = coalesce(update_hospital_settings.rebook_buffer, hospital.rebook_buffer),
      no_show_block_threshold = coalesce(update_hospital_settings.no_show_block_threshold, hospital.no_show_block_threshold),
      no_show_window_start = coalesce(update_hospital_settings.no_show_window_start, hospital.no_show_window_start),
      no_show_window_end = coalesce(update_hospital_settings.no_show_window_end, hospital.no_show_window_end),
      vitals_alert_buffer = coalesce(update_hospital_settings.vitals_alert_buffer, hospital.vitals_alert_buffer),
      doctor_alert_buffer = coalesce(update_hospital_settings.doctor_alert_buffer, hospital.doctor_alert_buffer),
      kept_years = coalesce(update_hospital_settings.kept_years, hospital.kept_years),
      reminder_offsets = coalesce(update_hospital_settings.reminder_offsets, hospital.reminder_offsets),
      log_kept_days = coalesce(update_hospital_settings.log_kept_days, hospital.log_kept_days)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], integer, text[]) is
  'Changes settings of the hospital; what is left out or null stays as it is, and clear may name generated_days, to store slots to the booking horizon again. All faults come back together in details. The time zone has changeTimeZone. For admins.';

revoke execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], integer, text[]) from public;
grant execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], integer, text[]) to app_admin;
--! EndIncluded functions/scheduling/update_hospital_settings.sql
--! Included functions/health/write_log.sql
-- One batch of what servers and workers have seen, one statement. It takes facts, no words: the message is
-- made here, a name that is not one is not kept, and kinds that tell of health are not theirs to write; so
-- nothing that a client said can come into the log this way. Each entry says how long ago it happened, so
-- that the clock of the system dates it and no clock of a process does. A hospital that is known by its
-- short name only is looked up; what belongs to none is the machinery's. Definer, because no role may
-- write the log.
create or replace function app_private.write_log(entries jsonb)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  nobody uuid := app_private.machinery();
  written integer;
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, code, scenario, duration_ms, request_id, actor_account_id, actor_role,
    entity_type, entity_id, message, details, logged_at)
  select
    coalesce(entry.hospital_id, hospital.id, nobody), entry.kind, entry.level, named.name, entry.outcome,
    left(entry.code, 50), left(entry.scenario, 100), entry.duration_ms, left(entry.request_id, 100),
    entry.actor_account_id, entry.actor_role, entry.entity_type, entry.entity_id,
    case
      when entry.name = 'log_dropped' then format('%s entries of the log were not kept.', entry.details ->> 'count')
      when entry.details ? 'count' then format('%s %s %s times.', named.name, entry.outcome, entry.details ->> 'count')
      when entry.outcome = 'refused' then format('%s was refused: %s.', named.name, coalesce(left(entry.scenario, 100), 'by a rule'))
      when entry.outcome = 'failed' then format('%s failed: %s.', named.name, coalesce(left(entry.scenario, 100), 'unexpectedly'))
      when entry.outcome = 'noted' then format('%s: nobody waited for the answer.', named.name)
      else format('%s succeeded.', named.name)
    end,
    coalesce(entry.details, '{}'), instant - make_interval(secs => coalesce(entry.age_ms, 0) / 1000.0)
  from jsonb_to_recordset(entries) as entry (
    hospital_id uuid, hospital_slug text, kind app_public.log_kind, level app_public.log_level, name text, outcome text,
    code text, scenario text, duration_ms integer, request_id text, actor_account_id uuid, actor_role text,
    entity_type text, entity_id uuid, details jsonb, age_ms double precision)
  cross join lateral (
    select case when entry.name ~ '^[A-Za-z0-9_.]{1,100}$' then entry.name else 'unknown' end as name) as named
  left join app_public.hospital on entry.hospital_id is null and hospital.slug = entry.hospital_slug
  where entry.kind in ('operation', 'login', 'webhook', 'job', 'security', 'sync')
  order by entry.age_ms desc;
  get diagnostics written = row_count;
  return written;
end
$$;

comment on function app_private.write_log(jsonb) is
  'Writes a batch of entries about operations, logins, webhooks and jobs to the log; returns how many.';

revoke execute on function app_private.write_log(jsonb) from public;
grant execute on function app_private.write_log(jsonb) to app_login, app_worker;
--! EndIncluded functions/health/write_log.sql
--! Included functions/health/remove_old_log.sql
-- A batch, the oldest first by the index of times, so that a night costs what is due and no statement holds
-- much; as an array, so that no plan joins with the whole log. The machinery keeps its log as long as hospitals do that chose nothing. Definer, because no role
-- may remove entries.
create or replace function app_private.remove_old_log(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  kept_days integer := 90;
  too_old timestamptz;
  removed integer;
begin
  select hospital.log_kept_days into kept_days
  from app_public.hospital
  where hospital.id = remove_old_log.hospital_id;
  too_old := app_private.clock() - make_interval(days => coalesce(kept_days, 90));
  delete from app_public.log_entry
  where log_entry.hospital_id = remove_old_log.hospital_id
    and log_entry.id = any (array(
      select old.id
      from app_public.log_entry as old
      where old.hospital_id = remove_old_log.hospital_id and old.logged_at < too_old
      order by old.logged_at
      limit most));
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_log(uuid, integer) is
  'Removes entries of a hospital''s log, or of the machinery''s, that are older than it keeps them, at most so many; returns how many.';

revoke execute on function app_private.remove_old_log(uuid, integer) from public;
grant execute on function app_private.remove_old_log(uuid, integer) to app_worker;
--! EndIncluded functions/health/remove_old_log.sql
--! Included functions/health/beat_process.sql
-- A sign of life of a server or worker, with what it found when it compared its clock last. It answers with
-- the time of the database at this very moment, to be compared next. By the time that really passes, not by
-- clock(): a rehearsed day must not make the living look dead. Those that have been silent for a week are
-- forgotten. Definer, so that this is all that the roles of processes can do to the table.
create or replace function app_private.beat_process(
  process_id text, kind text, environment text, drift_ms integer default null, uncertainty_ms integer default null)
returns timestamptz
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  insert into app_private.process_heartbeat (
    process_id, kind, environment, started_at, beaten_at, drift_ms, uncertainty_ms)
  values (
    beat_process.process_id, beat_process.kind, beat_process.environment, now(), now(), beat_process.drift_ms,
    beat_process.uncertainty_ms)
  on conflict on constraint process_heartbeat_pkey do update
  set beaten_at = excluded.beaten_at,
      drift_ms = excluded.drift_ms,
      uncertainty_ms = excluded.uncertainty_ms;
  delete from app_private.process_heartbeat
  where process_heartbeat.beaten_at < now() - interval '7 days';
  return clock_timestamp();
end
$$;

comment on function app_private.beat_process(text, text, text, integer, integer) is
  'Notes that a server or worker lives, and by how many milliseconds its clock is ahead; returns the time of the database.';

revoke execute on function app_private.beat_process(text, text, text, integer, integer) from public;
grant execute on function app_private.beat_process(text, text, text, integer, integer) to app_login, app_worker;
--! EndIncluded functions/health/beat_process.sql
--! Included functions/health/open_transactions.sql
-- What Postgres shows of other roles' transactions only to those who may read all statistics. That right
-- belongs to app_observer, a role that nobody is a member of and that owns nothing but what stands here and
-- in queue_state: no text of a query comes out, only who is how long in a transaction. A dump takes its time
-- and locks nobody out. Where whoever migrates may not give that right, transactions of others are not seen.
grant create on schema app_private to app_observer;
set local role app_observer;

create or replace function app_private.open_transactions(older_than interval)
returns table (process_id integer, role_name text, application text, state text, started_at timestamptz)
language sql stable security definer
set search_path = ''
as $$
  select activity.pid, activity.usename::text, left(activity.application_name, 63), activity.state, activity.xact_start
  from pg_catalog.pg_stat_activity as activity
  where activity.datname = pg_catalog.current_database()
    and activity.backend_type = 'client backend'
    and activity.application_name <> 'pg_dump'
    and activity.xact_start < pg_catalog.clock_timestamp() - older_than;
$$;

comment on function app_private.open_transactions(interval) is
  'Transactions of this database that have been open for longer than this: who, how, since when.';

revoke execute on function app_private.open_transactions(interval) from public;
grant execute on function app_private.open_transactions(interval) to app_monitor, app_owner;

set local role app_owner;
revoke create on schema app_private from app_observer;
--! EndIncluded functions/health/open_transactions.sql
--! Included functions/health/queue_state.sql
-- The job queue has a schema of its own, which belongs to the worker and may not be there yet; hence the
-- dynamic SQL, and no row while it is not there or not open to app_observer (the migrator opens the view
-- of jobs to it, which has no payloads). Cheap: the queue is empty most of the time.
grant create on schema app_private to app_observer;
set local role app_observer;

create or replace function app_private.queue_state(due_for interval)
returns table (waiting integer, late integer, oldest_due timestamptz, given_up integer, given_up_tasks text[])
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if not exists (
    select
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_namespace.nspname = 'graphile_worker' and pg_class.relname = 'jobs'
      and has_schema_privilege(pg_namespace.oid, 'usage') and has_table_privilege(pg_class.oid, 'select'))
  then
    return;
  end if;
  return query execute format(
    'select count(*) filter (where job.attempts < job.max_attempts)::integer,
       count(*) filter (where job.attempts < job.max_attempts and job.locked_at is null and job.run_at < now() - $1)::integer,
       min(job.run_at) filter (where job.attempts < job.max_attempts and job.locked_at is null),
       count(*) filter (where job.attempts >= job.max_attempts and job.locked_at is null)::integer,
       coalesce(array_agg(distinct job.task_identifier) filter (where job.attempts >= job.max_attempts and job.locked_at is null), array[]::text[])
     from %I.jobs as job', 'graphile_worker')
  using due_for;
end
$$;

comment on function app_private.queue_state(interval) is
  'How many jobs wait, how many of them have been due for longer than this, since when, and which were given up.';

revoke execute on function app_private.queue_state(interval) from public;
grant execute on function app_private.queue_state(interval) to app_monitor, app_owner;

set local role app_owner;
revoke create on schema app_private from app_observer;
--! EndIncluded functions/health/queue_state.sql
--! Included functions/jobs/log_job_run.sql
-- Every run that has a row of its own comes into the log when it ends, by whatever way it ends: by its
-- worker, as a failure of a job that is counted, or as stuck. Short successful runs of jobs that are counted
-- have no row; the worker tells of them together. Definer, because no role may write the log.
create or replace function app_private.log_job_run() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, code, scenario, duration_ms, actor_account_id, actor_role, entity_type, entity_id,
    message, details)
  values (
    new.hospital_id, 'job',
    case
      when new.outcome in ('failed', 'stuck') then 'error'
      when new.outcome = 'skipped' or new.started_by = 'cron' and coalesce(new.items, 0) = 0 then 'debug'
      else 'info'
    end::app_public.log_level,
    new.job, case new.outcome when 'succeeded' then 'succeeded' when 'skipped' then 'noted' else 'failed' end,
    new.error_code, new.scenario, new.duration_ms, new.requested_by, 'worker', 'job_run', new.id,
    case new.outcome
      when 'succeeded' then format('%s succeeded.', new.job)
      when 'skipped' then format('%s was skipped: another run was under way.', new.job)
      when 'stuck' then format('%s gives no sign of life.', new.job)
      else format('%s failed: %s.', new.job, coalesce(new.scenario, new.error_code, 'unexpectedly'))
    end,
    jsonb_strip_nulls(jsonb_build_object('started_by', new.started_by, 'items', new.items)));
  return null;
end
$$;

comment on function app_private.log_job_run() is 'Trigger: writes the end of a run of a job to the log.';

revoke execute on function app_private.log_job_run() from public;

create or replace trigger run_that_ends_is_logged
  after update of outcome on app_public.job_run
  for each row when (old.outcome <> new.outcome and new.outcome in ('succeeded', 'failed', 'stuck', 'skipped'))
  execute function app_private.log_job_run();

create or replace trigger run_that_has_ended_is_logged
  after insert on app_public.job_run
  for each row when (new.outcome in ('succeeded', 'failed', 'stuck', 'skipped'))
  execute function app_private.log_job_run();
--! EndIncluded functions/jobs/log_job_run.sql
--! Included functions/webhooks/log_webhook.sql
-- Every try to tell another system comes into the log: what it answered and how long it took, never what it
-- was told. A try that was given back without being made is none. Definer, because no role may write the
-- log.
create or replace function app_private.log_webhook() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, code, duration_ms, actor_role, entity_type, entity_id, message, details)
  values (
    new.hospital_id, 'webhook',
    case new.status when 'delivered' then 'info' when 'failed' then 'error' else 'warning' end::app_public.log_level,
    new.event, case new.status when 'delivered' then 'succeeded' else 'failed' end,
    new.last_status_code::text, new.duration_ms, 'worker', 'webhook_delivery', new.id,
    case new.status
      when 'delivered' then format('%s was delivered.', new.event)
      when 'failed' then format('%s was given up at try %s.', new.event, new.attempts)
      else format('%s was not taken at try %s; it is tried again.', new.event, new.attempts)
    end,
    jsonb_strip_nulls(jsonb_build_object(
      'subscription_id', new.subscription_id, 'event_id', new.event_id, 'attempts', new.attempts,
      'status_code', new.last_status_code)));
  return null;
end
$$;

comment on function app_private.log_webhook() is 'Trigger: writes a try of a webhook to the log.';

revoke execute on function app_private.log_webhook() from public;

create or replace trigger webhook_that_was_tried_is_logged
  after update of status on app_public.webhook_delivery
  for each row when (old.status = 'sending' and new.status <> 'sending' and new.attempts >= old.attempts)
  execute function app_private.log_webhook();
--! EndIncluded functions/webhooks/log_webhook.sql
--! Included catalog/job.sql
-- The background jobs: what people call them, how often they are due, and who may ask for one.
--
-- stuck_after is counted from the last sign of life, not from the start, so that it need not be longer
-- for jobs that take long.
-- is_single: of what the crontab runs every few minutes the next run does what this one left, so a run
-- that meets another one is skipped. Not plan_night: each of its runs stands for another hour.
-- is_counted: what changes and bookings add, by the thousand on a busy day. A row for each would cost
-- more than many of these jobs themselves and tell nobody anything; short successful runs are one row
-- an hour, the others (failed, long, asked for) have a row of their own.
with wanted (name, description, expected_interval, stuck_after, is_of_hospital, is_single, is_counted, is_manual, is_external) as (
  values
    ('archive_past_years', 'Moves ended appointments of past years to the archive', null, '5 minutes', true, false, false, true, false),
    ('expire_lapsed_holds', 'Lets holds lapse that were not confirmed in time', null, '5 minutes', true, false, true, true, false),
    ('expire_lapsed_requests', 'Lets requests expire whose time has come', null, '5 minutes', true, false, true, true, false),
    ('expire_waits', 'Ends waits whose days have passed', null, '5 minutes', true, false, true, true, false),
    ('generate_slots', 'Generates slots up to the days that are stored', null, '10 minutes', true, false, true, true, false),
    ('make_health_report', 'Makes the daily report of the hospital''s health', null, '5 minutes', true, false, false, true, false),
    ('mark_no_shows', 'Marks visits as missed to which nobody came', null, '5 minutes', true, false, true, true, false),
    ('offer_seats', 'Offers free seats to those who wait', null, '5 minutes', true, false, true, false, false),
    ('plan_deliveries', 'Plans how new notifications reach people', null, '5 minutes', true, false, true, false, false),
    ('plan_night', 'Starts the nightly jobs of each hospital', '1 hour', '5 minutes', false, false, false, false, false),
    ('plan_webhooks', 'Plans which systems are told of events', null, '5 minutes', true, false, true, false, false),
    ('raise_stage_alerts', 'Raises alerts for patients who wait too long after their arrival', null, '5 minutes', true, false, true, true, false),
    ('reconcile_health', 'Repairs what health checks found, where that is safe', null, '10 minutes', true, false, true, true, false),
    ('remove_job_runs', 'Removes what is known of runs of jobs 30 days ago', null, '5 minutes', true, false, true, false, false),
    ('remove_old_health', 'Removes what health checks found long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_old_log', 'Removes entries of the log of long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_old_sessions', 'Removes sessions that ended long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_old_webhooks', 'Removes what is known of webhooks of long ago', null, '5 minutes', true, false, false, true, false),
    ('remove_read_notifications', 'Removes notifications that were read long ago', null, '5 minutes', true, false, false, true, false),
    ('report_unknown_topics', 'Reports messages that no worker knows what to do with', '1 minute', '5 minutes', false, true, false, false, false),
    ('run_health_checks', 'Runs every health check of the hospital', null, '10 minutes', true, false, false, true, false),
    ('seal_audit', 'Seals new entries of the audit log', null, '5 minutes', true, false, true, true, false),
    ('send_deliveries', 'Sends messages by mail, SMS and chat', null, '10 minutes', true, false, true, false, false),
    ('send_health_alerts', 'Tells of health alerts, in the inbox and by chat', null, '10 minutes', true, false, true, false, false),
    ('send_health_digest', 'Mails what is new about the hospital''s health', null, '5 minutes', true, false, true, false, false),
    ('send_outgoing_mail', 'Sends mails of the login', null, '10 minutes', true, false, true, false, false),
    ('send_reminders', 'Reminds patients of their visits', null, '5 minutes', true, false, true, true, false),
    ('send_webhooks', 'Tells other systems of events', null, '5 minutes', true, false, true, false, false),
    ('sweep_audit', 'Finds the hospitals whose audit log has entries to seal', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_deliveries', 'Finds messages whose time has come', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_guards', 'Looks whether everything that protects the data is switched on', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_health', 'Finds the hospitals of which a problem is known', '1 hour', '5 minutes', false, true, false, false, true),
    ('sweep_health_alerts', 'Finds health alerts and digests whose time has come', '1 minute', '5 minutes', false, true, false, false, false),
    ('sweep_lapsed_holds', 'Finds the hospitals where holds have lapsed', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_lapsed_requests', 'Finds the hospitals where requests have expired', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_no_shows', 'Finds the hospitals where somebody has not come', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_outgoing_mail', 'Finds mails of the login that are to be tried again', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_reminders', 'Finds the hospitals where a reminder is due', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_stage_alerts', 'Finds the hospitals where somebody waits too long after the arrival', '1 minute', '5 minutes', false, true, false, false, true),
    ('sweep_stuck_jobs', 'Finds runs of jobs that give no sign of life', '1 minute', '5 minutes', false, true, false, false, false),
    ('sweep_waitlist', 'Finds doctors and hospitals whose waitlist has something due', '5 minutes', '5 minutes', false, true, false, false, true),
    ('sweep_webhooks', 'Finds webhooks whose time has come', '1 minute', '5 minutes', false, true, false, false, true),
    ('tidy_login', 'Removes what is over of logins: links, challenges, old security events', null, '5 minutes', true, false, false, true, false),
    ('verify_audit', 'Verifies the whole sealed audit log', null, '10 minutes', true, false, false, true, false),
    ('verify_changes', 'Verifies appointments and slots that changed', null, '5 minutes', true, false, true, false, false)
), removed as (
  delete from app_public.job where job.name not in (select wanted.name from wanted)
)
insert into app_public.job (
  name, description, expected_interval, stuck_after, is_of_hospital, is_single, is_counted, is_manual, is_external)
select name, description, expected_interval::interval, stuck_after::interval, is_of_hospital, is_single, is_counted, is_manual, is_external
from wanted
on conflict on constraint job_pkey do update
set description = excluded.description,
    expected_interval = excluded.expected_interval,
    stuck_after = excluded.stuck_after,
    is_of_hospital = excluded.is_of_hospital,
    is_single = excluded.is_single,
    is_counted = excluded.is_counted,
    is_manual = excluded.is_manual,
    is_external = excluded.is_external
where (job.description, job.expected_interval, job.stuck_after, job.is_of_hospital, job.is_single, job.is_counted, job.is_manual, job.is_external)
  is distinct from
    (excluded.description, excluded.expected_interval, excluded.stuck_after, excluded.is_of_hospital, excluded.is_single, excluded.is_counted, excluded.is_manual, excluded.is_external);
--! EndIncluded catalog/job.sql
--! Included checks/system/clock_drift.sql
-- Only what lives is judged, and only by more than the comparison itself may be wrong. A clock that is moved
-- on purpose is right wherever a day is rehearsed; where a server of production runs it was forgotten.
create or replace view checks.clock_drift as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id, broken.detail, broken.metadata, concat_ws(':', entry.name, broken.what) as cache_key
from (
  select process.process_id as what,
    format('The clock of the %s %s is %s s %s that of the database.',
      process.kind, process.process_id, round(abs(process.drift_ms) / 1000.0, 1),
      case when process.drift_ms > 0 then 'ahead of' else 'behind' end) as detail,
    jsonb_build_object('process_id', process.process_id, 'kind', process.kind, 'drift_ms', process.drift_ms,
      'uncertainty_ms', process.uncertainty_ms, 'beaten_at', process.beaten_at) as metadata
  from app_private.process_heartbeat as process
  where process.beaten_at > now() - interval '60 seconds'
    and abs(process.drift_ms) - process.uncertainty_ms > 2000
  union all
  select 'shift', format('The clock of the system is moved by %s while a server of production runs.', moved.shift),
    jsonb_build_object('shift', moved.shift)
  from app_private.clock_shift as moved
  where moved.shift <> interval '0'
    and exists (
      select from app_private.process_heartbeat as process
      where process.kind = 'server' and process.environment = 'production'
        and process.beaten_at > now() - interval '60 seconds')) as broken
join app_public.health_check as entry on entry.name = 'clock_drift';

comment on view checks.clock_drift is
  'Servers and workers whose clock is more than two seconds away from the database''s, and a moved clock where a server of production runs.';
revoke all on checks.clock_drift from public;
grant select on checks.clock_drift to app_monitor;

select app_private.declare_check(
  name => 'clock_drift', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'A clock is wrong',
  meaning => 'The clock of a server or worker is more than two seconds away from the database''s, or the clock of the system is still moved as for a rehearsal.',
  importance => 'Access tokens are judged by the clock of the server: they expire too early or too late. A moved clock makes every rule judge by a wrong day: reminders, no-shows and deadlines come at the wrong time.',
  resolution => 'Let the machine synchronise its time (NTP) and look at its drift here again. A clock that was moved on purpose is put back by: delete from app_private.clock_shift.',
  remedy => 'operator');
--! EndIncluded checks/system/clock_drift.sql
--! Included checks/system/worker_absent.sql
-- Somebody has to have been there, or something to wait for somebody: a database that no worker was ever
-- started for, and where nothing waits, misses nobody.
create or replace view checks.worker_absent as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  case
    when seen.beaten_at is null then 'No worker has ever run, and messages wait for one.'
    else format('No worker has given a sign of life since %s UTC.', to_char(seen.beaten_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
  end as detail,
  jsonb_build_object('last_beat_at', seen.beaten_at, 'oldest_message_at', waiting.created_at) as metadata,
  entry.name as cache_key
from (
  select max(life.beaten_at) as beaten_at
  from (
    select process.beaten_at from app_private.process_heartbeat as process where process.kind = 'worker'
    union all
    select beat.beaten_at from app_private.worker_heartbeat as beat) as life) as seen
left join lateral (
  select message.created_at from app_private.outbox as message order by message.id limit 1) as waiting on true
join app_public.health_check as entry on entry.name = 'worker_absent'
where seen.beaten_at < now() - interval '60 seconds'
  or seen.beaten_at is null and waiting.created_at < now() - interval '5 minutes';

comment on view checks.worker_absent is 'That no worker lives, where one has lived within a week or messages wait for one.';
revoke all on checks.worker_absent from public;
grant select on checks.worker_absent to app_monitor;

select app_private.declare_check(
  name => 'worker_absent', domain => 'system', severity => 'critical', entity_type => 'system',
  title => 'No worker runs',
  meaning => 'No worker process has given a sign of life for a minute.',
  importance => 'Without a worker no message leaves the house, holds do not lapse, nobody is offered a free seat, no slots are generated, and the checks of the night do not run.',
  resolution => 'Start a worker (npm run worker) and look at its log if it does not stay.',
  remedy => 'operator');
--! EndIncluded checks/system/worker_absent.sql
--! Included checks/system/outbox_lag.sql
-- The relay looks five times a second, so what is half a minute old was passed over. Where no worker lives
-- worker_absent says so. The oldest message stands first in the index of ids.
create or replace view checks.outbox_lag as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  format('The oldest message in the outbox has waited for %s s; %s wait.',
    round(extract(epoch from now() - oldest.created_at)),
    case when depth.messages > 10000 then 'more than 10000' else depth.messages::text end) as detail,
  jsonb_build_object('topic', oldest.topic, 'created_at', oldest.created_at, 'messages', depth.messages) as metadata,
  entry.name as cache_key
from (
  select message.created_at, message.topic
  from app_private.outbox as message
  order by message.id
  limit 1) as oldest
cross join lateral (
  select count(*)::integer as messages
  from (select from app_private.outbox limit 10001) as counted) as depth
join app_public.health_check as entry on entry.name = 'outbox_lag'
where oldest.created_at < now() - interval '30 seconds'
  and exists (
    select from app_private.worker_heartbeat as beat
    where beat.beaten_at > now() - interval '60 seconds' and beat.started_at < now() - interval '30 seconds');

comment on view checks.outbox_lag is 'That messages wait in the outbox for more than half a minute although a worker lives.';
revoke all on checks.outbox_lag from public;
grant select on checks.outbox_lag to app_monitor;

select app_private.declare_check(
  name => 'outbox_lag', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'Messages are not relayed',
  meaning => 'The oldest message in the outbox has waited for more than 30 seconds although a worker lives.',
  importance => 'Notifications, webhooks, subscriptions and offers of free seats come late or not at all.',
  resolution => 'Look at the topic of the oldest message: one that no worker knows waits for a newer worker (report_unknown_topics tells of it). Else look for errors of the relay in the worker''s log, and for locks in long_open_transaction.',
  remedy => 'operator');
--! EndIncluded checks/system/outbox_lag.sql
--! Included checks/system/queue_backlog.sql
-- A job that fails is due again later, so whatever is due and not taken for five minutes waits for a free
-- place. What was given up after its last try stays in the queue until somebody looks at it.
create or replace view checks.queue_backlog as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id, broken.detail, broken.metadata, concat_ws(':', entry.name, broken.what) as cache_key
from (
  select 'late' as what,
    format('%s jobs are due for more than five minutes, the oldest since %s UTC; %s wait in all.',
      state.late, to_char(state.oldest_due at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), state.waiting) as detail,
    jsonb_build_object('late', state.late, 'waiting', state.waiting, 'oldest_due', state.oldest_due) as metadata
  from app_private.queue_state(interval '5 minutes') as state
  where state.late > 0
    and exists (
      select from app_private.worker_heartbeat as beat
      where beat.beaten_at > now() - interval '60 seconds' and beat.started_at < now() - interval '5 minutes')
  union all
  select 'given_up', format('%s jobs were given up after their last try: %s.', state.given_up, array_to_string(state.given_up_tasks, ', ')),
    jsonb_build_object('given_up', state.given_up, 'tasks', to_jsonb(state.given_up_tasks))
  from app_private.queue_state(interval '5 minutes') as state
  where state.given_up > 0) as broken
join app_public.health_check as entry on entry.name = 'queue_backlog';

comment on view checks.queue_backlog is 'That jobs wait in the queue although they have long been due, or were given up.';
revoke all on checks.queue_backlog from public;
grant select on checks.queue_backlog to app_monitor;

select app_private.declare_check(
  name => 'queue_backlog', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'Jobs pile up',
  meaning => 'Jobs have been due for more than five minutes and no worker takes them, or jobs were given up after their last try.',
  importance => 'What jobs do comes late: slots, reminders, messages, webhooks. What was given up is not done at all.',
  resolution => 'Start another worker, or find the jobs that take so long (jobRuns, cronHealth). A job that was given up is tried again with graphile_worker.reschedule_jobs, or removed with graphile_worker.complete_jobs, once its cause is gone.',
  remedy => 'operator');
--! EndIncluded checks/system/queue_backlog.sql
--! Included checks/system/overdue_job.sql
-- As cronHealth judges it: two runs may be missed and a minute. Counted from when a worker came, so that
-- one that has just been started is given the time to begin; where none lives worker_absent says so. By
-- the time that really passes, which runs are dated by.
create or replace view checks.overdue_job as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  format('%s should run every %s and %s.', broken.job, broken.expected_interval,
    coalesce(format('last began at %s UTC', to_char(broken.last_began_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')), 'has never run')) as detail,
  jsonb_build_object('job', broken.job, 'expected_interval', broken.expected_interval, 'last_began_at', broken.last_began_at) as metadata,
  concat_ws(':', entry.name, broken.job) as cache_key
from (
  select job.name as job, job.expected_interval, greatest(state.last_started_at, open.began_at) as last_began_at
  from app_public.job
  join (
    select min(beat.started_at) as started_at
    from app_private.worker_heartbeat as beat
    where beat.beaten_at > now() - interval '60 seconds') as worker
    on worker.started_at + 2 * job.expected_interval + interval '1 minute' < now()
  left join app_private.job_state as state
    on state.hospital_id = app_private.machinery() and state.job = job.name
  cross join lateral (
    select max(job_run.started_at) as began_at,
      coalesce(bool_or(job_run.started_at is not null
        and coalesce(job_run.heartbeat_at, job_run.created_at) >= now() - job.stuck_after), false) as is_running
    from app_public.job_run
    where job_run.hospital_id = app_private.machinery() and job_run.job = job.name
      and job_run.outcome in ('waiting', 'running')) as open
  where job.expected_interval is not null and not open.is_running
    and coalesce(greatest(state.last_started_at, open.began_at) + 2 * job.expected_interval + interval '1 minute' < now(), true)) as broken
join app_public.health_check as entry on entry.name = 'overdue_job';

comment on view checks.overdue_job is 'Jobs by the clock that have missed more than two runs although a worker lives.';
revoke all on checks.overdue_job from public;
grant select on checks.overdue_job to app_monitor;

select app_private.declare_check(
  name => 'overdue_job', domain => 'system', severity => 'warning', entity_type => 'job',
  title => 'A job is overdue',
  meaning => 'A job that runs by the clock has missed more than two of its runs although a worker lives.',
  importance => 'Nobody does what it does: holds do not lapse, no-shows are not marked, nights are not planned.',
  resolution => 'Look at cronHealth for its last run, at queue_backlog for jobs that stand in its way, and at the worker''s log for a crontab that was not read.',
  remedy => 'operator');
--! EndIncluded checks/system/overdue_job.sql
--! Included checks/system/failing_job.sql
-- Three failures in a row, as admins are told; a run that gives no sign of life counts as one at once, also
-- before the sweep has marked it. One scan of the states, and the runs that are open.
create or replace view checks.failing_job as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, null::uuid as entity_id,
  case
    when broken.silent > 0 then format('A run of %s has given no sign of life since %s UTC.', broken.job,
      to_char(broken.silent_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
    else format('The last %s runs of %s failed.', broken.failures, broken.job)
  end as detail,
  jsonb_build_object('job', broken.job, 'failures', broken.failures, 'silent', broken.silent,
    'last_outcome', broken.last_outcome, 'last_success_at', broken.last_success_at) as metadata,
  concat_ws(':', entry.name, broken.job) as cache_key
from (
  select facts.hospital_id, facts.job, sum(facts.failures)::integer as failures, sum(facts.silent)::integer as silent,
    min(facts.silent_since) as silent_since, max(facts.last_outcome) as last_outcome, max(facts.last_success_at) as last_success_at
  from (
    select state.hospital_id, state.job, state.consecutive_failures as failures, 0 as silent, null::timestamptz as silent_since,
      state.last_outcome, state.last_success_at
    from app_private.job_state as state
    where state.consecutive_failures > 0
    union all
    select run.hospital_id, run.job, 0, 1, coalesce(run.heartbeat_at, run.created_at), null, null
    from app_public.job_run as run
    join app_public.job on job.name = run.job
    where run.outcome in ('waiting', 'running')
      and coalesce(run.heartbeat_at, run.created_at) < now() - job.stuck_after) as facts
  group by facts.hospital_id, facts.job) as broken
join app_public.health_check as entry on entry.name = 'failing_job'
where broken.failures >= 3 or broken.silent > 0;

comment on view checks.failing_job is 'Jobs whose last three runs failed, or of which a run gives no sign of life.';
revoke all on checks.failing_job from public;
grant select on checks.failing_job to app_monitor;

select app_private.declare_check(
  name => 'failing_job', domain => 'system', severity => 'warning', entity_type => 'job',
  title => 'A job keeps failing',
  meaning => 'The last three runs of a job failed, or one of its runs gives no sign of life.',
  importance => 'What the job does is not done for this hospital, or for all of them.',
  resolution => 'Read the error of its last runs (jobRuns, the log by kind job) and remove the cause; the queue tries it again by itself. The finding goes with the next success.',
  remedy => 'operator');
--! EndIncluded checks/system/failing_job.sql
--! Included checks/system/error_spike.sql
-- An operation is held against itself: the share of its runs that failed within the last quarter of an hour
-- against that share over the day before, so that neither the busy hours nor an operation that always
-- fails a little makes an alarm. Refusals by rules are no failures. Failures are found by the
-- index of trouble; whole operations are counted only where there are ten of them. A hospital costs a look at its index.
create or replace view checks.error_spike as
select tenant.id as hospital_id, entry.name as check_name, entry.severity, entry.entity_type, null::uuid as entity_id,
  format('%s of the last %s runs of %s failed within 15 minutes; over the day before %s of %s did.',
    recent.failures, total.runs, recent.name, before.failures, before.runs) as detail,
  jsonb_build_object('kind', recent.kind, 'name', recent.name, 'failures', recent.failures, 'runs', total.runs,
    'failures_before', before.failures, 'runs_before', before.runs, 'code', recent.code) as metadata,
  concat_ws(':', entry.name, recent.kind, recent.name) as cache_key
from (
  select hospital.id from app_public.hospital
  union all
  select app_private.machinery()) as tenant
cross join lateral (
  select failed.kind, failed.name, count(*)::integer as failures, max(failed.code) as code
  from app_public.log_entry as failed
  where failed.hospital_id = tenant.id and failed.outcome = 'failed' and failed.level >= 'warning'
    and failed.kind in ('operation', 'login', 'webhook', 'job', 'security', 'sync')
    and failed.logged_at > (select app_private.clock()) - interval '15 minutes'
  group by failed.kind, failed.name
  having count(*) >= 10) as recent
cross join lateral (
  select coalesce(sum(coalesce((every.details ->> 'count')::integer, 1)), 0)::integer as runs
  from app_public.log_entry as every
  where every.hospital_id = tenant.id and every.kind = recent.kind and every.name = recent.name
    and every.logged_at > (select app_private.clock()) - interval '15 minutes') as total
cross join lateral (
  select count(*) filter (where earlier.outcome = 'failed')::integer as failures,
    coalesce(sum(coalesce((earlier.details ->> 'count')::integer, 1)), 0)::integer as runs
  from app_public.log_entry as earlier
  where earlier.hospital_id = tenant.id and earlier.kind = recent.kind and earlier.name = recent.name
    and earlier.logged_at > (select app_private.clock()) - interval '1 day'
    and earlier.logged_at <= (select app_private.clock()) - interval '15 minutes') as before
join app_public.health_check as entry on entry.name = 'error_spike'
where recent.failures >= 0.05 * total.runs
  and recent.failures::numeric * before.runs >= 3 * before.failures::numeric * total.runs;

comment on view checks.error_spike is
  'Operations of which at least ten runs and 5 % failed within 15 minutes, three times the share of the day before.';
revoke all on checks.error_spike from public;
grant select on checks.error_spike to app_monitor;

select app_private.declare_check(
  name => 'error_spike', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'An operation fails more than usual',
  meaning => 'Of the last quarter of an hour''s runs of an operation, webhook or job at least ten and 5 % failed, and at least three times as large a share as over the day before.',
  importance => 'People or systems that use it are turned away by a fault, not by a rule.',
  resolution => 'Read the log by this name and outcome failed: codes and request ids lead to the lines of the server''s log. Look at what changed within the last hour, and at the other findings.',
  remedy => 'operator');
--! EndIncluded checks/system/error_spike.sql
--! Included checks/system/long_open_transaction.sql
-- The server's transactions end after seconds and the longest job's statement after five minutes; what is
-- open for longer was left open, mostly by a hand. Another time may be set for a database with
-- alter database … set slotkeeper.long_transaction = '1 hour'.
create or replace view checks.long_open_transaction as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type,
  null::uuid as entity_id,
  format('A transaction of %s (%s, process %s) has been open since %s UTC.', open.role_name,
    coalesce(nullif(open.application, ''), 'no name'), open.process_id,
    to_char(open.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')) as detail,
  jsonb_build_object('process_id', open.process_id, 'role', open.role_name, 'application', open.application,
    'state', open.state, 'started_at', open.started_at) as metadata,
  concat_ws(':', entry.name, open.process_id, extract(epoch from open.started_at)::bigint) as cache_key
from app_private.open_transactions(
  coalesce(nullif(current_setting('slotkeeper.long_transaction', true), ''), '10 minutes')::interval) as open
join app_public.health_check as entry on entry.name = 'long_open_transaction';

comment on view checks.long_open_transaction is 'Transactions that have been open for longer than ten minutes.';
revoke all on checks.long_open_transaction from public;
grant select on checks.long_open_transaction to app_monitor;

select app_private.declare_check(
  name => 'long_open_transaction', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'A transaction is left open',
  meaning => 'A transaction of this database has been open for longer than ten minutes.',
  importance => 'It may hold locks that bookings wait for, and it keeps Postgres from cleaning up, which makes everything slower the longer it stays.',
  resolution => 'Find out whose session it is (role, application, process) and let them end it, or end it: select pg_terminate_backend(process).',
  remedy => 'operator');
--! EndIncluded checks/system/long_open_transaction.sql
--! Included checks/all_findings.sql
-- Everything that is wrong now, of all checks.
select app_private.unite_checks();

comment on view checks.all_findings is 'Everything that is wrong now: the findings of all checks. Empty while all is well.';
revoke all on checks.all_findings from public;
grant select on checks.all_findings to app_monitor;

comment on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'What the event-driven checks say of these appointments, slots, doctors and patients of a hospital.';
revoke execute on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) from public;
--! EndIncluded checks/all_findings.sql

reset role;
