// Every table × role × operation against the rows of another hospital, and for patients against those
// of another patient. Tables and roles come from the catalog: what is not covered fails.
import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import type { Actor } from '../helpers/hospital.ts';
import {
  actorsIn,
  attempt,
  columnsGranted,
  hospitalSpanning,
  insertInto,
  ofHospital,
  rows,
} from './access.ts';
import { createWorld, spell, type World } from './world.ts';

const { ownerPool } = await createDatabase();
const world = await createWorld(ownerPool);
const { hospital, foreign } = world;
const actors = actorsIn(hospital);

const own: World['names'] = { ...world.names, account: hospital.admin.accountId };
const theirs: World['names'] = {
  ...Object.fromEntries(Object.keys(own).map((name) => [name, own[`foreign_${name}`] ?? ''])),
  account: hospital.admin.accountId,
};

const tables = (
  await column<string>(`
  select format('%s.%s', nspname, relname)
  from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
  where nspname in ('app_public', 'app_private') and relkind in ('r', 'p', 'v', 'm')`)
).sort();
const roles = (
  await column<string>(
    "select rolname from pg_catalog.pg_roles where rolname like 'app\\_%' and rolname <> 'app_owner'",
  )
).sort();
const matrix = tables.flatMap((table) => roles.map((role) => ({ table, role })));

// Refused by a privilege or a policy, or by a rule that says no more than: not yours, not there.
const isRefused = (outcome: number | string) => /^(42501|SK401|SK403|SK404)$/.test(String(outcome));
const isNothing = (outcome: number | string) => outcome === 0 || isRefused(outcome);

test('the matrix covers every table and every role', () => {
  expect(Object.keys(rows).sort()).toEqual(tables);
  expect(Object.keys(actors).sort()).toEqual(roles);
});

/** Tables that nobody but a trigger writes, not even the owner. */
const writtenByTriggers = new Set([
  'app_public.appointment_seat',
  'app_public.no_show_log',
  'app_public.patient_block',
]);

test.each(tables)('the row that is tried in %s is one that the owner could store', (table) =>
  rolledBack(ownerPool, async (db) => {
    if (writtenByTriggers.has(table)) await db.query(`alter table ${table} disable trigger user`);
    await db.query(insertInto(table, { ...theirs, account: theirs.admin ?? '' }));
  }),
);

const foreignOnly = matrix.filter(
  ({ table, role }) => isOfTenants(table) && !hospitalSpanning[role],
);

describe.each(foreignOnly)('$role and $table of another hospital', ({ table, role }) => {
  const where = ofHospital(table, `'${foreign.id}'`);
  const asRole = actors[role] ?? asOwner;

  test('sees nothing', () =>
    rolledBack(ownerPool, async (db) => {
      await asRole(db);
      expect(await attempt(db, `select from ${table} where ${where}`)).toSatisfy(isNothing);
    }));

  test('updates nothing', () =>
    untouched(table, where, async (db) => {
      const granted = await columnsGranted(db, table, role, 'update');
      await asRole(db);
      for (const name of granted.length > 0 ? granted : [Object.keys(rows[table] ?? {})[0]]) {
        const outcome = await attempt(db, `update ${table} set ${name} = ${name} where ${where}`);
        expect(outcome).toSatisfy(isNothing);
      }
    }));

  test('deletes nothing', () =>
    untouched(table, where, async (db) => {
      await asRole(db);
      expect(await attempt(db, `delete from ${table} where ${where}`)).toSatisfy(isNothing);
    }));

  test('inserts nothing', () =>
    untouched(table, where, async (db) => {
      const granted = await columnsGranted(db, table, role, 'insert');
      await asRole(db);
      expect(await attempt(db, insertInto(table, theirs))).toSatisfy(isRefused);
      if (granted.length > 0) {
        expect(await attempt(db, insertInto(table, theirs, granted))).toSatisfy(isRefused);
      }
    }));

  test('moves nothing there', () =>
    untouched(table, where, async (db) => {
      const tenant = table === 'app_public.hospital' ? 'id' : 'hospital_id';
      await asRole(db);
      const outcome = await attempt(
        db,
        `update ${table} set ${tenant} = '${foreign.id}' where ${ofHospital(table, `'${hospital.id}'`)}`,
      );
      expect(outcome).toSatisfy(isRefused);
    }));
});

/** Global tables that a role writes, and what for. */
const writersOfGlobal: Readonly<Record<string, string>> = {
  'app_login writes app_private.rate_limit': 'the limiter of logins counts there',
  'app_worker writes app_private.worker_heartbeat': 'a worker says that it lives',
};
const isWriter = ({ table, role }: { table: string; role: string }) =>
  writersOfGlobal[`${role} writes ${table}`] !== undefined;

describe.each(matrix.filter((each) => !isOfTenants(each.table) && !isWriter(each)))(
  '$role and $table of nobody',
  ({ table, role }) => {
    test('writes nothing', () =>
      rolledBack(ownerPool, async (db) => {
        const [name] = Object.keys(rows[table] ?? {});
        await actors[role]?.(db);
        expect(await attempt(db, insertInto(table, own))).toSatisfy(isRefused);
        expect(await attempt(db, `update ${table} set ${name} = ${name}`)).toSatisfy(isRefused);
        expect(await attempt(db, `delete from ${table}`)).toSatisfy(isRefused);
      }));
  },
);

describe.each(matrix.filter(({ table, role }) => isOfTenants(table) && hospitalSpanning[role]))(
  '$role and $table',
  ({ table, role }) => {
    test('moves no row to another hospital', () =>
      rolledBack(ownerPool, async (db) => {
        const tenant = table === 'app_public.hospital' ? 'id' : 'hospital_id';
        await actors[role]?.(db);
        const outcome = await attempt(db, `update ${table} set ${tenant} = '${foreign.id}'`);
        expect(outcome).toSatisfy(isRefused);
      }));
  },
);

/** The rows that are a patient's, by table; null: not a patient's to see at all. */
const ofPatient: Readonly<Record<string, string | null>> = {
  'app_public.patient': 'id = :patient',
  'app_public.account': 'id = :patient_account',
  'app_public.appointment': 'patient_id = :patient',
  'app_public.appointment_archive': 'patient_id = :patient',
  'app_public.added_seat': null,
  'app_public.consultation': "patient_id = :patient and status = 'completed'",
  'app_public.consultation_addendum': 'patient_id = :patient',
  'app_public.consultation_participant': 'patient_id = :patient',
  'app_public.record_access': 'patient_id = :patient',
  'app_public.stage_alert': null,
  'app_public.appointment_move': 'patient_id = :patient',
  'app_public.no_show_log': 'patient_id = :patient',
  'app_public.patient_block': null,
  'app_public.vitals_entry': 'patient_id = :patient',
  'app_public.appointment_reminder': null,
  'app_public.appointment_series': 'patient_id = :patient',
  'app_public.series_occurrence': 'patient_id = :patient',
  'app_public.absence': null,
  'app_public.waitlist_entry': 'patient_id = :patient',
  'app_public.waitlist_offer': 'patient_id = :patient',
  'app_public.appointment_seat': null,
  'app_public.audit_entry': null,
  'app_public.audit_seal': null,
  'app_private.audit_seal_content': null,
  'app_private.audit_seal_mark': null,
  'app_public.calendar_feed': 'account_id = :patient_account',
  'app_private.calendar_feed_secret': null,
  'app_private.reminder_mark': null,
  'app_public.webhook_subscription': null,
  'app_private.webhook_secret': null,
  'app_public.webhook_delivery': null,
  'app_public.import_run': null,
  'app_public.imported_row': null,
  'app_private.import_row': null,
  'app_public.notification': 'patient_id is not distinct from :patient',
  'app_public.check_run': null,
  'app_public.check_result': null,
  'app_public.finding': null,
  'app_public.job_run': null,
  'app_public.review_item': null,
  'app_public.health_alert': null,
  'app_private.health_alert_delivery': null,
  'app_private.health_digest_mark': null,
  'app_public.health_report': null,
  'app_private.job_hour': null,
  'app_private.job_state': null,
  'app_public.log_entry': null,
  'app_public.notification_delivery': 'patient_id is not distinct from :patient',
  'app_public.notification_preference': 'account_id = :patient_account',
  'app_public.notification_setting': 'account_id = :patient_account',
  'app_private.undeliverable_address': null,
  'app_private.account_secret': null,
  'app_private.outbox': null,
  'app_private.refresh_token': null,
  'app_private.session': null,
  'app_private.login_token': null,
  'app_private.outgoing_mail': null,
  'app_private.recovery_code': null,
  'app_private.second_factor': null,
  'app_public.emergency_access': null,
  'app_public.invitation': null,
  'app_public.security_event': 'account_id is not distinct from :patient_account',
};

/** What every member of a hospital may see of it: nothing in it is of one patient. */
const ofEveryMember: Readonly<Record<string, string>> = {
  'app_public.hospital': 'its name and settings',
  'app_public.location': 'its places',
  'app_public.doctor': 'its doctors',
  'app_public.doctor_day': 'how full a day is: counts only',
  'app_public.holiday': 'days on which it is closed',
  'app_public.schedule': 'working hours',
  'app_public.service': 'kinds of visit',
  'app_public.slot': 'times and counts, never who',
};

test('every table of tenants is known as of one patient, of nobody, or of every member', () => {
  const known = [...Object.keys(ofPatient), ...Object.keys(ofEveryMember)].sort();
  expect(known).toEqual(tables.filter(isOfTenants));
});

describe.each(Object.entries(ofPatient))(
  'a patient and %s of another patient',
  (table, condition) => {
    const others = condition === null ? 'true' : `not (${spell(condition, own)})`;
    const where = `hospital_id = '${hospital.id}' and ${others}`;

    test('sees, updates and deletes nothing', () =>
      untouched(table, where, async (db) => {
        const granted = await columnsGranted(db, table, 'app_patient', 'update');
        await become(db, hospital.patient);
        expect(await attempt(db, `select from ${table} where ${where}`)).toSatisfy(isNothing);
        expect(await attempt(db, `delete from ${table} where ${where}`)).toSatisfy(isNothing);
        for (const name of granted.length > 0 ? granted : ['hospital_id']) {
          const outcome = await attempt(db, `update ${table} set ${name} = ${name} where ${where}`);
          expect(outcome).toSatisfy(isNothing);
        }
      }));

    test('inserts nothing', () =>
      untouched(table, where, async (db) => {
        const granted = await columnsGranted(db, table, 'app_patient', 'insert');
        const names = {
          ...own,
          patient: own.second_patient ?? '',
          account: hospital.patient.accountId,
        };
        await become(db, hospital.patient);
        expect(await attempt(db, insertInto(table, names))).toSatisfy(isRefused);
        if (granted.length > 0) {
          expect(await attempt(db, insertInto(table, names, granted))).toSatisfy(isRefused);
        }
      }));
  },
);

describe('claims that are missing or do not fit the role', () => {
  const people: Actor[] = [
    hospital.patient,
    hospital.doctor,
    hospital.nurse,
    hospital.receptionist,
    hospital.admin,
  ];
  const cases = people.flatMap((actor) =>
    tables.filter(isOfTenants).map((table) => ({ role: actor.role, table, actor })),
  );

  test.each(cases)('$role without a hospital sees nothing of $table', ({ actor, table }) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, { ...actor, hospitalId: '' });
      expect(await attempt(db, `select from ${table}`)).toSatisfy(isNothing);
    }),
  );

  test.each(cases)(
    '$role of a hospital that is not there sees nothing of $table',
    ({ actor, table }) =>
      rolledBack(ownerPool, async (db) => {
        await become(db, { ...actor, hospitalId: randomUUID() });
        expect(await attempt(db, `select from ${table}`)).toSatisfy(isNothing);
      }),
  );

  test.each(Object.keys(ofPatient))('a patient without a patient sees nothing of %s', (table) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, { ...hospital.patient, patientId: '', accountId: '' });
      expect(await attempt(db, `select from ${table}`)).toSatisfy(isNothing);
    }),
  );

  test.each(['doctor', 'receptionist', 'admin', 'worker', 'operator', 'nonsense'])(
    'a patient who claims to be %s is still a patient',
    (claimed) =>
      rolledBack(ownerPool, async (db) => {
        await become(db, hospital.patient);
        await db.query("select set_config('claims.role', $1, true)", [claimed]);
        const seen = await db.query('select patient_id from app_public.appointment');
        expect(new Set(seen.rows.map((row) => row.patient_id))).toEqual(new Set([own.patient]));
        const other = {
          ...own,
          patient: own.second_patient ?? '',
          adjacent_slot: own.free_slot ?? '',
        };
        for (const names of [other, theirs]) {
          const granted = await columnsGranted(
            db,
            'app_public.appointment',
            'app_patient',
            'insert',
          );
          await become(db, hospital.patient);
          await db.query("select set_config('claims.role', $1, true)", [claimed]);
          expect(await attempt(db, insertInto('app_public.appointment', names, granted))).toSatisfy(
            isRefused,
          );
        }
      }),
  );
});

type Call = { name: string; role: string; arguments: string[] };
const { rows: calls } = await ownerPool.query<Call>(`
  select proname as name, rolname as role, proargnames[1:pronargs] as arguments
  from pg_catalog.pg_proc cross join pg_catalog.pg_roles
  where pronamespace = 'app_public'::regnamespace and pronargs > 0
    and rolname in ('app_anonymous', 'app_patient', 'app_doctor', 'app_nurse', 'app_receptionist', 'app_admin')
    and has_function_privilege(rolname, pg_proc.oid, 'execute')
  order by proname, rolname`);

test('an admin announces new slots outside, and nothing else', () =>
  rolledBack(ownerPool, async (db) => {
    const announce = (topic: string) =>
      attempt(
        db,
        `insert into app_private.outbox (hospital_id, topic, key, payload) values ('${hospital.id}', '${topic}', 'x', '{}')`,
      );
    await become(db, hospital.admin);
    expect(await announce('slots')).toBe(1);
    expect(await announce('session')).toBe('42501');
  }));

describe('functions that are called with ids of another hospital', () => {
  test('refuse when they run with raised rights', () =>
    rolledBack(ownerPool, async (db) => {
      const { rows: callable } = await ownerPool.query<{ call: string; role: string }>(`
        select distinct rolname as role, format('%s(%s)', pg_proc.oid::regproc,
          (select string_agg(format('%I => %s::%s', name,
            case name when 'hospital_id' then '''${foreign.id}''' else 'null' end, type::regtype), ', ')
           from unnest(proargnames[1:pronargs], proargtypes::oid[]) as argument (name, type))) as call
        from pg_catalog.pg_proc cross join pg_catalog.pg_roles
        where pronamespace in ('app_public'::regnamespace, 'app_private'::regnamespace)
          and prosecdef and prorettype <> 'trigger'::regtype and pronargs > 0
          and rolname in ('app_anonymous', 'app_patient', 'app_doctor', 'app_nurse', 'app_receptionist', 'app_admin')
          and has_function_privilege(rolname, pg_proc.oid, 'execute')`);
      expect(callable).not.toEqual([]);
      for (const { call, role } of callable) {
        await actors[role]?.(db);
        expect(await attempt(db, `select * from ${call}`), `${role}: ${call}`).toBe('SK403');
      }
    }));

  const valid: Readonly<Record<string, string>> = {
    absence_id: ':absence',
    holiday_id: ':holiday',
    alert_id: ':stage_alert',
    consultation_id: ':consultation',
    chief_complaint: "'x'",
    diagnosis: "'{x}'",
    notes: "'x'",
    purpose: "'x'",
    text: "'x'",
    role: "'assisting'",
    day: 'null',
    appointment_id: ':appointment',
    new_slot_id: ':free_slot',
    slot_id: ':adjacent_slot',
    patient_id: ':patient',
    doctor_id: ':doctor',
    job: "'expire_waits'",
    service_id: ':service',
    notification_id: ':notification',
    delivery_id: ':delivery',
    subscription_id: ':webhook',
    url: "'https://x.test'",
    events: `'{"appointment.booked"}'`,
    topic: "'all'",
    channel: "'email'",
    is_on: 'true',
    quiet_from: "'22:00'",
    quiet_until: "'07:00'",
    idempotency_key: 'gen_random_uuid()',
    reason: "'x'",
    feed_id: ':feed',
    first_day: 'current_date',
    last_day: 'current_date',
    specialty: "'general medicine'",
    location_id: ':location',
    earliest_time: "'09:00'",
    latest_time: 'null',
    weekdays: 'null',
    page_size: '5',
    beyond: 'null',
    starting_from: 'null',
    starting_before: 'null',
    medical_record_number: "'MRN-new'",
    type: "'conference'",
    start_time: 'null',
    end_time: 'null',
    date: "'2098-03-03'",
    is_recurring: 'false',
    is_available: 'false',
    name: "'x'",
    phone: 'null',
    email: 'null',
    date_of_birth: 'null',
    booking_horizon_days: 'null',
    buffer_after: 'null',
    buffer_before: 'null',
    clear: "'{}'",
    display_name: "'x'",
    doctor_alert_buffer: 'null',
    duration: 'null',
    effective_from: "'2100-01-01'",
    effective_until: 'null',
    external_event_type: 'null',
    generated_days: 'null',
    hold_duration: 'null',
    is_active: 'null',
    kept_years: 'null',
    max_patients_per_day: 'null',
    no_show_block_threshold: 'null',
    no_show_window_end: 'null',
    no_show_window_start: 'null',
    offer_duration: 'null',
    rebook_buffer: 'null',
    reminder_offsets: 'null',
    rows: "'{}'",
    is_dry_run: 'true',
    slot_duration: 'null',
    staff_number: 'null',
    time_zone: "'UTC'",
    vitals_alert_buffer: 'null',
    entry_id: ':wait',
    series_id: ':series',
    starts_at: "((current_date + 2 + time '20:00') at time zone 'Asia/Kolkata')",
    first_starts_at: "((current_date + 1 + time '20:00') at time zone 'Asia/Kolkata')",
    every_days: '1',
    occurrence_count: '2',
    is_all_or_nothing: 'false',
    message: "'x'",
    comment: 'null',
    from_day: 'current_date - 30',
    to_day: 'current_date',
    group_by: "'doctor'",
    systolic: 'null',
    diastolic: 'null',
    heart_rate: '70',
    respiratory_rate: 'null',
    oxygen_saturation: 'null',
    temperature: 'null',
    weight: 'null',
    height: 'null',
    note: "'x'",
    health_alert_id: ':health_alert',
    corrects: 'null',
    finding_id: ':finding',
    check_names: 'null',
    until: 'null',
    account_id: ':doctor_account',
    invitation_id: ':invitation',
    emergency_access_id: ':emergency_access',
    verdict: "'justified'",
    session_id: ':session',
    instant: 'now()',
    sealed_from: 'null',
    sealed_until: 'null',
    known_hash: 'null',
    is_second_factor_required: 'null',
    emergency_access_duration: 'null',
    security_events_kept_days: 'null',
    review_item_id: ':review_item',
    take_over: 'false',
    health_alert_quiet_period: 'null',
    health_chat_room: 'null',
    log_kept_days: 'null',
  };
  const cases = calls.flatMap((call) =>
    call.arguments
      .filter((argument) => argument.endsWith('_id'))
      .map((argument) => ({ ...call, argument })),
  );

  test('every argument has a valid value to start from', () => {
    expect(calls.flatMap((call) => call.arguments).filter((name) => !valid[name])).toEqual([]);
  });

  test.each(cases)('$role calling $name cannot tell a foreign $argument from none', (each) =>
    rolledBack(ownerPool, async (db) => {
      await actors[each.role]?.(db);
      const call = async (id: string) => {
        const list = each.arguments.map(
          (argument) =>
            `${argument} => ${spell(argument === each.argument ? id : (valid[argument] ?? ''), own)}`,
        );
        return answerOf(db, `select * from app_public.${each.name}(${list.join(', ')})`);
      };
      const ofForeign = await call((valid[each.argument] ?? '').replace(':', ':foreign_'));
      const ofNone = await call(':unknown');
      expect(ofForeign).toEqual(ofNone);
    }),
  );
});

/** The refusal of a call, or its rows, with the id that was asked for left out. */
async function answerOf(db: ClientBase, sql: string): Promise<unknown> {
  const without = (text: unknown) =>
    JSON.stringify(text ?? null).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id');
  await db.query('savepoint call');
  try {
    return without((await db.query(sql)).rows);
  } catch (error) {
    const { code, message, detail } = error as { code: string; message: string; detail?: string };
    return { code, message, detail: without(detail) };
  } finally {
    await db.query('rollback to savepoint call');
  }
}

/** Runs `story`, rolled back, and then says whether it changed any of these rows. */
function untouched(table: string, where: string, story: (db: ClientBase) => Promise<void>) {
  return rolledBack(ownerPool, async (db) => {
    const before = await fingerprintOf(db, table, where);
    await story(db);
    await asOwner(db);
    expect(await fingerprintOf(db, table, where)).toEqual(before);
  });
}

async function fingerprintOf(db: ClientBase, table: string, where: string): Promise<unknown> {
  const { rows: found } = await db.query(
    `select count(*), md5(string_agg(each::text, '|' order by each::text)) from ${table} as each where ${where}`,
  );
  return found;
}

function isOfTenants(table: string): boolean {
  return table === 'app_public.hospital' || rows[table]?.hospital_id !== undefined;
}

async function column<T>(sql: string): Promise<T[]> {
  const { rows: found } = await ownerPool.query<[T]>({ text: sql, rowMode: 'array' });
  return found.map(([value]) => value);
}
