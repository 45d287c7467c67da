// Who may do what, by the catalog: roles, owners, grants and policies.
import { createDatabase } from '../helpers/database.ts';
import { hold } from './rule.ts';

const { ownerPool } = await createDatabase();

const thing = `
  create table app_public.thing (
    hospital_id uuid not null, id uuid not null default app_private.new_id(), primary key (hospital_id, id))`;

hold(ownerPool, [
  {
    says: 'row-level security is enabled and forced on every public table',
    offenders: `
      select name from our_table
      where nspname = 'app_public' and not (relrowsecurity and relforcerowsecurity)`,
    breach: `${thing}; alter table app_public.slot no force row level security`,
    noticed: ['app_public.slot', 'app_public.thing'],
  },
  {
    says: 'row-level security is forced on every private table that a role may reach',
    offenders: `
      select distinct name from our_table cross join aclexplode(relacl) as acl
      where acl.grantee <> relowner and not (relrowsecurity and relforcerowsecurity)
      union
      select distinct name from our_table
      join pg_catalog.pg_attribute on attrelid = our_table.oid
      where attacl is not null and not (relrowsecurity and relforcerowsecurity)`,
    excused: {
      'app_private.rate_limit': 'counts before anybody is known; there is nothing to divide',
    },
    breach: 'grant select on app_private.session to app_login',
    noticed: ['app_private.session'],
  },
  {
    says: 'every table under row-level security has a policy for its owner, whom triggers run as',
    offenders: `
      select name from our_table
      where relrowsecurity and not exists (
        select from pg_catalog.pg_policy where polrelid = our_table.oid and relowner = any (polroles))`,
    breach: 'drop policy owner_maintains on app_public.slot',
    noticed: ['app_public.slot'],
  },
  {
    says: 'policies name their roles',
    offenders: `
      select format('%s on %s', polname, our_table.name)
      from our_table join pg_catalog.pg_policy on polrelid = our_table.oid
      where 0 = any (polroles)`,
    breach: 'create policy for_all on app_public.slot using (true)',
    noticed: ['for_all on app_public.slot'],
  },
  {
    says: 'policies permit; none restricts what another one permits',
    offenders: `
      select format('%s on %s', polname, our_table.name)
      from our_table join pg_catalog.pg_policy on polrelid = our_table.oid
      where not polpermissive`,
    breach: 'create policy less_still on app_public.slot as restrictive to app_admin using (true)',
    noticed: ['less_still on app_public.slot'],
  },
  {
    says: 'policies that let write check what is written',
    offenders: `
      select format('%s on %s', polname, our_table.name)
      from our_table join pg_catalog.pg_policy on polrelid = our_table.oid
      where polcmd in ('a', 'w', '*') and polwithcheck is null`,
    breach:
      'create policy admins_write on app_public.slot for update to app_admin using (hospital_id is null)',
    noticed: ['admins_write on app_public.slot'],
  },
  {
    says: 'policies have no subquery',
    offenders: `
      select format('%s on %s', polname, our_table.name)
      from our_table join pg_catalog.pg_policy on polrelid = our_table.oid
      where concat(pg_get_expr(polqual, polrelid), ' ', pg_get_expr(polwithcheck, polrelid)) ~* '\\mselect\\M'`,
    breach: `create policy by_search on app_public.slot for select to app_anonymous
      using (hospital_id = (select app_private.claim_hospital_id()))`,
    noticed: ['by_search on app_public.slot'],
  },
  {
    says: 'policies call no function of ours but the claims',
    offenders: `
      select format('%s on %s calls %s', polname, our_table.name, refobjid::regproc)
      from our_table
      join pg_catalog.pg_policy on polrelid = our_table.oid
      join pg_catalog.pg_depend on classid = 'pg_policy'::regclass and objid = pg_policy.oid
      where refclassid = 'pg_proc'::regclass
        and refobjid::regproc::text !~ '^app_private\\.claim_(hospital|account|doctor|patient)_id$'`,
    breach: `create policy by_role on app_public.slot for select to app_anonymous
      using (app_private.actor_role() = 'anonymous')`,
    noticed: ['by_role on app_public.slot calls app_private.actor_role'],
  },
  {
    says: 'policies of tenant tables ask for the hospital of the claims, but for roles that serve all',
    offenders: `
      select format('%s on %s', polname, tenant_table.name)
      from tenant_table join pg_catalog.pg_policy on polrelid = tenant_table.oid
      where not polroles <@ array['app_owner'::regrole, 'app_worker'::regrole, 'app_monitor'::regrole]::oid[]
        and (pg_get_expr(coalesce(polqual, polwithcheck), polrelid) !~ '\\(?hospital_id = app_private.claim_hospital_id\\(\\)'
          or pg_get_expr(coalesce(polwithcheck, polqual), polrelid) !~ '\\(?hospital_id = app_private.claim_hospital_id\\(\\)'
          or concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) ~ '\\mOR\\M')`,
    breach: `create policy by_doctor on app_public.slot for select to app_doctor
      using (doctor_id = app_private.claim_doctor_id())`,
    noticed: ['by_doctor on app_public.slot'],
  },
  {
    says: 'every right on a table has its policy, and every policy its right',
    offenders: `
      with granted as (
        select our_table.oid, name, acl.grantee, acl.privilege_type
        from our_table cross join aclexplode(relacl) as acl
        where relrowsecurity and acl.grantee <> relowner
        union
        select our_table.oid, name, acl.grantee, acl.privilege_type
        from our_table
        join pg_catalog.pg_attribute on attrelid = our_table.oid
        cross join aclexplode(attacl) as acl
        where relrowsecurity
      ), permitted as (
        select our_table.oid, name, role as grantee, privilege_type
        from our_table
        join pg_catalog.pg_policy on polrelid = our_table.oid
        cross join unnest(polroles) as role
        cross join lateral (values
          ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) as command (code, privilege_type)
        where role <> relowner and polcmd in ('*', command.code::"char")
      )
      select format('%s of %s: right without policy', privilege_type, name)
        || ' for ' || grantee::regrole from (select * from granted except select * from permitted) as idle
      union all
      select format('%s of %s: policy without right', privilege_type, name)
        || ' for ' || grantee::regrole from (select * from permitted except select * from granted) as idle`,
    breach: `
      grant delete on app_public.slot to app_admin;
      create policy nurses_remove on app_public.slot for delete to app_nurse
        using (hospital_id = app_private.claim_hospital_id())`,
    noticed: [
      'DELETE of app_public.slot: right without policy for app_admin',
      'DELETE of app_public.slot: policy without right for app_nurse',
    ],
  },
  {
    says: 'no role may truncate, refer to or put triggers on a table of another',
    offenders: `
      select format('%s of %s for %s', acl.privilege_type, name, acl.grantee::regrole)
      from our_table cross join aclexplode(relacl) as acl
      where acl.grantee <> relowner and acl.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
    breach: 'grant truncate, references, trigger on app_public.slot to app_admin',
    noticed: ['REFERENCES', 'TRIGGER', 'TRUNCATE'].map(
      (right) => `${right} of app_public.slot for app_admin`,
    ),
  },
  {
    says: 'nobody may pass a right on',
    offenders: `
      select format('%s of %s for %s', acl.privilege_type, name, acl.grantee::regrole)
      from our_table cross join aclexplode(relacl) as acl
      where acl.is_grantable and acl.grantee <> relowner`,
    breach: 'grant select on app_public.outsider to app_admin with grant option'.replace(
      'outsider',
      'slot',
    ),
    noticed: ['SELECT of app_public.slot for app_admin'],
  },
  {
    says: 'PUBLIC may do nothing with our tables, functions and schemas',
    offenders: `
      select name from our_table cross join aclexplode(relacl) as acl where acl.grantee = 0
      union
      select format('%s.%s', nspname, proname)
      from pg_catalog.pg_proc
      join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
      cross join aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
      where nspname in ('app_public', 'app_private', 'checks') and acl.grantee = 0
      union
      select nspname
      from pg_catalog.pg_namespace
      cross join aclexplode(coalesce(nspacl, acldefault('n', nspowner))) as acl
      where nspname in ('app_public', 'app_private', 'app_extension', 'checks', 'graphile_worker', 'public')
        and acl.grantee = 0`,
    excused: {
      'app_private.time_range': 'made by Postgres with the type; computes, and reads nothing',
      'app_private.time_multirange': 'made by Postgres with the type; computes, and reads nothing',
    },
    breach: `
      create function app_private.open() returns int language sql return 1;
      grant usage on schema checks to public;
      grant select on app_public.slot to public`,
    noticed: ['app_private.open', 'app_public.slot', 'checks'],
  },
  {
    says: 'functions are closed by default: one that the owner makes is executable by nobody else',
    offenders: `
      select format('%s.%s', nspname, proname)
      from pg_catalog.pg_proc join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
      where proname = 'fresh' and has_function_privilege('app_anonymous', pg_proc.oid, 'execute')`,
    breach: `
      set local role app_owner;
      create function app_private.fresh() returns int language sql return 1;
      create function checks.fresh() returns int language sql return 1;
      set local role none;
      create function app_public.fresh() returns int language sql return 1`,
    noticed: ['app_public.fresh'],
  },
  {
    says: 'request roles create nothing: neither in a schema, nor in the database, nor for a moment',
    offenders: `
      select format('%s creates in %s', rolname, nspname)
      from pg_catalog.pg_roles cross join pg_catalog.pg_namespace
      where rolname like 'app\\_%' and rolname <> 'app_owner' and nspname !~ '^pg_(toast_)?temp_'
        and has_schema_privilege(rolname, pg_namespace.oid, 'create')
        and not (rolname = 'app_worker' and nspname = 'graphile_worker')
      union all
      select format('%s may %s in the database', rolname, privilege)
      from pg_catalog.pg_roles cross join unnest(array['create', 'temporary']) as privilege
      where rolname like 'app\\_%' and has_database_privilege(rolname, current_database(), privilege)`,
    breach: `
      grant create on schema app_private to app_admin;
      do $$ begin execute format('grant temporary on database %I to app_doctor', current_database()); end $$`,
    noticed: ['app_admin creates in app_private', 'app_doctor may temporary in the database'],
  },
  {
    says: 'functions with raised rights are few, and each says why',
    offenders: 'select name from our_function where prosecdef',
    excused: {
      'app_private.admit_absence': 'locks the calendar, and looks at all absences of the doctor',
      'app_private.admit_addendum': 'reads consultations, which no role of the staff may',
      'app_private.admit_consultation':
        'locks the appointment, and reads consultations, which no role of the staff may',
      'app_private.admit_participant': 'locks the consultation, which no role may',
      'app_private.admit_stage_alert': 'looks up whom an alert is about',
      'app_private.announce_stage_alert': 'writes the outbox',
      'app_private.begin_consultation':
        'writes participants, and changes the appointment with its consultation',
      'app_private.carry_consultation': 'changes the appointment with its consultation',
      'app_private.change_consultation':
        'finds the row to change, which no role of the staff may read',
      'app_private.change_stage_alert': 'writes when and by whom, which no role may',
      'app_private.declare_guards': 'writes the manifest of guards, which no role may',
      'app_private.guards_in_force': 'reads the catalog of checks for whoever watches',
      'app_private.rebuild_orphaned_row': "makes a view that is the owner's, whoever migrates",
      'app_private.retire_guard': 'deletes from the manifest of guards, which no role may',
      'app_private.export_medical_record':
        'reads consultations for the person, and writes the log of readings',
      'app_private.guard_consultation':
        'reads the patient of a redaction, and raises the refusal for every role',
      'app_private.guard_open_consultation': 'reads consultations, which no role of the staff may',
      'app_private.guard_participant_leave': 'locks the consultation, which no role may',
      'app_private.has_due_stage':
        'reads alerts and consultations, and tells only whether something is due',
      'app_private.keep_addendum': 'raises the refusal for every role',
      'app_private.keep_record_access': 'raises the refusal for every role',
      'app_private.own_consultation':
        'reads a consultation for a doctor who has just written in it',
      'app_private.raise_stage_alerts': 'writes alerts, which no role may',
      'app_private.read_consultation':
        'reads a consultation for who takes part, and writes the log of readings',
      'app_private.read_patient_record':
        'reads a record for who treats the patient, and writes the log of readings',
      'app_private.remove_from_consultation': 'deletes participants, which no role may',
      'app_private.settle_stage_alerts': 'resolves alerts, whoever may see them',
      'app_private.tell_of_participant': 'writes notifications, which no request role may',
      'app_private.tell_of_stage_alert': 'writes notifications, which no request role may',
      'app_private.waiting_stages': 'reads consultations, and tells only that one is under way',
      'app_private.admit_added_seat': 'writes capacities, which no request role may',
      'app_private.admit_series': 'looks up whom and what a series is for',
      'app_private.admit_appointment': 'takes seats and counts, which no request role may write',
      'app_private.admit_holiday': 'locks the calendar, and looks at all holidays of the hospital',
      'app_private.admit_offer': 'locks waits and reads appointments of other patients',
      'app_private.admit_vitals': 'writes when the first ones came, which no role may',
      'app_private.admit_waitlist_entry': 'locks the patient, and reads waits and doctors',
      'app_private.announce_appointment': 'writes the outbox',
      'app_private.announce_notification': 'writes the outbox',
      'app_private.announce_left_slot': 'writes the outbox',
      'app_private.announce_schedule': 'writes the outbox',
      'app_private.announce_session_end': 'writes the outbox',
      'app_private.announce_slot': 'writes the outbox',
      'app_private.announce_waitlist_entry': 'writes the outbox',
      'app_private.announce_stored_days': 'writes the outbox',
      'app_private.announce_working_time': 'writes the outbox',
      'app_private.answer_offer': 'writes offers, which no role may',
      'app_private.archive_appointments':
        'deletes appointments and writes the archive, which no role may',
      'app_private.claim_webhooks': 'writes deliveries and reads secrets, which no role may',
      'app_private.guard_webhook_delivery': 'a trigger, as all of them',
      'app_private.guard_webhook_subscription': 'reads the catalog of events for every role',
      'app_private.plan_webhooks': 'writes deliveries, which no role may',
      'app_private.remove_old_webhooks': 'deletes deliveries, which no role may',
      'app_private.replace_webhook_secret': 'writes secrets, which no role may',
      'app_private.resume_webhook_deliveries': 'writes deliveries, which no role may',
      'app_private.settle_webhook': 'writes deliveries and switches off, which no role may',
      'app_private.claim_deliveries': 'writes deliveries and reads what others are told',
      'app_private.guard_delivery': 'forgets an address that was refused',
      'app_private.guard_preference': 'reads the templates, which no role may',
      'app_private.guard_quiet_hours': 'a trigger, as all of them',
      'app_private.plan_deliveries': 'writes deliveries and reads what others are told',
      'app_private.settle_delivery': 'writes deliveries, which no role may',
      'app_private.skip_deliveries': 'writes deliveries, which no role may',
      'app_private.unplanned_notifications': 'reads ids of what others are told',
      'app_private.carry_offer': 'carries an answer to the wait of the patient, whoever gave it',
      'app_private.change_appointment_status': 'releases seats and counts',
      'app_private.change_patient_status': 'writes blocks, which no role may',
      'app_private.change_waitlist_status': 'reads offers and the hospital for every role',
      'app_private.claim_outbox': 'locks messages, which nobody may update',
      'app_private.clock': 'reads the shift of the clock, which nobody else may see',
      'app_private.close_for_absence': 'closes slots and ends appointments, which no role may',
      'app_private.close_for_holiday': 'closes slots, which no role may',
      'app_private.closed_times': 'reads absences, and tells only when a doctor is away',
      'app_private.count_further_seat': 'counts seats in slots, which no request role may write',
      'app_private.decide_offer': 'reads the appointment of the offer for every role',
      'app_private.end_absence': 'writes when and by whom, which no role may',
      'app_private.end_holiday': 'locks the calendar of the whole hospital',
      'app_private.end_session': 'writes sessions, which no role may',
      'app_private.end_sessions_of_account': 'writes sessions, which no role may',
      'app_private.ended_sessions': 'reads sessions, and tells only which ended',
      'app_private.erase_person': 'writes and deletes what tells of a person, wherever it stands',
      'app_private.expire_lapsed_holds': 'ends the holds of other patients',
      'app_private.expire_lapsed_requests': 'locks and ends the requests of all patients',
      'app_private.find_calendar_feed': 'reads secrets of feeds, before anybody is known',
      'app_private.find_credentials': 'the only way to a password hash, for the login routes',
      'app_private.follow_daily_limit': 'writes the days of the doctor',
      'app_private.follow_time_zone': 'places absences and counts days, which no role may write',
      'app_private.guard_doctor_leave': 'locks the slots ahead of the doctor',
      'app_private.guard_patient_leave': 'counts appointments whoever may see them',
      'app_private.guard_redaction': 'looks at patients whom the eraser may not see',
      'app_private.guard_time_zone': 'looks at all slots of the hospital',
      'app_private.altered_entries': 'reads what seals close, which no role may',
      'app_private.audit_problems': 'reads what seals close, which no role may',
      'app_private.check_audit': 'reads what seals close, for the hospital of the request',
      'app_private.hospitals_to_seal': 'reads the marks of the sealed log',
      'app_private.keep_seals': 'raises the refusal for every role',
      'app_private.newest_seal': 'reads the marks of the sealed log',
      'app_private.read_past_appointment': 'reads the log, and asks it whether the caller may',
      'app_private.seal_audit': 'writes seals, which no role may',
      'app_private.seal_redaction': 'writes seals, which no role may',
      'app_private.hospitals_to_remind': 'reads the marks of reminders',
      'app_private.is_absent': 'reads absences, and tells only that there is one',
      'app_private.keep_absence_time': 'raises the refusal for every role',
      'app_private.keep_appointment': 'raises the refusal for every role',
      'app_private.linked_visit': 'shows the visit of a signed link, before anybody is known',
      'app_private.claim_health_messages': 'writes messages about alerts, which no role may',
      'app_private.follow_health_alert': 'writes outbox and log, which no role may',
      'app_private.follow_ignoring': 'closes reviews and alerts as no client may',
      'app_private.follow_review': 'writes findings, alerts and the log, which no role may',
      'app_private.guard_health_alert': 'raises the refusal for every role',
      'app_private.guard_review': 'raises the refusal for every role',
      'app_private.health_news': 'reads messages about alerts, and tells only where there are some',
      'app_private.lock_review': 'locks a finding of the hospital of the claims, which no role may',
      'app_private.make_health_report': 'counts what only the people concerned may read',
      'app_private.make_health_reports': 'writes reports, which no role may',
      'app_private.measure_health': 'counts what only the people concerned may read',
      'app_private.send_health_digest': 'writes notifications to the admins, which no role may',
      'app_private.settle_health_message': 'writes messages about alerts, which no role may',
      'app_private.tell_of_health_alerts': 'writes alerts, messages and inboxes, which no role may',
      'app_private.open_calendar_feed': 'writes secrets of feeds, which no role may',
      'app_private.send_reminders': 'writes to inboxes, which no role may',
      'app_private.visit_of_notification':
        'reads the visit of a message for the worker, never its words',
      'app_private.keep_archive': 'raises the refusal for every role',
      'app_private.keep_audit': 'raises the refusal for every role',
      'app_private.keep_log': 'raises the refusal for every role',
      'app_private.keep_no_show_counts': 'raises the refusal for every role',
      'app_private.mark_no_shows': 'locks and ends the visits of all patients',
      'app_private.record_no_show': 'writes counts, logs and messages, which no role may',
      'app_private.keep_columns': 'raises the refusal for every role',
      'app_private.keep_counters': 'raises the refusal for every role',
      'app_private.keep_further_seats': 'takes further seats, which no request role may write',
      'app_private.lapsed_holds': 'reads the holds of other patients, and tells only their slots',
      'app_private.lapsed_seats': 'reads the holds of other patients, and tells only their slots',
      'app_private.lock_imported_seats': 'locks patients, slots and days, which no role may write',
      'app_private.materialise_day': 'cuts the slots of a day for whoever wants to book in it',
      'app_private.lock_for_booking': 'locks slots and days, which no request role may',
      'app_private.move_appointment': 'takes and releases seats and counts',
      'app_private.move_to_time_zone': 'writes the zone, which no role may, and deletes slots',
      'app_private.offer_free_seats': 'writes offers and locks patients, which no role may',
      'app_private.open_after_absence': 'opens slots, which no role may',
      'app_private.beat_process': 'writes who lives, which no role may',
      'app_private.log_job_run': 'writes the log, which no role may',
      'app_private.log_webhook': 'writes the log, which no role may',
      'app_private.open_transactions':
        'sees how long transactions of all roles are open, as the observer, who may do no more',
      'app_private.queue_state': 'sees the job queue, as the observer, who may do no more',
      'app_private.remove_old_log': 'deletes entries of the log, which no role may',
      'app_private.write_log': 'writes the log, which no role may',
      'app_private.admit_job_request': 'sees runs that nobody may see',
      'app_private.announce_job_request': 'writes the outbox',
      'app_private.beat_job_run': 'writes runs, which no role may',
      'app_private.begin_job_run': 'writes runs, which no role may',
      'app_private.count_job_run': 'writes runs, which no role may',
      'app_private.end_job_run': 'writes runs, which no role may',
      'app_private.job_health': 'tells of workers and of the machinery, which no admin may read',
      'app_private.remove_old_job_runs': 'deletes runs, which no role may',
      'app_private.check_guards': 'asks the checks, which the worker may not read',
      'app_private.find_faults':
        'asks the checks, and tells only of an appointment that the caller may see',
      'app_private.findings_to_repair': 'reads findings, which the worker may not',
      'app_private.hospitals_with_findings': 'reads findings, which the worker may not',
      'app_private.recheck_findings': 'reads findings, which the worker may not',
      'app_private.remove_old_health': 'deletes runs and findings, which no role may',
      'app_private.repair_finding': 'calls repairs, which nobody may call',
      'app_private.run_checks': 'reads every table and writes findings, which no role may',
      'app_private.verify_entities': 'reads every table and writes findings, which no role may',
      'app_private.verify_changes': 'counts verifications, which no role may write',
      'app_private.report_to_run': 'writes runs, which no role may',
      'app_private.request_job': 'asks for a run of the machinery, all that its role may do',
      'app_private.requested_job':
        'tells of a run of the machinery that was asked for, and of no other',
      'app_private.findings_of_system': 'tells of the whole system, whose findings no claim names',
      'app_private.place_finding': 'reads the catalog of checks, whoever writes a finding',
      'app_private.repair_open_findings': 'repairs, which no role may',
      'app_private.repair_wanted': 'repairs, which no role may',
      'app_private.run_wanted_checks': 'runs checks, which read every table',
      'app_private.set_finding_ignored': 'writes findings, which no role may',
      'app_private.set_finding_noticed': 'writes findings, which no role may',
      'app_private.settle_stuck_run': 'writes runs, which no role may',
      'app_private.open_after_holiday': 'opens slots, which no role may',
      'app_private.open_session': 'writes sessions and tokens, which no role may',
      'app_private.preview_slots': 'counts by the history of slots, whoever made it',
      'app_private.read_appointment_history':
        'reads the audit log, and tells only of an appointment that the caller may see',
      'app_private.record_audit': 'writes the audit log',
      'app_private.record_failed_login': 'writes secrets of accounts, which no role may',
      'app_private.redact_history': 'redacts the log and the archive, which nobody else may',
      'app_private.regenerate_slots': 'deletes slots, which no role may',
      'app_private.register_patient':
        'makes patient, account and secret before anybody is logged in',
      'app_private.remove_old_sessions': 'deletes sessions, which no role may',
      'app_private.remove_read_notifications': 'deletes notifications, which no role may',
      'app_private.remove_past_days': 'deletes days, which no role may',
      'app_private.remove_past_slots': 'deletes slots, which no role may',
      'app_private.repair_doctor_day': 'counts days anew, which no role may',
      'app_private.repair_further_seat': 'deletes further seats, which no role may',
      'app_private.repair_lapsed_hold': 'locks slots and days, which the worker may not',
      'app_private.repair_no_show_counts': 'counts missed visits anew, which no role may',
      'app_private.repair_patient_block': 'writes into the log of blocks, which no role may',
      'app_private.repair_missing_slots': 'cuts slots for a job that finds them missing',
      'app_private.repair_slot_closure': 'closes and opens slots, which no role may',
      'app_private.repair_slot_count': 'counts seats anew, which no role may',
      'app_private.repair_stray_slot': 'withdraws slots, which no role may',
      'app_private.repair_slot_status': 'writes slots, which no role may',
      'app_private.repair_stale_appointment':
        'locks patients, slots and days, which the worker may not',
      'app_private.repair_waitlist_offer': 'decides offers, which no role may',
      'app_private.rotate_session': 'reads and writes sessions and tokens, which no role may',
      'app_private.tell_of_appointment': 'writes notifications, which no request role may',
      'app_private.vacate_doctor': 'locks slots, and ends appointments with their cause',
      'app_private.waits_before': 'counts the waits of other patients, and tells only how many',
      'app_private.accept_invitation': 'makes account and secret before anybody is logged in',
      'app_private.admit_emergency_access':
        'locks the account, and looks at patients whom nobody may see yet',
      'app_private.admit_invitation': 'looks at all accounts and doctors',
      'app_private.announce_mail': 'writes the outbox',
      'app_private.begin_challenge': 'writes tokens, which no role may',
      'app_private.change_password': 'writes secrets of accounts, which no role may',
      'app_private.claim_mail': 'reads mails, which no role may',
      'app_private.confirm_second_factor': 'writes second factors, which no role may',
      'app_private.demand_second_factor':
        'reads second factors and ends sessions, which no role may',
      'app_private.disable_second_factor': 'writes second factors, which no role may',
      'app_private.end_own_sessions': 'writes sessions, those of the claims only',
      'app_private.enrol_second_factor': 'writes second factors, which no role may',
      'app_private.fail_challenge': 'writes tokens and events, which no role may',
      'app_private.find_challenge': 'reads tokens, and tells only whose',
      'app_private.find_link': 'reads tokens, and tells only whose',
      'app_private.find_login': 'reads the password hash, for the login routes',
      'app_private.find_second_factor': 'reads sealed secrets, for the login routes',
      'app_private.guard_account': 'looks at all accounts, and locks the hospital',
      'app_private.guard_emergency_access': 'writes events, which no role may',
      'app_private.hospitals_with_mail': 'reads mails, and tells only where there are some',
      'app_private.keep_security_event': 'raises the refusal for every role',
      'app_private.own_sessions': 'reads sessions, those of the claims only',
      'app_private.pass_challenge': 'writes tokens, second factors and sessions, which no role may',
      'app_private.pass_enrolment': 'writes tokens and sessions, which no role may',
      'app_private.record_account_change': 'writes events and deletes tokens, which no role may',
      'app_private.record_unknown_login': 'writes events, which no role may',
      'app_private.remove_second_factor':
        'deletes second factors, of the hospital of the claims only',
      'app_private.request_password_reset': 'writes tokens and mails, which no role may',
      'app_private.reseal_second_factor': 'writes sealed secrets, which no role may',
      'app_private.reset_password': 'writes secrets and sessions, which no role may',
      'app_private.send_invitation': 'writes tokens and mails, which no role may',
      'app_private.settle_mail': 'writes mails, which no role may',
      'app_private.tell_of_emergency_access':
        'writes notifications to the admins, which no role may',
      'app_private.tidy_login': 'deletes tokens, mails and events, which no role may',
      'app_private.witness_occurrence': 'compares with appointments that the caller may not see',
      'app_private.witness_move': 'compares with appointments that the caller may not see',
    },
    breach: `create function app_private.raised() returns int language sql security definer
      set search_path = '' return 1`,
    noticed: ['app_private.raised'],
  },
  {
    says: 'functions with raised rights see an empty search_path and belong to app_owner',
    offenders: `
      select name from our_function
      where prosecdef and (proowner <> 'app_owner'::regrole
        or not 'search_path=""' = any (coalesce(proconfig, '{}')))`,
    excused: {
      'app_private.open_transactions': 'belongs to the observer, who may read statistics',
      'app_private.queue_state': 'belongs to the observer, who may look at the queue',
      'app_private.redact_history': 'belongs to the eraser, who owns nothing else',
    },
    breach: 'alter function app_private.clock() reset search_path',
    noticed: ['app_private.clock'],
  },
  {
    says: 'trigger functions are executable by nobody: only their triggers call them',
    offenders: `
      select distinct name from trigger_function cross join aclexplode(proacl) as acl
      where acl.grantee <> proowner`,
    breach: 'grant execute on function app_private.keep_audit() to app_admin',
    noticed: ['app_private.keep_audit'],
  },
  {
    says: 'every function for clients is granted to somebody',
    offenders: `
      select name from our_function
      where nspname = 'app_public' and not exists (
        select from aclexplode(proacl) as acl where acl.grantee <> proowner)`,
    breach: `revoke execute on function app_public.unblock_slot(uuid)
      from app_doctor, app_nurse, app_receptionist, app_admin`,
    noticed: ['app_public.unblock_slot'],
  },
  {
    says: 'who may call a function may call the private functions that it calls',
    offenders: `
      select format('%s may call %s but not %s', role.rolname, outer_function.name, inner_function.name)
      from our_function as outer_function
      cross join lateral (
        select distinct word[1] as name
        from regexp_matches(outer_function.code, '\\m(\\w+\\.\\w+)\\s*\\(', 'g') as word
      ) as called
      join our_function as inner_function
        on inner_function.name = called.name and inner_function.oid <> outer_function.oid
      cross join pg_catalog.pg_roles as role
      where role.rolname ~ '^app_(worker|login|anonymous|patient|doctor|nurse|receptionist|admin|monitor|scheduler)$'
        and not outer_function.prosecdef
        and has_function_privilege(role.oid, outer_function.oid, 'execute')
        and not has_function_privilege(role.oid, inner_function.oid, 'execute')`,
    breach: `revoke execute on function
      app_private.request_fingerprint(text[]), app_private.guard_is_held(uuid) from app_nurse`,
    noticed: [
      'app_nurse may call app_private.place_appointment but not app_private.request_fingerprint',
      'app_nurse may call app_public.book_series but not app_private.request_fingerprint',
      'app_nurse may call app_public.confirm_hold but not app_private.guard_is_held',
      'app_nurse may call app_public.request_appointment but not app_private.request_fingerprint',
      'app_nurse may call app_public.reschedule_appointment but not app_private.request_fingerprint',
    ],
  },
  {
    says: 'app_owner owns everything of ours, and the worker its queue',
    offenders: `
      select format('%s %s', kind, object) from (
        select 'schema' as kind, nspname::text as object, nspowner as owner, nspname
        from pg_catalog.pg_namespace
        union all
        select 'relation', pg_class.oid::regclass::text, relowner, nspname
        from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
        union all
        select 'function', pg_proc.oid::regproc::text, proowner, nspname
        from pg_catalog.pg_proc join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
        where prolang <> (select oid from pg_catalog.pg_language where lanname = 'internal')
        union all
        select 'type', pg_type.oid::regtype::text, typowner, nspname
        from pg_catalog.pg_type join pg_catalog.pg_namespace on pg_namespace.oid = typnamespace
      ) as owned
      where nspname in ('app_public', 'app_private', 'checks') and owner <> 'app_owner'::regrole
        or nspname = 'graphile_worker' and owner <> 'app_worker'::regrole
        or nspname = 'app_extension' and kind = 'schema' and owner <> 'app_owner'::regrole`,
    excused: {
      'function app_private.open_transactions': 'belongs to the observer, who may read statistics',
      'function app_private.queue_state': 'belongs to the observer, who may look at the queue',
      'function app_private.redact_history': 'belongs to the eraser, who owns nothing else',
    },
    breach: 'create function app_private.mine() returns int language sql return 1',
    noticed: ['function app_private.mine'],
  },
  {
    says: 'there is no schema that services in front of Postgres take for their own',
    offenders: `
      select nspname from pg_catalog.pg_namespace
      where nspname in ('auth', 'storage', 'cron', 'net', 'extensions', 'vault', 'graphql', 'realtime')`,
    breach: 'create schema auth',
    noticed: ['auth'],
  },
  {
    says: 'extensions are those that are needed',
    offenders: 'select extname from pg_catalog.pg_extension',
    excused: {
      btree_gist: 'equality on uuid in exclusion constraints',
      plpgsql: 'the language of the rules',
    },
    breach: 'create extension pg_trgm with schema app_extension',
    noticed: ['pg_trgm'],
  },
]);
