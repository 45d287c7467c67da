import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, dayCount, hold, one, reschedule, slotState } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const nextSlotId = nth(hospital.slotIds, 1);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);

describe.each([
  ['book_appointment', book, 'scheduled'],
  ['hold_slot', hold, 'held'],
] as const)('%s', (_, operation, status) => {
  test('the same key and request again return the same appointment, and take one seat', () =>
    rolledBack(ownerPool, async (db) => {
      const wish = { slotId, patientId, key: randomUUID(), serviceId: hospital.serviceId };
      const first = await operation(await as(db, hospital.patient), wish);
      const second = await operation(db, wish);

      expect(second).toEqual(first);
      expect(second.status).toBe(status);
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1 });
      expect(await dayCount(db, slotId)).toBe(1);
    }));

  test('the answer is the appointment as it is now, even when it was cancelled meanwhile', () =>
    rolledBack(ownerPool, async (db) => {
      const wish = { slotId, patientId, key: randomUUID() };
      const { id } = await operation(await as(db, hospital.patient), wish);
      await cancel(db, id);
      expect(await operation(db, wish)).toMatchObject({ id, status: 'cancelled' });
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0 });
    }));

  test('the same key with anything else is another request, and refused', () =>
    rolledBack(ownerPool, async (db) => {
      const key = randomUUID();
      await become(db, hospital.receptionist);
      await operation(db, { slotId, patientId, key, reason: 'cough' });
      const others = [
        { slotId: nextSlotId, patientId, key, reason: 'cough' },
        { slotId, patientId: otherPatientId, key, reason: 'cough' },
        { slotId, patientId, key, reason: 'Cough' },
        { slotId, patientId, key, reason: '' },
        { slotId, patientId, key },
        { slotId, patientId, key, reason: 'cough', serviceId: hospital.serviceId },
      ];
      for (const other of others) {
        const refusal = await refusalOf(db, () => operation(db, other));
        expect(refusal).toMatchObject({
          code: 'SK409',
          scenario: 'idempotency_key_reused',
          details: { idempotency_key: key },
        });
      }
    }));

  test('a key is required', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      const refusal = await refusalOf(db, () => operation(db, { slotId, patientId, key: null }));
      expect(refusal).toMatchObject({ code: 'SK400', scenario: 'idempotency_key_required' });
    }));

  test('a refused request leaves its key unused', () =>
    rolledBack(ownerPool, async (db) => {
      const wish = { slotId, patientId, key: randomUUID() };
      await become(db, hospital.receptionist);
      const inTheWay = await book(db, { slotId, patientId: otherPatientId });
      expect(await refusalOf(db, () => operation(db, wish))).toMatchObject({
        scenario: 'slot_booked',
      });
      await cancel(db, inTheWay.id);
      expect(await operation(db, wish)).toMatchObject({ status });
    }));

  test('a replay is answered before any rule is judged', () =>
    rolledBack(ownerPool, async (db) => {
      const wish = { slotId, patientId, key: randomUUID() };
      const { id } = await operation(await as(db, hospital.patient), wish);
      await become(db, hospital.admin);
      await db.query("select app_public.block_slot($1, 'cleaning')", [slotId]);
      await become(db, hospital.patient);
      expect(await operation(db, wish)).toMatchObject({ id, status });
    }));
});

describe('reschedule_appointment', () => {
  test('the same key and request again move nothing further', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
      const key = randomUUID();
      const first = await reschedule(db, id, nextSlotId, { key, reason: 'school' });
      const second = await reschedule(db, id, nextSlotId, { key, reason: 'school' });
      expect(second).toEqual(first);
      expect(await movesOf(db, id)).toBe(1);
      expect(await slotState(db, nextSlotId)).toMatchObject({ booked_count: 1 });
    }));

  test('the answer is the appointment as it is now, even when it moved on or was cancelled', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
      const key = randomUUID();
      await reschedule(db, id, nextSlotId, { key });
      const third = nth(hospital.slotIds, 2);
      await reschedule(db, id, third);
      expect(await reschedule(db, id, nextSlotId, { key })).toMatchObject({ slot_id: third });
      await cancel(db, id);
      expect(await reschedule(db, id, nextSlotId, { key })).toMatchObject({ status: 'cancelled' });
      expect(await movesOf(db, id)).toBe(2);
    }));

  test('the same key with another slot, appointment or reason is refused', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.receptionist);
      const { id } = await book(db, { slotId, patientId });
      const other = await book(db, { slotId: nth(hospital.slotIds, 5), patientId: otherPatientId });
      const key = randomUUID();
      await reschedule(db, id, nextSlotId, { key });
      for (const attempt of [
        () => reschedule(db, id, nth(hospital.slotIds, 2), { key }),
        () => reschedule(db, other.id, nextSlotId, { key }),
        () => reschedule(db, id, nextSlotId, { key, reason: 'school' }),
      ]) {
        expect(await refusalOf(db, attempt)).toMatchObject({
          code: 'SK409',
          scenario: 'idempotency_key_reused',
        });
      }
    }));

  test('a key is required', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
      const refusal = await refusalOf(db, () => reschedule(db, id, nextSlotId, { key: null }));
      expect(refusal).toMatchObject({ code: 'SK400', scenario: 'idempotency_key_required' });
    }));
});

test('one key serves one operation only', () =>
  rolledBack(ownerPool, async (db) => {
    const key = randomUUID();
    await become(db, hospital.patient);
    const { id } = await book(db, { slotId, patientId, key });
    const moveKey = randomUUID();
    await reschedule(db, id, nextSlotId, { key: moveKey });
    for (const attempt of [
      () => hold(db, { slotId, patientId, key }),
      () => reschedule(db, id, slotId, { key }),
      () => book(db, { slotId, patientId, key: moveKey }),
      () => hold(db, { slotId, patientId, key: moveKey }),
    ]) {
      expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'idempotency_key_reused' });
    }
  }));

test('a key belongs to an account: two accounts may use the same one and see nothing of each other', () =>
  rolledBack(ownerPool, async (db) => {
    const key = randomUUID();
    const mine = await book(await as(db, hospital.patient), { slotId, patientId, key });
    const theirs = await book(await as(db, hospital.otherPatient), {
      slotId: nextSlotId,
      patientId: otherPatientId,
      key,
    });
    expect(theirs.id).not.toBe(mine.id);

    // Reception repeats neither: it asks for itself.
    await become(db, hospital.receptionist);
    const refusal = await refusalOf(db, () => book(db, { slotId, patientId, key }));
    expect(refusal).toMatchObject({ scenario: 'patient_double_booked' });
  }));

async function movesOf(db: ClientBase, appointmentId: string): Promise<number> {
  const { moves } = await one<{ moves: number }>(
    db,
    'select count(*)::int as moves from app_public.appointment_move where appointment_id = $1',
    [appointmentId],
  );
  return moves;
}
