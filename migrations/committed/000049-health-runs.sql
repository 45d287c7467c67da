--! Previous: sha1:11e3ae8a013ef5a6cb5657056cbe97d7315d3e98
--! Hash: sha1:d2342372193fd89caedd9badc3b3d09101248507
--! Message: health-runs

--! split: 1-current.sql
-- Functions and rights: When checks run: at night, by the hour, and for what has just changed. How long verifications take, the
-- verification that people ask for, and how long what was found is kept.
set local role app_owner;

--! Included policies/verification_hour.sql
-- Written by the verification alone, as the owner; app_monitor may look.
alter table app_private.verification_hour enable row level security;
alter table app_private.verification_hour force row level security;

grant select on app_private.verification_hour to app_monitor;

drop policy if exists monitor_reads_all on app_private.verification_hour;
create policy monitor_reads_all on app_private.verification_hour for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.verification_hour;
create policy owner_maintains on app_private.verification_hour for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/verification_hour.sql
--! Included functions/health/verify_changes.sql
-- What a message told of is verified, and how long that took is counted. All of a batch are verified
-- together, and each of them took as long as the batch: that is how long it was until it was known to be
-- right, and a share of it would tell of a verification that nobody got. The first bucket whose bound,
-- 2^(number - 3) ms, a duration does not exceed is its own: bounds that double tell a percentile well
-- enough in one row an hour. Messages are dated by the time
-- that really passes, findings by the clock of the rules. The row of the hour is written last, because
-- every batch of the hospital writes it. Definer, because no role may write it.
create or replace function app_private.verify_changes(
  hospital_id uuid, appointment_ids uuid[], slot_ids uuid[], changed_at timestamptz,
  out problem_count integer, out late_ms double precision)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  began timestamptz := clock_timestamp();
  entity_count integer := cardinality(appointment_ids) + cardinality(slot_ids);
  took_ms double precision;
  bucket integer;
begin
  problem_count := app_private.verify_entities(
    hospital_id, appointment_ids, slot_ids, changed_at + (app_private.clock() - now()));
  took_ms := extract(epoch from clock_timestamp() - began) * 1000;
  bucket := greatest(1, least(18, ceil(ln(greatest(took_ms, 0.001)) / ln(2))::integer + 3));
  late_ms := extract(epoch from clock_timestamp() - changed_at) * 1000;

  insert into app_private.verification_hour as known (hospital_id, hour, verified, total_ms, buckets)
  select verify_changes.hospital_id, date_trunc('hour', now(), 'UTC'), entity_count, took_ms * entity_count,
    array_agg(case when number = bucket then entity_count else 0 end order by number)
  from generate_series(1, 18) as number
  on conflict on constraint verification_hour_pkey do update
  set verified = known.verified + excluded.verified,
      total_ms = known.total_ms + excluded.total_ms,
      buckets = array(
        select before.count + added.count
        from unnest(known.buckets) with ordinality as before (count, number)
        join unnest(excluded.buckets) with ordinality as added (count, number) using (number)
        order by number);
end
$$;

comment on function app_private.verify_changes(uuid, uuid[], uuid[], timestamptz) is
  'Verifies appointments and slots that changed at this instant; returns how many problems there are, and how long after the change that was known.';

revoke execute on function app_private.verify_changes(uuid, uuid[], uuid[], timestamptz) from public;
grant execute on function app_private.verify_changes(uuid, uuid[], uuid[], timestamptz) to app_worker;
--! EndIncluded functions/health/verify_changes.sql
--! Included functions/health/find_faults.sql
-- The very views of the audit, restricted to one appointment, its slots, its doctor and its patient; the
-- worst fault first. One look asks all of them; only where one cannot be run each is asked by itself, and
-- that one is a fault: what could not be verified is not valid. The times at which it was made and changed
-- are looked at here, because only one appointment's can be told from a clock that was wrong. Definer,
-- because checks read what requests may not: so it asks itself whether the caller may see the appointment,
-- and a patient learns which check speaks, not of whom else.
create or replace function app_private.find_faults(hospital_id uuid, appointment_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
set jit = off
as $$
declare
  actor text := app_private.actor_role();
  own_patient_id uuid := app_private.claim_patient_id();
  for_staff boolean := actor in ('doctor', 'nurse', 'receptionist', 'admin', 'worker', 'operator');
  tolerance constant interval := interval '1 minute';
  visit app_public.appointment;
  entry app_public.health_check;
  slots uuid[];
  entities uuid[];
  faults jsonb := jsonb_build_array();
  found jsonb;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = find_faults.hospital_id and appointment.id = find_faults.appointment_id
    and (for_staff or actor = 'patient' and appointment.patient_id = own_patient_id);
  if visit.id is null then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;

  slots := array_remove(array(
    select visit.slot_id
    union
    select appointment_seat.slot_id from app_public.appointment_seat
    where appointment_seat.hospital_id = visit.hospital_id and appointment_seat.appointment_id = visit.id), null);
  if visit.created_at > app_private.clock() + tolerance or visit.updated_at > app_private.clock() + tolerance
    or visit.updated_at < visit.created_at - tolerance
  then
    faults := faults || jsonb_build_object(
      'check', 'timestamps', 'severity', 'warning', 'title', 'The appointment was made or changed at a time that cannot be',
      'entity_type', 'appointment', 'entity_id', visit.id);
  end if;

  begin
    select faults || coalesce(jsonb_agg(
      jsonb_build_object('check', found.check_name, 'severity', found.severity, 'title', declared.title)
      || case when for_staff
        then jsonb_build_object('entity_type', found.entity_type, 'entity_id', found.entity_id,
          'detail', found.detail, 'metadata', found.metadata)
        else '{}' end
      order by found.severity desc, found.check_name, found.cache_key), '[]')
    into faults
    from app_private.look_at_entities(
      visit.hospital_id, array[visit.id], slots, array[visit.doctor_id], array[visit.patient_id]) as found
    join app_public.health_check as declared on declared.name = found.check_name;
    return faults;
  exception when others then
    -- One of the checks cannot be run; which one is found out below.
    null;
  end;

  for entry in
    select * from app_public.health_check as declared
    where declared.is_event_driven
    order by declared.severity desc, declared.name
  loop
    entities := case entry.entity_type
      when 'appointment' then array[visit.id]
      when 'slot' then slots
      when 'doctor' then array[visit.doctor_id]
      when 'patient' then array[visit.patient_id] end;
    continue when coalesce(cardinality(entities), 0) = 0;
    begin
      execute format(
        'select jsonb_agg(jsonb_build_object(''entity_type'', found.entity_type, ''entity_id'', found.entity_id,
            ''detail'', found.detail, ''metadata'', found.metadata) order by found.cache_key)
          from checks.%I as found where found.hospital_id = $1 and found.entity_id = any ($2)', entry.name)
      into found using visit.hospital_id, entities;
    exception when others then
      found := jsonb_build_array(jsonb_build_object(
        'entity_type', entry.entity_type, 'entity_id', null, 'detail', 'The check could not be run.', 'metadata', '{}'::jsonb));
    end;
    if found is not null then
      select faults || jsonb_agg(
        jsonb_build_object('check', entry.name, 'severity', entry.severity, 'title', entry.title)
        || case when for_staff then each.fault else '{}' end)
      into faults
      from jsonb_array_elements(found) as each (fault);
    end if;
  end loop;
  return faults;
end
$$;

comment on function app_private.find_faults(uuid, uuid) is
  'What the event-driven checks say of an appointment, its slots, its doctor and its patient, the worst first; refuses an appointment that the caller may not see.';

revoke execute on function app_private.find_faults(uuid, uuid) from public;
grant execute on function app_private.find_faults(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/health/find_faults.sql
--! Included functions/health/verify_appointment.sql
-- Row-level security says here whether the caller may see the appointment; the checks run with raised
-- rights in find_faults, which asks itself again. An archived visit is over: there is nothing to verify.
create or replace function app_public.verify_appointment(appointment_id uuid)
returns app_public.verification
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  began timestamptz := clock_timestamp();
  verified app_public.verification;
begin
  if not exists (
    select from app_public.appointment
    where appointment.hospital_id = hospital and appointment.id = verify_appointment.appointment_id)
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;
  verified.details := app_private.find_faults(hospital, appointment_id);
  verified.is_valid := verified.details = '[]';
  verified.reason := verified.details -> 0 ->> 'check';
  verified.duration_ms := extract(epoch from clock_timestamp() - began) * 1000;
  return verified;
end
$$;

comment on function app_public.verify_appointment(uuid) is
  'Verifies an appointment now: it is linked to its slot, the times fit, the counters agree. Patients ask about their own.';

revoke execute on function app_public.verify_appointment(uuid) from public;
grant execute on function app_public.verify_appointment(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/health/verify_appointment.sql
--! Included functions/health/hospitals_with_findings.sql
-- Of open findings alone, by their index: what was resolved costs nothing. Definer, because the worker
-- reads no finding.
create or replace function app_private.hospitals_with_findings() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select distinct finding.hospital_id from app_public.finding where finding.resolved_at is null;
$$;

comment on function app_private.hospitals_with_findings() is
  'Hospitals, and the machinery, of which a problem is known that is not resolved.';

revoke execute on function app_private.hospitals_with_findings() from public;
grant execute on function app_private.hospitals_with_findings() to app_worker;
--! EndIncluded functions/health/hospitals_with_findings.sql
--! Included functions/health/recheck_findings.sql
-- The checks that know of a problem in a hospital, run again: what has resolved itself is known within the
-- hour, and what is repaired next was there a moment ago. Definer, because the worker reads no finding.
create or replace function app_private.recheck_findings(hospital_id uuid)
returns app_public.check_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  names text[];
begin
  select array_agg(distinct finding.check_name) into names
  from app_public.finding
  where finding.hospital_id = recheck_findings.hospital_id and finding.resolved_at is null;
  if names is null then
    return null;
  end if;
  return app_private.run_checks(hospital_id, names, 'hourly');
end
$$;

comment on function app_private.recheck_findings(uuid) is
  'Runs the checks again that know of an open problem in a hospital; returns the run, or null when there is none.';

revoke execute on function app_private.recheck_findings(uuid) from public;
grant execute on function app_private.recheck_findings(uuid) to app_worker;
--! EndIncluded functions/health/recheck_findings.sql
--! Included functions/health/findings_to_repair.sql
-- A repair that did not help is tried again after one hour, three, seven and fifteen since the problem
-- was found, and then no more: people have been asked by then. Nobody repairs what somebody chose to
-- ignore. Definer, because the worker reads no finding.
create or replace function app_private.findings_to_repair(hospital_id uuid, most integer default 1000)
returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select finding.id
  from app_public.finding
  join app_public.health_check as entry on entry.name = finding.check_name and entry.remedy = 'repair'
  where finding.hospital_id = findings_to_repair.hospital_id
    and finding.resolved_at is null
    and (finding.ignored_at is null or finding.ignored_until <= app_private.clock())
    and finding.repair_attempts < 5
    and finding.first_seen_at + (2 ^ finding.repair_attempts - 1) * interval '1 hour' <= app_private.check_instant()
  order by entry.severity desc, finding.first_seen_at, finding.id
  limit most;
$$;

comment on function app_private.findings_to_repair(uuid, integer) is
  'Open problems of a hospital that a repair is due for now, the worst and oldest first, at most so many.';

revoke execute on function app_private.findings_to_repair(uuid, integer) from public;
grant execute on function app_private.findings_to_repair(uuid, integer) to app_worker;
--! EndIncluded functions/health/findings_to_repair.sql
--! Included functions/health/check_guards.sql
-- Whether what protects the system is switched on, asked every few minutes: the catalogs of the database
-- are small. A run leaves its trace only when there is something to tell, or a known problem may be gone.
-- A check that cannot be asked is run, so that its failure is told. Definer, because checks read what the
-- worker may not.
create or replace function app_private.check_guards()
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  names text[] := array(
    select entry.name from app_public.health_check as entry
    where entry.name in ('missing_guard', 'undeclared_access', 'unenforced_foreign_key')
    order by entry.name);
  each text;
  is_worth_a_run boolean;
  run app_public.check_run;
begin
  is_worth_a_run := exists (
    select from app_public.finding
    where finding.hospital_id = app_private.machinery() and finding.check_name = any (names)
      and finding.resolved_at is null);
  foreach each in array names loop
    exit when is_worth_a_run;
    begin
      execute format('select exists (select from checks.%I as found where found.hospital_id = $1)', each)
      into is_worth_a_run using app_private.machinery();
    exception when others then
      is_worth_a_run := true;
    end;
  end loop;
  if not is_worth_a_run then
    return 0;
  end if;
  run := app_private.run_checks(app_private.machinery(), names, 'event');
  return run.finding_count;
end
$$;

comment on function app_private.check_guards() is
  'Looks whether every guard is there and enabled, and remembers those that are not; returns how many.';

revoke execute on function app_private.check_guards() from public;
grant execute on function app_private.check_guards() to app_worker;
--! EndIncluded functions/health/check_guards.sql
--! Included functions/health/remove_old_health.sql
-- In batches, each a short transaction of its caller: what runs found for 90 days, problems that are
-- resolved and what people decided about them for a year, hours of verification for 30 days. An open
-- problem is never removed, and neither is one that somebody still looks at. Definer, because no role may
-- delete any of it.
create or replace function app_private.remove_old_health(hospital_id uuid, most integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  removed integer := 0;
  count integer;
  old_findings uuid[];
begin
  delete from app_public.check_run
  where check_run.hospital_id = remove_old_health.hospital_id and check_run.id in (
    select run.id from app_public.check_run as run
    where run.hospital_id = remove_old_health.hospital_id and run.started_at < instant - interval '90 days'
    order by run.started_at
    limit most);
  get diagnostics count = row_count;
  removed := removed + count;

  delete from app_public.review_item
  where review_item.hospital_id = remove_old_health.hospital_id and review_item.id in (
    select item.id from app_public.review_item as item
    where item.hospital_id = remove_old_health.hospital_id and item.decided_at < instant - interval '1 year'
    order by item.decided_at
    limit most);
  get diagnostics count = row_count;
  removed := removed + count;

  old_findings := array(
    select finding.id from app_public.finding
    where finding.hospital_id = remove_old_health.hospital_id and finding.resolved_at < instant - interval '1 year'
      and not exists (
        select from app_public.review_item as item
        where item.hospital_id = remove_old_health.hospital_id and item.finding_id = finding.id)
      and not exists (
        select from app_public.health_alert as alert
        where alert.hospital_id = remove_old_health.hospital_id and alert.finding_id = finding.id
          and alert.status <> 'resolved')
    order by finding.resolved_at
    limit most);
  delete from app_public.health_alert
  where health_alert.hospital_id = remove_old_health.hospital_id and health_alert.finding_id = any (old_findings);
  delete from app_public.finding
  where finding.hospital_id = remove_old_health.hospital_id and finding.id = any (old_findings);
  get diagnostics count = row_count;
  removed := removed + count;

  delete from app_private.verification_hour
  where verification_hour.hospital_id = remove_old_health.hospital_id
    and verification_hour.hour < now() - interval '30 days';
  get diagnostics count = row_count;
  return removed + count;
end
$$;

comment on function app_private.remove_old_health(uuid, integer) is
  'Forgets what health checks of a hospital found long ago, at most so many rows of a kind; returns how many.';

revoke execute on function app_private.remove_old_health(uuid, integer) from public;
grant execute on function app_private.remove_old_health(uuid, integer) to app_worker;
--! EndIncluded functions/health/remove_old_health.sql
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
