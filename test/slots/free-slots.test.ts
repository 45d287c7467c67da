import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, bookers, hold } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { brokenVerdicts } from '../helpers/explanation.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const stranger = await openHospital(ownerPool, { horizonDays: 1 });
const [doctorId] = hospital.doctorIds;
const [slotId, nextSlotId] = [nth(hospital.slotIds, 0), nth(hospital.slotIds, 1)];

// The evening before the first slots: nothing of today is left, whenever the tests run.
const startOfTomorrow = await startOf(slotId);
const eveningBefore = new Date(startOfTomorrow.getTime() - 12 * 3_600_000);

test('everybody is offered the same: every slot ahead, soonest first', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    for (const actor of bookers(hospital)) {
      await become(db, actor);
      expect(await freeIds(db), actor.role).toEqual(hospital.slotIds);
    }
  }));

test('what is offered can be booked, and what is not offered cannot', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    const [blocked, withdrawn, lapsed, free] = hospital.slotIds.slice(0, 4);
    const patientId = nth(hospital.patientIds, 3);
    await become(db, hospital.receptionist);
    await hold(db, { slotId: lapsed ?? '', patientId });
    await moveClock(db, '5 minutes');
    await db.query("select app_public.block_slot($1, 'cleaning')", [blocked]);
    await asOwner(db);
    await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [withdrawn]);

    for (const actor of [hospital.receptionist, hospital.patient]) {
      await become(db, actor);
      const offered = await freeIds(db);
      for (const each of hospital.slotIds.slice(0, 20)) {
        const verdicts = await brokenVerdicts(db, {
          slotId: each,
          patientId: nth(hospital.patientIds, 0),
        });
        expect({ each, isOffered: offered.includes(each) }).toEqual({
          each,
          isOffered: verdicts.length === 0,
        });
      }
      expect(offered.slice(0, 2)).toEqual([lapsed, free]);
    }
  }));

test('a booked slot is no longer offered, a slot with room left is', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    await db.query('update app_public.slot set capacity = 2 where id = $1', [nextSlotId]);
    await become(db, hospital.receptionist);
    await book(db, { slotId, patientId: nth(hospital.patientIds, 0) });
    await book(db, { slotId: nextSlotId, patientId: nth(hospital.patientIds, 0) });
    expect((await freeIds(db)).slice(0, 1)).toEqual([nextSlotId]);
    await book(db, { slotId: nextSlotId, patientId: nth(hospital.patientIds, 1) });
    expect((await freeIds(db)).slice(0, 1)).toEqual([hospital.slotIds[2]]);
  }));

test('a held slot is offered again from the moment at which the hold lapses, to everybody', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    await hold(await as(db, hospital.otherPatient), {
      slotId,
      patientId: nth(hospital.patientIds, 1),
    });
    await moveClock(db, '4 minutes 59 seconds');
    expect(await freeIds(db)).not.toContain(slotId);
    await moveClock(db, '1 second');
    for (const actor of bookers(hospital)) {
      await become(db, actor);
      expect(await freeIds(db), actor.role).toContain(slotId);
    }
  }));

test('a full day is not offered', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      doctorId,
    ]);
    await book(await as(db, hospital.receptionist), {
      slotId,
      patientId: nth(hospital.patientIds, 0),
    });
    expect(await freeIds(db)).toEqual(hospital.slotIds.slice(14));
  }));

test('a slot that begins now is no longer offered', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    await setClock(db, startOfTomorrow);
    expect((await freeIds(db)).slice(0, 1)).toEqual([nextSlotId]);
  }));

test('a range takes its start and leaves its end', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    await become(db, hospital.patient);
    const [from, before] = [await startOf(nextSlotId), await startOf(nth(hospital.slotIds, 3))];
    expect(await freeIds(db, { from, before })).toEqual(hospital.slotIds.slice(1, 3));
    expect(await freeIds(db, { from: before })).toEqual(hospital.slotIds.slice(3));
    expect(await freeIds(db, { before: from })).toEqual(hospital.slotIds.slice(0, 1));
  }));

test('a range that ends before it begins, or as it begins, is none', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    const from = await startOf(nextSlotId);
    for (const before of [from, startOfTomorrow]) {
      expect(await refusalOf(db, () => freeIds(db, { from, before }))).toMatchObject({
        code: 'SK400',
        scenario: 'invalid_range',
      });
    }
  }));

test('nothing beyond the horizon is offered, whatever range is asked for', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    await db.query('update app_public.hospital set booking_horizon_days = 1 where id = $1', [
      hospital.id,
    ]);
    await become(db, hospital.patient);
    expect(await freeIds(db, { before: new Date('2999-01-01') })).toEqual(
      hospital.slotIds.slice(0, 14),
    );
  }));

test.each(['is_available', 'is_active'])('a doctor who is not %s offers nothing', (column) =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, eveningBefore);
    await db.query(`update app_public.doctor set ${column} = false where id = $1`, [doctorId]);
    await become(db, hospital.patient);
    expect(await freeIds(db)).toEqual([]);
  }),
);

test('an unknown doctor, and one of another hospital, is not found', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const unknown of [randomUUID(), stranger.doctorIds[0]]) {
      expect(await refusalOf(db, () => freeIds(db, {}, unknown))).toMatchObject({
        code: 'SK404',
        scenario: 'doctor_not_found',
        details: { doctor_id: unknown },
      });
    }
  }));

async function freeIds(
  db: ClientBase,
  range: { from?: Date; before?: Date } = {},
  doctor = doctorId,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select slot_id as id from app_public.free_slots(doctor_id => $1, starting_from => $2, starting_before => $3)`,
    [doctor, range.from ?? null, range.before ?? null],
  );
  return rows.map(({ id }) => id);
}

async function startOf(id: string): Promise<Date> {
  const { rows } = await ownerPool.query<{ starts_at: Date }>(
    'select starts_at from app_public.slot where id = $1',
    [id],
  );
  return rows[0]?.starts_at ?? new Date(Number.NaN);
}
