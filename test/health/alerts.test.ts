// What is critical alarms at once, once: the row first, then the inbox and the chat, then the digest.
import { describe, expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { breakOne, declareTrouble, look, mend, rowsIn } from './trouble.ts';

const { ownerPool } = await createDatabase();
const check = 'alert_trouble';
await declareTrouble(ownerPool, { check, title: 'Seats that do not add up' });
await declareTrouble(ownerPool, { check: 'mild_trouble', severity: 'warning' });
const hospital = await createHospital(ownerPool);
const machinery = '00000000-0000-0000-0000-000000000000';

type Db = Parameters<Parameters<typeof rolledBack>[1]>[0];
type Alert = { id: string; status: string; times_raised: number; told_at: Date | null };

const alerts = (db: Db, of = hospital.id) => rowsIn<Alert>(db, 'app_public.health_alert', of);
const messages = (db: Db, of = hospital.id) => rowsIn(db, 'app_private.health_alert_delivery', of);

async function inbox(db: Db, event = 'health_alert_raised') {
  const { rows } = await db.query(
    `select notification.hospital_id, account.display_name as reader, notification.priority, notification.title,
       notification.body, notification.channels
     from app_public.notification
     join app_public.account on account.hospital_id = notification.hospital_id and account.id = notification.account_id
     where event = $1 order by notification.id`,
    [event],
  );
  return rows;
}

async function tell(db: Db, of = hospital.id): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.tell_of_health_alerts($1) as count',
    [of],
  );
  return nth(rows, 0).count;
}

async function news(db: Db, of = hospital.id) {
  const { rows } = await db.query(
    'select has_alerts, is_digest_due from app_private.health_news() where hospital_id = $1',
    [of],
  );
  return rows[0];
}

async function raise(db: Db, detail?: string): Promise<string> {
  const id = await breakOne(db, check, hospital.id, detail === undefined ? {} : { detail });
  await look(db, check, hospital.id);
  return id;
}

describe('a critical finding', () => {
  test('raises one alert at once, and a message for the worker', () =>
    rolledBack(ownerPool, async (db) => {
      const entity = await raise(db);
      await look(db, check, hospital.id);
      expect(await alerts(db)).toMatchObject([
        {
          status: 'active',
          times_raised: 1,
          severity: 'critical',
          title: 'Seats that do not add up',
          detail: 'The slot counts 3 seats, but 2 are held.',
          told_at: null,
        },
      ]);
      const { rows } = await db.query(
        "select key from app_private.outbox where topic = 'health_alert' and hospital_id = $1",
        [hospital.id],
      );
      expect(rows).toEqual([{ key: nth(await alerts(db), 0).id }]);
      expect(await news(db)).toMatchObject({ has_alerts: true });
      expect(entity).toBeTruthy();
    }));

  test('is told to the inbox of the admins and to the chat, once', () =>
    rolledBack(ownerPool, async (db) => {
      await raise(db);
      expect(await tell(db)).toBe(1);
      expect(await tell(db)).toBe(0);
      expect(await inbox(db)).toEqual([
        {
          hospital_id: hospital.id,
          reader: 'admin',
          priority: 'high',
          title: 'Health alert',
          body: 'Seats that do not add up: The slot counts 3 seats, but 2 are held.',
          channels: ['in_app'],
        },
      ]);
      expect(await messages(db)).toMatchObject([
        {
          channel: 'chat',
          room: 'health',
          title: '[critical] Seats that do not add up',
          body: `The slot counts 3 seats, but 2 are held.\nCheck: ${check}`,
          alert_ids: [nth(await alerts(db), 0).id],
          status: 'pending',
        },
      ]);
      expect(await news(db)).toMatchObject({ has_alerts: true });
    }));

  test('among many of its check is one message', () =>
    rolledBack(ownerPool, async (db) => {
      for (let count = 0; count < 7; count += 1) {
        await breakOne(db, check, hospital.id, { detail: `Slot number ${count} is wrong.` });
      }
      await look(db, check, hospital.id);
      expect(await tell(db)).toBe(7);
      expect(await messages(db)).toMatchObject([
        {
          title: '[critical] Seats that do not add up (7)',
          body: expect.stringMatching(
            /^(Slot number \d is wrong\.\n){5}and 2 more\.\nCheck: alert_trouble$/,
          ),
        },
      ]);
      expect(await inbox(db)).toHaveLength(1);
    }));

  test('of less weight raises none', () =>
    rolledBack(ownerPool, async (db) => {
      await breakOne(db, 'mild_trouble', hospital.id);
      await look(db, 'mild_trouble', hospital.id);
      expect(await alerts(db)).toEqual([]);
    }));

  test('of the whole system is told to the admins of every hospital and to one room', () =>
    rolledBack(ownerPool, async (db) => {
      const other = await createHospital(db);
      await breakOne(db, check, machinery);
      await look(db, check, null);
      expect(await news(db, machinery)).toEqual({ has_alerts: true, is_digest_due: false });
      expect(await tell(db, machinery)).toBe(1);
      expect((await inbox(db)).map((row) => [row.hospital_id, row.body]).toSorted()).toEqual(
        [hospital.id, other.id]
          .map((id) => [
            id,
            'System: Seats that do not add up: The slot counts 3 seats, but 2 are held.',
          ])
          .toSorted(),
      );
      expect(await messages(db, machinery)).toMatchObject([
        { room: 'health', title: '[critical] System: Seats that do not add up' },
      ]);
    }));
});

describe('the same alert', () => {
  const flap = async (db: Db, id: string) => {
    await mend(db, check, id);
    await look(db, check, hospital.id);
    await moveClock(db, '5 minutes');
    await breakOne(db, check, hospital.id, { id });
    await look(db, check, hospital.id);
  };

  test('that flaps is one row that counts, and nobody is told again within its quiet period', () =>
    rolledBack(ownerPool, async (db) => {
      await moveClock(db, '0');
      const id = await raise(db);
      await tell(db);
      for (const times of [2, 3, 4]) {
        await flap(db, id);
        expect(await alerts(db)).toMatchObject([{ status: 'active', times_raised: times }]);
        expect(await tell(db)).toBe(0);
      }
      expect(await messages(db)).toHaveLength(1);
      expect(await inbox(db)).toHaveLength(1);
      await moveClock(db, '46 minutes');
      expect(await tell(db)).toBe(1);
      expect(await tell(db)).toBe(0);
      expect(await messages(db)).toHaveLength(2);
    }));

  test('that stays open is not told again and again', () =>
    rolledBack(ownerPool, async (db) => {
      await raise(db);
      await tell(db);
      await moveClock(db, '5 hours');
      await look(db, check, hospital.id);
      expect(await tell(db)).toBe(0);
    }));

  test('is another one when it comes back later', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await raise(db);
      await tell(db);
      await mend(db, check, id);
      await look(db, check, hospital.id);
      expect(await alerts(db)).toMatchObject([{ status: 'resolved', is_settled: true }]);
      await moveClock(db, '61 minutes');
      await breakOne(db, check, hospital.id, { id });
      await look(db, check, hospital.id);
      expect(await alerts(db)).toMatchObject([
        { status: 'resolved', times_raised: 1 },
        { status: 'active', times_raised: 1 },
      ]);
      expect(await tell(db)).toBe(1);
    }));

  test('has the quiet period of its hospital', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      await db.query("select app_public.update_health_settings('2 minutes', ' night-shift ')");
      await asOwner(db);
      const id = await raise(db);
      await tell(db);
      await flap(db, id);
      expect(await tell(db)).toBe(1);
      expect(await messages(db)).toMatchObject([{ room: 'night-shift' }, { room: 'night-shift' }]);
      expect(await alerts(db)).toHaveLength(2);
    }));

  test('is not told a second time because somebody closed it', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await raise(db);
      await tell(db);
      await become(db, hospital.admin);
      await db.query('select app_public.resolve_health_alert($1, $2)', [
        nth(await alerts(db), 0).id,
        'Recounted.',
      ]);
      await asOwner(db);
      await flap(db, id);
      expect(await alerts(db)).toMatchObject([
        { status: 'resolved', note: 'Recounted.' },
        { status: 'active' },
      ]);
      expect(await tell(db)).toBe(0);
    }));

  test('is not told while somebody takes care of it, and not after it is over', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await raise(db);
      await become(db, hospital.admin);
      await db.query('select app_public.acknowledge_health_alert($1)', [
        nth(await alerts(db), 0).id,
      ]);
      await asOwner(db);
      expect(await tell(db)).toBe(0);
      await mend(db, check, id);
      await look(db, check, hospital.id);
      expect(await alerts(db)).toMatchObject([
        { status: 'resolved', acknowledged_by: hospital.admin.accountId, resolved_by: null },
      ]);
      await raise(db);
      await db.query(`delete from app_private.${check}`);
      await look(db, check, hospital.id);
      expect(await tell(db)).toBe(0);
    }));
});

describe('an admin', () => {
  test('acknowledges and resolves, with a note, and the log has it', () =>
    rolledBack(ownerPool, async (db) => {
      await raise(db);
      const { id } = nth(await alerts(db), 0);
      await become(db, hospital.admin);
      const acknowledge = () => db.query('select app_public.acknowledge_health_alert($1)', [id]);
      const resolve = (note: string | null) =>
        db.query('select app_public.resolve_health_alert($1, $2)', [id, note]);
      await acknowledge();
      expect(await refusalOf(db, acknowledge)).toMatchObject({
        scenario: 'illegal_alert_transition',
        details: { from: 'acknowledged', to: 'acknowledged' },
      });
      expect(await refusalOf(db, () => resolve(null))).toMatchObject({ scenario: 'invalid_input' });
      await resolve('Recounted by hand.');
      expect(await refusalOf(db, () => resolve('Again.'))).toMatchObject({
        scenario: 'illegal_alert_transition',
      });
      expect(await alerts(db)).toMatchObject([
        {
          status: 'resolved',
          acknowledged_by: hospital.admin.accountId,
          resolved_by: hospital.admin.accountId,
          note: 'Recounted by hand.',
          is_settled: false,
        },
      ]);
      await asOwner(db);
      const { rows } = await db.query(
        "select message from app_public.log_entry where hospital_id = $1 and kind = 'alert' order by id",
        [hospital.id],
      );
      expect(rows.map(({ message }) => message)).toEqual([
        'An alert was raised: The slot counts 3 seats, but 2 are held.',
        'An alert was acknowledged.',
        'An alert was resolved.',
      ]);
      const audit = await db.query(
        `select changed_columns ->> 'status' as status, actor_account_id from app_public.audit_entry
         where hospital_id = $1 and table_name = 'health_alert' and record_id = $2 order by id`,
        [hospital.id, id],
      );
      expect(audit.rows).toEqual([
        { status: 'acknowledged', actor_account_id: hospital.admin.accountId },
        { status: 'resolved', actor_account_id: hospital.admin.accountId },
      ]);
    }));

  test('finds no alert of another hospital', () =>
    rolledBack(ownerPool, async (db) => {
      await raise(db);
      const { id } = nth(await alerts(db), 0);
      await become(db, (await createHospital(db)).admin);
      for (const call of ['acknowledge_health_alert($1)', "resolve_health_alert($1, 'x')"]) {
        expect(
          await refusalOf(db, () => db.query(`select app_public.${call}`, [id])),
        ).toMatchObject({ scenario: 'health_alert_not_found' });
      }
    }));

  test('cannot raise an alert again, nor say that it is over by itself', () =>
    rolledBack(ownerPool, async (db) => {
      await raise(db);
      await become(db, hospital.admin);
      for (const column of ['times_raised = 9', 'is_settled = true', 'told_at = null']) {
        await db.query('savepoint attempt');
        await expect(
          db.query(`update app_public.health_alert set ${column}`),
        ).rejects.toMatchObject({ code: '42501' });
        await db.query('rollback to savepoint attempt');
      }
    }));

  test.each([
    [{ quiet: '1 second', room: null }, { health_alert_quiet_period: 'is not a minute to a day' }],
    [
      { quiet: '25 hours', room: ' ' },
      {
        health_alert_quiet_period: 'is not a minute to a day',
        health_chat_room: 'is not 1 to 200 characters long',
      },
    ],
  ])('hears what is wrong with settings: %o', ({ quiet, room }, details) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      expect(
        await refusalOf(db, () =>
          db.query('select app_public.update_health_settings($1, $2)', [quiet, room]),
        ),
      ).toMatchObject({ scenario: 'invalid_input', details });
    }),
  );
});

describe('the digest', () => {
  const digest = async (db: Db) => {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.send_health_digest($1) as count',
      [hospital.id],
    );
    return nth(rows, 0).count;
  };

  test('is not sent when there is nothing, and asked for again in four hours', () =>
    rolledBack(ownerPool, async (db) => {
      expect(await news(db)).toEqual({ has_alerts: false, is_digest_due: true });
      expect(await digest(db)).toBe(0);
      expect(await inbox(db, 'health_digest')).toEqual([]);
      expect(await news(db)).toBeUndefined();
      await moveClock(db, '4 hours');
      expect(await news(db)).toEqual({ has_alerts: false, is_digest_due: true });
    }));

  test('says what is open, what is new and what waits, by mail to each admin, once', () =>
    rolledBack(ownerPool, async (db) => {
      await raise(db);
      await breakOne(db, 'mild_trouble', hospital.id, { detail: 'A slot is late.' });
      await look(db, 'mild_trouble', hospital.id);
      await breakOne(db, check, machinery, { detail: 'A guard is off.' });
      await look(db, check, null);
      expect(await digest(db)).toBe(1);
      expect(await digest(db)).toBe(0);
      expect(await inbox(db, 'health_digest')).toEqual([
        {
          hospital_id: hospital.id,
          reader: 'admin',
          priority: 'normal',
          title: 'Health of the hospital',
          channels: ['email'],
          body: [
            'Open alerts (1)',
            '- [critical] Seats that do not add up: The slot counts 3 seats, but 2 are held.',
            '',
            'Found since the last digest (2)',
            '- [critical] Seats that do not add up: 1',
            '- [warning] Trouble of a test: 1',
            '',
            'Waiting for a review (2)',
            '- priority 1: The slot counts 3 seats, but 2 are held.',
            '- priority 3: A slot is late.',
            '',
            'The system, which serves all hospitals',
            '',
            'Open alerts (1)',
            '- [critical] Seats that do not add up: A guard is off.',
            '',
            'Found since the last digest (1)',
            '- [critical] Seats that do not add up: 1',
            '',
            'Waiting for a review (1)',
            '- priority 1: A guard is off.',
          ].join('\n'),
        },
      ]);
    }));

  test('does not nag: what is known and not critical is silent until something is new', () =>
    rolledBack(ownerPool, async (db) => {
      await breakOne(db, 'mild_trouble', hospital.id);
      await look(db, 'mild_trouble', hospital.id);
      await moveClock(db, '6 minutes');
      expect(await digest(db)).toBe(1);
      await moveClock(db, '4 hours');
      await look(db, 'mild_trouble', hospital.id);
      expect(await digest(db)).toBe(0);
      await moveClock(db, '4 hours');
      const id = await raise(db);
      await mend(db, check, id);
      await look(db, check, hospital.id);
      expect(await digest(db)).toBe(1);
      expect((await inbox(db, 'health_digest')).at(-1)?.body).toBe(
        [
          'Found since the last digest (1)',
          '- [critical] Seats that do not add up: 1, of which 1 are gone again',
          '',
          'Waiting for a review (1)',
          '- priority 3: The slot counts 3 seats, but 2 are held.',
          '',
          'Older findings that are still open: 1',
        ].join('\n'),
      );
    }));

  test('of an alert that nobody has seen comes every time, of one that somebody has it does not', () =>
    rolledBack(ownerPool, async (db) => {
      await raise(db);
      expect(await digest(db)).toBe(1);
      await moveClock(db, '4 hours');
      expect(await digest(db)).toBe(1);
      await become(db, hospital.admin);
      await db.query('select app_public.acknowledge_health_alert($1)', [
        nth(await alerts(db), 0).id,
      ]);
      await asOwner(db);
      await moveClock(db, '4 hours');
      expect(await digest(db)).toBe(0);
    }));
});
