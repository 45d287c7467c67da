import { expect, test } from 'vitest';
import { as, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import {
  book,
  cancel,
  dayCount,
  hold,
  one,
  setStatus,
  slotState,
  stored,
  transit,
} from '../helpers/booking.ts';
import { clockOf, moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);

test('a hold takes the seat for as long as the hospital holds one', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query("update app_public.hospital set hold_duration = '7 minutes' where id = $1", [
      hospital.id,
    ]);
    const held = await hold(await as(db, hospital.patient), { slotId, patientId });
    const now = await clockOf(db);

    expect(held).toMatchObject({ status: 'held', slot_id: slotId });
    expect(held.held_until?.getTime()).toBe(now.getTime() + 7 * 60_000);
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1, status: 'booked' });
    expect(await dayCount(db, slotId)).toBe(1);

    await become(db, hospital.otherPatient);
    const refusal = await refusalOf(db, () => book(db, { slotId, patientId: otherPatientId }));
    expect(refusal).toMatchObject({ scenario: 'slot_booked' });
  }));

test('the length of a hold is not the client’s to choose', () =>
  rolledBack(ownerPool, async (db) => {
    const { held_until } = await one(
      db,
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, held_until)
       values ($1, $2, $3, 'held', '2100-01-01') returning *`,
      [hospital.id, slotId, patientId],
    );
    expect(held_until?.getTime()).toBe((await clockOf(db)).getTime() + 5 * 60_000);
  }));

test('a confirmed hold is an appointment, in the seat that it held', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '4 minutes 59 seconds');
    expect(await transit(db, 'confirm_hold', id)).toMatchObject({
      id,
      status: 'scheduled',
      slot_id: slotId,
      held_until: null,
    });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1 });
    expect(await dayCount(db, slotId)).toBe(1);

    await moveClock(db, '1 hour');
    expect(await expireAll(db)).toBe(0);
  }));

test('a hold lapses on the second; a lapsed hold cannot be confirmed', () =>
  rolledBack(ownerPool, async (db) => {
    const held = await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '5 minutes');
    const refusal = await refusalOf(db, () => transit(db, 'confirm_hold', held.id));

    expect(refusal).toMatchObject({ code: 'SK409', scenario: 'hold_expired', recoverable: true });
    expect(new Date(String(refusal.details.held_until))).toEqual(held.held_until);
  }));

test('nobody expires a hold that has not lapsed', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '4 minutes 59 seconds');
    for (const act of [asOwner, asWorker]) {
      await act(db);
      expect(await refusalOf(db, () => setStatus(db, id, 'expired'))).toMatchObject({
        scenario: 'illegal_transition',
        details: { from: 'held', to: 'expired' },
      });
    }
    expect(await expireAll(db)).toBe(0);
  }));

test('a hold can be given up', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    expect(await cancel(db, id)).toMatchObject({ status: 'cancelled', held_until: null });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0 });
    expect(await dayCount(db, slotId)).toBe(0);
  }));

// Whoever needs the seat next releases it, with nobody having swept before.
test('a lapsed hold gives its seat to the next who wants the slot', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '5 minutes');

    await become(db, hospital.otherPatient);
    const booked = await book(db, { slotId, patientId: otherPatientId });

    expect(booked).toMatchObject({ status: 'scheduled', slot_id: slotId });
    expect(await stored(db, id)).toMatchObject({ status: 'expired', held_until: null });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1 });
    expect(await dayCount(db, slotId)).toBe(1);
  }));

test('a lapsed hold leaves its patient free for another doctor at the same time', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '5 minutes');
    const elsewhere = nth(hospital.otherSlotIds, 0);

    expect(await book(db, { slotId: elsewhere, patientId })).toMatchObject({ slot_id: elsewhere });

    expect(await stored(db, id)).toMatchObject({ status: 'expired' });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0 });
    expect(await dayCount(db, slotId)).toBe(0);
  }));

test('a lapsed hold gives its place of the day back', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      hospital.doctorIds[0],
    ]);
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    const later = nth(hospital.slotIds, 9);
    await become(db, hospital.otherPatient);
    const tooSoon = await refusalOf(db, () =>
      book(db, { slotId: later, patientId: otherPatientId }),
    );
    await moveClock(db, '5 minutes');

    expect(tooSoon).toMatchObject({ scenario: 'daily_limit_reached' });
    expect(await book(db, { slotId: later, patientId: otherPatientId })).toMatchObject({
      slot_id: later,
    });
    expect(await stored(db, id)).toMatchObject({ status: 'expired' });
    expect(await dayCount(db, slotId)).toBe(1);
  }));

test('a lapsed hold that is in nobody’s way is left to the sweeper', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '5 minutes');
    await become(db, hospital.otherPatient);
    await book(db, { slotId: nth(hospital.otherSlotIds, 5), patientId: otherPatientId });
    expect(await stored(db, id)).toMatchObject({ status: 'held' });
  }));

test('it is the system that lets a hold lapse, not the patient who comes next', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '5 minutes');
    await become(db, hospital.otherPatient);
    const booked = await book(db, { slotId, patientId: otherPatientId });

    await asOwner(db);
    const { rows } = await db.query(
      `select record_id, operation, actor_role, actor_account_id, changed_columns ->> 'status' as status
       from app_public.audit_entry
       where table_name = 'appointment' and (record_id = $2 or record_id = $1 and operation = 'update')
       order by id`,
      [id, booked.id],
    );
    expect(rows).toEqual([
      {
        record_id: id,
        operation: 'update',
        actor_role: 'worker',
        actor_account_id: null,
        status: 'expired',
      },
      {
        record_id: booked.id,
        operation: 'insert',
        actor_role: 'patient',
        actor_account_id: hospital.otherPatient.accountId,
        status: null,
      },
    ]);
  }));

test('a lapsed hold whose slot is now blocked still frees it, and the next is told it is blocked', () =>
  rolledBack(ownerPool, async (db) => {
    await hold(await as(db, hospital.patient), { slotId, patientId });
    await moveClock(db, '5 minutes');
    await become(db, hospital.nurse);
    await db.query("select app_public.block_slot($1, 'cleaning')", [slotId]);
    const refusal = await refusalOf(db, () => book(db, { slotId, patientId: otherPatientId }));
    expect(refusal).toMatchObject({ scenario: 'slot_blocked' });
    expect(refusal.details.violations).toHaveLength(1);
  }));

test('a hold is judged like a booking: a full slot cannot be held', () =>
  rolledBack(ownerPool, async (db) => {
    await book(await as(db, hospital.patient), { slotId, patientId });
    await become(db, hospital.otherPatient);
    const refusal = await refusalOf(db, () => hold(db, { slotId, patientId: otherPatientId }));
    expect(refusal).toMatchObject({ code: 'SK409', scenario: 'slot_booked' });
  }));

async function expireAll(db: Parameters<typeof asWorker>[0]): Promise<number> {
  await asWorker(db);
  const { expired } = await one<{ expired: number }>(
    db,
    'select app_private.expire_lapsed_holds($1) as expired',
    [hospital.id],
  );
  return expired;
}
