// A repair counts under the locks of booking: whoever is booking at that moment is counted once, before or
// after, whoever comes first.
import { expect, test } from 'vitest';
import { unguarded } from '../../../drill/damage.ts';
import { committedAs } from '../../helpers/actors.ts';
import { book, cancel, hold } from '../../helpers/booking.ts';
import { createDatabase } from '../../helpers/database.ts';
import { type OpenHospital, openHospital } from '../../helpers/hospital.ts';
import { brokenInvariants } from '../../helpers/invariants.ts';
import { nth } from '../../helpers/nth.ts';
import { outcomeOf, type Racer, race, untilBlocked } from '../../helpers/races.ts';
import { markNoShow } from '../../visits/visits.ts';
import { repairAll } from '../repairing.ts';

const { ownerPool } = await createDatabase();

async function prepare(): Promise<OpenHospital> {
  const hospital = await openHospital(ownerPool, { horizonDays: 3 });
  await bookIn(hospital, 0, 0);
  return hospital;
}

function bookIn(hospital: OpenHospital, slot: number, patient: number) {
  return committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, slot), patientId: nth(hospital.patientIds, patient) }),
  );
}

async function harm(statement: string, values: readonly unknown[]): Promise<void> {
  const db = await ownerPool.connect();
  try {
    await db.query('begin');
    await unguarded(db, () => db.query(statement, [...values]));
    await db.query('commit');
  } finally {
    db.release();
  }
}

const forgetDay = 'update app_public.doctor_day set booked_count = 0 where doctor_id = $1';
const dayCount = 'select booked_count from app_public.doctor_day where doctor_id = $1';

test('the day is counted after a booking that is under way', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare();
    await harm(forgetDay, [hospital.doctorIds[0]]);
    const booking = await start(hospital.receptionist);
    await book(booking.db, {
      slotId: nth(hospital.slotIds, 1),
      patientId: nth(hospital.patientIds, 1),
    });
    const repairing = await start();
    const repaired = repairAll(repairing.db, 'doctor_day_mismatch');
    expect(await untilBlocked(ownerPool, repairing.pid, repaired)).toEqual([booking.pid]);
    await booking.commit();
    expect(await repaired).toMatchObject([{ isGone: true }]);
    await repairing.commit();
    expect((await ownerPool.query(dayCount, [hospital.doctorIds[0]])).rows).toEqual([
      { booked_count: 2 },
    ]);
    expect(await brokenInvariants(ownerPool)).toEqual({});
  }));

test('a booking and a cancellation wait for the count of their day, and are counted', () =>
  race(ownerPool, async (start) => {
    const hospital = await prepare();
    const leaving = await bookIn(hospital, 2, 2);
    await harm(forgetDay, [hospital.doctorIds[0]]);
    const repairing = await start();
    expect(await repairAll(repairing.db, 'doctor_day_mismatch')).toMatchObject([{ isGone: true }]);
    const deeds: [Racer, Promise<string>][] = [];
    for (const act of [
      ({ db }: Racer) =>
        book(db, { slotId: nth(hospital.slotIds, 1), patientId: nth(hospital.patientIds, 1) }),
      ({ db }: Racer) => cancel(db, leaving.id),
    ]) {
      const racer = await start(hospital.receptionist);
      const outcome = outcomeOf(act(racer)).then(async (each) => {
        await racer.commit();
        return each;
      });
      await untilBlocked(ownerPool, racer.pid, outcome);
      deeds.push([racer, outcome]);
    }
    await repairing.commit();
    for (const [, outcome] of deeds) expect(await outcome).toBe('done');
    expect((await ownerPool.query(dayCount, [hospital.doctorIds[0]])).rows).toEqual([
      { booked_count: 2 },
    ]);
    expect(await brokenInvariants(ownerPool)).toEqual({});
  }));

test('the missed visits of a patient are counted after one that is being marked', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    const visit = await bookIn(hospital, 0, 0);
    await harm('update app_public.patient set no_show_count = 7 where id = $1', [visit.patient_id]);
    const marking = await start(hospital.receptionist);
    await markNoShow(marking.db, visit.id, 'patient_called');
    const repairing = await start();
    const repaired = repairAll(repairing.db, 'patient_no_show_count_mismatch');
    expect(await untilBlocked(ownerPool, repairing.pid, repaired)).toEqual([marking.pid]);
    await marking.commit();
    expect(await repaired).toMatchObject([{ isGone: true }]);
    await repairing.commit();
    const { rows } = await ownerPool.query(
      'select no_show_count from app_public.patient where id = $1',
      [visit.patient_id],
    );
    expect(rows).toEqual([{ no_show_count: 1 }]);
    // It was blocked by a count that was wrong; nobody but people takes that back.
    expect(await brokenInvariants(ownerPool)).toEqual({});
  }));

test('a hold that is cancelled while it is repaired is left as it is', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    const held = await committedAs(ownerPool, hospital.patient, (db) =>
      hold(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
    );
    await harm(
      "update app_public.appointment set held_until = now() - interval '1 hour' where id = $1",
      [held.id],
    );
    const cancelling = await start(hospital.patient);
    await cancel(cancelling.db, held.id);
    const repairing = await start();
    const repaired = repairAll(repairing.db, 'lapsed_hold');
    expect(await untilBlocked(ownerPool, repairing.pid, repaired)).toEqual([cancelling.pid]);
    await cancelling.commit();
    expect(await repaired).toEqual([
      { message: 'Nothing to do: the appointment is cancelled.', isGone: true, isForPeople: false },
    ]);
    await repairing.commit();
    expect(await brokenInvariants(ownerPool)).toEqual({});
  }));
