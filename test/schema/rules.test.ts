// The rules that keep the schema fast on one server and let it move to many unchanged.
import type { ClientBase } from 'pg';
import { createDatabase } from '../helpers/database.ts';
import {
  asksClaimsInCondition,
  forgetsTenant,
  functionsIn,
  returnsExpressions,
  updatesByChance,
  withFault,
} from './function-code.ts';
import { hold } from './rule.ts';
import { globalTables } from './vocabulary.ts';

const { ownerPool } = await createDatabase();

const thing = `
  create table app_public.thing (
    hospital_id uuid not null, id uuid not null default app_private.new_id(), doctor_id uuid,
    primary key (hospital_id, id))`;

hold(ownerPool, [
  {
    says: 'every table belongs to a hospital or is named as global',
    offenders: 'select name from our_table except select name from tenant_table',
    excused: globalTables,
    breach: 'create table app_public.thing (id uuid primary key)',
    noticed: ['app_public.thing'],
  },
  {
    says: 'every unique key and exclusion of a tenant starts with hospital_id',
    offenders: `
      select index_relation.relname
      from tenant_table
      join pg_catalog.pg_index as key on key.indrelid = tenant_table.oid
      join pg_catalog.pg_class as index_relation on index_relation.oid = key.indexrelid
      where (key.indisunique or key.indisexclusion) and key.indkey[0] <> tenant_table.tenant`,
    breach: `${thing}; create unique index thing_by_doctor on app_public.thing (doctor_id, hospital_id)`,
    noticed: ['thing_by_doctor'],
  },
  {
    says: 'every exclusion of a tenant compares hospital_id with =',
    offenders: `
      select exclusion.conname
      from tenant_table
      join pg_catalog.pg_constraint as exclusion on exclusion.conrelid = tenant_table.oid
      join pg_catalog.pg_operator as operator on operator.oid = exclusion.conexclop[1]
      where exclusion.contype = 'x' and operator.oprname <> '='`,
    breach: `${thing};
      alter table app_public.thing add constraint a_thing_of_no_tenant exclude using gist (
        hospital_id app_extension.gist_uuid_ops with <>)`,
    noticed: ['a_thing_of_no_tenant'],
  },
  {
    says: 'every tenant table has a primary key',
    offenders: `
      select tenant_table.name from tenant_table
      where not exists (
        select from pg_catalog.pg_index where indrelid = tenant_table.oid and indisprimary)`,
    breach: 'create table app_public.thing (hospital_id uuid)',
    noticed: ['app_public.thing'],
  },
  {
    says: 'every foreign key of a tenant starts with hospital_id and meets the hospital there',
    offenders: `
      select reference.conname
      from tenant_table
      join pg_catalog.pg_constraint as reference on reference.conrelid = tenant_table.oid
      left join tenant_table as target on target.oid = reference.confrelid
      where reference.contype = 'f'
        and (reference.conkey[1] <> tenant_table.tenant
          or reference.confkey[1] <> target.tenant
          or target.oid is null and reference.confrelid <> 'app_public.hospital'::regclass)`,
    breach: `${thing};
      create unique index thing_alone on app_public.thing (id);
      alter table app_public.thing add column other_id uuid
        constraint thing_of_any_hospital references app_public.thing (id)`,
    noticed: ['thing_of_any_hospital'],
  },
  {
    says: 'a uuid that names another row is held to it by a foreign key',
    offenders: `
      select format('%s.%s', tenant_table.name, attname)
      from tenant_table join pg_catalog.pg_attribute on attrelid = tenant_table.oid
      where atttypid = 'uuid'::regtype and attname ~ '(_id|_by|_from)$' and not attisdropped
        and not exists (
          select from pg_catalog.pg_constraint
          where conrelid = attrelid and contype = 'f' and attnum = any (conkey))`,
    excused: {
      'app_private.import_row.run_id': 'the rows are gone before the run is stored',
      'app_private.health_alert_delivery.hospital_id':
        'the machinery, which has alerts too, is no hospital',
      'app_private.job_hour.hospital_id': 'the machinery, which has runs too, is no hospital',
      'app_private.job_state.hospital_id': 'the machinery, which has runs too, is no hospital',
      'app_public.log_entry.actor_account_id': 'the log outlives what it tells of',
      'app_public.log_entry.entity_id': 'the log outlives what it tells of',
      'app_public.log_entry.hospital_id': 'the machinery, which has entries too, is no hospital',
      'app_private.outbox.hospital_id': 'triggers copy it from rows that are held to it',
      'app_public.audit_entry.actor_account_id': 'the log outlives what it tells of',
      'app_public.audit_entry.hospital_id': 'triggers copy it from rows that are held to it',
      'app_public.audit_entry.record_id': 'the log outlives what it tells of',
      'app_public.appointment_archive.rescheduled_from': 'the archive outlives the slots',
      'app_public.appointment_archive.slot_id': 'the archive outlives the slots',
      'app_public.appointment_move.doctor_id': 'copied from the appointment, which is referred to',
      'app_public.appointment_move.patient_id': 'copied from the appointment, which is referred to',
      'app_public.consultation.appointment_id':
        'the record outlives the booking, which is archived',
      'app_public.consultation_addendum.patient_id': 'copied from the consultation',
      'app_public.consultation_participant.patient_id': 'copied from the consultation',
      'app_public.review_item.entity_id': 'a finding names a row of whichever table it is about',
      'app_public.record_access.consultation_id': 'the log outlives what it tells of',
      'app_public.record_access.emergency_grant_id': 'the log outlives what it tells of',
      'app_public.finding.entity_id': 'a check names a row of whichever table it looks at',
      'app_public.stage_alert.doctor_id': 'copied from the appointment, which is referred to',
      'app_public.stage_alert.patient_id': 'copied from the appointment, which is referred to',
      'app_public.notification_delivery.account_id':
        'copied from the notification, which is referred to',
      'app_public.notification_delivery.doctor_id':
        'copied from the notification, which is referred to',
      'app_public.notification_delivery.patient_id':
        'copied from the notification, which is referred to',
      'app_public.webhook_delivery.event_id': 'an event is no row; it follows from the outbox',
      'app_public.imported_row.record_id': 'names a row of whichever table the run brought',
      'app_public.no_show_log.appointment_id': 'the log outlives the appointment',
      'app_public.vitals_entry.appointment_id': 'the medical record outlives the appointment',
      'app_public.series_occurrence.doctor_id': 'copied from the series, which is referred to',
      'app_public.waitlist_offer.doctor_id': 'copied from the appointment, which is referred to',
      'app_public.waitlist_offer.patient_id': 'copied from the appointment, which is referred to',
    },
    breach: 'alter table app_public.slot add column added_by uuid',
    noticed: ['app_public.slot.added_by'],
  },
  {
    says: 'every table of a tenant refers to its hospital, itself or through what it belongs to',
    offenders: `
      select name from tenant_table
      where not exists (
        select from pg_catalog.pg_constraint where conrelid = tenant_table.oid and contype = 'f')`,
    excused: {
      'app_private.health_alert_delivery': 'the machinery, which has alerts too, is no hospital',
      'app_private.job_hour': 'the machinery, which has runs too, is no hospital',
      'app_private.job_state': 'the machinery, which has runs too, is no hospital',
      'app_public.log_entry': 'the machinery, which has entries too, is no hospital',
      'app_private.outbox': 'triggers copy the hospital from rows that are held to it',
      'app_public.audit_entry': 'triggers copy the hospital from rows that are held to it',
    },
    breach: thing,
    noticed: ['app_public.thing'],
  },
  {
    says: 'hospital_id is never updated: a trigger keeps it',
    offenders: `
      select name from tenant_table
      where not exists (
        select from pg_catalog.pg_trigger
        where tgrelid = tenant_table.oid and tgfoid = 'app_private.keep_columns'::regproc
          and (tgtype & 2) = 2 and (tgtype & 16) = 16
          and tenant_table.tenant = any (string_to_array(tgattr::text, ' ')::int[]))`,
    excused: {
      'app_public.appointment_archive': 'refuses every update by a trigger of its own',
      'app_public.appointment_seat': 'refuses every update by a trigger of its own',
      'app_public.security_event': 'refuses every update by a trigger of its own',
      'app_public.audit_entry': 'refuses every update by a trigger of its own',
      'app_public.audit_seal': 'refuses every update by a trigger of its own',
      'app_public.consultation_addendum': 'refuses every update by a trigger of its own',
      'app_public.record_access': 'refuses every update by a trigger of its own',
      'app_public.log_entry': 'no role may write it but the functions of the log',
      'app_private.outbox': 'no role may update it; the relay deletes',
      'app_private.job_hour': 'no role may write it but the functions of jobs',
      'app_private.job_state': 'no role may write it but the functions of jobs',
      'app_private.account_secret': 'no role may write it but the login functions',
      'app_private.login_token': 'no role may write it but the login functions',
      'app_private.outgoing_mail': 'no role may write it but the login functions',
      'app_private.recovery_code': 'no role may write it but the login functions',
      'app_private.refresh_token': 'no role may write it but the login functions',
      'app_private.second_factor': 'no role may write it but the login functions',
      'app_private.session': 'no role may write it but the login functions',
    },
    breach: thing,
    noticed: ['app_public.thing'],
  },
  {
    says: 'foreign keys cascade, restrict or do nothing on delete, and nothing on update',
    offenders: `
      select conname from our_table join pg_catalog.pg_constraint on conrelid = our_table.oid
      where contype = 'f' and (confdeltype not in ('a', 'r', 'c') or confupdtype not in ('a', 'r'))`,
    breach: `${thing};
      alter table app_public.thing
        add constraint thing_forgets_its_doctor foreign key (hospital_id, doctor_id)
          references app_public.doctor (hospital_id, id) on delete set null,
        add constraint thing_follows_its_doctor foreign key (hospital_id, doctor_id)
          references app_public.doctor (hospital_id, id) on update cascade`,
    noticed: ['thing_forgets_its_doctor', 'thing_follows_its_doctor'],
  },
  {
    says: 'global tables refer to nothing',
    offenders: `
      select conname from our_table join pg_catalog.pg_constraint on conrelid = our_table.oid
      where contype = 'f' and not exists (select from tenant_table where tenant_table.oid = our_table.oid)`,
    breach: `alter table app_private.worker_heartbeat add column hospital_id_of_work uuid
      constraint a_global_table_refers references app_public.hospital (id)`,
    noticed: ['a_global_table_refers'],
  },
  {
    says: 'nothing is deferred',
    offenders: `
      select conname from our_table join pg_catalog.pg_constraint on conrelid = our_table.oid
      where condeferrable
      union
      select tgname from our_table join pg_catalog.pg_trigger on tgrelid = our_table.oid
      where tgdeferrable and not tgisinternal`,
    breach: `
      alter table app_public.location add constraint a_name_at_last unique (hospital_id, name, id) deferrable;
      create constraint trigger late_trigger after insert on app_public.location deferrable
        for each row execute function app_private.record_audit('location')`,
    noticed: ['a_name_at_last', 'late_trigger'],
  },
  {
    says: 'triggers look at one row',
    offenders: `
      select tgname from our_table join pg_catalog.pg_trigger on tgrelid = our_table.oid
      where (tgtype & 1) = 0 or tgoldtable is not null or tgnewtable is not null`,
    breach: `create trigger all_at_once after insert on app_public.location
      for each statement execute function app_private.record_audit('location')`,
    noticed: ['all_at_once'],
  },
  {
    says: 'triggers call our trigger functions, and every trigger function has its trigger',
    offenders: `
      select tgname from our_table join pg_catalog.pg_trigger on tgrelid = our_table.oid
      where not tgisinternal and tgfoid not in (select oid from trigger_function)
      union
      select name from trigger_function
      where oid not in (select tgfoid from our_table join pg_catalog.pg_trigger on tgrelid = our_table.oid)`,
    breach: `
      create function app_private.idle() returns trigger language plpgsql as 'begin return new; end';
      create trigger nothing_changes before update on app_public.location
        for each row execute function suppress_redundant_updates_trigger()`,
    noticed: ['app_private.idle', 'nothing_changes'],
  },
  {
    says: 'trigger functions are told the name of their table, and never ask for it',
    offenders:
      "select name from trigger_function where code ~* '\\mtg_(table_name|relname|relid)\\M'",
    breach: `create function app_private.curious() returns trigger language plpgsql
      as 'begin raise notice ''%'', TG_TABLE_NAME; return new; end'`,
    noticed: ['app_private.curious'],
  },
  {
    says: 'no function notifies or adds a job: what is told outside is a row of the outbox',
    offenders:
      "select name from our_function where code ~* '\\m(pg_notify|notify|add_job|add_jobs|dblink)\\M'",
    breach: `create function app_private.loud() returns void language plpgsql
      as 'begin perform pg_notify(''a'', ''b''); end'`,
    noticed: ['app_private.loud'],
  },
  {
    says: 'trigger functions do not write to global tables',
    offenders: (db) => writersOfGlobalTables(db),
    breach: `create function app_private.global() returns trigger language plpgsql
      as 'begin update app_public.hospital set name = name where hospital.id = new.hospital_id; return new; end'`,
    noticed: ['app_private.global'],
  },
  {
    says: 'conditions of queries compare with variables, not with claims',
    offenders: async (db) => withFault(await functionsIn(db), asksClaimsInCondition),
    breach: `create function app_private.asking() returns bigint language sql
      return (select count(*) from app_public.slot where slot.hospital_id = app_private.claim_hospital_id())`,
    noticed: ['app_private.asking'],
  },
  {
    says: 'every query and every join inside functions carries the hospital',
    offenders: (db) => functionsThatForgetTheTenant(db),
    breach: `create function app_private.wide() returns void language plpgsql
      as 'begin delete from app_public.slot as s where s.id is null; end'`,
    noticed: ['app_private.wide'],
  },
  {
    says: 'functions that change something for clients are thin: PL/pgSQL with the rights of the caller',
    offenders: `
      select name from our_function
      where nspname = 'app_public' and provolatile = 'v' and (prosecdef or lanname <> 'plpgsql')`,
    breach: `
      create function app_public.raised() returns void language plpgsql security definer as 'begin end';
      create function app_public.plain() returns void language sql as 'select'`,
    noticed: ['app_public.plain', 'app_public.raised'],
  },
  {
    says: 'functions that read for clients are PL/pgSQL',
    offenders: `
      select name from our_function
      where nspname = 'app_public' and provolatile <> 'v' and (prosecdef or lanname <> 'plpgsql')`,
    breach: 'create function app_public.plain() returns int language sql stable return 1',
    noticed: ['app_public.plain'],
  },
  {
    says: 'no function for clients is a column computed from a row',
    offenders: `
      select our_function.name from our_function
      join pg_catalog.pg_class on pg_class.reltype = our_function.proargtypes[0]
      where our_function.nspname = 'app_public' and pg_class.relkind in ('r', 'p', 'v')`,
    breach: `create function app_public.slot_length(slot app_public.slot) returns interval
      language plpgsql stable as 'begin return null; end'`,
    noticed: ['app_public.slot_length'],
  },
  {
    // Health checks look at every table as the owner, so that who reads them needs no right to any table.
    says: 'views run with the rights of their reader, and checks are for the monitor alone',
    offenders: `
      select format('%s.%s', nspname, relname)
      from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
      where nspname in ('app_public', 'app_private', 'checks') and relkind in ('v', 'm')
        and not coalesce('security_invoker=true' = any (reloptions) or 'security_invoker' = any (reloptions), false)
        and (nspname <> 'checks' or exists (
          select from aclexplode(relacl) as acl
          where acl.grantee not in (relowner, 'app_monitor'::regrole) or acl.grantee = 'app_monitor'::regrole and acl.privilege_type <> 'SELECT'))`,
    breach: `
      create view app_public.everything as select * from app_public.patient;
      create view checks.open_to_all as select * from app_public.patient;
      grant select on checks.open_to_all to app_patient`,
    noticed: ['app_public.everything', 'checks.open_to_all'],
  },
  {
    says: 'only one function raises: the one that knows the catalog of refusals',
    offenders:
      "select name from our_function where code ~ '\\mraise\\s+(exception|sqlstate|using|[''a-z])'",
    excused: { 'app_private.refuse': 'the one way to say no' },
    breach: `create function app_private.angry() returns void language plpgsql
      as 'begin raise exception ''no''; end'`,
    noticed: ['app_private.angry'],
  },
  {
    says: 'no update depends on chance or on the moment',
    offenders: async (db) => withFault(await functionsIn(db), updatesByChance),
    breach: `create function app_private.dice() returns void language plpgsql
      as 'begin update app_public.slot set id = gen_random_uuid() where slot.hospital_id is null; end'`,
    noticed: ['app_private.dice'],
  },
  {
    says: 'what a statement returns are bare columns',
    offenders: async (db) => withFault(await functionsIn(db), returnsExpressions),
    breach: `create function app_private.rich() returns void language plpgsql as '
      declare n int;
      begin update app_public.slot set capacity = 1 where slot.hospital_id is null returning capacity + 1 into n; end'`,
    noticed: ['app_private.rich'],
  },
  {
    says: 'a row is identified by a uuid or by a bigint that the table counts',
    offenders: `
      select format('%s.%s', our_table.name, attname)
      from our_table
      join pg_catalog.pg_attribute on attrelid = our_table.oid and attname = 'id'
      where not (atttypid = 'uuid'::regtype or atttypid = 'bigint'::regtype and attidentity = 'a')`,
    breach: 'create table app_public.thing (hospital_id uuid, id serial)',
    noticed: ['app_public.thing.id'],
  },
  {
    says: 'a uuid that identifies a row is new_id() by default',
    offenders: `
      select format('%s.%s', our_table.name, attname)
      from our_table
      join pg_catalog.pg_attribute on attrelid = our_table.oid and attname = 'id'
      left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
      where atttypid = 'uuid'::regtype
        and pg_get_expr(adbin, adrelid) is distinct from 'app_private.new_id()'`,
    excused: {
      'app_public.appointment_archive.id': 'it is the id that the appointment had',
    },
    breach: 'create table app_public.thing (hospital_id uuid, id uuid default gen_random_uuid())',
    noticed: ['app_public.thing.id'],
  },
  {
    says: 'who acts is read from the claims',
    offenders:
      "select name from our_function where code ~* '\\m(current_user|session_user|current_role)\\M'",
    excused: { 'app_private.actor_role': 'asks the login where there are no claims' },
    breach: `create function app_private.who() returns name language sql return current_user`,
    noticed: ['app_private.who'],
  },
  {
    says: 'ranges of time are stretches of instants with their zone, and so are instants',
    offenders: `
      select format('%s.%s', our_table.name, attname)
      from our_table
      join pg_catalog.pg_attribute on attrelid = our_table.oid and attnum > 0 and not attisdropped
      join pg_catalog.pg_type on pg_type.oid = atttypid
      where typtype in ('r', 'm') and atttypid <> 'tstzrange'::regtype
        or atttypid in ('timestamp'::regtype, 'timetz'::regtype)`,
    breach: 'create table app_public.thing (hospital_id uuid, during tsrange, at timestamp)',
    noticed: ['app_public.thing.at', 'app_public.thing.during'],
  },
  {
    says: 'no index repeats another one',
    offenders: `
      select distinct narrow_name.relname
      from our_table
      join pg_catalog.pg_index as narrow on narrow.indrelid = our_table.oid
      join pg_catalog.pg_class as narrow_name on narrow_name.oid = narrow.indexrelid
      join pg_catalog.pg_index as wide on wide.indrelid = our_table.oid and wide.indexrelid <> narrow.indexrelid
      join pg_catalog.pg_class as wide_name on wide_name.oid = wide.indexrelid
      where narrow_name.relam = wide_name.relam
        and not narrow.indisunique and not narrow.indisexclusion
        and narrow.indexprs is null and wide.indexprs is null
        and wide.indpred is null
        and (wide.indkey::text || ' ') like (narrow.indkey::text || ' %')`,
    excused: {
      log_of_trouble: 'warnings and worse only, of which there are few among very many',
    },
    breach: 'create index doctor_again on app_public.doctor (hospital_id)',
    noticed: ['doctor_again'],
  },
  {
    says: 'every foreign key has an index for the deletion of what it refers to',
    offenders: `
      select reference.conname
      from our_table
      join pg_catalog.pg_constraint as reference on reference.conrelid = our_table.oid and reference.contype = 'f'
      where not exists (
        select from pg_catalog.pg_index
        where indrelid = our_table.oid
          and indpred is null
          and (string_to_array(indkey::text, ' ')::int2[])[1:least(2, cardinality(reference.conkey))]
            <@ reference.conkey)`,
    excused: {
      absence_created_by_an_account: 'accounts are deactivated, never deleted',
      addendum_added_by_an_account: 'accounts are deactivated, never deleted',
      addendum_by_a_doctor: 'doctors are deactivated, never deleted',
      alert_acknowledged_by_an_account: 'accounts are deactivated, never deleted',
      alert_resolved_by_an_account: 'accounts are deactivated, never deleted',
      health_alert_acknowledged_by_an_account: 'accounts are deactivated, never deleted',
      health_alert_resolved_by_an_account: 'accounts are deactivated, never deleted',
      review_claimed_by_an_account: 'accounts are deactivated, never deleted',
      review_decided_by_an_account: 'accounts are deactivated, never deleted',
      check_run_requested_by_an_account: 'accounts are deactivated, never deleted',
      consultation_started_by_an_account: 'accounts are deactivated, never deleted',
      consultation_with_a_doctor: 'doctors are deactivated, never deleted',
      participant_added_by_an_account: 'accounts are deactivated, never deleted',
      absence_cancelled_by_an_account: 'accounts are deactivated, never deleted',
      slot_on_a_holiday: 'an index of the slots on holidays serves it; the others have none',
      appointment_at_a_location: 'locations are deactivated, never deleted',
      appointment_for_a_service: 'services are deactivated, never deleted',
      appointment_came_from_a_slot: 'a slot with history is withdrawn, never deleted',
      appointment_cancelled_by_an_account: 'accounts are deactivated, never deleted',
      block_by_an_account: 'accounts are deactivated, never deleted',
      unblocked_by_an_account: 'accounts are deactivated, never deleted',
      no_show_marked_by_an_account: 'accounts are deactivated, never deleted',
      no_show_undone_by_an_account: 'accounts are deactivated, never deleted',
      vitals_for_a_doctor: 'doctors are deactivated, never deleted',
      vitals_recorded_by_an_account: 'accounts are deactivated, never deleted',
      emergency_access_reviewed_by_an_account: 'accounts are deactivated, never deleted',
      emergency_access_revoked_by_an_account: 'accounts are deactivated, never deleted',
      invitation_became_an_account: 'accounts are deactivated, never deleted',
      invitation_by_an_account: 'accounts are deactivated, never deleted',
      invitation_of_a_doctor: 'doctors are deactivated, never deleted',
      security_event_by_an_account: 'accounts are deactivated, never deleted',
      move_by_an_account: 'accounts are deactivated, never deleted',
      import_run_by_an_account: 'accounts are deactivated, never deleted',
      notification_of_an_appointment: 'an index of those about appointments serves it',
      notification_to_a_doctor: 'an index of the inboxes of doctors serves it',
      notification_to_a_patient: 'an index of the inboxes of patients serves it',
      notification_to_an_account: 'an index of the inboxes of accounts serves it',
      occurrence_booked_as_an_appointment: 'an index of those that were booked serves it',
      run_requested_by_an_account: 'accounts are deactivated, never deleted',
      schedule_at_a_location: 'locations are deactivated, never deleted',
      seat_added_by_an_account: 'accounts are deactivated, never deleted',
      seat_added_to_a_doctor: 'doctors are deactivated, never deleted',
      finding_ignored_by_an_account: 'accounts are deactivated, never deleted',
      series_created_by_an_account: 'accounts are deactivated, never deleted',
      series_for_a_service: 'services are deactivated, never deleted',
      series_with_a_doctor: 'doctors are deactivated, never deleted',
      session_of_an_account: 'accounts are deactivated, never deleted',
      slot_at_a_location: 'locations are deactivated, never deleted',
      archived_appointment_at_a_location: 'locations are deactivated, never deleted',
      archived_appointment_cancelled_by_an_account: 'accounts are deactivated, never deleted',
      archived_appointment_created_by_an_account: 'accounts are deactivated, never deleted',
      archived_appointment_for_a_service: 'services are deactivated, never deleted',
      archived_appointment_of_a_series: 'series are never deleted',
      appointment_created_by_an_account: 'accounts are deactivated, never deleted',
      waitlist_entry_created_by_an_account: 'accounts are deactivated, never deleted',
      waitlist_entry_for_a_doctor: 'doctors are deactivated, never deleted',
      waitlist_entry_for_a_location: 'locations are deactivated, never deleted',
      waitlist_entry_for_a_service: 'services are deactivated, never deleted',
    },
    breach: `alter table app_private.outbox add column doctor_id uuid,
      add constraint outbox_of_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id)`,
    noticed: ['outbox_of_a_doctor'],
  },
]);

async function writersOfGlobalTables(db: ClientBase): Promise<string[]> {
  const tables = Object.keys(globalTables).join('|').replaceAll('.', '\\.');
  const writes = new RegExp(`\\b(insert into|update|delete from) (${tables})\\b`);
  return withFault(await functionsIn(db, 'trigger_function'), (statement) =>
    writes.test(statement),
  );
}

async function functionsThatForgetTheTenant(db: ClientBase): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>('select name from tenant_table');
  const tenantTables = new Set(rows.map(({ name }) => name));
  return withFault(await functionsIn(db), (statement) => forgetsTenant(statement, tenantTables));
}
