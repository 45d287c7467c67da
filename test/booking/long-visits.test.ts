import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { aside, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, dayCount, hold, one, reschedule, slotState } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

// Services longer than a slot, and services with buffers: what they take, atomically, and give back.
// The day: 09:00 to 13:00 is slots 0 to 7, 14:00 to 17:00 is slots 8 to 13, half an hour each.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 2);
const slotIds = hospital.slotIds;

const services: Readonly<Record<string, Record<string, string | null>>> = {
  hour: { duration: '1 hour' },
  hourAndAHalf: { duration: '90 minutes' },
  twentyFive: { duration: '25 minutes' },
  withBufferInside: { duration: '20 minutes', buffer_after: '10 minutes' },
  withBufferAfter: { duration: null, buffer_after: '10 minutes' },
  withBufferBefore: { duration: null, buffer_before: '10 minutes' },
  withBothBuffers: { duration: '1 hour', buffer_before: '30 minutes', buffer_after: '45 minutes' },
};

async function service(db: ClientBase, name: string): Promise<string> {
  return aside(db, () =>
    insert(db, 'service', { hospital_id: hospital.id, name, ...services[name] }),
  );
}

/** Which slots of the day are taken, by their place in it. */
async function taken(db: ClientBase): Promise<number[]> {
  const states = await Promise.all(slotIds.slice(0, 28).map((id) => slotState(db, id)));
  return states.flatMap(({ booked_count }, place) => Array(booked_count).fill(place));
}

describe('a service takes the slots that it needs', () => {
  test.each([
    ['hour', 2, [2, 3]],
    ['hourAndAHalf', 2, [2, 3, 4]],
    ['twentyFive', 2, [2]],
    ['withBufferInside', 2, [2]],
    ['withBufferAfter', 2, [2, 3]],
    ['withBufferBefore', 2, [1, 2]],
    ['withBothBuffers', 2, [1, 2, 3, 4, 5]],
    // Buffers may lie in the break, before and after work.
    ['withBufferAfter', 7, [7]],
    ['withBufferBefore', 8, [8]],
    ['withBufferAfter', 13, [13]],
    ['withBothBuffers', 0, [0, 1, 2, 3]],
  ])('%s from slot %i', (name, place, expected) =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await service(db, name);
      await become(db, hospital.receptionist);
      const { id } = await book(db, { slotId: nth(slotIds, place), patientId, serviceId });
      expect(await taken(db)).toEqual(expected);
      expect(await dayCount(db, nth(slotIds, 0))).toBe(1);

      await cancel(db, id);
      expect(await taken(db)).toEqual([]);
      expect(await dayCount(db, nth(slotIds, 0))).toBe(0);
    }),
  );

  test('and the visit lasts as long as the service, without its buffers', () =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await service(db, 'withBothBuffers');
      await become(db, hospital.receptionist);
      const visit = await book(db, { slotId: nth(slotIds, 2), patientId, serviceId });
      expect(visit.ends_at.getTime() - visit.starts_at.getTime()).toBe(3_600_000);
    }));
});

describe('a visit that does not find all its slots is refused, and takes none', () => {
  const nothing = async (db: ClientBase) => expect(await taken(db)).toEqual([]);

  test.each([
    ['across the break', 'hour', 7],
    ['past the end of work', 'hour', 13],
  ])('%s', (_, name, place) =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await service(db, name);
      await become(db, hospital.receptionist);
      const wish = { slotId: nth(slotIds, place), patientId, serviceId };
      expect(await refusalOf(db, () => book(db, wish))).toMatchObject({
        code: 'SK422',
        scenario: 'time_outside_slot',
      });
      await nothing(db);
    }),
  );

  test('one of them is full', () =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await service(db, 'hour');
      await become(db, hospital.receptionist);
      await book(db, { slotId: nth(slotIds, 3), patientId: otherPatientId });
      const wish = { slotId: nth(slotIds, 2), patientId, serviceId };
      expect(await refusalOf(db, () => book(db, wish))).toMatchObject({ scenario: 'slot_booked' });
      expect(await taken(db)).toEqual([3]);
    }));

  test.each([
    ['slot_blocked', "blocked_at = now(), blocked_reason = 'cleaning'"],
    ['time_outside_slot', 'withdrawn_at = now()'],
    ['slot_withdrawn', 'is_retired = true'],
  ])('%s of a further slot', (scenario, change) =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await service(db, 'hour');
      await db.query(`update app_public.slot set ${change} where id = $1`, [nth(slotIds, 3)]);
      await become(db, hospital.receptionist);
      const wish = { slotId: nth(slotIds, 2), patientId, serviceId };
      expect(await refusalOf(db, () => book(db, wish))).toMatchObject({ scenario });
      await nothing(db);
    }),
  );

  test('a buffer finds somebody in it', () =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await service(db, 'withBufferBefore');
      await become(db, hospital.receptionist);
      await book(db, { slotId: nth(slotIds, 1), patientId: otherPatientId });
      const wish = { slotId: nth(slotIds, 2), patientId, serviceId };
      expect(await refusalOf(db, () => book(db, wish))).toMatchObject({ scenario: 'slot_booked' });
    }));

  test('the patient is elsewhere during its second half', () =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await service(db, 'hour');
      await become(db, hospital.receptionist);
      await book(db, { slotId: nth(hospital.otherSlotIds, 3), patientId });
      const wish = { slotId: nth(slotIds, 2), patientId, serviceId };
      expect(await refusalOf(db, () => book(db, wish))).toMatchObject({
        scenario: 'patient_double_booked',
      });
    }));
});

test('nobody else gets a further slot', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, 'hour');
    await become(db, hospital.receptionist);
    await book(db, { slotId: nth(slotIds, 2), patientId, serviceId });
    const wish = { slotId: nth(slotIds, 3), patientId: otherPatientId };
    expect(await refusalOf(db, () => book(db, wish))).toMatchObject({ scenario: 'slot_booked' });
  }));

test('a long visit moves by one slot: it is not in its own way', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, 'hour');
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slotIds, 2), patientId, serviceId });
    await reschedule(db, id, nth(slotIds, 3));
    expect(await taken(db)).toEqual([3, 4]);
    await reschedule(db, id, nth(slotIds, 2));
    expect(await taken(db)).toEqual([2, 3]);
    expect(await dayCount(db, nth(slotIds, 0))).toBe(1);
  }));

test('a move that is refused leaves the long visit where it was', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, 'hour');
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slotIds, 2), patientId, serviceId });
    await book(db, { slotId: nth(slotIds, 6), patientId: otherPatientId });
    expect(await refusalOf(db, () => reschedule(db, id, nth(slotIds, 5)))).toMatchObject({
      scenario: 'slot_booked',
    });
    expect(await taken(db)).toEqual([2, 3, 6]);
  }));

test('a lapsed hold of a long visit stands in nobody’s way, also in its further slot', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, 'hour');
    await become(db, hospital.receptionist);
    const held = await hold(db, { slotId: nth(slotIds, 2), patientId, serviceId });
    const wish = { slotId: nth(slotIds, 3), patientId: otherPatientId };
    expect(await refusalOf(db, () => book(db, wish))).toMatchObject({ scenario: 'slot_booked' });
    await moveClock(db, '5 minutes');
    await become(db, hospital.receptionist);
    await book(db, wish);
    expect(await taken(db)).toEqual([3]);
    await asOwner(db);
    expect(
      await one(db, 'select status from app_public.appointment where id = $1', [held.id]),
    ).toEqual({ status: 'expired' });
  }));

test('a visit without a service cannot be longer than its slot, not even from psql', () =>
  rolledBack(ownerPool, async (db) => {
    const refusal = await refusalOf(db, () =>
      db.query(
        `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, during)
         select hospital_id, id, $2, 'scheduled', tstzrange(lower(during), upper(during) + interval '30 minutes')
         from app_public.slot where id = $1`,
        [nth(slotIds, 2), patientId],
      ),
    );
    expect(refusal).toMatchObject({ scenario: 'time_outside_slot' });
  }));

test('a hand cannot write, change or remove a further seat', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, 'hour');
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId: nth(slotIds, 2), patientId, serviceId });
    await asOwner(db);
    for (const statement of [
      `insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
       select hospital_id, $1, id, doctor_id, location_id from app_public.slot where id = '${nth(slotIds, 5)}'`,
      `update app_public.appointment_seat set slot_id = '${nth(slotIds, 5)}' where appointment_id = $1`,
      'delete from app_public.appointment_seat where appointment_id = $1',
    ]) {
      expect(await refusalOf(db, () => db.query(statement, [id]))).toMatchObject({
        code: 'SK403',
        scenario: 'counter_is_derived',
      });
    }
    await become(db, hospital.admin);
    const error = await errorOf(db, () => db.query('delete from app_public.appointment_seat'));
    expect(error.code).toBe('42501');
  }));

test('the states of the column and of the function that hold a seat are the same', () =>
  rolledBack(ownerPool, async (db) => {
    const { rows } = await db.query(
      `select pg_get_expr(adbin, adrelid) as expression from pg_attrdef
       join pg_attribute on attrelid = adrelid and attnum = adnum
       where adrelid = 'app_public.appointment'::regclass and attname = 'holds_seat'`,
    );
    const { rows: states } = await db.query(
      `select status, app_private.holds_seat(status) as by_function, ${rows[0].expression} as by_column
       from unnest(enum_range(null::app_public.appointment_status)) as status`,
    );
    expect(states).toHaveLength(10);
    for (const { status, by_function, by_column } of states) {
      expect(by_function, status).toBe(by_column);
    }
  }));
