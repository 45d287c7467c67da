import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { book, dayCount, hold, one, slotState, stored } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);

test('the sweeper expires all lapsed holds of a hospital and nothing else', () =>
  rolledBack(ownerPool, async (db) => {
    const lapsed = await holdSome(db, hospital, hospital.slotIds.slice(0, 2));
    const [elsewhere = ''] = await holdSome(db, stranger, stranger.slotIds.slice(0, 1));
    await moveClock(db, '5 minutes');
    const [fresh = ''] = await holdSome(db, hospital, hospital.otherSlotIds.slice(20, 21), 2);
    await become(db, hospital.receptionist);
    const booked = await book(db, {
      slotId: nth(hospital.otherSlotIds, 30),
      patientId: nth(hospital.patientIds, 3),
    });

    expect(await sweep(db, hospital)).toBe(2);
    expect(await sweep(db, hospital)).toBe(0);

    for (const id of lapsed) expect(await stored(db, id)).toMatchObject({ status: 'expired' });
    for (const id of [elsewhere, fresh]) {
      expect(await stored(db, id)).toMatchObject({ status: 'held' });
    }
    expect(await stored(db, booked.id)).toMatchObject({ status: 'scheduled' });
    expect(await slotState(db, nth(hospital.slotIds, 0))).toMatchObject({ booked_count: 0 });
    expect(await dayCount(db, nth(hospital.slotIds, 0))).toBe(0);
  }));

test('it leaves the claims of its caller as they were', () =>
  rolledBack(ownerPool, async (db) => {
    await holdSome(db, hospital, hospital.slotIds.slice(0, 1));
    await moveClock(db, '5 minutes');
    await become(db, hospital.receptionist);
    await book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 3) });
    const claims = await one(
      db,
      "select current_setting('claims.role') as role, current_setting('claims.account_id') as account_id",
    );
    expect(claims).toEqual({
      role: 'receptionist',
      account_id: hospital.receptionist.accountId,
    });
  }));

test('a hand in psql, without claims, sweeps and books the same', () =>
  rolledBack(ownerPool, async (db) => {
    const ids = await holdSome(db, hospital, hospital.slotIds.slice(0, 2));
    await moveClock(db, '5 minutes');
    await asOwner(db);
    await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
       values ($1, $2, $3, 'scheduled')`,
      [hospital.id, nth(hospital.slotIds, 0), nth(hospital.patientIds, 3)],
    );
    for (const id of ids) expect(await stored(db, id)).toMatchObject({ status: 'expired' });
  }));

test('only background work sweeps', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [hospital.patient, hospital.receptionist, hospital.admin]) {
      await become(db, actor);
      const error = await errorOf(db, () =>
        db.query('select app_private.expire_lapsed_holds($1)', [hospital.id]),
      );
      expect(error.code, actor.role).toBe('42501');
    }
  }));

/** Holds these slots, one patient each. */
async function holdSome(
  db: ClientBase,
  { receptionist, patientIds }: OpenHospital,
  slotIds: readonly string[],
  firstPatient = 0,
): Promise<string[]> {
  await become(db, receptionist);
  const ids: string[] = [];
  for (const [number, slotId] of slotIds.entries()) {
    const patientId = nth(patientIds, firstPatient + number);
    ids.push((await hold(db, { slotId, patientId })).id);
  }
  return ids;
}

async function sweep(db: ClientBase, { id }: OpenHospital): Promise<number> {
  await asWorker(db);
  const { expired } = await one<{ expired: number }>(
    db,
    'select app_private.expire_lapsed_holds($1) as expired',
    [id],
  );
  return expired;
}
