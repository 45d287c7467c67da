import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asWorker, committedAs } from '../helpers/actors.ts';
import { book, cancel, transit } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type HospitalOptions, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { isLocked, lockRow, outcomeOf, race, startRacer, untilBlocked } from '../helpers/races.ts';
import { scenarioOf } from '../helpers/refusals.ts';
import { type Entry, join, leave, type Offer, type Wish } from '../waitlist/waitlist.ts';

const { ownerPool } = await createDatabase();

/** A hospital whose two doctors have only these slots free, and patients who wait. */
async function prepare(
  wishes: (hospital: OpenHospital) => Wish[],
  free: (hospital: OpenHospital) => string[] = ({ slotIds }) => [nth(slotIds, 20)],
  options: HospitalOptions = {},
): Promise<OpenHospital & { seat: string; entries: Entry[] }> {
  const hospital = await openHospital(ownerPool, { horizonDays: 3, ...options });
  await ownerPool.query(
    `update app_public.slot set blocked_at = now(), blocked_reason = 'test'
      where hospital_id = $1 and id <> all ($2::uuid[])`,
    [hospital.id, free(hospital)],
  );
  const entries: Entry[] = [];
  for (const wish of wishes(hospital)) {
    entries.push(
      await committedAs(ownerPool, hospital.receptionist, (db) => join(db, hospital, wish)),
    );
  }
  return { ...hospital, seat: free(hospital)[0] ?? '', entries };
}

async function offer(
  db: ClientBase,
  hospital: OpenHospital,
  doctorId = hospital.doctorIds[0],
): Promise<number> {
  await asWorker(db);
  const { rows } = await db.query('select app_private.offer_free_seats($1, $2) as count', [
    hospital.id,
    doctorId,
  ]);
  return rows[0].count;
}

async function offerNow(hospital: OpenHospital, doctorId = hospital.doctorIds[0]): Promise<number> {
  const racer = await startRacer(ownerPool);
  try {
    const count = await offer(racer.db, hospital, doctorId);
    await racer.commit();
    return count;
  } finally {
    await racer.end();
  }
}

async function offers(hospital: OpenHospital): Promise<Offer[]> {
  const { rows } = await ownerPool.query<Offer>(
    'select * from app_public.waitlist_offer where hospital_id = $1 order by id',
    [hospital.id],
  );
  return rows;
}

async function states(hospital: OpenHospital): Promise<string[]> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.waitlist_entry where hospital_id = $1 order by id',
    [hospital.id],
  );
  return rows.map(({ status }) => status);
}

/** Entries, offers and held appointments tell the same; nothing is double-booked. */
async function expectOrder(): Promise<void> {
  await expectInvariants(ownerPool);
  const { rows } = await ownerPool.query(`
    select entry.id, entry.status, array_agg(offer.outcome) as outcomes, array_agg(appointment.status) as visits
      from app_public.waitlist_entry as entry
      left join app_public.waitlist_offer as offer on offer.entry_id = entry.id
      left join app_public.appointment on appointment.id = offer.appointment_id
     group by entry.hospital_id, entry.id, entry.status
    having (entry.status = 'offered') <> (count(*) filter (where offer.outcome = 'open') = 1)
        or (entry.status = 'booked') <> (count(*) filter (where offer.outcome = 'accepted') = 1)
        or bool_or((offer.outcome = 'open') <> (appointment.status = 'held'))
        or bool_or(offer.outcome = 'declined' and appointment.status <> 'cancelled')
        or bool_or(offer.outcome = 'lapsed' and appointment.status <> 'expired')`);
  expect(rows).toEqual([]);
}

const waitsOfFirst = ({ patientIds }: OpenHospital): Wish[] => [{ patientId: nth(patientIds, 0) }];
const twoWait = ({ patientIds }: OpenHospital): Wish[] =>
  patientIds.slice(0, 2).map((patientId) => ({ patientId }));

test('of two workers the second waits for the first, and offers what is left', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(twoWait);
    const [one, other] = [await start(), await start()];
    expect(await offer(one.db, hospital)).toBe(1);
    const attempt = offer(other.db, hospital);
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    // At the first lock of all, before it has looked at anything that the first one is just changing.
    const { rows: waiting } = await ownerPool.query(
      'select wait_event from pg_catalog.pg_stat_activity where pid = $1',
      [other.pid],
    );
    expect(waiting).toEqual([{ wait_event: 'advisory' }]);
    await one.commit();
    expect(await attempt).toBe(0);
    await other.commit();
    expect(await states(hospital)).toEqual(['offered', 'waiting']);
    await expectOrder();
  }));

test('what the first worker took back is offered by the second', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(twoWait);
    const [one, other] = [await start(), await start()];
    await offer(one.db, hospital);
    const attempt = offer(other.db, hospital);
    await untilBlocked(ownerPool, other.pid, attempt);
    await one.end();
    expect(await attempt).toBe(1);
    await other.commit();
    expect(await states(hospital)).toEqual(['offered', 'waiting']);
    await expectOrder();
  }));

test('who waits for a specialty is offered one seat by two workers of two doctors', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(
      ({ patientIds }) => [{ patientId: nth(patientIds, 0), specialty: 'general medicine' }],
      ({ slotIds, otherSlotIds }) => [nth(slotIds, 20), nth(otherSlotIds, 30)],
    );
    const [one, other] = [await start(), await start()];
    expect(await offer(one.db, hospital)).toBe(1);
    const attempt = offer(other.db, hospital, hospital.doctorIds[1]);
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toBe(0);
    await other.commit();
    expect(await offers(hospital)).toHaveLength(1);
    await expectOrder();
  }));

test('a seat that is just being booked is not offered, and whoever waits waits on', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(waitsOfFirst);
    const [booking, worker] = [await start(hospital.otherPatient), await start()];
    await book(booking.db, { slotId: hospital.seat, patientId: nth(hospital.patientIds, 1) });
    const attempt = offer(worker.db, hospital);
    expect(await untilBlocked(ownerPool, worker.pid, attempt)).toEqual([booking.pid]);
    await booking.commit();
    expect(await attempt).toBe(0);
    await worker.commit();
    expect(await states(hospital)).toEqual(['waiting']);
    await expectOrder();
  }));

test('a seat that is just being offered is refused to others as booked', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(waitsOfFirst);
    const [worker, booking] = [await start(), await start(hospital.otherPatient)];
    expect(await offer(worker.db, hospital)).toBe(1);
    const attempt = book(booking.db, {
      slotId: hospital.seat,
      patientId: nth(hospital.patientIds, 1),
    });
    const outcome = outcomeOf(attempt);
    expect(await untilBlocked(ownerPool, booking.pid, outcome)).toEqual([worker.pid]);
    await worker.commit();
    expect(await outcome).toBe('slot_booked');
    await booking.end();
    await expectOrder();
  }));

test('a patient who is just booking that time elsewhere is offered nothing, and the next is', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(twoWait, ({ slotIds, otherSlotIds }) => [
      nth(slotIds, 20),
      nth(otherSlotIds, 20),
    ]);
    const [booking, worker] = [await start(hospital.patient), await start()];
    await book(booking.db, {
      slotId: nth(hospital.otherSlotIds, 20),
      patientId: nth(hospital.patientIds, 0),
    });
    const attempt = offer(worker.db, hospital);
    expect(await untilBlocked(ownerPool, worker.pid, attempt)).toEqual([booking.pid]);
    await booking.commit();
    await attempt;
    await worker.commit();
    await offerNow(hospital);
    expect(await states(hospital)).toEqual(['waiting', 'offered']);
    await expectOrder();
  }));

test('the worker locks all patients before the first seat', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(twoWait, ({ slotIds }) => [nth(slotIds, 20), nth(slotIds, 21)]);
    const [inTheWay, worker] = [await start(), await start()];
    const last = [...hospital.patientIds.slice(0, 2)].sort().at(-1);
    await inTheWay.db.query('select from app_public.patient where id = $1 for no key update', [
      last,
    ]);
    const attempt = offer(worker.db, hospital);
    expect(await untilBlocked(ownerPool, worker.pid, attempt)).toEqual([inTheWay.pid]);
    for (const id of [nth(hospital.slotIds, 20), nth(hospital.slotIds, 21)]) {
      expect(await isLocked(ownerPool, { table: 'slot', where: { id } })).toBe(false);
    }
    await inTheWay.commit();
    expect(await attempt).toBe(2);
    await worker.commit();
    await expectOrder();
  }));

test('the worker locks all slots by id before the first day', () =>
  race(ownerPool, async (start) => {
    const free = ({ slotIds }: OpenHospital) => [nth(slotIds, 20), nth(slotIds, 21)];
    const hospital = await prepare(twoWait, free);
    const [firstSlot = '', lastSlot = ''] = free(hospital).sort();
    const day = {
      table: 'doctor_day',
      where: { hospital_id: hospital.id, doctor_id: hospital.doctorIds[0] },
    };
    await ownerPool.query(
      `insert into app_public.doctor_day (hospital_id, doctor_id, day, max_patients)
       select slot.hospital_id, slot.doctor_id, (slot.starts_at at time zone $2)::date, 30
         from app_public.slot where slot.id = $1`,
      [firstSlot, hospital.timeZone],
    );
    const [inTheWay, worker] = [await start(), await start()];
    await lockRow(inTheWay, { table: 'slot', where: { id: lastSlot } });
    const attempt = offer(worker.db, hospital);
    expect(await untilBlocked(ownerPool, worker.pid, attempt)).toEqual([inTheWay.pid]);
    expect(await isLocked(ownerPool, { table: 'slot', where: { id: firstSlot } })).toBe(true);
    expect(await isLocked(ownerPool, day)).toBe(false);
    await inTheWay.commit();
    expect(await attempt).toBe(2);
    await worker.commit();
    await expectOrder();
  }));

test('who is just leaving is offered nothing, and the seat stays free', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(waitsOfFirst);
    const [leaving, worker] = [await start(hospital.patient), await start()];
    await leave(leaving.db, nth(hospital.entries, 0).id);
    const attempt = offer(worker.db, hospital);
    expect(await untilBlocked(ownerPool, worker.pid, attempt)).toEqual([leaving.pid]);
    await leaving.commit();
    expect(await attempt).toBe(0);
    await worker.commit();
    expect(await states(hospital)).toEqual(['cancelled']);
    expect(await offers(hospital)).toEqual([]);
    await expectOrder();
  }));

test('who leaves while a seat is just being offered leaves, and the seat is free', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(waitsOfFirst);
    const [worker, leaving] = [await start(), await start(hospital.patient)];
    await offer(worker.db, hospital);
    const attempt = leave(leaving.db, nth(hospital.entries, 0).id);
    expect(await untilBlocked(ownerPool, leaving.pid, attempt)).toEqual([worker.pid]);
    await worker.commit();
    expect(await attempt).toMatchObject({ status: 'cancelled' });
    await leaving.commit();
    expect(await offers(hospital)).toMatchObject([{ outcome: 'declined' }]);
    await expectOrder();
  }));

test('what the patient has just confirmed is not cancelled by leaving', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare(waitsOfFirst);
    await offerNow(hospital);
    const [{ appointment_id }] = (await offers(hospital)) as [Offer];
    const [confirming, leaving] = [await start(hospital.patient), await start(hospital.patient)];
    await transit(confirming.db, 'confirm_hold', appointment_id);
    const attempt = outcomeOf(leave(leaving.db, nth(hospital.entries, 0).id));
    expect(await untilBlocked(ownerPool, leaving.pid, attempt)).toEqual([confirming.pid]);
    await confirming.commit();
    expect(await attempt).toBe('no_longer_waiting');
    await leaving.end();
    expect(await states(hospital)).toEqual(['booked']);
    await expectOrder();
  }));

test('cancel, book, offer, answer and leave all at once: nothing twice, nothing stuck, nothing lost', async () => {
  const hospital = await prepare(
    ({ patientIds }) =>
      patientIds
        .slice(0, 12)
        .flatMap((patientId, index) => [
          { patientId },
          ...(index % 2 ? [{ patientId, specialty: 'general medicine' }] : []),
        ]),
    ({ slotIds, otherSlotIds }) => [...slotIds.slice(14, 20), ...otherSlotIds.slice(14, 20)],
    { patientCount: 24, slotCapacity: 2 },
  );
  const { receptionist, patientIds, doctorIds, slotIds, otherSlotIds } = hospital;
  const raw: string[] = [];
  const attempt = async (act: () => Promise<unknown>) => {
    try {
      await act();
    } catch (error) {
      const scenario = scenarioOf(error);
      if (/^[0-9A-Z]{5}$/.test(scenario)) raw.push(scenario);
    }
  };
  const asReception = (act: (db: ClientBase) => Promise<unknown>) =>
    attempt(() => committedAs(ownerPool, receptionist, act));
  const some = async (condition: string) => {
    const { rows } = await ownerPool.query<{ id: string }>(
      `select id from app_public.appointment where hospital_id = $1 and ${condition} order by md5(id::text)`,
      [hospital.id],
    );
    return rows.map(({ id }) => id);
  };
  for (let round = 0; round < 6; round += 1) {
    const held = await some("status = 'held'");
    const booked = await some("status = 'scheduled'");
    await Promise.all([
      attempt(() => offerNow(hospital, doctorIds[0])),
      attempt(() => offerNow(hospital, doctorIds[0])),
      attempt(() => offerNow(hospital, doctorIds[1])),
      ...held.slice(0, 2).map((id) => asReception((db) => transit(db, 'confirm_hold', id))),
      ...held.slice(1, 4).map((id) => asReception((db) => cancel(db, id))),
      ...booked.slice(0, 3).map((id) => asReception((db) => cancel(db, id))),
      asReception((db) =>
        book(db, {
          slotId: nth(slotIds, 14 + round),
          patientId: nth(patientIds, 12 + round),
        }),
      ),
      asReception((db) =>
        book(db, { slotId: nth(otherSlotIds, 19 - round), patientId: nth(patientIds, round) }),
      ),
      asReception((db) => leave(db, nth(hospital.entries, round).id)),
    ]);
    await expectOrder();
  }
  expect(raw).toEqual([]);
  while ((await offerNow(hospital, doctorIds[0])) + (await offerNow(hospital, doctorIds[1])) > 0);
  await expectOrder();
  expect((await states(hospital)).filter((status) => status === 'booked').length).toBeGreaterThan(
    0,
  );
});
