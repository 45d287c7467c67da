import { randomUUID } from 'node:crypto';
import type { ClientBase, PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, createHospital, type TestHospital } from '../helpers/hospital.ts';
import { leave, type Notification, readerOf } from '../helpers/inbox.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

type Stage = { db: PoolClient; hospital: TestHospital; foreign: TestHospital };

function play(story: (stage: Stage) => Promise<void>): Promise<void> {
  return rolledBack(ownerPool, async (db) => {
    const [hospital, foreign] = [await createHospital(db), await createHospital(db)];
    await story({ db, hospital, foreign });
  });
}

const readers = ['patient', 'doctor', 'nurse', 'receptionist', 'admin'] as const;

const unreadCount = async (db: ClientBase) =>
  (await one<{ count: number }>(db, 'select app_public.unread_notification_count() as count'))
    .count;

const mark = (db: ClientBase, as: 'read' | 'unread', id: string) =>
  one<Notification>(db, `select * from app_public.mark_notification_${as}($1)`, [id]);

const markAll = async (db: ClientBase) =>
  (await one<{ count: number }>(db, 'select app_public.mark_all_notifications_read() as count'))
    .count;

/** Everybody of both hospitals, and a second patient and doctor of the first. */
function everybody({ hospital, foreign }: Stage): Actor[] {
  const people = [hospital, foreign].flatMap((each) => readers.map((role) => each[role]));
  return [...people, hospital.otherPatient, hospital.otherDoctor];
}

describe('an inbox', () => {
  test.each(readers)('of a %s is read by its reader and by nobody else', (role) =>
    play(async (stage) => {
      const { db, hospital } = stage;
      const { id } = await leave(db, hospital.id, readerOf(hospital[role]));
      for (const actor of everybody(stage)) {
        await become(db, actor);
        const { rows } = await db.query('select id from app_public.notification');
        const isReader = actor === hospital[role];
        expect(rows, `${actor.role} reads`).toEqual(isReader ? [{ id }] : []);
        expect(await unreadCount(db)).toBe(isReader ? 1 : 0);
        if (isReader) continue;
        for (const state of ['read', 'unread'] as const) {
          expect(await refusalOf(db, () => mark(db, state, id))).toMatchObject({
            code: 'SK404',
            scenario: 'notification_not_found',
            details: { notification_id: id },
          });
        }
        expect(await markAll(db)).toBe(0);
      }
      await asOwner(db);
      const { rows } = await db.query('select read_at from app_public.notification');
      expect(rows).toEqual([{ read_at: null }]);
    }),
  );

  test('is the one of the role: claims of another kind open no other one', () =>
    play(async ({ db, hospital }) => {
      await leave(db, hospital.id, readerOf(hospital.doctor));
      await leave(db, hospital.id, readerOf(hospital.otherPatient));
      await leave(db, hospital.id, readerOf(hospital.admin));
      const patientId = hospital.otherPatient.patientId ?? '';
      const doctorId = hospital.doctor.doctorId ?? '';
      for (const actor of [
        { ...hospital.nurse, patientId, doctorId },
        { ...hospital.otherDoctor, patientId, accountId: hospital.admin.accountId },
        { ...hospital.patient, doctorId, accountId: hospital.admin.accountId },
      ]) {
        await become(db, actor);
        expect((await db.query('select id from app_public.notification')).rows).toEqual([]);
      }
    }));

  test('without a login is refused', () =>
    play(async ({ db, hospital }) => {
      await become(db, { ...hospital.patient, hospitalId: '' });
      for (const call of [
        'unread_notification_count()',
        'mark_all_notifications_read()',
        `mark_notification_read('${randomUUID()}')`,
        `mark_notification_unread('${randomUUID()}')`,
      ]) {
        const refusal = await refusalOf(db, () => db.query(`select app_public.${call}`));
        expect(refusal.scenario, call).toBe('not_logged_in');
      }
    }));
});

describe('reading', () => {
  test('is noted once, and taken back', () =>
    play(async ({ db, hospital }) => {
      const { id } = await leave(db, hospital.id, readerOf(hospital.patient));
      await become(db, hospital.patient);
      const first = await mark(db, 'read', id);
      expect(first.read_at).toBeInstanceOf(Date);
      await moveClock(db, '1 hour');
      expect((await mark(db, 'read', id)).read_at).toEqual(first.read_at);
      expect(await unreadCount(db)).toBe(0);
      expect((await mark(db, 'unread', id)).read_at).toBeNull();
      expect(await unreadCount(db)).toBe(1);
      const again = await mark(db, 'read', id);
      expect(Number(again.read_at) - Number(first.read_at)).toBe(3_600_000);
    }));

  test('all of it leaves what was read before as it was, and counts the rest', () =>
    play(async ({ db, hospital }) => {
      const reader = readerOf(hospital.doctor);
      const before = await leave(db, hospital.id, reader, { read_at: '2026-01-01T00:00:00Z' });
      for (const title of ['One', 'Two', 'Three']) await leave(db, hospital.id, reader, { title });
      const other = await leave(db, hospital.id, readerOf(hospital.otherDoctor));
      await become(db, hospital.doctor);
      expect(await unreadCount(db)).toBe(3);
      expect(await markAll(db)).toBe(3);
      expect(await markAll(db)).toBe(0);
      expect(await unreadCount(db)).toBe(0);
      await asOwner(db);
      const { rows } = await db.query(
        'select id, read_at from app_public.notification where id in ($1, $2) order by id',
        [before.id, other.id],
      );
      expect(rows).toEqual([
        { id: before.id, read_at: before.read_at },
        { id: other.id, read_at: null },
      ]);
    }));

  test('is all that a reader may change, and nobody may write or delete', () =>
    play(async ({ db, hospital, foreign }) => {
      for (const role of readers) {
        const reader = readerOf(hospital[role]);
        const { id } = await leave(db, hospital.id, reader);
        const columns = await db.query<{ name: string }>(
          `select attname as name from pg_catalog.pg_attribute
           where attrelid = 'app_public.notification'::regclass and attnum > 0 and attname <> 'read_at'`,
        );
        await become(db, hospital[role]);
        const refused = async (sql: string) =>
          (await errorOf(db, () => db.query(sql))).code === '42501' ? [] : [sql];
        for (const { name } of columns.rows) {
          expect(
            await refused(
              `update app_public.notification set ${name} = ${name} where id = '${id}'`,
            ),
          ).toEqual([]);
        }
        const [[column, value]] = Object.entries(reader) as [[string, string]];
        expect(
          await refused(
            `insert into app_public.notification (hospital_id, ${column}, event, priority, channels, title, body, created_at)
             values ('${hospital.id}', '${value}', 'x', 'high', '{sms}', 'Pay', 'Now.', now())`,
          ),
        ).toEqual([]);
        expect(await refused('delete from app_public.notification')).toEqual([]);
        expect(await refused('select from app_public.notification_template')).toEqual([]);
        for (const call of [
          `notify_of_appointment('appointment_booked', 'patient', null)`,
          `remove_read_notifications('${foreign.id}')`,
          'announce_notification()',
        ]) {
          expect(await refused(`select app_private.${call}`)).toEqual([]);
        }
      }
    }));

  test('the worker neither reads nor writes an inbox', () =>
    play(async ({ db, hospital }) => {
      await leave(db, hospital.id, readerOf(hospital.patient));
      await asWorker(db);
      for (const sql of [
        'select from app_public.notification',
        'update app_public.notification set read_at = now()',
        'delete from app_public.notification',
        `select app_private.notify_of_appointment('appointment_booked', 'patient', null)`,
      ]) {
        expect((await errorOf(db, () => db.query(sql))).code, sql).toBe('42501');
      }
    }));

  test('what was told stays as it was told, also for a hand in psql', () =>
    play(async ({ db, hospital }) => {
      const { id } = await leave(db, hospital.id, readerOf(hospital.patient));
      await asOwner(db);
      for (const change of [
        "body = 'Other.'",
        "title = 'Other'",
        "event = 'other'",
        "priority = 'high'",
        "channels = '{sms}'",
        "created_at = created_at + interval '1 second'",
        `patient_id = '${hospital.otherPatient.patientId}'`,
        `patient_id = null, doctor_id = '${hospital.doctor.doctorId}'`,
      ]) {
        const refusal = await refusalOf(db, () =>
          db.query(`update app_public.notification set ${change} where id = $1`, [id]),
        );
        expect(refusal.scenario, change).toBe('immutable_column');
      }
    }));
});

describe('what is told outside', () => {
  const outbox = async (db: ClientBase, hospital: TestHospital) => {
    const { rows } = await db.query<{ key: string; payload: unknown }>(
      `delete from app_private.outbox where hospital_id = $1 and topic = 'notification'
       returning key, payload`,
      [hospital.id],
    );
    return rows;
  };

  test.each(readers)('each change of the inbox of a %s leaves one message, ids only', (role) =>
    play(async ({ db, hospital }) => {
      const reader = readerOf(hospital[role]);
      const { id } = await leave(db, hospital.id, reader);
      const message = {
        key: id,
        payload: {
          patient_id: null,
          doctor_id: null,
          account_id: null,
          ...reader,
          notification_ids: [id],
          is_new: true,
        },
      };
      const reading = { ...message, payload: { ...message.payload, is_new: false } };
      await asOwner(db);
      expect(await outbox(db, hospital)).toEqual([message]);
      for (const [state, told] of [
        ['unread', []],
        ['read', [reading]],
        ['read', []],
        ['unread', [reading]],
      ] as const) {
        await mark(await as(db, hospital[role]), state, id);
        await asOwner(db);
        expect(await outbox(db, hospital), state).toEqual(told);
      }
      await markAll(await as(db, hospital[role]));
      await asOwner(db);
      expect(await outbox(db, hospital)).toEqual([reading]);
    }),
  );
});

describe('the plan', () => {
  // A reader with a long history, among others; what is looked for is never found by reading it all.
  async function history(db: ClientBase, hospital: TestHospital, role: (typeof readers)[number]) {
    const reader = readerOf(hospital[role]);
    const [[column, value]] = Object.entries(reader) as [[string, string]];
    await db.query(
      `insert into app_public.notification
         (hospital_id, ${column}, event, priority, channels, title, body, created_at, read_at)
       select $1, $2, 'x', 'normal', '{in_app}', 't', 'b', now(), case when number % 1000 <> 0 then now() end
       from generate_series(1, 20000) as number`,
      [hospital.id, value],
    );
    await db.query('analyze app_public.notification');
  }

  // Later than every id, which begin with their time; the estimate of a random one would depend on chance.
  const cursor = 'ffffffff-ffff-7fff-bfff-ffffffffffff';

  // A filter that is asked once, before anything is read, is none.
  const filtered = /Sort|^ +(Rows|Filter)/m;

  async function planOf(db: ClientBase, sql: string): Promise<string> {
    const { rows } = await db.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  test.each([
    ['patient', 'a_patient'],
    ['doctor', 'a_doctor'],
    ['receptionist', 'an_account'],
  ] as const)('of a %s: the unread ones and the newest come from an index', (role, whose) =>
    play(async ({ db, hospital }) => {
      await history(db, hospital, role);
      await become(db, hospital[role]);
      const own = `from app_public.notification where hospital_id = '${hospital.id}'`;
      const count = await planOf(db, `select count(*) ${own} and read_at is null`);
      expect(count).toContain(`unread_notification_of_${whose}`);
      expect(count).not.toMatch(filtered);
      const unread = await planOf(
        db,
        `select * from app_public.notification where read_at is null order by id desc, hospital_id, id limit 51`,
      );
      expect(unread).toContain(`unread_notification_of_${whose}`);
      expect(unread).not.toMatch(filtered);
      const newest = await planOf(
        db,
        `select * from app_public.notification where id < '${cursor}' order by id desc, hospital_id limit 51`,
      );
      expect(newest).toContain(`Backward using notification_of_${whose}`);
      expect(newest).not.toMatch(filtered);
    }),
  );

  test('of the nightly removal: the old ones come from an index', () =>
    play(async ({ db, hospital }) => {
      await history(db, hospital, 'patient');
      const plan = await planOf(
        db,
        `delete from app_public.notification where hospital_id = '${hospital.id}' and read_at < now() - interval '90 days'`,
      );
      expect(plan).toContain('read_notification_by_time');
    }));
});

test('what was read long ago goes; what was not read, or is of others, stays', () =>
  play(async ({ db, hospital, foreign }) => {
    await asOwner(db);
    await db.query('update app_public.hospital set notifications_kept_days = 10 where id = $1', [
      hospital.id,
    ]);
    const reader = readerOf(hospital.patient);
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
    const rows = {
      unread: await leave(db, hospital.id, reader),
      fresh: await leave(db, hospital.id, reader, { read_at: daysAgo(9) }),
      old: await leave(db, hospital.id, reader, { read_at: daysAgo(11) }),
      theirs: await leave(db, foreign.id, readerOf(foreign.patient), { read_at: daysAgo(89) }),
    };
    await asWorker(db);
    const remove = async (of: TestHospital) =>
      (
        await one<{ count: number }>(
          db,
          'select app_private.remove_read_notifications(hospital_id => $1) as count',
          [of.id],
        )
      ).count;
    expect(await remove(hospital)).toBe(1);
    expect(await remove(hospital)).toBe(0);
    expect(await remove(foreign)).toBe(0);
    await asOwner(db);
    const { rows: left } = await db.query('select id from app_public.notification order by id');
    expect(left.map(({ id }) => id)).toEqual([rows.unread.id, rows.fresh.id, rows.theirs.id]);
  }));
