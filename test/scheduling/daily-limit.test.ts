import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, one } from '../helpers/booking.ts';
import { beginAtNoon, moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
await beginAtNoon(ownerPool);
const hospital = await openHospital(ownerPool, { horizonDays: 3, patientCount: 6 });
const [doctorId, otherDoctorId] = hospital.doctorIds;

test('a day takes as many as the doctor’s limit says, over all its slots', () =>
  rolledBack(ownerPool, async (db) => {
    await setLimit(db, 2);
    await become(db, hospital.receptionist);
    await bookNth(db, 0);
    await bookNth(db, 1);
    const refusal = await refusalOf(db, () => bookNth(db, 2));
    expect(refusal).toMatchObject({ code: 'SK409', scenario: 'daily_limit_reached' });
    expect(refusal.details).toMatchObject({ max_patients: 2 });

    // The next day, and the other doctor's same day, have limits of their own.
    expect(await bookNth(db, 14)).toMatchObject({ status: 'scheduled' });
    expect(
      await book(db, {
        slotId: nth(hospital.otherSlotIds, 5),
        patientId: nth(hospital.patientIds, 5),
      }),
    ).toMatchObject({ doctor_id: otherDoctorId });
  }));

test('a cancelled appointment gives its place of the day back', () =>
  rolledBack(ownerPool, async (db) => {
    await setLimit(db, 1);
    const { id } = await bookNth(await as(db, hospital.receptionist), 0);
    await cancel(db, id);
    expect(await bookNth(db, 1)).toMatchObject({ status: 'scheduled' });
  }));

test('a higher limit opens the days ahead', () =>
  rolledBack(ownerPool, async (db) => {
    await setLimit(db, 1);
    await bookNth(await as(db, hospital.receptionist), 0);
    await refusalOf(db, () => bookNth(db, 1));
    await setLimit(db, 2);
    await become(db, hospital.receptionist);
    expect(await bookNth(db, 1)).toMatchObject({ status: 'scheduled' });
    expect(await days(db)).toMatchObject([{ booked_count: 2, max_patients: 2 }]);
  }));

test('a lower limit leaves a fuller day what it has, and lets it take no more', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const appointments = [await bookNth(db, 0), await bookNth(db, 1), await bookNth(db, 2)];
    await bookNth(db, 14);
    await setLimit(db, 2);
    expect(await days(db)).toMatchObject([
      { booked_count: 3, max_patients: 3 },
      { booked_count: 1, max_patients: 2 },
    ]);

    await become(db, hospital.receptionist);
    expect(await refusalOf(db, () => bookNth(db, 3))).toMatchObject({
      scenario: 'daily_limit_reached',
    });
    // One leaves, and the day is still as full as the new limit allows.
    await cancel(db, nth(appointments, 0).id);
    expect(await refusalOf(db, () => bookNth(db, 3))).toMatchObject({
      scenario: 'daily_limit_reached',
    });
    await cancel(db, nth(appointments, 1).id);
    expect(await bookNth(db, 3)).toMatchObject({ status: 'scheduled' });
  }));

test('days that have passed keep the limit that they had', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    await bookNth(db, 0);
    await bookNth(db, 14);
    await moveClock(db, '2 days');
    await setLimit(db, 7);
    expect(await days(db)).toMatchObject([{ max_patients: 30 }, { max_patients: 7 }]);
  }));

test('another doctor’s days do not change', () =>
  rolledBack(ownerPool, async (db) => {
    await book(await as(db, hospital.receptionist), {
      slotId: nth(hospital.otherSlotIds, 0),
      patientId: nth(hospital.patientIds, 0),
    });
    await setLimit(db, 7);
    expect(await days(db)).toMatchObject([{ doctor_id: otherDoctorId, max_patients: 30 }]);
  }));

test('a day never holds more than its limit, whoever writes', () =>
  rolledBack(ownerPool, async (db) => {
    await bookNth(await as(db, hospital.receptionist), 0);
    await asOwner(db);
    const error = await errorOf(db, () =>
      db.query('update app_public.doctor_day set max_patients = 0'),
    );
    expect(error).toMatchObject({
      code: '23514',
      constraint: 'a_day_never_holds_more_than_its_limit',
    });
  }));

function bookNth(db: ClientBase, index: number) {
  const patientId = nth(hospital.patientIds, index % hospital.patientIds.length);
  return book(db, { slotId: nth(hospital.slotIds, index), patientId });
}

async function setLimit(db: ClientBase, limit: number): Promise<void> {
  await asOwner(db);
  await one(
    db,
    'update app_public.doctor set max_patients_per_day = $2 where id = $1 returning id',
    [doctorId, limit],
  );
}

async function days(db: ClientBase): Promise<unknown[]> {
  await asOwner(db);
  const { rows } = await db.query(
    'select doctor_id, booked_count, max_patients from app_public.doctor_day order by day',
  );
  return rows;
}
