--! Previous: sha1:c152d121798449ad8f6da460b767915904c74944
--! Hash: sha1:8340fc683cf877d5211f696f4544355af311c16e
--! Message: health

--! split: 1-current.sql
-- Checks run, are remembered, told and repaired.
set local role app_owner;

create type app_private.check_row as (
  hospital_id uuid,
  check_name text,
  severity app_public.check_severity,
  entity_type text,
  entity_id uuid,
  detail text,
  metadata jsonb,
  cache_key text
);
comment on type app_private.check_row is 'A row that a check returns: the columns that all of them have.';

create type app_private.check_outcome as (
  row_count integer,
  new_count integer,
  resolved_count integer,
  duration_ms numeric(12, 3),
  error text
);
comment on type app_private.check_outcome is 'What came of running one check.';

--! Included functions/foundation/audited_role.sql
-- Whom the audit names: a repair by the check that asked for it, whoever set it off; else who acts. The
-- setting lives for one transaction, and no client can set it.
create or replace function app_private.audited_role() returns text
language sql stable parallel safe
return coalesce('repair:' || nullif(current_setting('slotkeeper.repair', true), ''), app_private.actor_role());

comment on function app_private.audited_role() is 'Who acts, for the audit: a role, or repair:<check>.';

revoke execute on function app_private.audited_role() from public;
--! EndIncluded functions/foundation/audited_role.sql
--! Included functions/audit/record_audit.sql
-- One audit entry a changed row, in the same transaction, for every client. Runs as the owner, so
-- that no request role needs a right to write the log, and takes the actor from the claims.
-- Trigger arguments: the table's name; the column that identifies a record within its hospital; columns
-- whose values the log withholds: admins read the log, and what doctors write about patients is read
-- with a trace only.
create or replace function app_private.record_audit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  stored jsonb := coalesce(after, before);
  changed jsonb;
begin
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(field.key, field.value) into changed
    from jsonb_each(after) as field
    where before -> field.key is distinct from field.value;
    if changed is null then
      return null;
    end if;
  end if;
  if tg_nargs > 2 then
    before := app_private.withhold(before, tg_argv[2:]);
    after := app_private.withhold(after, tg_argv[2:]);
    changed := app_private.withhold(changed, tg_argv[2:]);
  end if;

  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, old_state, new_state, changed_columns,
    actor_account_id, actor_role, request_id, transaction_id, recorded_at)
  values (
    coalesce(stored ->> 'hospital_id', stored ->> 'id')::uuid,
    tg_argv[0],
    (stored ->> coalesce(tg_argv[1], 'id'))::uuid,
    lower(tg_op)::app_public.audit_operation,
    before,
    after,
    changed,
    app_private.claim_account_id(),
    app_private.audited_role(),
    app_private.claim_request_id(),
    pg_current_xact_id()::text::bigint,
    app_private.clock());
  return null;
end
$$;

comment on function app_private.record_audit() is
  'Trigger: writes old and new state of a changed row to audit_entry, with its actor.';

revoke execute on function app_private.record_audit() from public;

-- What is audited: everything that people decide. Not the counters of slots and days, which only
-- follow appointments, not the generation of slots, which follows schedules, and not offers of the
-- waitlist, which follow their appointments.

create or replace trigger hospital_is_audited
  after insert or update or delete on app_public.hospital
  for each row execute function app_private.record_audit('hospital');

create or replace trigger location_is_audited
  after insert or update or delete on app_public.location
  for each row execute function app_private.record_audit('location');

create or replace trigger doctor_is_audited
  after insert or update or delete on app_public.doctor
  for each row execute function app_private.record_audit('doctor');

create or replace trigger patient_is_audited
  after insert or update or delete on app_public.patient
  for each row execute function app_private.record_audit('patient');

create or replace trigger account_is_audited
  after insert or update or delete on app_public.account
  for each row execute function app_private.record_audit('account');

create or replace trigger service_is_audited
  after insert or update or delete on app_public.service
  for each row execute function app_private.record_audit('service');

create or replace trigger schedule_is_audited
  after insert or update or delete on app_public.schedule
  for each row execute function app_private.record_audit('schedule');

create or replace trigger appointment_is_audited
  after insert or update on app_public.appointment
  for each row execute function app_private.record_audit('appointment');

create or replace trigger slot_is_audited
  after update of blocked_at, blocked_reason, withdrawn_at, is_retired, capacity on app_public.slot
  for each row execute function app_private.record_audit('slot');

-- Slots that a schedule no longer has go by the hundred: what says why is the change of the schedule.
-- Of one that somebody had blocked, retired or withdrawn the last state is kept.
create or replace trigger slot_deletion_is_audited
  after delete on app_public.slot
  for each row when (
    (old.blocked_at is not null or old.is_retired or old.withdrawn_at is not null)
    and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('slot');

create or replace trigger absence_is_audited
  after insert or update or delete on app_public.absence
  for each row execute function app_private.record_audit('absence');

create or replace trigger holiday_is_audited
  after insert or update or delete on app_public.holiday
  for each row execute function app_private.record_audit('holiday');

create or replace trigger waitlist_entry_is_audited
  after insert or update or delete on app_public.waitlist_entry
  for each row execute function app_private.record_audit('waitlist_entry');

-- A row that goes is recorded with its last state, unless housekeeping of past years takes it, which
-- leaves one entry a batch (retention/record_batch) and, of an appointment, its row in the archive.
-- No client can delete either, so none gains by the setting.
create or replace trigger appointment_removal_is_audited
  after delete on app_public.appointment
  for each row when (coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('appointment');

-- One entry an import; what it made has its own.
create or replace trigger import_run_is_audited
  after insert or update or delete on app_public.import_run
  for each row execute function app_private.record_audit('import_run');

create or replace trigger appointment_series_is_audited
  after insert or update or delete on app_public.appointment_series
  for each row execute function app_private.record_audit('appointment_series');

create or replace trigger added_seat_is_audited
  after insert or delete on app_public.added_seat
  for each row execute function app_private.record_audit('added_seat');

-- What somebody asked for, not what the clock and changes start.
create or replace trigger job_request_is_audited
  after insert on app_public.job_run
  for each row when (new.started_by = 'manual')
  execute function app_private.record_audit('job_run');

create or replace trigger stage_alert_is_audited
  after insert or update on app_public.stage_alert
  for each row execute function app_private.record_audit('stage_alert');

-- What people decide about a finding, and what settles itself; that it was queued, the log has.
create or replace trigger review_is_audited
  after update or delete on app_public.review_item
  for each row execute function app_private.record_audit('review_item');

-- Not when people were told of it.
create or replace trigger health_alert_is_audited
  after update of status, note or delete on app_public.health_alert
  for each row execute function app_private.record_audit('health_alert');

-- Alerts go with their appointment to its row in the archive.
create or replace trigger stage_alert_removal_is_audited
  after delete on app_public.stage_alert
  for each row when (coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('stage_alert');

create or replace trigger consultation_is_audited
  after insert or update or delete on app_public.consultation
  for each row execute function app_private.record_audit(
    'consultation', 'id', 'chief_complaint', 'diagnosis', 'notes', 'abandon_reason');

create or replace trigger consultation_participant_is_audited
  after insert or delete on app_public.consultation_participant
  for each row execute function app_private.record_audit('consultation_participant');

create or replace trigger consultation_addendum_is_audited
  after insert or update or delete on app_public.consultation_addendum
  for each row execute function app_private.record_audit('consultation_addendum', 'id', 'text');
create or replace trigger invitation_is_audited
  after insert or update or delete on app_public.invitation
  for each row execute function app_private.record_audit('invitation');

create or replace trigger emergency_access_is_audited
  after insert or update or delete on app_public.emergency_access
  for each row execute function app_private.record_audit('emergency_access');
-- That a feed was made, revoked or removed; when a program last read it is no decision.
create or replace trigger calendar_feed_is_audited
  after insert or update of revoked_at or delete on app_public.calendar_feed
  for each row execute function app_private.record_audit('calendar_feed');

-- What is decided of a subscription, not how its target fares; secrets stand elsewhere.
create or replace trigger webhook_subscription_is_audited
  after insert or update of name, url, events, status, secret_rotated_at or delete on app_public.webhook_subscription
  for each row execute function app_private.record_audit('webhook_subscription');

-- That people ignore a finding, and that they end it; what runs find is in the log.
create or replace trigger finding_is_audited
  after update of ignored_at, ignored_by, ignored_until, ignore_reason on app_public.finding
  for each row execute function app_private.record_audit('finding');
--! EndIncluded functions/audit/record_audit.sql
--! Included functions/booking/keep_counters.sql
-- Counters follow appointments and nothing else: only a statement run by another trigger (taking or
-- releasing a seat) may change them. A hand that writes a count itself is refused, whoever's it is.
-- The condition stands in the triggers' WHEN, so that the booking path never enters the function.
-- Repairs count anew: they run as the owner, whom nobody can log in as, under a setting of theirs.
create or replace function app_private.keep_counters() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('counter_is_derived', jsonb_build_object('table', tg_argv[0]));
  return null;
end
$$;

comment on function app_private.keep_counters() is 'Trigger: refuses a booked_count that does not come from an appointment.';

revoke execute on function app_private.keep_counters() from public;

create or replace trigger slot_starts_empty
  before insert on app_public.slot
  for each row when (new.booked_count <> 0)
  execute function app_private.keep_counters('slot');

create or replace trigger slot_count_follows_appointments
  before update of booked_count on app_public.slot
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> old.booked_count
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = ''))
  execute function app_private.keep_counters('slot');

create or replace trigger doctor_day_starts_empty
  before insert on app_public.doctor_day
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> 0
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = ''))
  execute function app_private.keep_counters('doctor_day');

create or replace trigger doctor_day_count_follows_appointments
  before update of booked_count on app_public.doctor_day
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> old.booked_count
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = ''))
  execute function app_private.keep_counters('doctor_day');
--! EndIncluded functions/booking/keep_counters.sql
--! Included functions/health/declare_check.sql
-- The file of a check says here what its view is for, so that a check is one file. Only migrations call
-- it: what stands in a catalog that requests could write would be no check at all.
create or replace function app_private.declare_check(
  name text, domain text, severity text, entity_type text, title text, meaning text, importance text, resolution text,
  repair text default null, remedy text default null, is_event_driven boolean default false)
returns void
language plpgsql
as $$
begin
  insert into app_public.health_check (
    name, domain, severity, entity_type, title, meaning, importance, resolution, remedy, repair, is_event_driven)
  values (
    declare_check.name, declare_check.domain, declare_check.severity::app_public.check_severity, declare_check.entity_type,
    declare_check.title, declare_check.meaning, declare_check.importance, declare_check.resolution,
    coalesce(declare_check.remedy, case when declare_check.repair is null then 'review' else 'repair' end)::app_public.check_remedy,
    declare_check.repair, declare_check.is_event_driven)
  on conflict on constraint health_check_pkey do update
  set domain = excluded.domain,
      severity = excluded.severity,
      entity_type = excluded.entity_type,
      title = excluded.title,
      meaning = excluded.meaning,
      importance = excluded.importance,
      resolution = excluded.resolution,
      remedy = excluded.remedy,
      repair = excluded.repair,
      is_event_driven = excluded.is_event_driven;
end
$$;

comment on function app_private.declare_check(text, text, text, text, text, text, text, text, text, text, boolean) is
  'Writes the row of a check in the catalog; the file of each check ends with it.';

revoke execute on function app_private.declare_check(text, text, text, text, text, text, text, text, text, text, boolean) from public;
--! EndIncluded functions/health/declare_check.sql
--! Included functions/health/unite_checks.sql
-- checks.all_findings is made from the catalog, so that no list of checks has to be kept by hand; so is the
-- one query that asks all event-driven checks about a few entities. That query is planned once in a session
-- and not for every change: planning so many views takes a hundred times as long as looking at a few rows.
-- Migrations call it after the last check they declare.
create or replace function app_private.unite_checks()
returns void
language plpgsql
as $$
declare
  all_checks text;
  event_driven text;
  nothing constant text := 'select null::uuid, null::text, null::app_public.check_severity, null::text, null::uuid, null::text, null::jsonb, null::text where false';
begin
  select string_agg(format('select * from checks.%I', entry.name), ' union all ' order by entry.domain, entry.name),
    string_agg(
      format('select * from checks.%I as found where found.hospital_id = look_at_entities.hospital_id and found.entity_id = any (look_at_entities.%I)',
        entry.name, entry.entity_type || '_ids'),
      ' union all ' order by entry.domain, entry.name)
      filter (where entry.is_event_driven and entry.entity_type in ('appointment', 'slot', 'doctor', 'patient'))
  into all_checks, event_driven
  from app_public.health_check as entry;
  execute 'create or replace view checks.all_findings (hospital_id, check_name, severity, entity_type, entity_id, detail, metadata, cache_key) as '
    || coalesce(all_checks, nothing);
  execute format($made$
    create or replace function app_private.look_at_entities(
      hospital_id uuid, appointment_ids uuid[], slot_ids uuid[], doctor_ids uuid[], patient_ids uuid[])
    returns setof app_private.check_row
    language plpgsql stable
    set plan_cache_mode = force_generic_plan
    set jit = off
    as $body$ begin return query %s; end $body$ $made$, coalesce(event_driven, nothing));
end
$$;

comment on function app_private.unite_checks() is
  'Makes checks.all_findings and look_at_entities anew from the catalog of checks.';

revoke execute on function app_private.unite_checks() from public;
--! EndIncluded functions/health/unite_checks.sql
--! Included functions/health/check_instant.sql
-- The clock of the rules, but at this very moment: a long run looks at each check at another time, and
-- what an event has resolved meanwhile must not be opened again by what was seen before.
create or replace function app_private.check_instant()
returns timestamptz
language plpgsql volatile
as $$
begin
  return app_private.clock() + (clock_timestamp() - now());
end
$$;

comment on function app_private.check_instant() is 'The present instant as the rules see it, also within a long transaction.';

revoke execute on function app_private.check_instant() from public;
--! EndIncluded functions/health/check_instant.sql
--! Included functions/health/log_health.sql
-- Health writes to the same log as everything else, in its own transactions, never in a booking's.
create or replace function app_private.log_health(
  hospital_id uuid, kind app_public.log_kind, level app_public.log_level, name text, outcome text, message text,
  entity_type text default null, entity_id uuid default null, details jsonb default '{}', duration_ms integer default null)
returns void
language plpgsql volatile
as $$
begin
  insert into app_public.log_entry (
    hospital_id, kind, level, name, outcome, message, entity_type, entity_id, details, duration_ms, request_id,
    actor_account_id, actor_role)
  values (
    log_health.hospital_id, log_health.kind, log_health.level, log_health.name, log_health.outcome,
    left(log_health.message, 1000), log_health.entity_type, log_health.entity_id, log_health.details,
    log_health.duration_ms, app_private.claim_request_id(), app_private.claim_account_id(), app_private.audited_role());
end
$$;

comment on function app_private.log_health(
  uuid, app_public.log_kind, app_public.log_level, text, text, text, text, uuid, jsonb, integer) is
  'Writes an entry about the system''s health to the log.';

revoke execute on function app_private.log_health(
  uuid, app_public.log_kind, app_public.log_level, text, text, text, text, uuid, jsonb, integer) from public;
--! EndIncluded functions/health/log_health.sql
--! Included functions/health/record_repair.sql
-- What follows appointments by itself is not audited when it changes; when a repair changes it, it is.
create or replace function app_private.record_repair(
  hospital_id uuid, table_name text, record_id uuid, old_state jsonb, new_state jsonb)
returns void
language plpgsql volatile
as $$
declare
  changed jsonb;
begin
  select jsonb_object_agg(field.key, field.value) into changed
  from jsonb_each(record_repair.new_state) as field
  where record_repair.old_state -> field.key is distinct from field.value;

  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, old_state, new_state, changed_columns,
    actor_account_id, actor_role, request_id, transaction_id, recorded_at)
  values (
    record_repair.hospital_id, record_repair.table_name, record_repair.record_id, 'update', record_repair.old_state,
    record_repair.new_state, changed, app_private.claim_account_id(), app_private.audited_role(),
    app_private.claim_request_id(), pg_current_xact_id()::text::bigint, app_private.clock());
end
$$;

comment on function app_private.record_repair(uuid, text, uuid, jsonb, jsonb) is
  'Writes what a repair changed to the audit, where no trigger does.';

revoke execute on function app_private.record_repair(uuid, text, uuid, jsonb, jsonb) from public;
--! EndIncluded functions/health/record_repair.sql
--! Included functions/health/queue_for_review.sql
-- A finding waits for people once, however often it is found: the unique index of open reviews says so
-- also to those who run at once. What is ignored waits for nobody. One that was decided and is back gets a
-- new item.
create or replace function app_private.queue_for_review(finding app_public.finding, detail text default null)
returns void
language plpgsql volatile
as $$
declare
  queued app_public.review_item;
begin
  if finding.ignored_at is not null and coalesce(finding.ignored_until > app_private.clock(), true) then
    return;
  end if;
  insert into app_public.review_item (
    hospital_id, finding_id, reason, priority, entity_type, entity_id, detail, context)
  values (
    finding.hospital_id, finding.id, finding.check_name,
    app_private.review_priority(finding.check_name, finding.severity),
    finding.entity_type, finding.entity_id, concat_ws(' ', finding.detail, queue_for_review.detail), finding.metadata)
  on conflict do nothing
  returning * into queued;
  if queued.id is not null then
    perform app_private.log_health(
      queued.hospital_id, 'review', 'warning', queued.reason, 'noted', 'A finding waits for a review.',
      queued.entity_type, queued.entity_id,
      jsonb_build_object('review_item_id', queued.id, 'finding_id', queued.finding_id, 'priority', queued.priority));
  end if;
end
$$;

comment on function app_private.queue_for_review(app_public.finding, text) is
  'Gives a finding to people to review, unless it waits for them already or is ignored.';

revoke execute on function app_private.queue_for_review(app_public.finding, text) from public;
--! EndIncluded functions/health/queue_for_review.sql
--! Included functions/health/raise_health_alert.sql
-- A finding has one open alert. One that was gone and is back within the quiet period is the same alert,
-- raised once more; later it is a new one. When people were told last goes with the finding, not with the
-- alert, so that closing an alert by hand makes nobody be told twice within the quiet period.
create or replace function app_private.raise_health_alert(finding app_public.finding)
returns void
language plpgsql volatile
as $$
declare
  instant timestamptz := app_private.clock();
  last_one app_public.health_alert;
begin
  select * into last_one
  from app_public.health_alert as alert
  where alert.hospital_id = finding.hospital_id and alert.finding_id = finding.id
  order by alert.status = 'resolved', alert.last_raised_at desc
  limit 1
  for no key update;

  if last_one.status <> 'resolved' then
    update app_public.health_alert
    set times_raised = health_alert.times_raised + 1,
        last_raised_at = instant,
        severity = finding.severity,
        detail = finding.detail
    where health_alert.hospital_id = last_one.hospital_id and health_alert.id = last_one.id;
  elsif last_one.is_settled and last_one.last_raised_at > instant - app_private.quiet_period(finding.hospital_id) then
    update app_public.health_alert
    set status = 'active',
        times_raised = health_alert.times_raised + 1,
        last_raised_at = instant,
        severity = finding.severity,
        detail = finding.detail
    where health_alert.hospital_id = last_one.hospital_id and health_alert.id = last_one.id;
  else
    insert into app_public.health_alert (
      hospital_id, finding_id, check_name, severity, title, detail, raised_at, last_raised_at, told_at)
    select finding.hospital_id, finding.id, finding.check_name, finding.severity, entry.title, finding.detail,
      instant, instant, last_one.told_at
    from app_public.health_check as entry
    where entry.name = finding.check_name
    on conflict do nothing;
  end if;
end
$$;

comment on function app_private.raise_health_alert(app_public.finding) is
  'Raises the alert of a finding; one that is open, or was a moment ago, is raised once more.';

revoke execute on function app_private.raise_health_alert(app_public.finding) from public;
--! EndIncluded functions/health/raise_health_alert.sql
--! Included functions/health/settle_review.sql
-- A problem that is gone needs no review, whoever has claimed it. In the order of ids, so that two who
-- settle at once do not wait for each other.
create or replace function app_private.settle_review(
  hospital_id uuid, finding_ids uuid[], note text default 'The problem is gone.')
returns void
language plpgsql volatile
as $$
begin
  perform from app_public.review_item
  where review_item.hospital_id = settle_review.hospital_id
    and review_item.finding_id = any (finding_ids)
    and review_item.status in ('pending', 'in_review')
  order by review_item.id
  for no key update;
  update app_public.review_item
  set status = 'resolved',
      is_settled = true,
      note = settle_review.note
  where review_item.hospital_id = settle_review.hospital_id
    and review_item.finding_id = any (finding_ids)
    and review_item.status in ('pending', 'in_review');
end
$$;

comment on function app_private.settle_review(uuid, uuid[], text) is
  'Closes the open reviews of findings that are resolved, or that nobody has to look at any more.';

revoke execute on function app_private.settle_review(uuid, uuid[], text) from public;
--! EndIncluded functions/health/settle_review.sql
--! Included functions/health/settle_health_alerts.sql
-- A problem that is gone alarms nobody any more. In the order of ids, so that two who settle at once do
-- not wait for each other.
create or replace function app_private.settle_health_alerts(hospital_id uuid, finding_ids uuid[])
returns void
language plpgsql volatile
as $$
begin
  perform from app_public.health_alert
  where health_alert.hospital_id = settle_health_alerts.hospital_id
    and health_alert.finding_id = any (finding_ids)
    and health_alert.status <> 'resolved'
  order by health_alert.id
  for no key update;
  update app_public.health_alert
  set status = 'resolved',
      is_settled = true
  where health_alert.hospital_id = settle_health_alerts.hospital_id
    and health_alert.finding_id = any (finding_ids)
    and health_alert.status <> 'resolved';
end
$$;

comment on function app_private.settle_health_alerts(uuid, uuid[]) is
  'Closes the open alerts of findings that are resolved, or that nobody has to look at any more.';

revoke execute on function app_private.settle_health_alerts(uuid, uuid[]) from public;
--! EndIncluded functions/health/settle_health_alerts.sql
--! Included functions/health/settle_findings.sql
-- A problem that is gone needs nobody's attention any more.
create or replace function app_private.settle_findings(hospital_id uuid, finding_ids uuid[])
returns void
language plpgsql volatile
as $$
begin
  perform app_private.settle_review(hospital_id, finding_ids);
  perform app_private.settle_health_alerts(hospital_id, finding_ids);
end
$$;

comment on function app_private.settle_findings(uuid, uuid[]) is
  'Closes the reviews and alerts of findings that are resolved.';

revoke execute on function app_private.settle_findings(uuid, uuid[]) from public;
--! EndIncluded functions/health/settle_findings.sql
--! Included functions/health/tell_of_finding.sql
-- What becomes of a finding that was not known: the log has it, people review what no machine may
-- repair, and what is critical alarms at once. What somebody chose to ignore is only remembered. Of a flood
-- only the first are told one by one.
create or replace function app_private.tell_of_finding(
  finding app_public.finding, entry app_public.health_check, is_told boolean default true)
returns void
language plpgsql volatile
as $$
begin
  if finding.ignored_at is not null and coalesce(finding.ignored_until > app_private.clock(), true) then
    return;
  end if;
  if entry.remedy = 'review' then
    perform app_private.queue_for_review(finding);
  end if;
  if not is_told then
    return;
  end if;
  perform app_private.log_health(
    finding.hospital_id, 'finding', finding.severity::text::app_public.log_level, finding.check_name, 'noted', finding.detail, finding.entity_type, finding.entity_id,
    jsonb_build_object('finding_id', finding.id));
  if finding.severity = 'critical' then
    perform app_private.raise_health_alert(finding);
  end if;
end
$$;

comment on function app_private.tell_of_finding(app_public.finding, app_public.health_check, boolean) is
  'Logs a new finding, gives it to people to review where no repair is safe, and raises an alert where it is critical.';

revoke execute on function app_private.tell_of_finding(app_public.finding, app_public.health_check, boolean) from public;
--! EndIncluded functions/health/tell_of_finding.sql
--! Included functions/health/remember_findings.sql
-- What a check has seen, by the key that names each problem. A problem that is back after it was resolved
-- begins anew. What somebody else found resolved after this check looked stays so: the look was older.
create or replace function app_private.remember_findings(
  seen app_private.check_row[], looked_at timestamptz, changed_at timestamptz)
returns app_public.finding[]
language plpgsql volatile
as $$
declare
  news app_public.finding[];
begin
  with before as materialized (
    select known.hospital_id, known.cache_key
    from unnest(seen) as found
    join app_public.finding as known
      on known.hospital_id = found.hospital_id and known.cache_key = found.cache_key
    where known.resolved_at is null
  ), stored as (
    insert into app_public.finding as known (
      hospital_id, check_name, severity, entity_type, entity_id, cache_key, detail, metadata, first_seen_at,
      last_seen_at, times_seen, detected_after)
    select distinct on (found.hospital_id, found.cache_key)
      found.hospital_id, found.check_name, found.severity, found.entity_type, found.entity_id, found.cache_key,
      found.detail, found.metadata, looked_at, looked_at, 1, looked_at - changed_at
    from unnest(seen) as found
    order by found.hospital_id, found.cache_key
    on conflict on constraint a_problem_is_one_finding do update
    set severity = excluded.severity,
        detail = excluded.detail,
        metadata = excluded.metadata,
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
        times_seen = case when known.resolved_at is null then known.times_seen + 1 else 1 end,
        first_seen_at = case when known.resolved_at is null then known.first_seen_at else excluded.first_seen_at end,
        detected_after = case when known.resolved_at is null then known.detected_after else excluded.detected_after end,
        repair_attempts = case when known.resolved_at is null then known.repair_attempts else 0 end,
        repair_error = case when known.resolved_at is null then known.repair_error end,
        is_auto_corrected = false,
        resolved_at = null
    where known.resolved_at is null or known.resolved_at < excluded.last_seen_at
    returning known.*
  )
  select array_agg(stored::app_public.finding order by stored.cache_key) into news
  from stored
  where not exists (
    select from before where before.hospital_id = stored.hospital_id and before.cache_key = stored.cache_key);
  return news;
end
$$;

comment on function app_private.remember_findings(app_private.check_row[], timestamptz, timestamptz) is
  'Stores what a check returned; returns what was not known or is back.';

revoke execute on function app_private.remember_findings(app_private.check_row[], timestamptz, timestamptz) from public;
--! EndIncluded functions/health/remember_findings.sql
--! Included functions/health/resolve_findings.sql
-- What a check knew and returns no more is gone, within what it looked at. What was found again after it
-- looked stays open.
create or replace function app_private.resolve_findings(
  check_name text, hospital_id uuid, entity_ids uuid[], seen app_private.check_row[], looked_at timestamptz)
returns uuid[]
language plpgsql volatile
as $$
declare
  seen_keys text[] := array(select concat(found.hospital_id, '/', found.cache_key) from unnest(seen) as found);
  gone uuid[];
  touched record;
begin
  for touched in
    with resolved as (
      update app_public.finding as known
      set resolved_at = looked_at
      where known.check_name = resolve_findings.check_name
        and known.resolved_at is null
        and known.last_seen_at <= looked_at
        and (resolve_findings.hospital_id is null or known.hospital_id = resolve_findings.hospital_id)
        and (resolve_findings.entity_ids is null or known.entity_id = any (resolve_findings.entity_ids))
        and concat(known.hospital_id, '/', known.cache_key) <> all (seen_keys)
      returning known.hospital_id, known.id
    )
    select resolved.hospital_id, array_agg(resolved.id) as ids from resolved group by resolved.hospital_id
  loop
    perform app_private.settle_findings(touched.hospital_id, touched.ids);
    gone := gone || touched.ids;
  end loop;
  return gone;
end
$$;

comment on function app_private.resolve_findings(text, uuid, uuid[], app_private.check_row[], timestamptz) is
  'Notes as resolved what a check knew and returns no more; returns their ids.';

revoke execute on function app_private.resolve_findings(text, uuid, uuid[], app_private.check_row[], timestamptz) from public;
--! EndIncluded functions/health/resolve_findings.sql
--! Included functions/health/run_check.sql
-- One check, of everything, of one hospital or of some entities of it: what its view returns is
-- remembered, and what it returns no more is resolved. The view is asked first, by itself: while all is
-- well that is all there is to do. Of a flood only the first ten thousand are remembered, and then
-- nothing is taken for resolved. A check that cannot be run must not keep the others from running: its
-- error is part of the outcome. Runs as the owner through the functions that call it.
create or replace function app_private.run_check(
  entry app_public.health_check, hospital_id uuid default null, entity_ids uuid[] default null,
  changed_at timestamptz default null)
returns app_private.check_outcome
language plpgsql volatile
set jit = off
set work_mem = '64MB'
as $$
declare
  most constant integer := 10000;
  most_told constant integer := 100;
  told integer := 0;
  outcome app_private.check_outcome := row(0, 0, 0, 0, null);
  began timestamptz := clock_timestamp();
  looked_at timestamptz := app_private.check_instant();
  restriction text := concat_ws(' and ',
    case when hospital_id is not null then 'found.hospital_id = $1' end,
    case when entity_ids is not null then 'found.entity_id = any ($2)' end);
  seen app_private.check_row[];
  news app_public.finding[];
  gone uuid[];
  fresh app_public.finding;
begin
  begin
    execute format(
      'select array(select row(found.*)::app_private.check_row from checks.%I as found where %s limit %s)',
      entry.name, coalesce(nullif(restriction, ''), 'true'), most + 1)
    into seen using hospital_id, entity_ids;
    outcome.row_count := cardinality(seen);
    if outcome.row_count > most then
      execute format(
        'select count(*) from checks.%I as found where %s', entry.name, coalesce(nullif(restriction, ''), 'true'))
      into outcome.row_count using hospital_id, entity_ids;
    end if;
  exception when others then
    outcome.error := format('%s: %s', sqlstate, left(sqlerrm, 300));
  end;
  outcome.duration_ms := extract(epoch from clock_timestamp() - began) * 1000;
  if outcome.error is not null then
    perform app_private.log_health(
      coalesce(hospital_id, app_private.machinery()), 'check_run', 'error', entry.name, 'failed',
      format('The check %s could not be run: %s', entry.name, outcome.error));
    return outcome;
  end if;

  if outcome.row_count > 0 then
    news := app_private.remember_findings(seen[1:most], looked_at, changed_at);
    outcome.new_count := coalesce(cardinality(news), 0);
  end if;
  if outcome.row_count <= most then
    gone := app_private.resolve_findings(entry.name, hospital_id, entity_ids, seen, looked_at);
    outcome.resolved_count := coalesce(cardinality(gone), 0);
  end if;
  foreach fresh in array coalesce(news, '{}') loop
    told := told + 1;
    perform app_private.tell_of_finding(fresh, entry, told <= most_told);
  end loop;
  if told > most_told then
    perform app_private.log_health(
      fresh.hospital_id, 'finding', 'warning', entry.name, 'noted',
      format('%s more problems of this kind were found in this run.', told - most_told));
  end if;
  return outcome;
end
$$;

comment on function app_private.run_check(app_public.health_check, uuid, uuid[], timestamptz) is
  'Runs a check, of everything, of a hospital or of some entities of it, and remembers what it finds.';

revoke execute on function app_private.run_check(app_public.health_check, uuid, uuid[], timestamptz) from public;
--! EndIncluded functions/health/run_check.sql
--! Included functions/health/run_checks.sql
-- A run of checks, of all hospitals or of one. Checks of the whole system find nothing in a hospital, so
-- that a hospital's run leaves them out. Guards come first: where one is off, the other checks tell what
-- came of it. A catalog that shows no check would let every run end well: that is refused. Definer, because checks read every table; who may ask is decided by the doors to it.
create or replace function app_private.run_checks(
  hospital_id uuid, check_names text[], trigger app_public.check_trigger, requested_by uuid default null)
returns app_public.check_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.check_run;
  entry app_public.health_check;
  outcome app_private.check_outcome;
  results app_public.check_result[] := array[]::app_public.check_result[];
begin
  run.hospital_id := coalesce(run_checks.hospital_id, app_private.machinery());
  run.id := app_private.new_id();
  run.trigger := run_checks.trigger;
  run.requested_by := run_checks.requested_by;
  run.check_names := '{}';
  run.failed_checks := '{}';
  run.started_at := app_private.check_instant();
  run.finding_count := 0;
  run.new_count := 0;
  run.resolved_count := 0;

  for entry in
    select * from app_public.health_check as declared
    where (run_checks.check_names is null or declared.name = any (run_checks.check_names))
    order by declared.domain <> 'references', declared.domain, declared.name
  loop
    outcome := app_private.run_check(entry, run_checks.hospital_id);
    run.check_names := run.check_names || entry.name;
    if outcome.error is not null then
      run.failed_checks := run.failed_checks || entry.name;
    end if;
    run.finding_count := run.finding_count + outcome.row_count;
    run.new_count := run.new_count + outcome.new_count;
    run.resolved_count := run.resolved_count + outcome.resolved_count;
    results := results || row(
      run.hospital_id, run.id, entry.name, outcome.row_count, outcome.duration_ms, outcome.error)::app_public.check_result;
  end loop;

  if run.check_names = '{}' and cardinality(run_checks.check_names) is distinct from 0 then
    perform app_private.refuse('no_checks');
  end if;

  run.finished_at := app_private.check_instant();
  run.duration_ms := extract(epoch from run.finished_at - run.started_at) * 1000;
  insert into app_public.check_run select run.*;
  insert into app_public.check_result select result.* from unnest(results) as result;
  perform app_private.log_health(
    run.hospital_id, 'check_run', case when run.failed_checks <> '{}' then 'error' else 'info' end::app_public.log_level,
    run.trigger::text,
    case when run.failed_checks <> '{}' then 'failed' else 'succeeded' end,
    format('%s checks found %s problems, %s of them new; %s are gone.',
      cardinality(run.check_names), run.finding_count, run.new_count, run.resolved_count),
    details => jsonb_build_object('check_run_id', run.id, 'failed_checks', run.failed_checks),
    duration_ms => run.duration_ms);
  return run;
end
$$;

comment on function app_private.run_checks(uuid, text[], app_public.check_trigger, uuid) is
  'Runs these checks (null: all) in a hospital (null: everywhere), remembers what they find, and returns the run.';

revoke execute on function app_private.run_checks(uuid, text[], app_public.check_trigger, uuid) from public;
grant execute on function app_private.run_checks(uuid, text[], app_public.check_trigger, uuid) to app_worker;
--! EndIncluded functions/health/run_checks.sql
--! Included functions/health/verify_entities.sql
-- What changed is verified through the very views of the nightly audit, restricted to the appointments, the
-- slots and further seats they sit in or sat in, their doctors and their patients. One look asks all checks at
-- once; nearly always it finds nothing, nothing is known, and that is all. Otherwise each check is run by
-- itself, so that it is remembered, told, and kept apart from one that fails. Only then the run leaves a row.
-- Definer, because checks read every table; jobs call it.
create or replace function app_private.verify_entities(
  hospital_id uuid, appointment_ids uuid[], slot_ids uuid[], changed_at timestamptz default null)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  began timestamptz := app_private.check_instant();
  run app_public.check_run;
  entry app_public.health_check;
  outcome app_private.check_outcome;
  slots uuid[];
  doctors uuid[];
  patients uuid[];
  entities uuid[];
begin
  select array_agg(distinct touched.slot_id) into slots
  from (
    select unnest(verify_entities.slot_ids)
    union all
    select appointment.slot_id from app_public.appointment
    where appointment.hospital_id = verify_entities.hospital_id and appointment.id = any (appointment_ids)
    union all
    select appointment_seat.slot_id from app_public.appointment_seat
    where appointment_seat.hospital_id = verify_entities.hospital_id
      and appointment_seat.appointment_id = any (appointment_ids)
  ) as touched (slot_id)
  where touched.slot_id is not null;
  select array_agg(distinct appointment.patient_id), array_agg(distinct appointment.doctor_id) into patients, doctors
  from app_public.appointment
  where appointment.hospital_id = verify_entities.hospital_id and appointment.id = any (appointment_ids);
  select array_agg(distinct doctor.id) into doctors
  from (
    select unnest(doctors)
    union all
    select slot.doctor_id from app_public.slot
    where slot.hospital_id = verify_entities.hospital_id and slot.id = any (slots)
  ) as doctor (id);

  begin
    if not exists (
        select from app_private.look_at_entities(verify_entities.hospital_id, appointment_ids, slots, doctors, patients))
      and not exists (
        select from app_public.finding as known
        where known.hospital_id = verify_entities.hospital_id and known.resolved_at is null
          and known.entity_id = any (appointment_ids || slots || doctors || patients))
    then
      return 0;
    end if;
  exception when others then
    -- One of the checks cannot be run; which one is told below.
    null;
  end;

  run.check_names := '{}';
  run.failed_checks := '{}';
  run.finding_count := 0;
  run.new_count := 0;
  run.resolved_count := 0;
  for entry in
    select * from app_public.health_check as declared where declared.is_event_driven order by declared.name
  loop
    entities := case entry.entity_type
      when 'appointment' then appointment_ids
      when 'slot' then slots
      when 'doctor' then doctors
      when 'patient' then patients end;
    continue when coalesce(cardinality(entities), 0) = 0;
    outcome := app_private.run_check(entry, verify_entities.hospital_id, entities, changed_at);
    run.check_names := run.check_names || entry.name;
    if outcome.error is not null then
      run.failed_checks := run.failed_checks || entry.name;
    end if;
    run.finding_count := run.finding_count + outcome.row_count;
    run.new_count := run.new_count + outcome.new_count;
    run.resolved_count := run.resolved_count + outcome.resolved_count;
  end loop;

  if run.finding_count > 0 or run.resolved_count > 0 or run.failed_checks <> '{}' then
    run.finished_at := app_private.check_instant();
    insert into app_public.check_run (
      hospital_id, trigger, check_names, started_at, finished_at, duration_ms, finding_count, new_count, resolved_count,
      failed_checks)
    values (
      verify_entities.hospital_id, 'event', run.check_names, began, run.finished_at,
      extract(epoch from run.finished_at - began) * 1000, run.finding_count, run.new_count, run.resolved_count,
      run.failed_checks);
  end if;
  return run.finding_count;
end
$$;

comment on function app_private.verify_entities(uuid, uuid[], uuid[], timestamptz) is
  'Runs the event-driven checks for appointments and slots that changed, and all that hangs on them; returns how many problems there are.';

revoke execute on function app_private.verify_entities(uuid, uuid[], uuid[], timestamptz) from public;
grant execute on function app_private.verify_entities(uuid, uuid[], uuid[], timestamptz) to app_worker;
--! EndIncluded functions/health/verify_entities.sql
--! Included functions/health/repair_finding.sql
-- A repair is believed only when its check is silent again. It acts as the worker, whoever asked for it,
-- and the audit names the check. What it cannot do without a person, or has tried three times, goes to
-- people. Its error undoes what it did, and nothing else; what somebody else holds at this moment is left for
-- the next time, which is no attempt. The finding is locked first: of two repairs of it the second finds it
-- resolved. Definer, because repairs write what nobody else may.
create or replace function app_private.repair_finding(hospital_id uuid, finding_id uuid)
returns app_public.finding
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  finding app_public.finding;
  entry app_public.health_check;
  acted_as text := coalesce(current_setting('claims.role', true), '');
  did text;
  failure text;
  is_busy boolean := false;
  is_still_there boolean;
begin
  select * into finding
  from app_public.finding as known
  where known.hospital_id = repair_finding.hospital_id and known.id = repair_finding.finding_id
  for no key update;
  select * into entry from app_public.health_check as declared where declared.name = finding.check_name;
  if finding.id is null or finding.resolved_at is not null or entry.repair is null then
    return finding;
  end if;

  perform set_config('slotkeeper.repair', entry.name, true), set_config('claims.role', 'worker', true);
  begin
    execute format('select app_private.%I($1)', entry.repair) into did using finding;
  exception
    when lock_not_available or deadlock_detected then
      is_busy := true;
    when others then
      failure := format('%s: %s', sqlstate, left(sqlerrm, 300));
  end;
  perform set_config('slotkeeper.repair', '', true), set_config('claims.role', acted_as, true);
  if is_busy then
    return finding;
  end if;

  execute format('select exists (select from checks.%I as found where found.hospital_id = $1
    and found.entity_id is not distinct from $2 and found.cache_key = $3)', entry.name)
  into is_still_there using finding.hospital_id, finding.entity_id, finding.cache_key;

  if is_still_there then
    failure := coalesce(failure, 'It is still there. ' || did, 'No repair is safe without a person.');
  end if;
  update app_public.finding as known
  set repair_attempts = known.repair_attempts + 1,
      repair_error = failure,
      resolved_at = case when not is_still_there then app_private.check_instant() end,
      is_auto_corrected = not is_still_there
  where known.hospital_id = finding.hospital_id and known.id = finding.id
  returning * into finding;
  if is_still_there then
    if did is null or finding.repair_attempts >= 3 then
      perform app_private.queue_for_review(finding, failure);
    end if;
  else
    perform app_private.settle_findings(finding.hospital_id, array[finding.id]);
  end if;
  perform app_private.log_health(
    finding.hospital_id, 'repair', case when is_still_there then 'error' else 'info' end::app_public.log_level, finding.check_name,
    case when is_still_there then 'failed' else 'succeeded' end, coalesce(failure, did, 'The problem is gone.'),
    finding.entity_type, finding.entity_id, jsonb_build_object('finding_id', finding.id));
  return finding;
end
$$;

comment on function app_private.repair_finding(uuid, uuid) is
  'Repairs a finding where that is safe, and returns it as it stands then.';

revoke execute on function app_private.repair_finding(uuid, uuid) from public;
grant execute on function app_private.repair_finding(uuid, uuid) to app_worker;
--! EndIncluded functions/health/repair_finding.sql
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
--! Included checks/summary.sql
-- The first thing to type: what is wrong now, worst first, then the checks that are silent.
create or replace view checks.summary as
select entry.severity, entry.name as check_name, entry.domain, hospital.slug as hospital,
  count(found.cache_key)::integer as findings, min(found.detail) as example, entry.title
from app_public.health_check as entry
left join checks.all_findings as found on found.check_name = entry.name
left join app_public.hospital on hospital.id = found.hospital_id
group by entry.name, hospital.slug
order by count(found.cache_key) = 0, entry.severity desc, count(found.cache_key) desc, entry.name, hospital.slug;

comment on view checks.summary is
  'How many findings each check has now, by hospital, worst first; checks of the whole system have no hospital.';
revoke all on checks.summary from public;
grant select on checks.summary to app_monitor;
--! EndIncluded checks/summary.sql

reset role;
