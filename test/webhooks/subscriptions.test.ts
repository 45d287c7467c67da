import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { aside, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 1 });

interface Shown {
  subscription_id: string;
  secret: string;
}

async function subscribe(db: ClientBase, name = 'Billing', events = '{appointment.booked}') {
  await become(db, hospital.admin);
  return one<Shown>(
    db,
    `select * from app_public.create_webhook_subscription($1, 'https://billing.test/in', $2)`,
    [name, events],
  );
}

const eventNumber = (id: number, event = 'appointment.booked') => ({
  outbox_id: String(id),
  event,
  appointment_id: '0190aaaa-0000-7000-8000-000000000001',
  doctor_id: hospital.doctorIds[0],
  slot_id: null,
  status: 'scheduled',
  previous_status: null,
  starts_at: '2027-01-11T09:00:00+05:30',
  ends_at: '2027-01-11T09:30:00+05:30',
  occurred_at: '2027-01-10T09:00:00+05:30',
});

async function plan(db: ClientBase, ...events: ReturnType<typeof eventNumber>[]) {
  await asWorker(db);
  const { count } = await one<{ count: number }>(
    db,
    'select app_private.plan_webhooks($1, $2) as count',
    [hospital.id, JSON.stringify(events)],
  );
  return count;
}

interface Claim {
  delivery_id: string;
  subscription_id: string;
  lease: string;
  secrets: string[];
  payload: unknown;
  occurred_at: string;
}

async function claim(db: ClientBase): Promise<Claim[]> {
  await asWorker(db);
  const { rows } = await db.query<Claim>('select * from app_private.claim_webhooks($1)', [
    hospital.id,
  ]);
  return rows;
}

async function settle(
  db: ClientBase,
  { delivery_id, lease }: Claim,
  kind: string,
  retryAfter: number | null = null,
) {
  await asWorker(db);
  const { status } = await one<{ status: string | null }>(
    db,
    'select app_private.settle_webhook($1, $2, $3, $4, retry_after => $5) as status',
    [hospital.id, delivery_id, lease, kind, retryAfter],
  );
  return status;
}

const subscriptionOf = (db: ClientBase, id: string) =>
  aside(db, () =>
    one<{ status: string; consecutive_failures: number; switch_off_reason: string | null }>(
      db,
      'select * from app_public.webhook_subscription where id = $1',
      [id],
    ),
  );

const noticesOf = (db: ClientBase) =>
  aside(db, async () => {
    const { rows } = await db.query(
      `select body, priority from app_public.notification where event = 'webhook_switched_off'`,
    );
    return rows;
  });

/** Seconds until the one delivery is tried again. */
const pauseOf = (db: ClientBase) =>
  aside(db, async () => {
    const { pause } = await one<{ pause: number }>(
      db,
      `select extract(epoch from next_attempt_at - app_private.clock())::float8 as pause
       from app_public.webhook_delivery`,
    );
    return pause;
  });

describe('subscriptions', () => {
  test('the secret is shown once; nobody reads it, and the log does not know it', () =>
    rolledBack(ownerPool, async (db) => {
      const { secret, subscription_id } = await subscribe(db);
      expect(secret).toMatch(/^whsec_[A-Za-z\d+/]{43}=$/);
      for (const actor of [hospital.admin, hospital.receptionist, hospital.patient]) {
        await become(db, actor);
        const error = await errorOf(db, () => db.query('select from app_private.webhook_secret'));
        expect(error.code).toBe('42501');
      }
      await asWorker(db);
      expect(
        (await errorOf(db, () => db.query('select from app_private.webhook_secret'))).code,
      ).toBe('42501');
      const { rows } = await aside(db, () =>
        db.query('select * from app_public.audit_entry where record_id = $1', [subscription_id]),
      );
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toContain(secret);
    }));

  test('only admins subscribe, and only to events that there are', () =>
    rolledBack(ownerPool, async (db) => {
      expect(await refusalOf(db, () => subscribe(db, 'x', '{appointment.lost}'))).toMatchObject({
        scenario: 'unknown_webhook_event',
        details: { events: ['appointment.lost'] },
      });
      for (const actor of [hospital.receptionist, hospital.doctor, hospital.patient]) {
        await become(db, actor);
        const error = await errorOf(db, () =>
          db.query(
            `select app_public.create_webhook_subscription('x', 'https://x.test', '{appointment.booked}')`,
          ),
        );
        expect(error.code, actor.role).toBe('42501');
      }
    }));

  test('after a rotation two secrets sign for a day, never three', () =>
    rolledBack(ownerPool, async (db) => {
      const first = await subscribe(db);
      const rotate = async () => {
        await become(db, hospital.admin);
        return one<Shown>(db, 'select * from app_public.rotate_webhook_secret($1)', [
          first.subscription_id,
        ]);
      };
      const second = await rotate();
      await plan(db, eventNumber(1), eventNumber(2), eventNumber(3));
      const [mine] = await claim(db);
      expect(mine?.secrets).toEqual([second.secret, first.secret]);
      const third = await rotate();
      await moveClock(db, '3 minutes');
      expect((await claim(db))[0]?.secrets).toEqual([third.secret, second.secret]);
      await moveClock(db, '25 hours');
      expect((await claim(db))[0]?.secrets).toEqual([third.secret]);
    }));

  test('a deleted one takes its deliveries and secrets along', () =>
    rolledBack(ownerPool, async (db) => {
      const { subscription_id } = await subscribe(db);
      await plan(db, eventNumber(1));
      await become(db, hospital.admin);
      await db.query('select app_public.delete_webhook_subscription($1)', [subscription_id]);
      expect(
        await refusalOf(db, () =>
          db.query('select app_public.pause_webhook_subscription($1)', [subscription_id]),
        ),
      ).toMatchObject({ scenario: 'webhook_not_found' });
      await asOwner(db);
      for (const table of ['app_public.webhook_delivery', 'app_private.webhook_secret'])
        expect((await db.query(`select from ${table}`)).rowCount).toBe(0);
    }));
});

test('an event is planned once, for those who named it, and tells no words', () =>
  rolledBack(ownerPool, async (db) => {
    await subscribe(db);
    await subscribe(db, 'Other', '{appointment.cancelled}');
    expect(await plan(db, eventNumber(1))).toBe(1);
    expect(await plan(db, eventNumber(1), eventNumber(2))).toBe(1);
    const [first] = await claim(db);
    expect(first?.occurred_at).toBe('2027-01-10T03:30:00.000Z');
    expect(first?.payload).toEqual({
      hospital_id: hospital.id,
      sequence: 1,
      appointment_id: '0190aaaa-0000-7000-8000-000000000001',
      doctor_id: hospital.doctorIds[0],
      slot_id: null,
      patient_id: null,
      service_id: null,
      status: 'scheduled',
      previous_status: null,
      starts_at: '2027-01-11T03:30:00.000Z',
      ends_at: '2027-01-11T04:00:00.000Z',
    });
  }));

describe('claiming and settling', () => {
  test('four of each subscription at once, and sixteen in all', () =>
    rolledBack(ownerPool, async (db) => {
      for (const name of ['A', 'B', 'C', 'D', 'E']) await subscribe(db, name);
      await plan(db, ...Array.from({ length: 6 }, (_, index) => eventNumber(index + 1)));
      const claims = await claim(db);
      expect(claims).toHaveLength(16);
      const counts = Map.groupBy(claims, (each) => each.subscription_id);
      expect([...counts.values()].map((each) => each.length).sort()).toEqual([3, 3, 3, 3, 4]);
      expect(await claim(db)).toEqual([]);
      await settle(db, nth(claims, 0), 'sent');
      expect(await claim(db)).toHaveLength(1);
    }));

  test('a subscription with room goes on while another one has none', () =>
    rolledBack(ownerPool, async (db) => {
      const { subscription_id: busy } = await subscribe(db, 'A');
      await subscribe(db, 'B');
      await plan(db, ...Array.from({ length: 6 }, (_, index) => eventNumber(index + 1)));
      const claims = await claim(db);
      expect(claims).toHaveLength(8);
      expect(claims.filter((each) => each.subscription_id === busy)).toHaveLength(4);
      expect(await claim(db)).toEqual([]);
      for (const each of claims) if (each.subscription_id !== busy) await settle(db, each, 'sent');
      const more = await claim(db);
      expect(more).toHaveLength(2);
      expect(more.every((each) => each.subscription_id !== busy)).toBe(true);
    }));

  test('who holds the lease says how it went, once', () =>
    rolledBack(ownerPool, async (db) => {
      await subscribe(db);
      await plan(db, eventNumber(1));
      const [first] = await claim(db);
      await moveClock(db, '2 minutes');
      const [second] = await claim(db);
      expect(second?.delivery_id).toBe(first?.delivery_id);
      if (!first || !second) throw new Error('nothing was claimed');
      expect(await settle(db, first, 'sent')).toBeNull();
      expect(await settle(db, second, 'sent')).toBe('delivered');
      expect(await settle(db, second, 'failed')).toBeNull();
    }));

  test('later and later, eight times, and then given up', () =>
    rolledBack(ownerPool, async (db) => {
      const { subscription_id } = await subscribe(db);
      await plan(db, eventNumber(1));
      for (const pause of [5, 60, 300, 1_800, 7_200, 28_800, 86_400]) {
        expect(await settle(db, nth(await claim(db), 0), 'failed')).toBe('pending');
        const found = await pauseOf(db);
        expect(found).toBeGreaterThanOrEqual(pause * 0.8);
        expect(found).toBeLessThanOrEqual(pause * 1.2);
        expect(await claim(db)).toEqual([]);
        await moveClock(db, `${pause * 1.2} seconds`);
      }
      expect(await settle(db, nth(await claim(db), 0), 'failed')).toBe('failed');
      expect(await subscriptionOf(db, subscription_id)).toMatchObject({ consecutive_failures: 1 });
    }));

  test('what kills its sender every time is given up as well', () =>
    rolledBack(ownerPool, async (db) => {
      await subscribe(db);
      await plan(db, eventNumber(1));
      for (let attempt = 1; attempt <= 8; attempt += 1) {
        expect(await claim(db)).toHaveLength(1);
        await moveClock(db, '2 minutes');
      }
      expect(await claim(db)).toEqual([]);
      await asOwner(db);
      const { rows } = await db.query('select status from app_public.webhook_delivery');
      expect(rows).toEqual([{ status: 'failed' }]);
    }));

  test('a receiver that asks for time gets it, up to an hour', () =>
    rolledBack(ownerPool, async (db) => {
      await subscribe(db);
      await plan(db, eventNumber(1));
      await settle(db, nth(await claim(db), 0), 'failed', 120);
      expect(await pauseOf(db)).toBe(120);
      await moveClock(db, '120 seconds');
      await settle(db, nth(await claim(db), 0), 'failed', 1_000_000);
      expect(await pauseOf(db)).toBe(3_600);
    }));
});

describe('switching off', () => {
  test('after twenty failures in a row, told once; resumed, it goes on with what is not too old', () =>
    rolledBack(ownerPool, async (db) => {
      const { subscription_id } = await subscribe(db);
      await plan(db, ...Array.from({ length: 22 }, (_, index) => eventNumber(index + 1)));
      await aside(db, () => db.query('update app_public.webhook_delivery set attempts = 7'));
      const fail = async (most: number) => {
        for (let done = 0; done < most; ) {
          for (const each of (await claim(db)).slice(0, most - done)) {
            expect(await settle(db, each, 'failed')).toBe('failed');
            done += 1;
          }
        }
      };
      await fail(19);
      expect(await subscriptionOf(db, subscription_id)).toMatchObject({
        status: 'active',
        consecutive_failures: 19,
      });
      await moveClock(db, '2 minutes');
      await aside(db, () =>
        db.query(`update app_public.webhook_delivery set attempts = 7 where status = 'sending'`),
      );
      const last = await claim(db);
      for (const each of last.slice(0, 2)) await settle(db, each, 'failed');
      expect(await subscriptionOf(db, subscription_id)).toMatchObject({
        status: 'switched_off',
        switch_off_reason: '20 deliveries in a row have failed.',
      });
      expect(await noticesOf(db)).toEqual([
        { body: expect.stringContaining('"Billing"'), priority: 'high' },
      ]);
      expect(await plan(db, eventNumber(99))).toBe(0);
      await moveClock(db, '1 hour');
      expect(await claim(db)).toEqual([]);
      await become(db, hospital.admin);
      expect(
        await refusalOf(db, () =>
          db.query('select app_public.send_test_webhook($1)', [subscription_id]),
        ),
      ).toMatchObject({ scenario: 'webhook_not_active' });
      await db.query('select app_public.resume_webhook_subscription($1)', [subscription_id]);
      expect(await subscriptionOf(db, subscription_id)).toMatchObject({
        status: 'active',
        consecutive_failures: 0,
        switch_off_reason: null,
      });
    }));

  test('at once when the receiver is gone, and after three days of failing', () =>
    rolledBack(ownerPool, async (db) => {
      const gone = await subscribe(db);
      await plan(db, eventNumber(1));
      expect(await settle(db, nth(await claim(db), 0), 'gone')).toBe('failed');
      expect(await subscriptionOf(db, gone.subscription_id)).toMatchObject({
        status: 'switched_off',
      });
      const other = await subscribe(db, 'Other');
      await plan(db, eventNumber(2), eventNumber(3));
      const [one_, another] = await claim(db);
      if (one_) await settle(db, one_, 'failed');
      await moveClock(db, '71 hours');
      if (another) expect(await settle(db, another, 'failed')).toBe('pending');
      expect(await subscriptionOf(db, other.subscription_id)).toMatchObject({ status: 'active' });
      await moveClock(db, '1 hour');
      await settle(db, nth(await claim(db), 0), 'failed');
      expect(await subscriptionOf(db, other.subscription_id)).toMatchObject({
        status: 'switched_off',
      });
    }));

  test('what waited goes out when it is resumed, unless it is a week old', () =>
    rolledBack(ownerPool, async (db) => {
      const { subscription_id } = await subscribe(db);
      await plan(db, eventNumber(1));
      await moveClock(db, '6 days');
      await plan(db, eventNumber(2));
      await become(db, hospital.admin);
      await db.query('select app_public.pause_webhook_subscription($1)', [subscription_id]);
      expect(await claim(db)).toEqual([]);
      await moveClock(db, '2 days');
      await become(db, hospital.admin);
      await db.query('select app_public.resume_webhook_subscription($1)', [subscription_id]);
      expect(await claim(db)).toHaveLength(1);
      await asOwner(db);
      const { rows } = await db.query(
        'select status from app_public.webhook_delivery order by status',
      );
      expect(rows).toEqual([{ status: 'sending' }, { status: 'failed' }]);
    }));
});

test('what has ended is sent again under its id when an admin says so; what has not ended is not', () =>
  rolledBack(ownerPool, async (db) => {
    await subscribe(db);
    await plan(db, eventNumber(1));
    const mine = nth(await claim(db), 0);
    const resend = async () => {
      await become(db, hospital.admin);
      return db.query('select * from app_public.resend_webhook_delivery($1)', [mine.delivery_id]);
    };
    expect(await refusalOf(db, resend)).toMatchObject({ scenario: 'webhook_delivery_not_ended' });
    await settle(db, mine, 'sent');
    expect((await resend()).rows).toMatchObject([{ status: 'pending', attempts: 0 }]);
    expect(await claim(db)).toHaveLength(1);
    await become(db, hospital.receptionist);
    const error = await errorOf(db, () =>
      db.query('select app_public.resend_webhook_delivery($1)', [mine.delivery_id]),
    );
    expect(error.code).toBe('42501');
  }));

test('what ended is kept for thirty days', () =>
  rolledBack(ownerPool, async (db) => {
    await subscribe(db);
    await plan(db, eventNumber(1), eventNumber(2));
    await settle(db, nth(await claim(db), 0), 'sent');
    const remove = async () => {
      await asWorker(db);
      const { count } = await one<{ count: number }>(
        db,
        'select app_private.remove_old_webhooks($1) as count',
        [hospital.id],
      );
      return count;
    };
    await moveClock(db, '30 days');
    expect(await remove()).toBe(0);
    await moveClock(db, '1 second');
    expect(await remove()).toBe(1);
  }));
