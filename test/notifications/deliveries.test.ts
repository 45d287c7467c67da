import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { aside, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { book, one } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 2, timeZone: 'Europe/Berlin' });
await ownerPool.query(
  "update app_public.patient set email = 'patient@example.org', phone = '+49 170 1234567' where id = $1",
  [hospital.patientIds[0]],
);

type Delivery = {
  id: string;
  channel: string;
  status: string;
  outcome: string | null;
  attempts: number;
  next_attempt_at: Date | null;
  address: string | null;
  last_error: string | null;
};

/** Leaves a notification as a flow would, with its channels. */
async function tell(
  db: ClientBase,
  values: Partial<{
    event: string;
    priority: string;
    channels: string;
    reader: 'patient_id' | 'doctor_id' | 'account_id';
    readerId: string;
    appointmentId: string | null;
  }> = {},
): Promise<string> {
  const { id } = await aside(db, () =>
    one<{ id: string }>(
      db,
      `insert into app_public.notification (hospital_id, ${values.reader ?? 'patient_id'}, event, priority, channels,
         title, body, appointment_id, created_at)
       values ($1, $2, $3, $4, $5, 'News', 'Text.', $6, app_private.clock()) returning id`,
      [
        hospital.id,
        values.readerId ?? hospital.patientIds[0],
        values.event ?? 'appointment_booked',
        values.priority ?? 'normal',
        values.channels ?? '{in_app,email}',
        values.appointmentId ?? null,
      ],
    ),
  );
  return id;
}

async function plan(db: ClientBase, ...ids: string[]): Promise<string[]> {
  await asWorker(db);
  const { due } = await one<{ due: string[] }>(
    db,
    'select app_private.plan_deliveries($1, $2) as due',
    [hospital.id, ids],
  );
  return due.sort();
}

async function deliveriesOf(db: ClientBase, notificationId: string): Promise<Delivery[]> {
  const { rows } = await aside(db, () =>
    db.query<Delivery>(
      'select * from app_public.notification_delivery where notification_id = $1 order by channel',
      [notificationId],
    ),
  );
  return rows;
}

type Claim = { delivery_id: string; lease: string; address: string };

async function claim(db: ClientBase, channel = 'email'): Promise<Claim[]> {
  await asWorker(db);
  const { rows } = await db.query<Claim>('select * from app_private.claim_deliveries($1, $2)', [
    hospital.id,
    channel,
  ]);
  return rows;
}

/** As if five minutes had passed in truth since something was claimed. */
async function letLeasesLapse(db: ClientBase) {
  await aside(db, () =>
    db.query(
      `update app_public.notification_delivery set leased_until = leased_until - interval '5 minutes'
       where leased_until is not null`,
    ),
  );
}

async function settle(db: ClientBase, { delivery_id, lease, address }: Claim, kind: string) {
  await asWorker(db);
  const { status } = await one<{ status: string | null }>(
    db,
    `select app_private.settle_delivery($1, $2, $3, $4, 'words', 'ref', $5) as status`,
    [hospital.id, delivery_id, lease, kind, kind === 'rejected' ? address : null],
  );
  return status;
}

describe('planning', () => {
  test('each channel has a row; the inbox has it already, and asking again changes nothing', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db, { channels: '{in_app,email,sms}' });
      expect(await plan(db, id)).toEqual(['email', 'sms']);
      const planned = await deliveriesOf(db, id);
      expect(planned).toMatchObject([
        { channel: 'in_app', status: 'sent', outcome: 'in_inbox' },
        { channel: 'email', status: 'pending', address: 'p***@example.org' },
        { channel: 'sms', status: 'pending', address: '***67' },
      ]);
      expect(await plan(db, id)).toEqual([]);
      expect(await deliveriesOf(db, id)).toEqual(planned);
    }));

  test('a doctor is reached by their account, staff by theirs, and who has no address is skipped', () =>
    rolledBack(ownerPool, async (db) => {
      const all = { channels: '{email,sms,chat}' };
      const doctor = await tell(db, {
        ...all,
        reader: 'doctor_id',
        readerId: hospital.doctorIds[0],
      });
      const nurse = await tell(db, {
        ...all,
        reader: 'account_id',
        readerId: hospital.nurse.accountId,
      });
      const nobody = await tell(db, { ...all, readerId: nth(hospital.patientIds, 3) });
      expect(await plan(db, doctor, nurse, nobody)).toEqual(['chat', 'email']);
      for (const id of [doctor, nurse]) {
        expect(await deliveriesOf(db, id)).toMatchObject([
          { channel: 'email', status: 'pending' },
          { channel: 'sms', status: 'skipped', outcome: 'no_address' },
          { channel: 'chat', status: 'pending' },
        ]);
      }
      expect((await deliveriesOf(db, nobody)).map(({ outcome }) => outcome)).toEqual([
        'no_address',
        'no_address',
        'no_address',
      ]);
      await asOwner(db);
      await db.query('update app_public.account set is_active = false where id = $1', [
        hospital.doctor.accountId,
      ]);
      const left = await tell(db, { ...all, reader: 'doctor_id', readerId: hospital.doctorIds[0] });
      expect(await plan(db, left)).toEqual([]);
    }));

  test('what no message told is found again, once it is a minute old', () =>
    rolledBack(ownerPool, async (db) => {
      const fresh = await tell(db);
      const aged = await one<{ id: string }>(
        db,
        `insert into app_public.notification (hospital_id, id, patient_id, event, priority, channels, title, body, created_at)
         select hospital_id, (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - 120000), 12, '0') || '70008000000000000000')::uuid,
           patient_id, event, priority, channels, title, body, created_at
         from app_public.notification where id = $1 returning id`,
        [fresh],
      );
      await asWorker(db);
      const unplanned = async () =>
        (
          await db.query<{ id: string }>('select app_private.unplanned_notifications($1) as id', [
            hospital.id,
          ])
        ).rows.map(({ id }) => id);
      expect(await unplanned()).toEqual([aged.id]);
      await plan(db, aged.id);
      expect(await unplanned()).toEqual([]);
    }));

  test('a booking leaves no delivery: they are planned outside of it', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.receptionist);
      await book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) });
      await asOwner(db);
      const { rows } = await db.query('select from app_public.notification_delivery');
      expect(rows).toEqual([]);
      const outbox = await db.query<{ payload: { is_new: boolean } }>(
        "select payload from app_private.outbox where topic = 'notification'",
      );
      expect(outbox.rows.map(({ payload }) => payload.is_new)).toEqual([true]);
      await become(db, hospital.patient);
      await db.query('select app_public.mark_all_notifications_read()');
      await asOwner(db);
      const after = await db.query<{ payload: { is_new: boolean } }>(
        "select payload from app_private.outbox where topic = 'notification' order by id",
      );
      expect(after.rows.map(({ payload }) => payload.is_new)).toEqual([true, false]);
    }));
});

describe('preferences', () => {
  const prefer = async (
    db: ClientBase,
    topic: string,
    channel: string,
    isOn: boolean,
    actor: Actor = hospital.patient,
  ) => {
    await become(db, actor);
    return db.query('select * from app_public.set_notification_preference($1, $2, $3)', [
      topic,
      channel,
      isOn,
    ]);
  };

  test('an event goes before its group, and the group before all', () =>
    rolledBack(ownerPool, async (db) => {
      await prefer(db, 'all', 'email', false);
      const outcomeOf = async (event: string) => {
        const id = await tell(db, { event });
        await plan(db, id);
        return (await deliveriesOf(db, id)).find(({ channel }) => channel === 'email')?.status;
      };
      expect(await outcomeOf('appointment_booked')).toBe('skipped');
      await prefer(db, 'appointments', 'email', true);
      expect(await outcomeOf('appointment_booked')).toBe('pending');
      expect(await outcomeOf('request_accepted')).toBe('skipped');
      await prefer(db, 'appointment_booked', 'email', false);
      expect(await outcomeOf('appointment_booked')).toBe('skipped');
      expect(await outcomeOf('appointment_moved')).toBe('pending');
      await prefer(db, 'appointment_booked', 'email', true);
      expect(await outcomeOf('appointment_booked')).toBe('pending');
    }));

  test('a channel can be switched on where the notification would not go by it', () =>
    rolledBack(ownerPool, async (db) => {
      await prefer(db, 'appointment_booked', 'sms', true);
      const id = await tell(db);
      expect(await plan(db, id)).toEqual(['email', 'sms']);
    }));

  test('an emergency and the safety of the account are told anyway', () =>
    rolledBack(ownerPool, async (db) => {
      await prefer(db, 'all', 'email', false);
      for (const event of ['doctor_emergency', 'password_reset']) {
        const id = await tell(db, { event });
        expect(await plan(db, id), event).toEqual(['email']);
      }
      for (const [topic, channel] of [
        ['doctor_emergency', 'sms'],
        ['security', 'email'],
        ['all', 'in_app'],
      ] as const) {
        expect(await refusalOf(db, () => prefer(db, topic, channel, false))).toMatchObject({
          scenario: 'notification_is_essential',
        });
      }
      expect(await refusalOf(db, () => prefer(db, 'weather', 'email', false))).toMatchObject({
        scenario: 'unknown_notification_topic',
      });
    }));

  test('everybody sees and sets their own only', () =>
    rolledBack(ownerPool, async (db) => {
      await prefer(db, 'all', 'email', false);
      await prefer(db, 'work', 'chat', false, hospital.admin);
      const { rows } = await db.query('select topic from app_public.notification_preference');
      expect(rows).toEqual([{ topic: 'work' }]);
      const error = await errorOf(db, () =>
        db.query(
          `insert into app_public.notification_preference (hospital_id, account_id, topic, channel, is_on)
           values ($1, $2, 'all', 'sms', false)`,
          [hospital.id, hospital.patient.accountId],
        ),
      );
      expect(error.code).toBe('42501');
    }));
});

describe('quiet hours', () => {
  const quiet = async (
    db: ClientBase,
    from: string | null,
    until: string | null,
    zone: string | null = null,
  ) => {
    await become(db, hospital.patient);
    return db.query('select * from app_public.set_quiet_hours($1, $2, $3)', [from, until, zone]);
  };
  const sendAt = async (db: ClientBase, instant: string, priority = 'normal') => {
    await setClock(db, instant);
    const id = await tell(db, { priority });
    await plan(db, id);
    const email = (await deliveriesOf(db, id)).find(({ channel }) => channel === 'email');
    return email?.next_attempt_at?.toISOString();
  };

  test.each([
    // Winter, over midnight.
    ['22:00', '07:00', null, '2027-01-10T22:30:00Z', '2027-01-11T06:00:00.000Z'],
    ['22:00', '07:00', null, '2027-01-11T03:00:00Z', '2027-01-11T06:00:00.000Z'],
    ['22:00', '07:00', null, '2027-01-11T06:00:00Z', '2027-01-11T06:00:00.000Z'],
    ['22:00', '07:00', null, '2027-01-11T20:59:59Z', '2027-01-11T20:59:59.000Z'],
    ['22:00', '07:00', null, '2027-01-11T21:00:00Z', '2027-01-12T06:00:00.000Z'],
    // The night in which the clocks go forward is an hour shorter, and the other one longer.
    ['22:00', '07:00', null, '2027-03-27T22:00:00Z', '2027-03-28T05:00:00.000Z'],
    ['22:00', '07:00', null, '2027-10-30T21:00:00Z', '2027-10-31T06:00:00.000Z'],
    // An end that the clocks skip: when they skip it; one that they pass twice: never in the past.
    ['22:00', '02:30', null, '2027-03-28T00:30:00Z', '2027-03-28T01:30:00.000Z'],
    ['01:00', '02:30', null, '2027-10-31T01:15:00Z', '2027-10-31T01:30:00.000Z'],
    // By day.
    ['12:00', '14:00', null, '2027-01-11T12:00:00Z', '2027-01-11T13:00:00.000Z'],
    // In a zone of one's own.
    ['22:00', '07:00', 'Asia/Kolkata', '2027-01-11T20:00:00Z', '2027-01-12T01:30:00.000Z'],
  ])('%s to %s %s: of %s it is %s', (from, until, zone, instant, expected) =>
    rolledBack(ownerPool, async (db) => {
      await quiet(db, from, until, zone);
      expect(await sendAt(db, instant)).toBe(expected);
    }),
  );

  test('what is urgent does not wait, and a second try keeps the hours too', () =>
    rolledBack(ownerPool, async (db) => {
      await quiet(db, '22:00', '07:00');
      expect(await sendAt(db, '2027-01-10T22:30:00Z', 'high')).toBe('2027-01-10T22:30:00.000Z');
      await quiet(db, null, null);
      expect(await sendAt(db, '2027-01-10T20:59:50Z')).toBe('2027-01-10T20:59:50.000Z');
      await quiet(db, '22:00', '07:00');
      const claims = await claim(db);
      for (const each of claims) await settle(db, each, 'failed');
      await asOwner(db);
      const { rows } = await db.query(
        "select next_attempt_at from app_public.notification_delivery where channel = 'email' and attempts > 0",
      );
      expect(rows.map((row) => row.next_attempt_at.toISOString())).toEqual([
        '2027-01-11T06:00:00.000Z',
      ]);
    }));

  test('they need both ends, and a zone that there is', () =>
    rolledBack(ownerPool, async (db) => {
      for (const [from, until] of [
        ['22:00', null],
        [null, '07:00'],
        ['07:00', '07:00'],
      ] as const) {
        expect(await refusalOf(db, () => quiet(db, from, until))).toMatchObject({
          scenario: 'quiet_hours_not_valid',
        });
      }
      expect(await refusalOf(db, () => quiet(db, '22:00', '07:00', 'Mars/Olympus'))).toMatchObject({
        scenario: 'unknown_time_zone',
      });
    }));
});

describe('claiming and settling', () => {
  test('who holds the lease says how it went, and nobody else; a lease that lapsed is given again', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db);
      await plan(db, id);
      const [first] = await claim(db);
      if (!first) throw new Error('nothing was claimed');
      expect(first.address).toBe('patient@example.org');
      expect(await claim(db)).toEqual([]);
      // A clock that jumps ahead makes nobody look dead who is sending.
      await moveClock(db, '3 hours');
      expect(await claim(db)).toEqual([]);
      await letLeasesLapse(db);
      const [second] = await claim(db);
      expect(second?.delivery_id).toBe(first.delivery_id);
      expect(second?.lease).not.toBe(first.lease);
      expect(await settle(db, first, 'sent')).toBeNull();
      expect(await settle(db, second ?? first, 'sent')).toBe('sent');
      expect(await settle(db, second ?? first, 'failed')).toBeNull();
      expect((await deliveriesOf(db, id)).at(-1)).toMatchObject({
        status: 'sent',
        outcome: 'delivered',
        attempts: 2,
        last_error: null,
      });
    }));

  test('a failure is tried again later and later, eight times, and then given up', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db);
      await plan(db, id);
      for (let attempt = 1; attempt <= 8; attempt += 1) {
        const [mine] = await claim(db);
        if (!mine) throw new Error(`attempt ${attempt} is not due`);
        expect(await settle(db, mine, 'failed')).toBe(attempt === 8 ? 'failed' : 'pending');
        const { minutes } = await aside(db, () =>
          one<{ minutes: number | null }>(
            db,
            `select extract(epoch from next_attempt_at - app_private.clock())::float8 / 60 as minutes
             from app_public.notification_delivery where id = $1`,
            [mine.delivery_id],
          ),
        );
        const base = Math.min(2 ** (attempt - 1), 60);
        if (attempt < 8) {
          expect(minutes).toBeGreaterThanOrEqual(base * 0.5);
          expect(minutes).toBeLessThanOrEqual(base * 1.5);
        }
        expect(await claim(db)).toEqual([]);
        await moveClock(db, '90 minutes');
      }
      expect((await deliveriesOf(db, id)).at(-1)).toMatchObject({
        status: 'failed',
        outcome: 'gave_up',
        attempts: 8,
        last_error: 'words',
      });
    }));

  test('what kills its worker again and again is given up as well', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db);
      await plan(db, id);
      for (let attempt = 1; attempt <= 8; attempt += 1) {
        expect(await claim(db)).toHaveLength(1);
        await letLeasesLapse(db);
      }
      expect(await claim(db)).toEqual([]);
      expect((await deliveriesOf(db, id)).at(-1)).toMatchObject({
        outcome: 'gave_up',
        attempts: 8,
      });
    }));

  test('what was not tried counts as no attempt', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db);
      await plan(db, id);
      for (let time = 1; time <= 10; time += 1) {
        const [mine] = await claim(db);
        if (!mine) throw new Error('nothing is due');
        expect(await settle(db, mine, 'unsent')).toBe('pending');
        await moveClock(db, '2 minutes');
      }
      expect((await deliveriesOf(db, id)).at(-1)).toMatchObject({ status: 'pending', attempts: 0 });
    }));

  test('an address that was refused gets nothing until it changes, or an admin retries', () =>
    rolledBack(ownerPool, async (db) => {
      const [one_, other, third] = [
        await tell(db),
        await tell(db),
        await tell(db, { channels: '{email}' }),
      ];
      await plan(db, one_, other);
      const claims = await claim(db);
      expect(claims).toHaveLength(2);
      for (const each of claims.slice(0, 1))
        expect(await settle(db, each, 'rejected')).toBe('failed');
      for (const each of claims.slice(1)) await settle(db, each, 'failed');
      await moveClock(db, '2 minutes');
      expect(await claim(db)).toEqual([]);
      expect((await deliveriesOf(db, other)).at(-1)).toMatchObject({
        outcome: 'undeliverable_address',
      });
      expect(await plan(db, third)).toEqual([]);
      const { rows } = await aside(db, () =>
        db.query('select * from app_private.undeliverable_address'),
      );
      expect(JSON.stringify(rows)).not.toContain('example.org');

      const [last] = await deliveriesOf(db, third);
      await become(db, hospital.admin);
      const { rows: retried } = await db.query('select * from app_public.retry_delivery($1)', [
        last?.id,
      ]);
      expect(retried).toMatchObject([{ status: 'pending', attempts: 0, outcome: null }]);
      expect(
        await refusalOf(db, () => db.query('select app_public.retry_delivery($1)', [last?.id])),
      ).toMatchObject({
        scenario: 'delivery_not_retryable',
      });
      expect(await claim(db)).toHaveLength(1);
    }));

  test('an address that changed since is the one that counts', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db);
      await plan(db, id);
      await asOwner(db);
      await db.query("update app_public.patient set email = 'new@example.org' where id = $1", [
        hospital.patientIds[0],
      ]);
      expect(await claim(db)).toMatchObject([{ address: 'new@example.org' }]);
    }));

  test.each([
    ['appointment_booked', '23 hours', true],
    ['appointment_booked', '24 hours 1 second', false],
    ['doctor_emergency', '71 hours', true],
    ['doctor_emergency', '72 hours 1 second', false],
  ])('%s after %s', (event, later, isNews) =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db, { event });
      await plan(db, id);
      await moveClock(db, later);
      expect(await claim(db)).toHaveLength(isNews ? 1 : 0);
      if (!isNews)
        expect((await deliveriesOf(db, id)).at(-1)).toMatchObject({ outcome: 'too_late' });
    }),
  );

  test('a visit that has begun is no news, but for what happened since', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.receptionist);
      const visit = await book(db, {
        slotId: nth(hospital.slotIds, 0),
        patientId: nth(hospital.patientIds, 0),
      });
      await asOwner(db);
      const { rows } = await db.query<{ id: string; starts_at: Date }>(
        `select notification.id, appointment.starts_at from app_public.notification
         join app_public.appointment on appointment.id = notification.appointment_id
         where appointment.id = $1`,
        [visit.id],
      );
      const booked = nth(rows, 0);
      await setClock(db, new Date(booked.starts_at.getTime() - 1_000));
      const soon = await tell(db, { event: 'doctor_emergency', appointmentId: visit.id });
      await plan(db, booked.id, soon);
      await setClock(db, booked.starts_at);
      const since = await tell(db, { event: 'appointment_cancelled', appointmentId: visit.id });
      await plan(db, since);
      await claim(db);
      const statusOf = async (id: string) =>
        (await deliveriesOf(db, id)).find(({ channel }) => channel === 'email')?.status;
      expect(await statusOf(booked.id)).toBe('skipped');
      expect(await statusOf(soon)).toBe('sending');
      expect(await statusOf(since)).toBe('sending');
    }));

  test('without a transport it is left out, and stays so', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await tell(db);
      await plan(db, id);
      await db.query("select app_private.skip_deliveries($1, 'email')", [hospital.id]);
      expect((await deliveriesOf(db, id)).at(-1)).toMatchObject({
        status: 'skipped',
        outcome: 'no_transport',
      });
      expect(await claim(db)).toEqual([]);
    }));
});

test('the reader sees what became of it, an admin of all, others of nothing; nobody but an admin retries', () =>
  rolledBack(ownerPool, async (db) => {
    const id = await tell(db, { readerId: nth(hospital.patientIds, 0) });
    await plan(db, id);
    const seen = async (actor: Actor) => {
      await become(db, actor);
      return (await db.query('select from app_public.notification_delivery')).rowCount;
    };
    expect(await seen(hospital.patient)).toBe(2);
    expect(await seen(hospital.admin)).toBe(2);
    for (const actor of [
      hospital.otherPatient,
      hospital.doctor,
      hospital.nurse,
      hospital.receptionist,
    ]) {
      expect(await seen(actor), actor.role).toBe(0);
    }
    await become(db, hospital.patient);
    const [, email] = await deliveriesOf(db, id);
    const error = await errorOf(db, () =>
      db.query('select app_public.retry_delivery($1)', [email?.id]),
    );
    expect(error.code).toBe('42501');
  }));

test('what was sent stays sent, whoever says otherwise', () =>
  rolledBack(ownerPool, async (db) => {
    const id = await tell(db);
    await plan(db, id);
    const [mine] = await claim(db);
    if (mine) await settle(db, mine, 'sent');
    await asOwner(db);
    for (const status of ['pending', 'sending', 'skipped', 'failed']) {
      expect(
        await refusalOf(db, () =>
          db.query('update app_public.notification_delivery set status = $1 where id = $2', [
            status,
            mine?.delivery_id,
          ]),
        ),
      ).toMatchObject({ scenario: 'delivery_not_retryable' });
    }
  }));

test('who is erased leaves no wishes, no deliveries and no refused address', () =>
  rolledBack(ownerPool, async (db) => {
    const id = await tell(db);
    await plan(db, id);
    const [mine] = await claim(db);
    if (mine) await settle(db, mine, 'rejected');
    await become(db, hospital.patient);
    await db.query("select app_public.set_notification_preference('all', 'email', false)");
    await db.query("select app_public.set_quiet_hours('22:00', '07:00')");
    await become(db, hospital.admin);
    const exported = await one<{ deliveries: { outcome: string }[] }>(
      db,
      "select app_public.export_patient($1) -> 'deliveries' as deliveries",
      [hospital.patientIds[0]],
    );
    expect(exported.deliveries.map(({ outcome }) => outcome).sort()).toEqual([
      'in_inbox',
      'rejected',
    ]);
    await db.query("select app_public.erase_patient($1, 'asked for it')", [hospital.patientIds[0]]);
    await asOwner(db);
    for (const table of [
      'app_public.notification_delivery',
      'app_public.notification_preference',
      'app_public.notification_setting',
      'app_private.undeliverable_address',
    ]) {
      expect((await db.query(`select from ${table}`)).rowCount, table).toBe(0);
    }
  }));
