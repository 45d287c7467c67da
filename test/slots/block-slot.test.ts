import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, one, slotState, stored } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 1 });
const stranger = await openHospital(ownerPool, { horizonDays: 1 });
const slotId = nth(hospital.slotIds, 0);
const patientId = nth(hospital.patientIds, 0);

test('a blocked slot says since when and why, and cannot be booked until it is unblocked', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.nurse);
    expect(await block(db, slotId)).toMatchObject({
      id: slotId,
      status: 'blocked',
      blocked_reason: 'cleaning',
      blocked_at: expect.any(Date),
    });
    expect(await refusalOf(db, () => book(db, { slotId, patientId }))).toMatchObject({
      code: 'SK409',
      scenario: 'slot_blocked',
      details: { reason: 'cleaning' },
    });
    expect(await unblock(db, slotId)).toMatchObject({
      status: 'available',
      blocked_reason: null,
      blocked_at: null,
    });
    expect(await book(db, { slotId, patientId })).toMatchObject({ status: 'scheduled' });
  }));

test('appointments that are in a slot stay in it when it is blocked, and can be cancelled', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId, patientId });
    await block(db, slotId);
    expect(await stored(db, id)).toMatchObject({ status: 'scheduled', slot_id: slotId });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1, status: 'blocked' });
    await cancel(db, id);
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0, status: 'blocked' });
  }));

test('what is blocked already, or not blocked at all, says so', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => unblock(db, slotId))).toMatchObject({
      code: 'SK409',
      scenario: 'slot_is_not_blocked',
      details: { slot_id: slotId },
    });
    await block(db, slotId);
    expect(await refusalOf(db, () => block(db, slotId))).toMatchObject({
      code: 'SK409',
      scenario: 'slot_is_blocked',
      details: { slot_id: slotId },
    });
  }));

test.each(['', '   ', null])('a block needs a reason: %j is none', (reason) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => block(db, slotId, reason))).toMatchObject({
      code: 'SK400',
      scenario: 'invalid_input',
      details: { reason: 'is empty' },
    });
  }),
);

test.each(Object.entries({ block, unblock }))(
  '%s: an unknown slot, and one of another hospital, is not found',
  (_, change) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      for (const unknown of [randomUUID(), nth(stranger.slotIds, 0)]) {
        expect(await refusalOf(db, () => change(db, unknown))).toMatchObject({
          code: 'SK404',
          scenario: 'slot_not_found',
          details: { slot_id: unknown },
        });
      }
    }),
);

test('doctors block their own slots, and nobody else’s', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.doctor);
    expect(await block(db, slotId)).toMatchObject({ status: 'blocked' });

    await become(db, hospital.otherDoctor);
    for (const attempt of [() => unblock(db, slotId), () => block(db, nth(hospital.slotIds, 1))]) {
      expect(await refusalOf(db, attempt)).toMatchObject({ code: 'SK403', scenario: 'forbidden' });
    }
  }));

test.each(['nurse', 'receptionist', 'admin'] as const)('a %s blocks and unblocks', (role) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital[role]);
    expect(await block(db, slotId)).toMatchObject({ status: 'blocked' });
    expect(await unblock(db, slotId)).toMatchObject({ status: 'available' });
  }),
);

test('a patient cannot block, nor write a slot in any other way', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    for (const attempt of [
      () => block(db, slotId),
      () => unblock(db, slotId),
      () => db.query("update app_public.slot set blocked_at = now(), blocked_reason = 'mine'"),
      () => db.query('update app_public.slot set booked_count = 0'),
    ]) {
      expect((await errorOf(db, attempt)).code).toBe('42501');
    }
  }));

test('a block is audited and announced', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    await db.query('delete from app_private.outbox');
    await block(await as(db, hospital.nurse), slotId);
    await asOwner(db);
    const { rows: entries } = await db.query(
      `select operation, actor_role, actor_account_id, changed_columns ->> 'blocked_reason' as reason
       from app_public.audit_entry where table_name = 'slot' and record_id = $1`,
      [slotId],
    );
    expect(entries).toEqual([
      {
        operation: 'update',
        actor_role: 'nurse',
        actor_account_id: hospital.nurse.accountId,
        reason: 'cleaning',
      },
    ]);
    const { rows: messages } = await db.query('select topic, key, payload from app_private.outbox');
    expect(messages).toEqual([
      {
        topic: 'slots',
        key: hospital.doctorIds[0],
        payload: { doctor_id: hospital.doctorIds[0], slot_ids: [slotId] },
      },
    ]);
  }));

type SlotRow = {
  id: string;
  status: string;
  blocked_at: Date | null;
  blocked_reason: string | null;
};

function block(db: ClientBase, id: string, reason: string | null = 'cleaning'): Promise<SlotRow> {
  return one(db, 'select * from app_public.block_slot($1, $2)', [id, reason]);
}

function unblock(db: ClientBase, id: string): Promise<SlotRow> {
  return one(db, 'select * from app_public.unblock_slot($1)', [id]);
}
