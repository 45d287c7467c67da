import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, rolledBack } from '../helpers/actors.ts';
import { appointmentIn, book, one, setStatus } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 2 });

test.each(['Mars/Olympus', 'Asia/Kolkatta', '', '+05:30'])('%j is no time zone', (timeZone) =>
  rolledBack(ownerPool, async (db) => {
    for (const attempt of [() => createHospital(db, { timeZone }), () => setZone(db, timeZone)]) {
      expect(await refusalOf(db, attempt)).toMatchObject({
        code: 'SK422',
        scenario: 'unknown_time_zone',
        details: { time_zone: timeZone },
      });
    }
  }),
);

test('the zone stays while slots lie ahead', () =>
  rolledBack(ownerPool, async (db) => {
    expect(await refusalOf(db, () => setZone(db, 'Europe/Vienna'))).toMatchObject({
      code: 'SK409',
      scenario: 'time_zone_in_use',
      details: { time_zone: 'Asia/Kolkata' },
    });
    // The same zone is no change.
    expect(await setZone(db, 'Asia/Kolkata')).toMatchObject({ time_zone: 'Asia/Kolkata' });
  }));

test('it can change when all slots ahead are withdrawn, or have begun', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('savepoint before');
    await db.query('update app_public.slot set withdrawn_at = now()');
    expect(await setZone(db, 'Europe/Vienna')).toMatchObject({ time_zone: 'Europe/Vienna' });
    await db.query('rollback to savepoint before');

    await moveClock(db, '10 days');
    expect(await setZone(db, 'Europe/Vienna')).toMatchObject({ time_zone: 'Europe/Vienna' });
  }));

test('it stays while a past appointment still holds a seat, which is counted in that day', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), {
      slotId: nth(hospital.slotIds, 0),
      patientId: nth(hospital.patientIds, 0),
    });
    await asOwner(db);
    await moveClock(db, '10 days');
    expect(await refusalOf(db, () => setZone(db, 'Pacific/Kiritimati'))).toMatchObject({
      scenario: 'time_zone_in_use',
    });
    await setStatus(db, id, 'no_show');
    expect(await setZone(db, 'Pacific/Kiritimati')).toMatchObject({
      time_zone: 'Pacific/Kiritimati',
    });
    const { rows } = await db.query(
      'select sum(booked_count)::int as counted from app_public.doctor_day',
    );
    expect(rows).toEqual([{ counted: 0 }]);
  }));

test('an appointment that has ended does not hold the zone', () =>
  rolledBack(ownerPool, async (db) => {
    await appointmentIn(
      db,
      hospital,
      'completed',
      nth(hospital.slotIds, 0),
      nth(hospital.patientIds, 0),
    );
    await moveClock(db, '10 days');
    expect(await setZone(db, 'Europe/Vienna')).toMatchObject({ time_zone: 'Europe/Vienna' });
  }));

function setZone(db: ClientBase, timeZone: string): Promise<{ time_zone: string }> {
  return one(db, 'update app_public.hospital set time_zone = $2 where id = $1 returning *', [
    hospital.id,
    timeZone,
  ]);
}
