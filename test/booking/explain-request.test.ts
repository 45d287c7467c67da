import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, bookers } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { brokenVerdicts, explain, type Verdict } from '../helpers/explanation.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { type RequestWish, request, startOf } from '../helpers/requests.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const [doctorId, otherDoctorId] = hospital.doctorIds;
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);

async function verdicts(db: ClientBase, wish: RequestWish): Promise<Verdict[]> {
  const { rows } = await db.query<Verdict>(
    'select * from app_public.explain_request($1, $2, $3, $4)',
    [wish.doctorId, wish.startsAt, wish.patientId, wish.serviceId ?? null],
  );
  return rows;
}

const broken = async (db: ClientBase, wish: RequestWish) =>
  (await verdicts(db, wish)).filter(({ is_satisfied }) => is_satisfied === false);

const wishAt = async (db: ClientBase, slot = slotId): Promise<RequestWish> => ({
  doctorId,
  startsAt: await startOf(db, slot),
  patientId,
});

describe('explain_request', () => {
  test.each(bookers(hospital))('$role hears that nothing stands in the way', (actor) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, actor);
      const told = await verdicts(db, await wishAt(db));
      expect(told.map(({ rule }) => rule)).toEqual(
        [...told.map(({ rule }) => rule)].sort((a, b) => a - b),
      );
      expect(told.filter(({ is_satisfied }) => is_satisfied !== true)).toEqual([]);
      expect(await request(db, await wishAt(db))).toMatchObject({ status: 'scheduled' });
    }),
  );

  test('a broken rule after the tenth means a request, one before it a refusal', () =>
    rolledBack(ownerPool, async (db) => {
      const wish = await wishAt(db);
      await book(await as(db, hospital.receptionist), { slotId, patientId: otherPatientId });
      await become(db, hospital.patient);
      expect(await broken(db, wish)).toMatchObject([{ rule: 13, scenario: 'slot_booked' }]);
      expect(await request(db, wish)).toMatchObject({ status: 'requested' });

      await asOwner(db);
      await db.query(
        `update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'x'
         where id = $1`,
        [otherPatientId],
      );
      await become(db, hospital.otherPatient);
      const other = { ...wish, patientId: otherPatientId };
      expect((await broken(db, other)).map(({ scenario }) => scenario)).toContain(
        'patient_blocked',
      );
      const next = { ...other, startsAt: await startOf(db, nth(hospital.slotIds, 1)) };
      expect(await refusalOf(db, () => request(db, next))).toMatchObject({
        scenario: 'patient_blocked',
      });
    }));

  test('where no slot begins, the rules of slots cannot be told', () =>
    rolledBack(ownerPool, async (db) => {
      const wish = await wishAt(db);
      await become(db, hospital.patient);
      const told = await verdicts(db, {
        ...wish,
        startsAt: new Date(new Date(wish.startsAt).getTime() + 600_000),
      });
      expect(
        told.filter(({ rule, is_satisfied }) => rule > 10 && is_satisfied !== null),
      ).toMatchObject([{ scenario: 'service_not_found', is_satisfied: true }]);
      expect(told.filter(({ is_satisfied }) => is_satisfied === false)).toEqual([]);
    }));

  test('who may not ask for it may not ask about it', () =>
    rolledBack(ownerPool, async (db) => {
      const wish = await wishAt(db);
      await become(db, hospital.patient);
      for (const other of [otherPatientId, randomUUID()]) {
        const attempt = () => verdicts(db, { ...wish, patientId: other });
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'forbidden' });
      }
      await become(db, hospital.doctor);
      for (const other of [otherDoctorId, randomUUID()]) {
        const attempt = () => verdicts(db, { ...wish, doctorId: other });
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'forbidden' });
      }
    }));
});

describe('explain_booking', () => {
  test('everybody who may book a slot may ask about it, a job in their name as well', () =>
    rolledBack(ownerPool, async (db) => {
      for (const actor of bookers(hospital)) {
        await become(db, actor);
        expect(await brokenVerdicts(db, { slotId, patientId }), actor.role).toEqual([]);
      }
      await become(db, hospital.receptionist);
      await db.query(
        "select set_config('role', 'app_worker', true), set_config('claims.role', 'worker', true)",
      );
      expect(await brokenVerdicts(db, { slotId, patientId })).toEqual([]);
      expect(await book(db, { slotId, patientId })).toMatchObject({ status: 'scheduled' });
    }));

  test('a doctor asks about their own slots, as they book there', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.otherDoctor);
      expect(await refusalOf(db, () => explain(db, { slotId, patientId }))).toMatchObject({
        code: 'SK403',
        scenario: 'forbidden',
      });
      expect(await brokenVerdicts(db, { slotId: randomUUID(), patientId })).toMatchObject([
        { scenario: 'slot_not_found' },
      ]);
    }));
});
