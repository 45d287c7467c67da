import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, hold, setStatus, stored, transit } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import {
  type Entry,
  entryOf,
  join,
  leaveFree,
  type Offer,
  offerSeats,
  offersIn,
} from './waitlist.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { patientCount: 4 });
const { patient, otherPatient, receptionist } = hospital;
const [first, second] = [nth(hospital.patientIds, 0), nth(hospital.patientIds, 1)];
const seat = nth(hospital.slotIds, 20);

/** One free seat; two patients wait for it, and the first has it offered. */
async function offered(db: ClientBase): Promise<{ entries: [Entry, Entry]; offer: Offer }> {
  await leaveFree(db, hospital, seat);
  const entries: [Entry, Entry] = [
    await join(await as(db, patient), hospital, { patientId: first }),
    await join(await as(db, otherPatient), hospital, { patientId: second }),
  ];
  expect(entries[0].id < entries[1].id).toBe(true);
  expect(await offerSeats(db, hospital)).toBe(1);
  const [offer] = await offersIn(db, hospital);
  if (offer?.entry_id !== entries[0].id) throw new Error('the first was not offered the seat');
  return { entries, offer };
}

async function statesOf(db: ClientBase, entries: readonly Entry[]): Promise<string[]> {
  const states: string[] = [];
  for (const { id } of entries) states.push((await entryOf(db, id)).status);
  return states;
}

async function outcomes(db: ClientBase): Promise<string[]> {
  return (await offersIn(db, hospital)).map(({ outcome }) => outcome);
}

test('confirming the hold accepts the offer, and the wait is over', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries, offer } = await offered(db);
    await transit(await as(db, patient), 'confirm_hold', offer.appointment_id);
    expect(await outcomes(db)).toEqual(['accepted']);
    expect(await statesOf(db, entries)).toEqual(['booked', 'waiting']);
    expect(await entryOf(db, entries[0].id)).toMatchObject({ ended_at: expect.any(Date) });
    // What becomes of the visit later is no answer to the offer any more.
    await cancel(await as(db, patient), offer.appointment_id);
    expect(await outcomes(db)).toEqual(['accepted']);
    expect(await statesOf(db, entries)).toEqual(['booked', 'waiting']);
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(await statesOf(db, entries)).toEqual(['booked', 'offered']);
  }));

test('cancelling declines it, and the next has it offered', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries, offer } = await offered(db);
    await cancel(await as(db, patient), offer.appointment_id);
    expect(await outcomes(db)).toEqual(['declined']);
    expect(await statesOf(db, entries)).toEqual(['waiting', 'waiting']);
    expect(await entryOf(db, entries[0].id)).toMatchObject({ ended_at: null });
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(await statesOf(db, entries)).toEqual(['waiting', 'offered']);
    expect(await outcomes(db)).toEqual(['declined', 'open']);
  }));

test('no answer in time lets it lapse, and the next has it offered', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries, offer } = await offered(db);
    await moveClock(db, '1 hour 59 minutes');
    await asWorker(db);
    await db.query('select app_private.expire_lapsed_holds($1)', [hospital.id]);
    expect(await outcomes(db)).toEqual(['open']);
    await moveClock(db, '1 minute');
    const late = await refusalOf(await as(db, patient), () =>
      transit(db, 'confirm_hold', offer.appointment_id),
    );
    expect(late.scenario).toBe('hold_expired');
    await asWorker(db);
    await db.query('select app_private.expire_lapsed_holds($1)', [hospital.id]);
    expect(await outcomes(db)).toEqual(['lapsed']);
    expect(await statesOf(db, entries)).toEqual(['waiting', 'waiting']);
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(await statesOf(db, entries)).toEqual(['waiting', 'offered']);
    expect((await stored(db, offer.appointment_id)).status).toBe('expired');
  }));

test('whoever books the seat of a lapsed offer lets it lapse', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries } = await offered(db);
    await moveClock(db, '2 hours');
    await become(db, receptionist);
    await book(db, { slotId: seat, patientId: nth(hospital.patientIds, 3) });
    expect(await outcomes(db)).toEqual(['lapsed']);
    expect(await statesOf(db, entries)).toEqual(['waiting', 'waiting']);
    expect(await offerSeats(db, hospital)).toBe(0);
  }));

test('the staff answer as well, and so does a hand in psql', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries, offer } = await offered(db);
    await db.query('savepoint one');
    await transit(await as(db, receptionist), 'confirm_hold', offer.appointment_id);
    expect(await statesOf(db, entries)).toEqual(['booked', 'waiting']);
    await db.query('rollback to savepoint one');
    await asOwner(db);
    await setStatus(db, offer.appointment_id, 'cancelled');
    expect(await statesOf(db, entries)).toEqual(['waiting', 'waiting']);
  }));

test('a patient who books by themselves still waits, for another time', () =>
  rolledBack(ownerPool, async (db) => {
    await leaveFree(db, hospital, seat, nth(hospital.otherSlotIds, 20));
    await become(db, patient);
    const entry = await join(db, hospital, { patientId: first });
    await book(db, { slotId: nth(hospital.otherSlotIds, 20), patientId: first });
    expect(await offerSeats(db, hospital)).toBe(0);
    expect(await entryOf(db, entry.id)).toMatchObject({ status: 'waiting' });
  }));

test('a hold that is no offer is nobody’s answer', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries } = await offered(db);
    await asOwner(db);
    await db.query(
      'update app_public.slot set blocked_at = null, blocked_reason = null where id = $1',
      [nth(hospital.slotIds, 3)],
    );
    await become(db, patient);
    const own = await hold(db, { slotId: nth(hospital.slotIds, 3), patientId: first });
    await transit(db, 'confirm_hold', own.id);
    expect(await statesOf(db, entries)).toEqual(['offered', 'waiting']);
  }));

test('nobody writes an answer that was not given, in psql neither', () =>
  rolledBack(ownerPool, async (db) => {
    const { offer } = await offered(db);
    await asOwner(db);
    const set = (outcome: string) =>
      refusalOf(db, () =>
        db.query('update app_public.waitlist_offer set outcome = $2 where id = $1', [
          offer.id,
          outcome,
        ]),
      );
    for (const outcome of ['open', 'accepted', 'declined', 'lapsed']) {
      expect((await set(outcome)).scenario, outcome).toBe('waitlist_follows_offers');
    }
    await setStatus(db, offer.appointment_id, 'cancelled');
    for (const outcome of ['open', 'accepted', 'declined', 'lapsed']) {
      expect((await set(outcome)).scenario, outcome).toBe('waitlist_follows_offers');
    }
  }));

test('nobody writes an offer that is none, in psql neither', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries, offer } = await offered(db);
    await asOwner(db);
    const write = (entryId: string, appointmentId: string, patientId: string, slotId = seat) =>
      errorOf(db, () =>
        db.query(
          `insert into app_public.waitlist_offer
             (hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at)
           values ($1, $2, $3, $4, $5, $6, now())`,
          [hospital.id, entryId, patientId, hospital.doctorIds[0], slotId, appointmentId],
        ),
      );
    const scenario = (error: { detail?: string | undefined }) =>
      JSON.parse(error.detail ?? '{}').scenario;
    const held = offer.appointment_id;
    expect(scenario(await write(entries[1].id, held, first))).toBe('waitlist_entry_not_found');
    expect(scenario(await write(entries[1].id, held, second))).toBe('appointment_not_found');
    expect(scenario(await write(entries[0].id, held, first))).toBe('no_longer_waiting');
    await setStatus(db, held, 'cancelled');
    expect(scenario(await write(entries[0].id, held, first))).toBe('appointment_not_found');
  }));

test('waits whose days have passed expire, those with an open offer after its answer', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query("update app_public.hospital set offer_duration = '3 days' where id = $1", [
      hospital.id,
    ]);
    await leaveFree(db, hospital, seat);
    await become(db, receptionist);
    const long = await join(db, hospital, { patientId: first, lastDay: 30 });
    const short = await join(db, hospital, { patientId: second, lastDay: 1 });
    const last = await join(db, hospital, { patientId: nth(hospital.patientIds, 2), lastDay: 2 });
    expect(await offerSeats(db, hospital)).toBe(1);
    const expire = async () => {
      await asWorker(db);
      const { rows } = await db.query('select app_private.expire_waits($1) as count', [
        hospital.id,
      ]);
      return rows[0].count;
    };
    expect(await expire()).toBe(0);
    await moveClock(db, '2 days');
    expect(await expire()).toBe(1);
    expect(await statesOf(db, [long, short, last])).toEqual(['offered', 'expired', 'waiting']);
    expect(await entryOf(db, short.id)).toMatchObject({ ended_at: expect.any(Date) });
    await moveClock(db, '40 days');
    expect(await expire()).toBe(1);
    expect(await statesOf(db, [long, short, last])).toEqual(['offered', 'expired', 'expired']);
    await db.query('select app_private.expire_lapsed_holds($1)', [hospital.id]);
    expect(await expire()).toBe(1);
    expect(await statesOf(db, [long])).toEqual(['expired']);
  }));

test('patients see their own waits and offers, the staff all of their hospital', () =>
  rolledBack(ownerPool, async (db) => {
    const { entries, offer } = await offered(db);
    const seen = async () => ({
      entries: (await db.query('select id from app_public.waitlist_entry order by id')).rows.map(
        ({ id }) => id,
      ),
      offers: (await db.query('select id from app_public.waitlist_offer')).rows.map(({ id }) => id),
    });
    const ids = entries.map(({ id }) => id);
    await become(db, patient);
    expect(await seen()).toEqual({ entries: [ids[0]], offers: [offer.id] });
    await become(db, otherPatient);
    expect(await seen()).toEqual({ entries: [ids[1]], offers: [] });
    for (const actor of [hospital.doctor, hospital.nurse, receptionist, hospital.admin]) {
      await become(db, actor);
      expect(await seen()).toEqual({ entries: ids, offers: [offer.id] });
    }
  }));
