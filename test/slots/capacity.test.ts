import { expect, test } from 'vitest';
import { become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, dayCount, hold, slotState } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { slotCapacity: 3, horizonDays: 1 });
const slotId = nth(hospital.slotIds, 0);
const patient = (index: number) => ({ slotId, patientId: nth(hospital.patientIds, index) });

test('a slot with room for three takes three, whether booked or held, and no fourth', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const first = await book(db, patient(0));
    await hold(db, patient(1));
    expect(await slotState(db, slotId)).toEqual({
      booked_count: 2,
      capacity: 3,
      status: 'available',
    });
    await book(db, patient(2));
    expect(await slotState(db, slotId)).toEqual({ booked_count: 3, capacity: 3, status: 'booked' });
    expect(await dayCount(db, slotId)).toBe(3);

    expect(await refusalOf(db, () => book(db, patient(3)))).toMatchObject({
      code: 'SK409',
      scenario: 'slot_booked',
      details: { capacity: 3 },
    });
    await cancel(db, first.id);
    expect(await book(db, patient(3))).toMatchObject({ status: 'scheduled' });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 3, status: 'booked' });
  }));

test('one patient takes one seat of a slot, not two', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const { id } = await book(db, patient(0));
    expect(await refusalOf(db, () => book(db, patient(0)))).toMatchObject({
      scenario: 'patient_double_booked',
      details: { appointment_id: id },
    });
  }));

test('a slot cannot shrink below what it holds', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    await book(db, patient(0));
    await book(db, patient(1));
    await db.query('reset role');
    const error = await errorOf(db, () =>
      db.query('update app_public.slot set capacity = 1 where id = $1', [slotId]),
    );
    expect(error).toMatchObject({
      code: '23514',
      constraint: 'a_slot_never_holds_more_than_its_capacity',
    });
  }));

test('a slot that holds somebody cannot be withdrawn', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    await book(db, patient(0));
    await db.query('reset role');
    const error = await errorOf(db, () =>
      db.query('update app_public.slot set withdrawn_at = now() where id = $1', [slotId]),
    );
    expect(error).toMatchObject({ code: '23514', constraint: 'a_withdrawn_slot_is_empty' });
  }));

test.each([0, 101])('there is no slot with room for %i', (capacity) =>
  rolledBack(ownerPool, async (db) => {
    const error = await errorOf(db, () =>
      db.query('update app_public.slot set capacity = $2 where id = $1', [slotId, capacity]),
    );
    expect(error).toMatchObject({ code: '23514', constraint: 'a_slot_has_room_for_1_to_100' });
  }),
);
