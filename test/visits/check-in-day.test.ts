import { expect, test } from 'vitest';
import { aside, become, rolledBack } from '../helpers/actors.ts';
import { setStatus, stored, transit } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { bookVisit } from './visits.ts';

const { ownerPool } = await createDatabase();

// A visit of 10:00 in each zone; the local day has its midnights elsewhere than that of UTC.
const zones = ['Asia/Kolkata', 'America/Los_Angeles', 'Pacific/Kiritimati', 'Europe/Berlin'];

/** This local time on the day of the visit, or so many days later. */
async function localTime(
  db: Parameters<typeof stored>[0],
  startsAt: Date,
  zone: string,
  time: string,
  days = 0,
): Promise<Date> {
  const { rows } = await aside(db, () =>
    db.query(
      `select ((($1::timestamptz at time zone $2)::date + $4::integer) + $3::time) at time zone $2 as at`,
      [startsAt, zone, time, days],
    ),
  );
  return rows[0].at;
}

test.each(zones)(
  'check-in is on the local day of the visit, from midnight to midnight: %s',
  (timeZone) =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openHospital(db, { timeZone, horizonDays: 3 });
      const visit = await bookVisit(db, hospital, 16);
      const at = (time: string, days = 0) => localTime(db, visit.starts_at, timeZone, time, days);
      const checkIn = () => transit(db, 'check_in_appointment', visit.id);

      for (const [instant, today] of [
        [await at('23:59:59.999', -1), -1],
        [await at('00:00', 1), 1],
      ] as const) {
        await setClock(db, instant);
        const refusal = await refusalOf(db, checkIn);
        expect(refusal).toMatchObject({ scenario: 'not_the_day_of_the_visit', recoverable: true });
        const { day, today: told } = refusal.details as { day: string; today: string };
        expect((Date.parse(told) - Date.parse(day)) / 86_400_000).toBe(today);
      }
      for (const instant of [await at('00:00'), await at('23:59:59.999')]) {
        await setClock(db, instant);
        await db.query('savepoint arrival');
        expect(await checkIn()).toMatchObject({ status: 'checked_in' });
        await db.query('rollback to savepoint arrival');
      }
    }),
);

test.each(['doctor', 'nurse', 'receptionist', 'admin'] as const)(
  'a %s who writes the state by a plain update meets the same wall',
  (role) =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openHospital(db, { horizonDays: 2 });
      const visit = await bookVisit(db, hospital);
      await become(db, hospital[role]);
      const refusal = await refusalOf(db, () => setStatus(db, visit.id, 'checked_in'));
      expect(refusal.scenario).toBe('not_the_day_of_the_visit');
    }),
);

test('a visit is completed on its day or later, never before', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await openHospital(db, { horizonDays: 3 });
    const visit = await bookVisit(db, hospital);
    const complete = () => transit(db, 'complete_appointment', visit.id);
    const at = (time: string, days = 0) =>
      localTime(db, visit.starts_at, hospital.timeZone, time, days);

    await become(db, hospital.doctor);
    await setClock(db, await at('23:59', -1));
    expect((await refusalOf(db, complete)).scenario).toBe('not_the_day_of_the_visit');
    for (const instant of [await at('00:00'), await at('12:00', 1)]) {
      await setClock(db, instant);
      await db.query('savepoint completion');
      expect(await complete()).toMatchObject({ status: 'completed' });
      await db.query('rollback to savepoint completion');
    }
  }));

test('who checked in yesterday is completed today', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await openHospital(db, { horizonDays: 2 });
    const visit = await bookVisit(db, hospital);
    await setClock(db, visit.starts_at);
    await transit(db, 'check_in_appointment', visit.id);
    await setClock(db, await localTime(db, visit.starts_at, hospital.timeZone, '08:00', 1));
    await become(db, hospital.doctor);
    await transit(db, 'complete_appointment', visit.id);
    expect(await stored(db, visit.id)).toMatchObject({ status: 'completed' });
  }));

test('a visit that was moved to today is checked in today', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await openHospital(db, { horizonDays: 3 });
    const visit = await bookVisit(db, hospital, 20);
    const { rows } = await aside(db, () =>
      db.query('select starts_at from app_public.slot where id = $1', [nth(hospital.slotIds, 3)]),
    );
    await setClock(db, new Date(rows[0].starts_at.getTime() - 60_000));
    await become(db, hospital.receptionist);
    expect(
      (await refusalOf(db, () => transit(db, 'check_in_appointment', visit.id))).scenario,
    ).toBe('not_the_day_of_the_visit');
    await db.query(
      'select app_public.reschedule_appointment(appointment_id => $1, new_slot_id => $2, idempotency_key => gen_random_uuid())',
      [visit.id, nth(hospital.slotIds, 3)],
    );
    expect(await transit(db, 'check_in_appointment', visit.id)).toMatchObject({
      status: 'checked_in',
    });
  }));
