import type { ClientBase } from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { aside, asOwner, become, committedAs, rolledBack } from '../helpers/actors.ts';
import { book, cancel, one, reschedule, setStatus, stored } from '../helpers/booking.ts';
import { clockOf, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { outcomeOf, race, untilBlocked } from '../helpers/races.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { run } from './long-ago.ts';

const { ownerPool } = await createDatabase();

// Every word of it is told once in the world below and nowhere else.
const marks = [
  'zaphod',
  'beeblebrox',
  'mrn-4242',
  '+44 20 7946 0991',
  '1952-03-11',
  'rude to the nurse',
  'two heads',
  'improbable notes',
  'stolen ship',
  'third arm',
  'weekly heads',
  'waits for heads',
  'third heart',
  'vogon poetry',
  'pan galactic',
  'zarniwoop',
  'infinite grumble',
  'president of the galaxy',
];

let hospital: OpenHospital;
let patientId: string;
let accountId: string;

/**
 * A patient of whom everything is known that can be: archived visits and current ones, moved and
 * cancelled with words, a series, the waitlist, messages, a login, and a log of all that.
 */
beforeAll(async () => {
  const db = await ownerPool.connect();
  try {
    await db.query('begin');
    await setClock(db, '2023-06-12T03:00:00Z');
    hospital = await openHospital(db, { horizonDays: 2 });
    await enter(db);
    await visits(db, hospital.slotIds, 0);
    await setClock(db, '2025-11-21T03:00:00Z');
    await run(db, 'archive_appointments', hospital.id);
    await db.query('select app_private.extend_slot_horizon($1)', [hospital.id]);
    const { rows } = await db.query<{ id: string }>(
      `select id from app_public.slot where hospital_id = $1 and starts_at > app_private.clock() order by starts_at, id`,
      [hospital.id],
    );
    await visits(
      db,
      rows.map(({ id }) => id),
      20,
    );
    await wishes(db);
    await messages(db);
    await db.query(
      `update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'rude to the nurse' where id = $1`,
      [patientId],
    );
    // From now on it is later than the visits, for everybody.
    await setClock(db, '2025-12-05T03:00:00Z');
    await db.query('commit');
  } finally {
    db.release();
  }
});

async function enter(db: ClientBase): Promise<void> {
  const person = {
    hospital_id: hospital.id,
    medical_record_number: 'MRN-4242',
    name: 'Zaphod Beeblebrox',
    phone: '+44 20 7946 0991',
    email: 'zaphod@beeblebrox.test',
    date_of_birth: '1952-03-11',
  };
  patientId = await insert(db, 'patient', person);
  accountId = await insert(db, 'account', {
    hospital_id: hospital.id,
    email: person.email,
    display_name: person.name,
    role: 'patient',
    patient_id: patientId,
  });
  await db.query(
    `insert into app_private.account_secret (hospital_id, account_id, password_hash) values ($1, $2, '$argon2id$x')`,
    [hospital.id, accountId],
  );
  await db.query(
    `insert into app_private.session (hospital_id, account_id, expires_at) values ($1, $2, '2100-01-01')`,
    [hospital.id, accountId],
  );
}

/** A completed visit that had moved, and a cancelled one, by the patient and the reception. */
async function visits(db: ClientBase, slotIds: readonly string[], first: number): Promise<void> {
  const me = { ...hospital.patient, accountId, patientId };
  await become(db, me);
  const moved = await book(db, { slotId: nth(slotIds, first), patientId, reason: 'two heads' });
  await reschedule(db, moved.id, nth(slotIds, first + 4), { reason: 'stolen ship' });
  const cancelled = await book(db, {
    slotId: nth(slotIds, first + 8),
    patientId,
    reason: 'two heads',
  });
  await become(db, hospital.receptionist);
  await cancel(db, cancelled.id, 'third arm');
  await asOwner(db);
  await treat(db, moved.id);
  await db.query("update app_public.appointment set notes = 'improbable notes' where id = $1", [
    moved.id,
  ]);
}

/** The visit as it went: a long wait, a consultation with an addendum, and somebody who read it. */
async function treat(db: ClientBase, appointmentId: string): Promise<void> {
  const before = await clockOf(db);
  const visit = await stored(db, appointmentId);
  await setClock(db, visit.starts_at);
  await setStatus(db, appointmentId, 'checked_in');
  const of = { hospital_id: hospital.id, appointment_id: appointmentId };
  const since = { waiting_since: '2020-01-01', due_at: '2020-01-01' };
  const alert = await insert(db, 'stage_alert', { ...of, kind: 'no_vitals', ...since });
  await db.query(
    "update app_public.stage_alert set status = 'resolved', note = 'infinite grumble' where id = $1",
    [alert],
  );
  const consultation = await insert(db, 'consultation', of);
  await db.query(
    `update app_public.consultation
     set chief_complaint = 'third heart', diagnosis = '{vogon poetry, none}', notes = 'pan galactic' where id = $1`,
    [consultation],
  );
  await db.query("update app_public.consultation set status = 'completed' where id = $1", [
    consultation,
  ]);
  await insert(db, 'consultation_addendum', {
    hospital_id: hospital.id,
    consultation_id: consultation,
    text: 'zarniwoop',
  });
  await insert(db, 'record_access', {
    hospital_id: hospital.id,
    patient_id: patientId,
    reader_role: 'doctor',
    reader_name: 'Dr. One',
    part: 'patient_record',
    purpose: 'president of the galaxy',
    accessed_at: '2025-11-21',
  });
  await setClock(db, before);
}

async function wishes(db: ClientBase): Promise<void> {
  const common = {
    hospital_id: hospital.id,
    patient_id: patientId,
    doctor_id: hospital.doctorIds[0],
  };
  await insert(db, 'appointment_series', {
    ...common,
    first_starts_at: '2025-11-24',
    every_days: 7,
    occurrence_count: 3,
    is_all_or_nothing: false,
    reason: 'weekly heads',
    created_at: '2025-11-21',
  });
  await insert(db, 'waitlist_entry', {
    ...common,
    first_day: '2025-11-24',
    last_day: '2025-12-24',
    reason: 'waits for heads',
  });
}

async function messages(db: ClientBase): Promise<void> {
  const { id: appointmentId } = await one<{ id: string }>(
    db,
    `select id from app_public.appointment where patient_id = $1 and status = 'completed'`,
    [patientId],
  );
  for (const to of [
    { doctor_id: hospital.doctorIds[0] },
    { patient_id: patientId },
    { account_id: accountId },
    { account_id: hospital.receptionist.accountId },
  ]) {
    await insert(db, 'notification', {
      hospital_id: hospital.id,
      ...to,
      event: 'appointment_cancelled',
      priority: 'normal',
      channels: '{in_app}',
      title: 'Appointment cancelled',
      body: 'Zaphod Beeblebrox does not come. third arm',
      appointment_id: 'account_id' in to && to.account_id === accountId ? null : appointmentId,
      created_at: '2025-11-21',
    });
  }
}

const erase = (db: ClientBase, id: string = patientId, reason: string | null = 'case 7') =>
  one<Record<string, unknown>>(db, 'select * from app_public.erase_patient($1, $2)', [id, reason]);

/** Where any of the words still stands: every column of every table, found from the catalog. */
async function traces(db: ClientBase, words: readonly string[]): Promise<string[]> {
  const { rows: columns } = await aside(db, () =>
    db.query<{ table: string; column: string }>(
      `select attrelid::regclass::text as "table", quote_ident(attname) as "column"
       from pg_attribute join pg_class on pg_class.oid = attrelid
       where relnamespace in ('app_public'::regnamespace, 'app_private'::regnamespace, 'graphile_worker'::regnamespace)
         and relkind in ('r', 'p') and attnum > 0 and not attisdropped`,
    ),
  );
  expect(columns.length).toBeGreaterThan(150);
  const search = columns
    .map(
      ({ table, column }) =>
        `select '${table}.${column}' as place, word from ${table}, unnest($1::text[]) as word
         where lower(${table}.${column}::text) like '%' || word || '%'`,
    )
    .join(' union all ');
  const { rows } = await aside(db, () =>
    db.query<{ place: string; word: string }>(
      `select distinct place, word from (${search}) as found order by 1, 2`,
      [words],
    ),
  );
  return rows.map(({ place, word }) => `${word} in ${place}`);
}

const statistics = `
  select doctor_id, (starts_at at time zone hospital.time_zone)::date::text as day, status, source,
    (cancelled_by is not null) as has_canceller, count(*)::integer as visits
  from (
    select hospital_id, doctor_id, starts_at, status, source, cancelled_by from app_public.appointment
    union all
    select hospital_id, doctor_id, starts_at, status, source, cancelled_by from app_public.appointment_archive
  ) as visit join app_public.hospital on hospital.id = visit.hospital_id
  group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`;

test('every word is in the world to begin with, in many places', () =>
  rolledBack(ownerPool, async (db) => {
    const found = await traces(db, marks);
    for (const word of marks) expect(found.join('\n')).toContain(`${word} in `);
    for (const place of [
      'app_public.audit_entry.old_state',
      'app_public.audit_entry.new_state',
      'app_public.audit_entry.changed_columns',
      'app_public.appointment_archive.moves',
      'app_public.appointment_archive.stage_alerts',
      'app_public.stage_alert.note',
      'app_public.consultation.diagnosis',
      'app_public.consultation_addendum.text',
      'app_public.record_access.purpose',
      'app_public.appointment_archive.reason',
      'app_public.appointment_archive.notes',
      'app_public.appointment_archive.cancellation_reason',
      'app_public.appointment.cancellation_reason',
      'app_public.appointment_move.reason',
      'app_public.appointment_series.reason',
      'app_public.waitlist_entry.reason',
      'app_public.notification.body',
      'app_public.account.email',
      'app_public.account.display_name',
      'app_public.patient.phone',
      'app_public.patient.blocked_reason',
    ]) {
      expect(found.join('\n')).toContain(` in ${place}`);
    }
  }));

test('after erasing no word of a person is left anywhere, and every count is as it was', () =>
  rolledBack(ownerPool, async (db) => {
    const before = (await db.query(statistics)).rows;
    await become(db, hospital.admin);
    expect(await erase(db)).toMatchObject({
      id: patientId,
      name: 'Erased patient',
      medical_record_number: `erased-${patientId}`,
      phone: null,
      email: null,
      date_of_birth: null,
      status: 'active',
      blocked_at: null,
      blocked_reason: null,
      is_active: false,
      erased_at: expect.any(Date),
      erasure_reason: 'case 7',
    });
    expect(await traces(db, marks)).toEqual([]);
    await asOwner(db);
    expect((await db.query(statistics)).rows).toEqual(before);
  }));

test('others stay as they were, and so does the log about them', () =>
  rolledBack(ownerPool, async (db) => {
    const others = async () => {
      const { rows } = await aside(db, () =>
        db.query(
          `select 'appointment' as kind, to_jsonb(row) as stored from app_public.appointment as row where patient_id <> $1
           union all select 'archive', to_jsonb(row) from app_public.appointment_archive as row where patient_id <> $1
           union all select 'patient', to_jsonb(row) from app_public.patient as row where id <> $1
           union all select 'account', to_jsonb(row) from app_public.account as row where patient_id is distinct from $1
           union all select 'slot', to_jsonb(row) from app_public.slot as row
           union all select 'log', to_jsonb(row) from app_public.audit_entry as row
             where not (record_id = $1 or coalesce(new_state, old_state) ->> 'patient_id' = $1::text)
           order by 1, 2`,
          [patientId],
        ),
      );
      return rows;
    };
    const before = await others();
    await become(db, hospital.admin);
    await erase(db);
    expect(await others()).toEqual(before);
  }));

test('the log keeps who did what when, and still explains every row as it stands', () =>
  rolledBack(ownerPool, async (db) => {
    const facts = `
      select id, table_name, record_id, operation, actor_account_id, actor_role, request_id, transaction_id, recorded_at,
        (select array_agg(key order by key) from jsonb_object_keys(coalesce(new_state, old_state)) as key) as keys,
        (select array_agg(key order by key) from jsonb_object_keys(changed_columns) as key) as changed
      from app_public.audit_entry where hospital_id = $1 and id <= $2 order by audit_entry.id`;
    const { last } = await one<{ last: string }>(
      db,
      'select max(id) as last from app_public.audit_entry',
    );
    const before = (await db.query(facts, [hospital.id, last])).rows;
    await become(db, hospital.admin);
    await erase(db);
    await asOwner(db);
    expect((await db.query(facts, [hospital.id, last])).rows).toEqual(before);

    const { rows: erasures } = await db.query(
      `select actor_account_id, actor_role, operation, old_state ->> 'name' as was, old_state ->> 'phone' as phone,
         new_state ->> 'erasure_reason' as reason
       from app_public.audit_entry where id > $1 and record_id = $2`,
      [last, patientId],
    );
    expect(erasures).toEqual([
      {
        actor_account_id: hospital.admin.accountId,
        actor_role: 'admin',
        operation: 'update',
        was: '[erased]',
        phone: '[erased]',
        reason: 'case 7',
      },
    ]);

    const { rows: unexplained } = await db.query(
      `select kind, stored.id from (
         select 'patient' as kind, id, to_jsonb(row) as state from app_public.patient as row where id = $1
         union all select 'account', id, to_jsonb(row) from app_public.account as row where patient_id = $1
         union all select 'appointment', id, to_jsonb(row) from app_public.appointment as row where patient_id = $1
       ) as stored
       cross join lateral (
         select new_state from app_public.audit_entry
         where record_id = stored.id and table_name = kind order by audit_entry.id desc limit 1) as last
       where last.new_state <> stored.state`,
      [patientId],
    );
    expect(unexplained).toEqual([]);
  }));

test('the login is gone: sessions ended, no secret, an address that nobody has', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await erase(db);
    await asOwner(db);
    const account = await one<Record<string, unknown>>(
      db,
      'select * from app_public.account where id = $1',
      [accountId],
    );
    expect(account).toMatchObject({
      email: `erased-${accountId}@erased.invalid`,
      display_name: 'Erased patient',
      is_active: false,
    });
    const { rows } = await db.query(
      'select ended_at is not null as is_ended, end_reason from app_private.session where account_id = $1',
      [accountId],
    );
    expect(rows).toEqual([{ is_ended: true, end_reason: 'account_deactivated' }]);
    const { rowCount } = await db.query(
      'select from app_private.account_secret where account_id = $1',
      [accountId],
    );
    expect(rowCount).toBe(0);
  }));

test('the wait ends, and nothing of the person can be booked or entered again', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await erase(db);
    await aside(db, async () => {
      const entry = await one<{ status: string }>(
        db,
        'select * from app_public.waitlist_entry where patient_id = $1',
        [patientId],
      );
      expect(entry.status).toBe('cancelled');
    });
    const { id: slotId } = await one<{ id: string }>(
      db,
      `select id from app_public.slot where hospital_id = $1 order by starts_at desc limit 1`,
      [hospital.id],
    );
    await setClock(db, '2025-11-21T04:00:00Z');
    expect(await refusalOf(db, () => book(db, { slotId, patientId }))).toMatchObject({
      scenario: 'patient_inactive',
    });
    const error = await errorOf(db, () =>
      db.query("update app_public.patient set phone = '+1 555 0100' where id = $1", [patientId]),
    );
    expect(error.constraint).toBe('an_erased_patient_is_nobody');
  }));

test('the second time changes nothing', () =>
  rolledBack(ownerPool, async (db) => {
    const everything = async () => {
      const { rows: tables } = await db.query<{ name: string }>(
        `select oid::regclass::text as name from pg_class
         where relnamespace in ('app_public'::regnamespace, 'app_private'::regnamespace) and relkind = 'r'`,
      );
      const { rows } = await db.query(
        tables
          .map(
            ({ name }) =>
              `select '${name}' as name, count(*), md5(string_agg(row::text, '|' order by row::text)) from ${name} as row`,
          )
          .join(' union all '),
      );
      return rows;
    };
    await become(db, hospital.admin);
    await erase(db);
    await asOwner(db);
    const before = await everything();
    await setClock(db, '2025-12-06T03:00:00Z');
    await become(db, hospital.admin);
    expect(await erase(db, patientId, 'another case')).toMatchObject({ erasure_reason: 'case 7' });
    await asOwner(db);
    await setClock(db, '2025-12-05T03:00:00Z');
    const after = await everything();
    const but = (rows: typeof after) => rows.filter(({ name }) => !/clock_shift/.test(name));
    expect(but(after)).toEqual(but(before));
  }));

test('what came up after the first time goes with the second', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await erase(db);
    await asOwner(db);
    await db.query(
      "update app_public.appointment set notes = 'zaphod again' where patient_id = $1 and status = 'completed'",
      [patientId],
    );
    expect(await traces(db, marks)).not.toEqual([]);
    await become(db, hospital.admin);
    await erase(db);
    expect(await traces(db, marks)).toEqual([]);
  }));

describe('is refused', () => {
  test.each([
    ['a visit ahead', 'scheduled', '2025-12-06'],
    ['a seat that is held', 'held', '2025-12-06'],
    ['a request that is open', 'requested', '2025-12-06'],
  ])('while there is %s', (_, status, day) =>
    rolledBack(ownerPool, async (db) => {
      const someone = nth(hospital.patientIds, 2);
      await db.query(
        'insert into app_public.slot (hospital_id, doctor_id, location_id, during) values ($1, $2, $3, $4)',
        [
          hospital.id,
          hospital.doctorIds[0],
          hospital.locationIds[0],
          `[${day} 03:30+00, ${day} 04:00+00)`,
        ],
      );
      await db.query(
        `insert into app_public.appointment (hospital_id, slot_id, doctor_id, patient_id, during, status)
         select hospital_id, case when $2 <> 'requested' then id end, doctor_id, $3, during, $2::app_public.appointment_status
         from app_public.slot where hospital_id = $1 and starts_at = $4::timestamptz`,
        [hospital.id, status, someone, `${day} 03:30+00`],
      );
      await become(db, hospital.admin);
      expect(await refusalOf(db, () => erase(db, someone))).toMatchObject({
        scenario: 'patient_has_appointments',
        details: { patient_id: someone, appointment_count: 1 },
      });
      await setClock(db, '2025-12-09T03:00:00Z');
      expect(await erase(db, someone)).toMatchObject({ name: 'Erased patient' });
    }),
  );

  test('for a patient who is not there, or of another hospital', () =>
    rolledBack(ownerPool, async (db) => {
      const other = await openHospital(db, { horizonDays: 1 });
      await become(db, hospital.admin);
      const unknown = '00000000-0000-4000-8000-000000000000';
      for (const id of [unknown, nth(other.patientIds, 0)]) {
        expect(await refusalOf(db, () => erase(db, id))).toMatchObject({
          scenario: 'patient_not_found',
          details: { patient_id: id },
        });
      }
    }));

  test('to everybody but admins, and to an admin in another hospital', () =>
    rolledBack(ownerPool, async (db) => {
      for (const actor of [
        hospital.patient,
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
      ]) {
        await become(db, actor);
        expect((await errorOf(db, () => erase(db))).code, actor.role).toBe('42501');
      }
      await asOwner(db);
      const other = await openHospital(db, { horizonDays: 1 });
      await become(db, other.admin);
      const direct = () =>
        db.query('select app_private.erase_person($1, $2, null)', [hospital.id, patientId]);
      expect(await refusalOf(db, direct)).toMatchObject({ scenario: 'forbidden' });
      await asOwner(db);
      expect(await refusalOf(db, direct)).toMatchObject({ scenario: 'not_logged_in' });
    }));
});

test('waits for whoever is changing a visit of the patient, before it locks the patient', () =>
  race(ownerPool, async (start) => {
    const holder = await start();
    await holder.db.query(
      'select from app_public.appointment where patient_id = $1 for no key update',
      [patientId],
    );
    const eraser = await start(hospital.admin);
    const erasing = outcomeOf(erase(eraser.db));
    expect(await untilBlocked(ownerPool, eraser.pid, erasing)).toEqual([holder.pid]);
    // Nobody waits for an appointment while holding a patient.
    const { rowCount } = await holder.db.query(
      'select from app_public.patient where id = $1 for update nowait',
      [patientId],
    );
    expect(rowCount).toBe(1);
    await holder.end();
    expect(await erasing).toBe('done');
    await eraser.end();
  }));

test('a booking that comes at the same moment waits, and finds nobody', () =>
  race(ownerPool, async (start) => {
    const someone = nth(hospital.patientIds, 3);
    const { rows } = await ownerPool.query<{ id: string }>(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
       values ($1, $2, $3, '[2025-12-07 03:30+00, 2025-12-07 04:00+00)') returning id`,
      [hospital.id, hospital.doctorIds[0], hospital.locationIds[0]],
    );
    const eraser = await start(hospital.admin);
    await erase(eraser.db, someone);
    const booker = await start(hospital.receptionist);
    const booking = outcomeOf(book(booker.db, { slotId: rows[0]?.id ?? '', patientId: someone }));
    expect(await untilBlocked(ownerPool, booker.pid, booking)).toEqual([eraser.pid]);
    await eraser.commit();
    expect(await booking).toBe('patient_inactive');
  }));

test('an erasing that comes while a booking is being made waits, and is refused for it', () =>
  race(ownerPool, async (start) => {
    const someone = nth(hospital.patientIds, 2);
    const { rows } = await ownerPool.query<{ id: string }>(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
       values ($1, $2, $3, '[2025-12-07 04:00+00, 2025-12-07 04:30+00)') returning id`,
      [hospital.id, hospital.doctorIds[0], hospital.locationIds[0]],
    );
    const booker = await start(hospital.receptionist);
    await book(booker.db, { slotId: rows[0]?.id ?? '', patientId: someone });
    const eraser = await start(hospital.admin);
    const erasing = outcomeOf(erase(eraser.db, someone));
    expect(await untilBlocked(ownerPool, eraser.pid, erasing)).toEqual([booker.pid]);
    await booker.commit();
    expect(await erasing).toBe('patient_has_appointments');
  }));

test('whatever tables the log tells of, their entries about the person are found', () =>
  rolledBack(ownerPool, async (db) => {
    // As if they had been logged, whether or not they are.
    const { rowCount } = await db.query(
      `insert into app_public.audit_entry (hospital_id, table_name, record_id, operation, new_state, actor_role, transaction_id, recorded_at)
       select $1, record.table_name, record.id, 'insert', jsonb_build_object('id', record.id, 'patient_id', $2::uuid, 'reason', 'two heads'),
         'patient', 1, now()
       from (
         select 'appointment_move' as table_name, id from app_public.appointment_move where patient_id = $2
         union all select 'appointment_move', (move ->> 'id')::uuid
           from app_public.appointment_archive cross join jsonb_array_elements(moves) as move where patient_id = $2
         union all select 'appointment_series', id from app_public.appointment_series where patient_id = $2
         union all select 'waitlist_entry', id from app_public.waitlist_entry where patient_id = $2
       ) as record`,
      [hospital.id, patientId],
    );
    expect(rowCount).toBe(4);
    await become(db, hospital.admin);
    await erase(db);
    expect(await traces(db, marks)).toEqual([]);
  }));

describe('the one exception of the log', () => {
  /** The eraser's role, with the claims of this hospital's admin. */
  const asEraser = async (db: ClientBase, of: OpenHospital = hospital) => {
    await become(db, of.admin);
    await db.query("select set_config('role', 'app_eraser', true)");
  };
  const redaction = (table: string) => redactions[table] ?? '';
  const redactions: Readonly<Record<string, string>> = {
    record_access: "update app_public.record_access set purpose = '[erased]'",
    audit_entry: `update app_public.audit_entry set old_state = app_private.redacted_state(table_name, old_state),
           new_state = app_private.redacted_state(table_name, new_state),
           changed_columns = app_private.redacted_state(table_name, changed_columns)`,
    appointment_archive: `update app_public.appointment_archive set reason = null, notes = null, cancellation_reason = null,
           moves = app_private.redacted_row('appointment_archive', jsonb_build_object('moves', moves)) -> 'moves'`,
  };

  test.each(['audit_entry', 'appointment_archive', 'record_access'])(
    'even the eraser redacts nothing in %s of somebody who was not erased',
    (table) =>
      rolledBack(ownerPool, async (db) => {
        await asEraser(db);
        const where = table === 'audit_entry' ? "where table_name = 'patient'" : '';
        expect(await refusalOf(db, () => db.query(`${redaction(table)} ${where}`))).toMatchObject({
          code: 'SK403',
          scenario: expect.stringMatching(/_is_append_only$/),
        });
      }),
  );

  test('of an erased person it changes nothing but what is personal, and that only to the mark', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      await erase(db);
      await asEraser(db);
      const ofPatient = `where table_name = 'patient' and record_id = '${patientId}'`;
      // Redacting what is redacted is no change, and passes.
      await db.query(`${redaction('audit_entry')} ${ofPatient}`);
      for (const change of [
        `new_state = new_state || '{"name": "Ford Prefect"}'`,
        `new_state = new_state - 'name'`,
        `new_state = new_state || '{"no_show_count": 0, "note": "x"}'`,
        `new_state = jsonb_set(new_state, '{created_at}', '"2000-01-01"')`,
        'new_state = null',
        `old_state = '{}'`,
        `changed_columns = '{}'`,
      ]) {
        const attempt = () => db.query(`update app_public.audit_entry set ${change} ${ofPatient}`);
        expect(await refusalOf(db, attempt), change).toMatchObject({
          scenario: 'audit_is_append_only',
        });
      }
      for (const change of [`reason = 'x'`, `moves = '[]'`, `moves = '[{"reason": null}]'`]) {
        const attempt = () =>
          db.query(
            `update app_public.appointment_archive set ${change} where patient_id = '${patientId}' and moves <> '[]'`,
          );
        expect(await refusalOf(db, attempt), change).toMatchObject({
          scenario: 'archive_is_append_only',
        });
      }
    }));

  test('the eraser has no right to anything else', () =>
    rolledBack(ownerPool, async (db) => {
      await asEraser(db);
      for (const statement of [
        "update app_public.audit_entry set actor_role = 'nobody'",
        'update app_public.audit_entry set recorded_at = now()',
        'delete from app_public.audit_entry',
        'truncate app_public.audit_entry',
        "update app_public.appointment_archive set status = 'no_show'",
        'delete from app_public.appointment_archive',
        "update app_public.record_access set reader_name = 'nobody'",
        'delete from app_public.record_access',
        'select from app_public.consultation',
        'select from app_public.patient',
        'select from app_public.appointment',
        'create table app_private.mine ()',
      ]) {
        expect((await errorOf(db, () => db.query(statement))).code, statement).toBe('42501');
      }
      const { rows } = await aside(db, () =>
        db.query<{ held: string }>(
          `select format('%s %s', table_name, privilege_type) as held from information_schema.column_privileges
           where grantee = 'app_eraser' and privilege_type <> 'SELECT'
           group by 1 order by 1`,
        ),
      );
      expect(rows.map(({ held }) => held)).toEqual([
        'appointment_archive UPDATE',
        'audit_entry UPDATE',
        'record_access UPDATE',
      ]);
    }));

  test('the eraser reaches nothing of another hospital, and nothing without claims', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      await erase(db);
      await asOwner(db);
      const other = await openHospital(db, { horizonDays: 1 });
      await asEraser(db, other);
      for (const table of ['audit_entry', 'appointment_archive', 'record_access']) {
        const { rowCount } = await db.query(
          `${redaction(table)} where hospital_id = '${hospital.id}'`,
        );
        expect(rowCount, table).toBe(0);
      }
      await asOwner(db);
      await db.query('set local role app_eraser');
      const { rowCount } = await db.query('select from app_public.audit_entry');
      expect(rowCount).toBe(0);
    }));

  test('nobody else redacts, not even the owner or a superuser', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      await erase(db);
      await asOwner(db);
      for (const table of ['audit_entry', 'appointment_archive', 'record_access']) {
        expect(
          await refusalOf(db, () =>
            db.query(`${redaction(table)} where hospital_id = '${hospital.id}'`),
          ),
        ).toMatchObject({ scenario: expect.stringMatching(/_is_append_only$/) });
        await db.query('set local role app_owner');
        if (table === 'audit_entry') {
          expect((await errorOf(db, () => db.query(redaction(table)))).code).toBe('42501');
        } else {
          // Granted for the sake of foreign keys, but without a policy there is no row to change.
          expect((await db.query(redaction(table))).rowCount).toBe(0);
        }
        await db.query('set local role none');
      }
    }));

  test('nobody but the owner may call what redacts, and nobody is or becomes the eraser', () =>
    rolledBack(ownerPool, async (db) => {
      const { rows } = await db.query<{ role: string }>(
        `select grantee::regrole::text as role from pg_proc cross join aclexplode(proacl)
         where proname = 'redact_history' order by 1`,
      );
      expect(rows.map(({ role }) => role)).toEqual(['app_eraser', 'app_owner']);
      const { rows: members } = await db.query(
        `select from pg_auth_members join pg_roles on pg_roles.oid = member
         where roleid = 'app_eraser'::regrole and rolname like 'app\\_%'`,
      );
      expect(members).toEqual([]);
      for (const actor of [
        hospital.patient,
        hospital.doctor,
        hospital.receptionist,
        hospital.admin,
      ]) {
        await become(db, actor);
        const call = () =>
          db.query('select app_private.redact_history($1, $2, array[$2]::uuid[])', [
            hospital.id,
            patientId,
          ]);
        expect((await errorOf(db, call)).code, actor.role).toBe('42501');
      }
    }));
});

describe('the export', () => {
  test('holds what is stored about a person, and of nobody else', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(
        'grant select on app_public.appointment_series, app_public.waitlist_entry to app_admin',
      );
      await become(db, hospital.admin);
      const { exported } = await one<{ exported: Record<string, unknown[]> }>(
        db,
        'select app_public.export_patient($1) as exported',
        [patientId],
      );
      const text = JSON.stringify(exported).toLowerCase();
      for (const word of marks) expect(text).toContain(word);
      expect(exported).toMatchObject({
        patient: { id: patientId },
        accounts: [{ id: accountId }],
        appointments: [{ patient_id: patientId }, { patient_id: patientId }],
        archived_appointments: [{ patient_id: patientId }, { patient_id: patientId }],
        moves: [{ reason: 'stolen ship' }],
        series: [{ reason: 'weekly heads' }],
        waitlist: [{ reason: 'waits for heads' }],
        stage_alerts: [{ note: 'infinite grumble' }],
        consultations: [
          { chief_complaint: 'third heart', addenda: [{ text: 'zarniwoop' }] },
          { notes: 'pan galactic' },
        ],
      });
      for (const other of hospital.patientIds) expect(text).not.toContain(other);
      const unknown = '00000000-0000-4000-8000-000000000000';
      expect(
        await refusalOf(db, () => db.query('select app_public.export_patient($1)', [unknown])),
      ).toMatchObject({ scenario: 'patient_not_found' });
    }));

  test('is for admins only', () =>
    rolledBack(ownerPool, async (db) => {
      for (const actor of [
        hospital.patient,
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
      ]) {
        await become(db, actor);
        const call = () => db.query('select app_public.export_patient($1)', [patientId]);
        expect((await errorOf(db, call)).code, actor.role).toBe('42501');
      }
    }));
});

test('erasing somebody takes as long as they have history, not as long as the log is', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query("set local session_replication_role = 'replica'");
    await db.query(
      `insert into app_public.audit_entry (hospital_id, table_name, record_id, operation, new_state, actor_role, transaction_id, recorded_at)
       select $1, 'slot', gen_random_uuid(), 'update', '{}', 'worker', 1, now() from generate_series(1, 20000)`,
      [hospital.id],
    );
    await db.query("set local session_replication_role = 'origin'");
    await db.query('analyze app_public.audit_entry');
    const scans = () =>
      one<{ count: number }>(
        db,
        "select seq_scan::integer as count from pg_stat_xact_user_tables where relname = 'audit_entry'",
      );
    const before = await scans();
    await become(db, hospital.admin);
    await erase(db);
    await asOwner(db);
    expect((await scans()).count).toBe(before.count);
  }));

test('committed, the person is gone for good', async () => {
  await committedAs(ownerPool, hospital.admin, (db) => erase(db));
  await rolledBack(ownerPool, async (db) => expect(await traces(db, marks)).toEqual([]));
});
