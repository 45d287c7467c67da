import type { PoolClient } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { addJobs } from '../../worker/jobs.ts';
import { type Payload, readPayload } from '../../worker/payloads.ts';
import { relayBatch } from '../../worker/relay.ts';
import { tasks } from '../../worker/task-list.ts';
import { committedAs } from '../helpers/actors.ts';
import { book, cancel, hold, reschedule, transit } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { type Entry, join, leave, type Offer, type Wish } from '../waitlist/waitlist.ts';
import {
  jobsIn,
  keepLog,
  outboxOf,
  startAfresh,
  stopCrontab,
  surroundingsOf,
  until,
  workFor,
} from './workplace.ts';

const database = await createDatabase();
const { ownerPool, workerUrl } = database;

beforeEach(async () => {
  await startAfresh(ownerPool);
  await stopCrontab(ownerPool);
});
afterEach(() => ownerPool.query('delete from app_private.clock_shift'));

const cron = () => ({ _cron: { ts: new Date().toISOString(), backfilled: false } });

type World = OpenHospital & {
  /** A slot of the first doctor, whose one seat the fourth patient has booked. */
  seat: string;
  /** The appointment in it. */
  visit: string;
};

/** A hospital without a free seat. */
async function fullHospital(): Promise<World> {
  const hospital = await openHospital(ownerPool, { horizonDays: 3 });
  const seat = nth(hospital.slotIds, 20);
  const visit = await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: seat, patientId: nth(hospital.patientIds, 3) }),
  );
  await ownerPool.query(
    `update app_public.slot set blocked_at = now(), blocked_reason = 'test'
      where hospital_id = $1 and id <> $2`,
    [hospital.id, seat],
  );
  await startAfresh(ownerPool);
  return { ...hospital, seat, visit: visit.id };
}

function joined(hospital: World, patient: number, wish: Partial<Wish> = {}): Promise<Entry> {
  return committedAs(ownerPool, hospital.receptionist, (db) =>
    join(db, hospital, { patientId: nth(hospital.patientIds, patient), lastDay: 3, ...wish }),
  );
}

async function offers({ id }: OpenHospital): Promise<Offer[]> {
  const { rows } = await ownerPool.query<Offer>(
    'select * from app_public.waitlist_offer where hospital_id = $1 order by offered_at',
    [id],
  );
  return rows;
}

/** The open offer to this patient, when there is one. */
async function openOffer(hospital: World, patient: number): Promise<Offer | undefined> {
  return (await offers(hospital)).find(
    ({ patient_id, outcome }) =>
      patient_id === nth(hospital.patientIds, patient) && outcome === 'open',
  );
}

async function stateOf({ id }: Entry): Promise<string> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.waitlist_entry where id = $1',
    [id],
  );
  return rows[0]?.status ?? '';
}

/** Runs a task as the worker's login, without the queue. */
async function run<Name extends keyof typeof tasks>(name: Name, payload: Payload<Name>) {
  const { log } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-task', log });
  try {
    await (tasks[name] as (typeof tasks)[Name])(payload, {
      db: pool,
      log,
      ...surroundingsOf(),
    });
  } finally {
    await pool.end();
  }
}

/** Empties the outbox as the relay does; what it adds to the queue stays there. */
async function relayAll(): Promise<void> {
  const pool = createPool({ url: workerUrl, applicationName: 'test-relay', log: keepLog().log });
  try {
    while ((await relayBatch(pool)) > 0);
  } finally {
    await pool.end();
  }
}

test('a cancelled seat is offered to whoever came first, declined to the next, and accepted', async () => {
  const hospital = await fullHospital();
  const [first, second] = [await joined(hospital, 0), await joined(hospital, 1)];
  const { lines } = await workFor(workerUrl);
  const asReception = <T>(act: (db: PoolClient) => Promise<T>) =>
    committedAs(ownerPool, hospital.receptionist, act);

  await asReception((db) => cancel(db, hospital.visit));
  const offer = await until(() => openOffer(hospital, 0));
  expect(offer.slot_id).toBe(hospital.seat);
  expect([await stateOf(first), await stateOf(second)]).toEqual(['offered', 'waiting']);
  const { rows: notes } = await ownerPool.query(
    'select event, priority, patient_id from app_public.notification where appointment_id = $1',
    [offer.appointment_id],
  );
  expect(notes).toEqual([
    { event: 'seat_offered', priority: 'high', patient_id: nth(hospital.patientIds, 0) },
  ]);

  await committedAs(ownerPool, hospital.patient, (db) => cancel(db, offer.appointment_id));
  const next = await until(() => openOffer(hospital, 1));
  expect(next.slot_id).toBe(hospital.seat);
  expect([await stateOf(first), await stateOf(second)]).toEqual(['waiting', 'offered']);

  await committedAs(ownerPool, hospital.otherPatient, (db) =>
    transit(db, 'confirm_hold', next.appointment_id),
  );
  expect([await stateOf(first), await stateOf(second)]).toEqual(['waiting', 'booked']);
  await until(async () => (await outboxOf(ownerPool)).length === 0);
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect((await offers(hospital)).map(({ outcome }) => outcome)).toEqual(['declined', 'accepted']);
  expect(lines.filter(({ msg }) => msg.includes('failed'))).toEqual([]);
});

test('an offer that nobody answers lapses, and the next has it', async () => {
  const hospital = await fullHospital();
  const [first, second] = [await joined(hospital, 0), await joined(hospital, 1)];
  await workFor(workerUrl);
  await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, hospital.visit));
  await until(() => openOffer(hospital, 0));
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('2 hours')");
  await addJobs(ownerPool, [{ task: 'sweep_lapsed_holds', payload: cron(), key: 'sweep' }]);
  await until(() => openOffer(hospital, 1));
  expect([await stateOf(first), await stateOf(second)]).toEqual(['waiting', 'offered']);
  expect((await offers(hospital)).map(({ outcome }) => outcome)).toEqual(['lapsed', 'open']);
});

const events: Record<string, (hospital: World) => Promise<unknown>> = {
  'a visit that moves away': async (hospital) => {
    await ownerPool.query(
      'update app_public.slot set blocked_at = null, blocked_reason = null where id = $1',
      [nth(hospital.otherSlotIds, 3)],
    );
    await committedAs(ownerPool, hospital.receptionist, (db) =>
      reschedule(db, hospital.visit, nth(hospital.otherSlotIds, 3)),
    );
  },
  'a slot that is unblocked': (hospital) =>
    committedAs(ownerPool, hospital.receptionist, (db) =>
      db.query('select app_public.unblock_slot($1)', [nth(hospital.slotIds, 21)]),
    ),
  'a slot that gets another seat': ({ seat }) =>
    ownerPool.query('update app_public.slot set capacity = 2 where id = $1', [seat]),
  'slots that are generated': async (hospital) => {
    await ownerPool.query(
      `update app_public.slot set withdrawn_at = now() where hospital_id = $1 and id = $2`,
      [hospital.id, nth(hospital.slotIds, 22)],
    );
    await relayAll();
    await startAfresh(ownerPool);
    await ownerPool.query('select app_private.extend_slot_horizon($1)', [hospital.id]);
  },
};

test.each(Object.entries(events))('%s is offered to who waits for the doctor', async (_, act) => {
  const hospital = await fullHospital();
  await joined(hospital, 0);
  await startAfresh(ownerPool);
  await act(hospital);
  await workFor(workerUrl);
  await until(() => openOffer(hospital, 0));
});

test('who joins while a seat is free is offered it', async () => {
  const hospital = await fullHospital();
  await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, hospital.visit));
  await startAfresh(ownerPool);
  await workFor(workerUrl);
  await joined(hospital, 0, { specialty: 'general medicine' });
  await until(() => openOffer(hospital, 0));
});

test('a batch adds one job a doctor who is waited for, and none where nobody waits', async () => {
  const [hospital, quiet] = [await fullHospital(), await fullHospital()];
  await joined(hospital, 0);
  await startAfresh(ownerPool);
  await ownerPool.query(
    `update app_public.slot set blocked_at = null, blocked_reason = null
      where hospital_id = any ($1) and blocked_at is not null`,
    [[hospital.id, quiet.id]],
  );
  await committedAs(ownerPool, quiet.receptionist, (db) => cancel(db, quiet.visit));
  await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, hospital.visit));
  await relayAll();
  const [doctorId] = hospital.doctorIds;
  const offers = (await jobsIn(ownerPool)).filter(({ task }) => task === 'offer_seats');
  expect(offers).toMatchObject([
    {
      task: 'offer_seats',
      key: `offer_seats:${hospital.id}:${doctorId}`,
      payload: { hospital_id: hospital.id, doctor_id: doctorId },
    },
  ]);
});

test('who waits for a specialty waits for each of its doctors', async () => {
  const hospital = await fullHospital();
  await joined(hospital, 0, { specialty: 'general medicine' });
  await relayAll();
  const jobs = await jobsIn(ownerPool);
  expect(jobs.map(({ payload }) => payload.doctor_id).sort()).toEqual(
    [...hospital.doctorIds].sort(),
  );
});

test('jobs and messages hold ids and nothing else', async () => {
  const hospital = await fullHospital();
  const entry = await joined(hospital, 0, {
    specialty: 'general medicine',
    reason: 'private reason',
  });
  await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, hospital.visit));
  await run('offer_seats', { hospital_id: hospital.id, doctor_id: hospital.doctorIds[0] });
  expect(await stateOf(entry)).toBe('offered');
  const messages = await outboxOf(ownerPool);
  expect(messages.map(({ topic }) => topic)).toContain('waitlist');
  await relayAll();
  const told = JSON.stringify([messages, await jobsIn(ownerPool)]);
  expect(told).not.toMatch(/private|medicine|Patient|MRN/);
  expect(() => readPayload('offer_seats', { hospital_id: hospital.id, doctor_id: null })).toThrow();
});

test('the sweep finds the doctors who are waited for and the waits that are over, and nothing else', async () => {
  const [hospital, quiet] = [await fullHospital(), await fullHospital()];
  await joined(hospital, 0, { doctorId: hospital.doctorIds[1], lastDay: 1 });
  const left = await joined(quiet, 0);
  await committedAs(ownerPool, quiet.receptionist, (db) => leave(db, left.id));
  await startAfresh(ownerPool);
  await run('sweep_waitlist', cron());
  const ofHospital = async () =>
    (await jobsIn(ownerPool))
      .filter(({ payload }) => [hospital.id, quiet.id].includes(String(payload.hospital_id)))
      .map(({ task, payload }) => ({ task, ...payload }));
  const offer = {
    task: 'offer_seats',
    hospital_id: hospital.id,
    doctor_id: hospital.doctorIds[1],
  };
  expect(await ofHospital()).toEqual([offer]);
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('2 days')");
  await startAfresh(ownerPool);
  await run('sweep_waitlist', cron());
  const jobs = await ofHospital();
  expect(jobs).toHaveLength(2);
  expect(jobs).toContainEqual({ task: 'expire_waits', hospital_id: hospital.id });
  await run('expire_waits', { hospital_id: hospital.id });
  await startAfresh(ownerPool);
  await run('sweep_waitlist', cron());
  expect(await ofHospital()).toEqual([]);
});

test('a day that is not stored yet is made real for whoever waits for it', async () => {
  const hospital = await openHospital(ownerPool, { horizonDays: 3 });
  const storedDays = async () => {
    const { rows } = await ownerPool.query<{ day: number }>(
      `select distinct (starts_at at time zone $2)::date - (app_private.clock() at time zone $2)::date as day
         from app_public.slot where hospital_id = $1 and doctor_id = $3 order by 1`,
      [hospital.id, hospital.timeZone, hospital.doctorIds[0]],
    );
    return rows.map(({ day }) => day).filter((day) => day > 0);
  };
  await ownerPool.query(
    'update app_public.hospital set generated_days = 3, booking_horizon_days = 20 where id = $1',
    [hospital.id],
  );
  const job = { hospital_id: hospital.id, doctor_id: hospital.doctorIds[0] };
  const entry = await committedAs(ownerPool, hospital.receptionist, (db) =>
    join(db, hospital, { patientId: nth(hospital.patientIds, 0), firstDay: 8, lastDay: 9 }),
  );
  await run('offer_seats', job);
  expect(await stateOf(entry)).toBe('offered');
  expect(await storedDays()).toEqual([1, 2, 3, 8, 9]);
  // Beyond the horizon there is nothing to be had.
  const later = await committedAs(ownerPool, hospital.receptionist, (db) =>
    join(db, hospital, { patientId: nth(hospital.patientIds, 1), firstDay: 20, lastDay: 40 }),
  );
  await run('offer_seats', job);
  expect(await stateOf(later)).toBe('offered');
  expect(await storedDays()).toEqual([1, 2, 3, 8, 9, 20]);
});

test('the seat of a lapsed hold is offered without waiting for the sweeper', async () => {
  const hospital = await fullHospital();
  const entry = await joined(hospital, 0);
  await committedAs(ownerPool, hospital.receptionist, async (db) => {
    await cancel(db, hospital.visit);
    await hold(db, { slotId: hospital.seat, patientId: nth(hospital.patientIds, 2) });
  });
  const job = { hospital_id: hospital.id, doctor_id: hospital.doctorIds[0] };
  await run('offer_seats', job);
  expect(await stateOf(entry)).toBe('waiting');
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('6 minutes')");
  await run('offer_seats', job);
  expect(await stateOf(entry)).toBe('offered');
});

test('a job that is done twice offers nothing twice', async () => {
  const hospital = await fullHospital();
  await joined(hospital, 0);
  await joined(hospital, 1);
  await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, hospital.visit));
  const job = { hospital_id: hospital.id, doctor_id: hospital.doctorIds[0] };
  await Promise.all([run('offer_seats', job), run('offer_seats', job)]);
  await run('offer_seats', job);
  expect(await offers(hospital)).toHaveLength(1);
});
