// Reminders: who gets one, when, once; and beside those who cancel or move at the same moment.
import { randomUUID } from 'node:crypto';
import type { ClientBase, PoolClient } from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { as, aside, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import {
  type Appointment,
  appointmentIn,
  book,
  cancel,
  one,
  reschedule,
  transit,
} from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import {
  createHospital,
  generateSlots,
  openHospital,
  slotsAhead,
  type TestHospital,
} from '../helpers/hospital.ts';
import { notificationsIn } from '../helpers/inbox.ts';
import { nth } from '../helpers/nth.ts';
import { race, untilBlocked } from '../helpers/races.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

afterEach(() => ownerPool.query('delete from app_private.clock_shift'));

type Stage = { db: PoolClient; hospital: TestHospital; slots: string[]; patientId: string };

/** A hospital in Berlin on Thursday, 26 March 2026, 09:00, three days before its clocks go forward. */
function play(story: (stage: Stage) => Promise<void>): Promise<void> {
  return rolledBack(ownerPool, async (db) => {
    await setClock(db, '2026-03-26T08:00:00Z');
    const hospital = await createHospital(db, { timeZone: 'Europe/Berlin', horizonDays: 7 });
    await generateSlots(db, hospital);
    const slots = await slotsAhead(db, hospital);
    await story({ db, hospital, slots, patientId: nth(hospital.patientIds, 0) });
  });
}

async function sendReminders(db: ClientBase, hospital: TestHospital): Promise<number> {
  await asWorker(db);
  const { rows } = await db.query<{ hospital_id: string }>(
    'select hospital_id from app_private.hospitals_to_remind() as due (hospital_id)',
  );
  const isDue = rows.some(({ hospital_id }) => hospital_id === hospital.id);
  const sent = (
    await one<{ count: number }>(db, 'select app_private.send_reminders($1) as count', [
      hospital.id,
    ])
  ).count;
  // Whoever asks first never misses one.
  if (sent > 0) expect(isDue).toBe(true);
  return sent;
}

/** The reminders that were sent: which appointment, and how long before its start in hours. */
async function remindersIn(db: ClientBase, hospital: TestHospital) {
  const { rows } = await aside(db, () =>
    db.query<{ appointment_id: string; hours: number }>(
      `select appointment_id, (extract(epoch from lead_time) / 3600)::float as hours
       from app_public.appointment_reminder where hospital_id = $1 order by created_at, lead_time desc`,
      [hospital.id],
    ),
  );
  return rows.map(({ appointment_id, hours }) => [appointment_id, hours]);
}

async function setOffsets(
  db: ClientBase,
  hospital: TestHospital,
  offsets: string[],
): Promise<void> {
  await aside(db, () =>
    db.query('update app_public.hospital set reminder_offsets = $2 where id = $1', [
      hospital.id,
      offsets,
    ]),
  );
}

/** Books this slot as reception. */
async function bookAs(
  { db, hospital, slots, patientId }: Stage,
  slot: number,
): Promise<Appointment> {
  await become(db, hospital.receptionist);
  return book(db, { slotId: nth(slots, slot), patientId });
}

/** Lets time pass to so long before the start of a visit. */
async function waitUntil(db: ClientBase, visit: Appointment, before: string): Promise<void> {
  await aside(db, () =>
    db.query(
      `update app_private.clock_shift
       set shift = (select appointment.starts_at from app_public.appointment where id = $1) - $2::interval - now()`,
      [visit.id, before],
    ),
  );
}

describe('a reminder', () => {
  test('comes 24 hours and 2 hours before, in words, once each', () =>
    play(async (stage) => {
      const { db, hospital, patientId } = stage;
      const visit = await bookAs(stage, 14); // Saturday, 09:00
      await waitUntil(db, visit, '24 hours 1 second');
      expect(await sendReminders(db, hospital)).toBe(0);
      await waitUntil(db, visit, '24 hours');
      expect(await sendReminders(db, hospital)).toBe(1);
      expect(await sendReminders(db, hospital)).toBe(0);
      await moveClock(db, '5 minutes');
      expect(await sendReminders(db, hospital)).toBe(0);
      await waitUntil(db, visit, '2 hours');
      expect(await sendReminders(db, hospital)).toBe(1);
      await waitUntil(db, visit, '1 minute');
      expect(await sendReminders(db, hospital)).toBe(0);
      expect(await remindersIn(db, hospital)).toEqual([
        [visit.id, 24],
        [visit.id, 2],
      ]);
      const told = await notificationsIn(db, hospital.id);
      expect(told.filter(({ event }) => event === 'appointment_reminder')).toMatchObject(
        Array(2).fill({
          patient_id: patientId,
          doctor_id: null,
          appointment_id: visit.id,
          priority: 'normal',
          channels: ['in_app', 'email', 'sms'],
          title: 'Your appointment',
          body: 'You have an appointment with Dr. One on Saturday, 28 March 2026, 09:00, Main.',
        }),
      );
    }));

  test('is told outside like every other notification', () =>
    play(async (stage) => {
      const { db, hospital, patientId } = stage;
      const visit = await bookAs(stage, 14);
      await waitUntil(db, visit, '24 hours');
      await asOwner(db);
      await db.query('delete from app_private.outbox');
      await sendReminders(db, hospital);
      await asOwner(db);
      const { rows } = await db.query('select topic, payload from app_private.outbox');
      expect(rows).toEqual([
        { topic: 'notification', payload: expect.objectContaining({ patient_id: patientId }) },
      ]);
    }));

  test('counts absolute time over a change of the clocks', () =>
    play(async (stage) => {
      const { db, hospital } = stage;
      await setOffsets(db, hospital, ['1 day']);
      const visit = await bookAs(stage, 28); // Sunday, 09:00, after the clocks went forward
      await setClock(db, '2026-03-28T06:59:59Z'); // Saturday, 07:59:59 in Berlin
      expect(await sendReminders(db, hospital)).toBe(0);
      await setClock(db, '2026-03-28T07:00:00Z'); // 08:00: 24 hours, not "the same time"
      expect(await sendReminders(db, hospital)).toBe(1);
      expect(await remindersIn(db, hospital)).toEqual([[visit.id, 24]]);
    }));

  test.each(['confirmed', 'scheduled'] as const)('comes to who is %s', (status) =>
    play(async (stage) => {
      const { db, hospital } = stage;
      const visit = await bookAs(stage, 14);
      if (status === 'confirmed') await transit(db, 'confirm_appointment', visit.id);
      await waitUntil(db, visit, '24 hours');
      expect(await sendReminders(db, hospital)).toBe(1);
    }),
  );

  test.each(['requested', 'held', 'cancelled'] as const)('comes to nobody who is %s', (status) =>
    play(async ({ db, hospital, slots, patientId }) => {
      await become(db, hospital.receptionist);
      const visit = await appointmentIn(db, hospital, status, nth(slots, 14), patientId);
      await waitUntil(db, visit, '24 hours');
      expect(await sendReminders(db, hospital)).toBe(0);
      await waitUntil(db, visit, '2 hours');
      expect(await sendReminders(db, hospital)).toBe(0);
    }),
  );

  test('comes after an outage from the nearest offset only, and never from one further away', () =>
    play(async (stage) => {
      const { db, hospital } = stage;
      await setOffsets(db, hospital, ['24 hours', '2 hours', '10 minutes', '5 minutes']);
      const visit = await bookAs(stage, 14);
      await sendReminders(db, hospital);
      await waitUntil(db, visit, '1 hour');
      expect(await sendReminders(db, hospital)).toBe(1);
      expect(await remindersIn(db, hospital)).toEqual([[visit.id, 2]]);
      await waitUntil(db, visit, '4 minutes');
      expect(await sendReminders(db, hospital)).toBe(1);
      await moveClock(db, '1 minute');
      expect(await sendReminders(db, hospital)).toBe(0);
      expect(await remindersIn(db, hospital)).toEqual([
        [visit.id, 2],
        [visit.id, expect.closeTo(5 / 60)],
      ]);
    }));

  test('comes late from the first run of a hospital, too', () =>
    play(async (stage) => {
      const { db, hospital } = stage;
      const visit = await bookAs(stage, 14);
      await waitUntil(db, visit, '3 hours');
      expect(await sendReminders(db, hospital)).toBe(1);
      expect(await remindersIn(db, hospital)).toEqual([[visit.id, 24]]);
    }));

  test('never comes once the visit has begun', () =>
    play(async (stage) => {
      const { db, hospital } = stage;
      const visit = await bookAs(stage, 14);
      await sendReminders(db, hospital);
      await waitUntil(db, visit, '0 seconds');
      expect(await sendReminders(db, hospital)).toBe(0);
    }));
});

describe('who was told a moment ago', () => {
  test('a booking an hour ahead is not reminded of the day before, nor of two hours', () =>
    play(async (stage) => {
      const { db, hospital, slots } = stage;
      const first = await bookAs(stage, 14);
      await sendReminders(db, hospital);
      await waitUntil(db, first, '1 hour');
      await become(db, hospital.otherPatient);
      await book(db, { slotId: nth(slots, 15), patientId: hospital.otherPatient.patientId ?? '' });
      expect(await sendReminders(db, hospital)).toBe(1); // the first, of its two hours
      await moveClock(db, '50 minutes');
      expect(await sendReminders(db, hospital)).toBe(0);
      expect(await remindersIn(db, hospital)).toEqual([[first.id, 2]]);
    }));

  test('a booking three hours ahead is reminded two hours before, and not at once', () =>
    play(async (stage) => {
      const { db, hospital, slots, patientId } = stage;
      await sendReminders(db, hospital);
      await setClock(db, '2026-03-27T05:00:00Z');
      await become(db, hospital.patient);
      const visit = await book(db, { slotId: nth(slots, 0), patientId }); // 08:00Z
      expect(await sendReminders(db, hospital)).toBe(0);
      await waitUntil(db, visit, '2 hours');
      expect(await sendReminders(db, hospital)).toBe(1);
      expect(await remindersIn(db, hospital)).toEqual([[visit.id, 2]]);
    }));

  test.each(['patient', 'receptionist'] as const)(
    'a visit that a %s moved is reminded anew, for its new start only',
    (mover) =>
      play(async (stage) => {
        const { db, hospital, slots } = stage;
        const visit = await bookAs(stage, 14);
        await waitUntil(db, visit, '24 hours');
        expect(await sendReminders(db, hospital)).toBe(1);
        await become(db, hospital[mover]);
        await reschedule(db, visit.id, nth(slots, 18));
        expect(await sendReminders(db, hospital)).toBe(0);
        await reschedule(await as(db, hospital[mover]), visit.id, nth(slots, 56));
        expect(await sendReminders(db, hospital)).toBe(0);
        await waitUntil(db, visit, '24 hours');
        expect(await sendReminders(db, hospital)).toBe(1);
        expect(await remindersIn(db, hospital)).toEqual([
          [visit.id, 24],
          [visit.id, 24],
        ]);
      }),
  );

  test('a visit moved during an outage to soon is not reminded of what lies before the move', () =>
    play(async (stage) => {
      const { db, hospital, slots } = stage;
      const visit = await bookAs(stage, 56);
      await sendReminders(db, hospital);
      await setClock(db, '2026-03-26T20:00:00Z');
      await become(db, hospital.patient);
      await reschedule(db, visit.id, nth(slots, 0)); // 12 hours ahead
      expect(await sendReminders(db, hospital)).toBe(0);
    }));

  test('a visit imported or accepted during an outage is not reminded of what lies before that', () =>
    play(async ({ db, hospital, slots, patientId }) => {
      await sendReminders(db, hospital);
      await setClock(db, '2026-03-26T20:00:00Z');
      await asOwner(db);
      await db.query(
        `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
         values ($1, $2, $3, 'scheduled')`,
        [hospital.id, nth(slots, 0), patientId],
      );
      await become(db, hospital.receptionist);
      await setClock(db, '2026-03-26T06:00:00Z');
      const request = await appointmentIn(
        db,
        hospital,
        'requested',
        nth(slots, 2),
        nth(hospital.patientIds, 1),
      );
      await setClock(db, '2026-03-26T20:00:00Z');
      await become(db, hospital.receptionist);
      await db.query('select app_public.accept_appointment($1, $2)', [request.id, nth(slots, 2)]);
      expect(await sendReminders(db, hospital)).toBe(0);
    }));
});

describe('what a hospital sets', () => {
  test('admins say when reminders come; a day is 24 hours, and twice the same is refused', () =>
    play(async ({ db, hospital }) => {
      await become(db, hospital.admin);
      const change = (offsets: string[]) =>
        one<{ reminder_offsets: unknown[] }>(
          db,
          'select * from app_public.update_hospital_settings(reminder_offsets => $1::interval[])',
          [offsets],
        );
      expect((await change(['3 days', '1 hour'])).reminder_offsets).toHaveLength(2);
      for (const offsets of [
        [],
        ['4 minutes'],
        ['31 days'],
        ['1 day', '24 hours'],
        Array(6).fill('1 hour'),
      ]) {
        expect(await refusalOf(db, () => change(offsets))).toMatchObject({
          scenario: 'invalid_input',
          details: { reminder_offsets: expect.stringContaining('distinct') },
        });
      }
      await one(db, "select * from app_public.update_hospital_settings(name => 'Other')");
      await become(db, hospital.receptionist);
      await expect(change(['1 hour'])).rejects.toThrow('permission denied');
    }));

  test('a new offset holds for visits whose time for it is still to come', () =>
    play(async (stage) => {
      const { db, hospital } = stage;
      const soon = await bookAs(stage, 14);
      await waitUntil(db, soon, '25 hours');
      await sendReminders(db, hospital);
      await setOffsets(db, hospital, ['30 hours', '24 hours']);
      expect(await sendReminders(db, hospital)).toBe(0);
      await waitUntil(db, soon, '24 hours');
      expect(await sendReminders(db, hospital)).toBe(1);
    }));

  test('another hospital is not reminded by it', () =>
    play(async (stage) => {
      const { db, hospital } = stage;
      const visit = await bookAs(stage, 14);
      await asOwner(db);
      const other = await createHospital(db);
      await waitUntil(db, visit, '24 hours');
      expect(await sendReminders(db, other)).toBe(0);
      expect(await sendReminders(db, hospital)).toBe(1);
    }));
});

describe('at the same moment', () => {
  /** A hospital with a visit whose reminder is due, committed. */
  async function due() {
    const hospital = await openHospital(ownerPool, { timeZone: 'UTC' });
    const visit = await one<Appointment>(
      ownerPool,
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, idempotency_key)
       values ($1, $2, $3, 'scheduled', $4) returning *`,
      [hospital.id, nth(hospital.slotIds, 20), nth(hospital.patientIds, 0), randomUUID()],
    );
    await ownerPool.query(
      `insert into app_private.clock_shift (shift)
       select starts_at - interval '24 hours' - now() from app_public.appointment where id = $1
       on conflict (is_single) do update set shift = excluded.shift`,
      [visit.id],
    );
    return { hospital, visit };
  }

  const send = (db: ClientBase, hospital: TestHospital) =>
    one<{ count: number }>(db, 'select app_private.send_reminders($1) as count', [hospital.id]);

  async function eventsOf(hospital: TestHospital): Promise<string[]> {
    const { rows } = await ownerPool.query<{ event: string }>(
      'select event from app_public.notification where hospital_id = $1 and patient_id is not null order by id',
      [hospital.id],
    );
    return rows.map(({ event }) => event);
  }

  test('a visit that is just being cancelled is left alone, and not reminded of afterwards', async () => {
    const { hospital, visit } = await due();
    await race(ownerPool, async (start) => {
      const canceller = await start(hospital.receptionist);
      await cancel(canceller.db, visit.id);
      const sender = await start();
      expect((await send(sender.db, hospital)).count).toBe(0);
      await sender.commit();
      await canceller.commit();
    });
    await ownerPool.query(
      "update app_private.clock_shift set shift = shift + interval '5 minutes'",
    );
    expect((await rolledBack(ownerPool, (db) => send(db, hospital))).count).toBe(0);
    expect(await eventsOf(hospital)).toEqual(['appointment_cancelled']);
  });

  test('a cancellation that fails lets the next run remind', async () => {
    const { hospital, visit } = await due();
    await race(ownerPool, async (start) => {
      const canceller = await start(hospital.receptionist);
      await cancel(canceller.db, visit.id);
      const sender = await start();
      expect((await send(sender.db, hospital)).count).toBe(0);
      await sender.commit();
      await canceller.end();
    });
    await ownerPool.query(
      "update app_private.clock_shift set shift = shift + interval '5 minutes'",
    );
    expect((await rolledBack(ownerPool, (db) => send(db, hospital))).count).toBe(1);
  });

  test.each(['cancel', 'move'] as const)('who wants to %s waits for the reminder', async (what) => {
    const { hospital, visit } = await due();
    await race(ownerPool, async (start) => {
      const sender = await start();
      expect((await send(sender.db, hospital)).count).toBe(1);
      const changer = await start(hospital.receptionist);
      const change =
        what === 'cancel'
          ? cancel(changer.db, visit.id)
          : reschedule(changer.db, visit.id, nth(hospital.slotIds, 40));
      expect(await untilBlocked(ownerPool, changer.pid, change)).toEqual([sender.pid]);
      await sender.commit();
      await change;
      await changer.commit();
    });
    expect(await eventsOf(hospital)).toEqual([
      'appointment_reminder',
      what === 'cancel' ? 'appointment_cancelled' : 'appointment_moved',
    ]);
  });

  test('two runs at once send one', async () => {
    const { hospital } = await due();
    await race(ownerPool, async (start) => {
      const [one, other] = [await start(), await start()];
      expect((await send(one.db, hospital)).count).toBe(1);
      const second = send(other.db, hospital);
      await untilBlocked(ownerPool, other.pid, second);
      await one.commit();
      expect((await second).count).toBe(0);
      await other.commit();
    });
    expect(
      (await eventsOf(hospital)).filter((event) => event === 'appointment_reminder'),
    ).toHaveLength(1);
  });

  test('a booking that was still being written when its time came is found by the next run', async () => {
    const { hospital } = await due();
    const shiftClock = (by: string) =>
      ownerPool.query('update app_private.clock_shift set shift = shift + $1::interval', [by]);
    await shiftClock('-1 minute');
    await race(ownerPool, async (start) => {
      const writer = await start(hospital.receptionist);
      await book(writer.db, {
        slotId: nth(hospital.otherSlotIds, 20),
        patientId: nth(hospital.patientIds, 1),
      });
      await shiftClock('2 minutes');
      const sender = await start();
      expect((await send(sender.db, hospital)).count).toBe(1);
      await sender.commit();
      await writer.commit();
    });
    await shiftClock('5 minutes');
    expect((await rolledBack(ownerPool, (db) => send(db, hospital))).count).toBe(1);
  });
});
