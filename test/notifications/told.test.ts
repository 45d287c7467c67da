// What happens to an appointment leaves exactly the right rows, for the right person, in the right words.
import { randomUUID } from 'node:crypto';
import type { ClientBase, PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import {
  type Appointment,
  book,
  cancel,
  hold,
  one,
  reschedule,
  stored,
  transit,
} from '../helpers/booking.ts';
import { moveClock, moveClockTo, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import {
  createHospital,
  generateSlots,
  slotsAhead,
  type TestHospital,
} from '../helpers/hospital.ts';
import { notificationsIn } from '../helpers/inbox.ts';
import { nth } from '../helpers/nth.ts';

const { ownerPool } = await createDatabase();

type Stage = { db: PoolClient; hospital: TestHospital; slots: string[]; patientId: string };

/** A hospital in Berlin on Thursday, 26 March 2026, three days before its clocks go forward. */
function play(story: (stage: Stage) => Promise<void>): Promise<void> {
  return rolledBack(ownerPool, async (db) => {
    await setClock(db, '2026-03-26T08:00:00Z');
    const hospital = await createHospital(db, { timeZone: 'Europe/Berlin', horizonDays: 7 });
    await generateSlots(db, hospital);
    const slots = await slotsAhead(db, hospital);
    await story({ db, hospital, slots, patientId: nth(hospital.patientIds, 0) });
  });
}

/** What was left since the last look, without what every row has. */
function listener({ db, hospital }: Stage) {
  let last: string | undefined;
  return async () => {
    const told = await notificationsIn(db, hospital.id, last);
    last = told.at(-1)?.id ?? last;
    return told.map(
      ({ event, priority, channels, title, body, patient_id, doctor_id, account_id }) => {
        expect(account_id).toBeNull();
        const to = patient_id === null ? 'doctor' : 'patient';
        expect(to === 'patient' ? patient_id : doctor_id).toBe(
          to === 'patient' ? hospital.patientIds[0] : hospital.doctorIds[0],
        );
        return { to, event, priority, channels, title, body };
      },
    );
  };
}

const mail = ['in_app', 'email'];
const all = ['in_app', 'email', 'sms'];

test('who is booked is told when and where, whoever booked', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    for (const [index, actor] of [
      hospital.receptionist,
      hospital.patient,
      hospital.doctor,
    ].entries()) {
      await book(await as(db, actor), { slotId: nth(slots, index), patientId });
      expect(await news()).toEqual([
        {
          to: 'patient',
          event: 'appointment_booked',
          priority: 'normal',
          channels: mail,
          title: 'Appointment booked',
          body: `Your appointment with Dr. One is on Friday, 27 March 2026, ${['09:00', '09:30', '10:00'][index]}, Main.`,
        },
      ]);
    }
    const rows = await notificationsIn(db, hospital.id);
    const { rows: booked } = await (await as(db, hospital.admin)).query(
      'select id, created_at from app_public.appointment order by starts_at',
    );
    expect(rows.map(({ appointment_id }) => appointment_id)).toEqual(booked.map(({ id }) => id));
  }));

test('nine in the morning is nine in the morning on both sides of the change of the clocks', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    for (const day of [1, 2, 3]) await book(db, { slotId: nth(slots, day * 14), patientId });
    expect((await news()).map(({ body }) => /on (.*), Main/.exec(body)?.[1])).toEqual([
      'Saturday, 28 March 2026, 09:00',
      'Sunday, 29 March 2026, 09:00',
      'Monday, 30 March 2026, 09:00',
    ]);
  }));

test.each([
  ['2026-03-29T00:59:00Z', 'Europe/Berlin', 'Sunday, 29 March 2026, 01:59'],
  ['2026-03-29T01:00:00Z', 'Europe/Berlin', 'Sunday, 29 March 2026, 03:00'],
  ['2026-10-25T00:30:00Z', 'Europe/Berlin', 'Sunday, 25 October 2026, 02:30'],
  ['2026-10-25T01:30:00Z', 'Europe/Berlin', 'Sunday, 25 October 2026, 02:30'],
  ['2026-12-31T18:30:00Z', 'Asia/Kolkata', 'Friday, 1 January 2027, 00:00'],
  ['2026-12-31T18:30:00Z', 'America/New_York', 'Thursday, 31 December 2026, 13:30'],
])('%s in %s is said %s', async (instant, timeZone, said) => {
  const { rows } = await ownerPool.query('select app_private.local_time($1, $2) as said', [
    instant,
    timeZone,
  ]);
  expect(rows).toEqual([{ said }]);
});

test('a choice that is only held is no news; confirmed, it is a booking', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.patient);
    const held = await hold(db, { slotId: nth(slots, 0), patientId });
    const dropped = await hold(db, { slotId: nth(slots, 4), patientId });
    await cancel(db, dropped.id);
    const lapsing = await hold(db, { slotId: nth(slots, 6), patientId });
    expect(await news()).toEqual([]);
    await transit(db, 'confirm_hold', held.id);
    expect(await news()).toMatchObject([{ to: 'patient', event: 'appointment_booked' }]);
    await moveClock(db, '1 hour');
    await asWorker(db);
    await db.query('select app_private.expire_lapsed_holds($1)', [hospital.id]);
    expect((await stored(db, lapsing.id)).status).toBe('expired');
    expect(await news()).toEqual([]);
  }));

test('a move is told to the other side', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slots, 0), patientId });
    await news();
    await reschedule(db, id, nth(slots, 15));
    expect(await news()).toEqual([
      {
        to: 'patient',
        event: 'appointment_moved',
        priority: 'normal',
        channels: mail,
        title: 'Appointment moved',
        body: 'Your appointment with Dr. One is now on Saturday, 28 March 2026, 09:30, Main.',
      },
    ]);
    await reschedule(await as(db, hospital.patient), id, nth(slots, 1));
    expect(await news()).toEqual([
      {
        to: 'doctor',
        event: 'appointment_moved',
        priority: 'normal',
        channels: ['in_app'],
        title: 'Appointment moved',
        body: 'Patient 1 now comes on Friday, 27 March 2026, 09:30.',
      },
    ]);
  }));

test('a cancellation is told to the other side, with its reason or without one', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    const first = await book(db, { slotId: nth(slots, 0), patientId });
    const second = await book(db, { slotId: nth(slots, 1), patientId });
    await news();
    await cancel(db, first.id, 'Use the {doctor} entrance {reason}.');
    expect(await news()).toEqual([
      {
        to: 'patient',
        event: 'appointment_cancelled',
        priority: 'normal',
        channels: mail,
        title: 'Appointment cancelled',
        body: 'Your appointment with Dr. One on Friday, 27 March 2026, 09:00 was cancelled. Use the {doctor} entrance {reason}.',
      },
    ]);
    await cancel(await as(db, hospital.patient), second.id);
    expect(await news()).toEqual([
      {
        to: 'doctor',
        event: 'appointment_cancelled',
        priority: 'normal',
        channels: ['in_app'],
        title: 'Appointment cancelled',
        body: 'Patient 1 does not come on Friday, 27 March 2026, 09:30.',
      },
    ]);
  }));

test.each([
  [
    'doctor_emergency',
    'Appointment Cancelled - Doctor Emergency',
    'Your appointment with Dr. One on Friday, 27 March 2026, 09:00 was cancelled because of an emergency. Please book another time.',
  ],
  [
    'doctor_unavailable',
    'Appointment cancelled',
    'Dr. One takes no appointments at present; yours on Friday, 27 March 2026, 09:00 was cancelled. Please book with another doctor.',
  ],
])('%s is told as urgent, on every channel', (event, title, body) =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slots, 0), patientId });
    await news();
    await asOwner(db);
    await db.query(
      `update app_public.appointment set status = 'cancelled', cancellation_cause = $2 where id = $1`,
      [id, event],
    );
    expect(await news()).toEqual([
      { to: 'patient', event, priority: 'high', channels: all, title, body },
    ]);
  }),
);

describe('a request', () => {
  const friday = 'Friday, 27 March 2026, 09:00';

  async function request({ db, hospital, slots, patientId }: Stage): Promise<Appointment> {
    await become(db, hospital.patient);
    return one(
      db,
      `insert into app_public.appointment
         (hospital_id, doctor_id, during, patient_id, reason, status, idempotency_key, request_fingerprint)
       select $1, slot.doctor_id, slot.during, $2, 'a cough', 'requested', $4, 'x'
       from app_public.slot where slot.hospital_id = $1 and slot.id = $3
       returning *`,
      [hospital.id, patientId, slots[0], randomUUID()],
    );
  }

  function change(db: ClientBase, id: string, changes: string): Promise<Appointment> {
    return one(db, `update app_public.appointment set ${changes} where id = $1 returning *`, [id]);
  }

  test('reaches the doctor, and its acceptance the patient', () =>
    play(async (stage) => {
      const { db, hospital, slots } = stage;
      const news = listener(stage);
      const { id } = await request(stage);
      expect(await news()).toEqual([
        {
          to: 'doctor',
          event: 'request_received',
          priority: 'normal',
          channels: mail,
          title: 'Appointment requested',
          body: `Patient 1 asks for an appointment on ${friday}. a cough`,
        },
      ]);
      await become(db, hospital.doctor);
      await change(db, id, `status = 'scheduled', slot_id = '${slots[0]}'`);
      expect(await news()).toEqual([
        {
          to: 'patient',
          event: 'request_accepted',
          priority: 'normal',
          channels: mail,
          title: 'Request accepted',
          body: `Dr. One expects you on ${friday}, Main.`,
        },
      ]);
    }));

  test('that is declined is told as declined', () =>
    play(async (stage) => {
      const { db, hospital } = stage;
      const news = listener(stage);
      const { id } = await request(stage);
      await news();
      await cancel(await as(db, hospital.receptionist), id, 'Please see an eye doctor.');
      expect(await news()).toEqual([
        {
          to: 'patient',
          event: 'request_declined',
          priority: 'normal',
          channels: mail,
          title: 'Request declined',
          body: `Dr. One cannot see you on ${friday}. Please see an eye doctor.`,
        },
      ]);
    }));

  test('that nobody answered is told when its time has passed', () =>
    play(async (stage) => {
      const { db } = stage;
      const news = listener(stage);
      const { id } = await request(stage);
      await news();
      await moveClock(db, '2 days');
      await asWorker(db);
      await change(db, id, "status = 'expired'");
      expect(await news()).toEqual([
        {
          to: 'patient',
          event: 'request_expired',
          priority: 'normal',
          channels: mail,
          title: 'Request expired',
          body: `Your request for ${friday} with Dr. One was not answered in time. Please book another time.`,
        },
      ]);
    }));

  test('that is answered with another time says until when to answer', () =>
    play(async (stage) => {
      const { db, hospital, slots } = stage;
      const news = listener(stage);
      const { id } = await request(stage);
      await news();
      await become(db, hospital.receptionist);
      await change(db, id, `status = 'held', slot_id = '${slots[2]}'`);
      expect(await news()).toEqual([
        {
          to: 'patient',
          event: 'time_proposed',
          priority: 'high',
          channels: all,
          title: 'Another time proposed',
          body:
            'Dr. One proposes Friday, 27 March 2026, 10:00 instead. The seat is held for you until ' +
            'Thursday, 26 March 2026, 11:00: confirm or cancel it.',
        },
      ]);
    }));
});

test('the day of the visit is no news, nor is what an import brings', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slots, 0), patientId });
    await news();
    await transit(db, 'confirm_appointment', id);
    await moveClockTo(db, nth(slots, 0));
    await transit(db, 'check_in_appointment', id);
    await transit(await as(db, hospital.doctor), 'complete_appointment', id);
    expect(await news()).toEqual([]);
    await asOwner(db);
    await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, source)
       values ($1, $2, $3, 'scheduled', 'import')`,
      [hospital.id, slots[3], patientId],
    );
    expect(await news()).toEqual([]);
  }));

test('a booking that is refused tells nobody', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    await book(db, { slotId: nth(slots, 0), patientId });
    await news();
    await db.query('savepoint refused');
    await expect(
      book(db, { slotId: nth(slots, 0), patientId: nth(hospital.patientIds, 1) }),
    ).rejects.toThrow();
    await db.query('rollback to savepoint refused');
    expect(await news()).toEqual([]);
  }));

test('an event without words for an audience tells nobody', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slots, 0), patientId });
    await news();
    await asOwner(db);
    await db.query(
      `select app_private.notify_of_appointment('appointment_booked', 'doctor', appointment)
       from app_public.appointment where id = $1`,
      [id],
    );
    expect(await news()).toEqual([]);
  }));

test('facts of a flow do not replace those of the appointment, and titles are filled too', () =>
  play(async (stage) => {
    const { db, hospital, slots, patientId } = stage;
    const news = listener(stage);
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slots, 0), patientId });
    await news();
    await asOwner(db);
    await db.query(
      `insert into app_public.notification_template (event, audience, priority, channels, title, body)
       values ('rehearsed', 'patient', 'high', '{sms}', '{doctor}: {message} {holiday}', '{doctor}, {reason}.')`,
    );
    await db.query(
      `select app_private.notify_of_appointment('rehearsed', 'patient', appointment,
         '{"doctor": "Dr. Fake", "message": "{location}", "reason": "{doctor}"}')
       from app_public.appointment where id = $1`,
      [id],
    );
    expect(await news()).toEqual([
      {
        to: 'patient',
        event: 'rehearsed',
        priority: 'high',
        channels: ['sms'],
        title: 'Dr. One: {location}',
        body: 'Dr. One, {doctor}.',
      },
    ]);
  }));
