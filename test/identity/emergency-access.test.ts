import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, createHospital, insert } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { outcomeOf, race, untilBlocked } from '../helpers/races.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { patientCount: 8 });
const foreign = await createHospital(ownerPool);
const patientId = nth(hospital.patientIds, 0);
const REASON = 'found unconscious in the lobby';

const BREAK =
  'select id, account_id, expires_at - granted_at = interval \'1 hour\' as "isAnHour" from app_public.break_glass($1, $2)';

async function breakGlass(db: ClientBase, actor: Actor, patient = patientId): Promise<string> {
  const { rows } = await (await as(db, actor)).query<{ id: string }>(BREAK, [patient, REASON]);
  return rows[0]?.id ?? '';
}

async function inForce(db: ClientBase, actor: Actor): Promise<string | null> {
  await become(db, actor);
  const { rows } = await db.query<{ id: string | null }>(
    'select app_private.has_emergency_access($1, $2, $3) as id',
    [actor.hospitalId, actor.accountId, patientId],
  );
  return rows[0]?.id ?? null;
}

describe('breaking the glass', () => {
  test.each([hospital.doctor, hospital.nurse, hospital.admin])(
    'gives a $role an hour, which ends by the database clock',
    (actor) =>
      rolledBack(ownerPool, async (db) => {
        expect(await inForce(db, actor)).toBeNull();
        const { rows } = await db.query(BREAK, [patientId, REASON]);
        expect(rows).toEqual([
          { id: expect.any(String), account_id: actor.accountId, isAnHour: true },
        ]);
        expect(await inForce(db, actor)).toBe(rows[0].id);
        // Repeated, it is the same one.
        expect(await breakGlass(db, actor)).toBe(rows[0].id);
        await asOwner(db);
        await db.query("insert into app_private.clock_shift (shift) values ('61 minutes')");
        expect(await inForce(db, actor)).toBeNull();
      }),
  );

  test.each([hospital.patient, hospital.receptionist])('is not for a $role', (actor) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, actor);
      expect((await errorOf(db, () => db.query(BREAK, [patientId, REASON]))).code).toBe('42501');
    }),
  );

  test('needs a reason, and a patient of this hospital', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.doctor);
      for (const [patient, reason, scenario] of [
        [patientId, 'urgent', 'invalid_input'],
        [patientId, null, 'invalid_input'],
        [nth(foreign.patientIds, 0), REASON, 'patient_not_found'],
      ]) {
        const refusal = await refusalOf(db, () => db.query(BREAK, [patient, reason]));
        expect(refusal.scenario).toBe(scenario);
      }
    }));

  test('tells every other admin at once, with high priority, and is an event', () =>
    rolledBack(ownerPool, async (db) => {
      const second = await insert(db, 'account', {
        hospital_id: hospital.id,
        email: 'second@admin.test',
        display_name: 'Second',
        role: 'admin',
      });
      const id = await breakGlass(db, hospital.admin);
      await breakGlass(db, hospital.doctor, nth(hospital.patientIds, 1));
      await asOwner(db);
      const { rows } = await db.query(
        "select account_id, priority, body from app_public.notification where event = 'record_opened_in_emergency' order by id",
      );
      expect(rows.map(({ account_id }) => account_id).sort()).toEqual(
        [second, second, hospital.admin.accountId].sort(),
      );
      expect(rows[0]).toMatchObject({
        priority: 'high',
        body: `admin opened the record of Patient 1 in an emergency: ${REASON}`,
      });
      const { rows: events } = await db.query(
        "select details from app_public.security_event where kind = 'break_glass' and account_id = $1",
        [hospital.admin.accountId],
      );
      expect(events).toEqual([{ details: { emergency_access_id: id, patient_id: patientId } }]);
    }));

  test('five at a time; one that ended makes room', () =>
    rolledBack(ownerPool, async (db) => {
      const ids: string[] = [];
      for (const patient of hospital.patientIds.slice(0, 5)) {
        ids.push(await breakGlass(db, hospital.nurse, patient));
      }
      const { scenario } = await refusalOf(db, () =>
        db.query(BREAK, [nth(hospital.patientIds, 5), REASON]),
      );
      expect(scenario).toBe('too_many_emergencies');
      await become(db, hospital.admin);
      await db.query('select app_public.revoke_emergency_access($1)', [ids[0]]);
      expect(await inForce(db, hospital.nurse)).toBeNull();
      await breakGlass(db, hospital.nurse, nth(hospital.patientIds, 5));
      await become(db, hospital.admin);
      const again = await refusalOf(db, () =>
        db.query('select app_public.revoke_emergency_access($1)', [ids[0]]),
      );
      expect(again.scenario).toBe('emergency_access_over');
    }));

  test('the fifth and the sixth at the same moment are counted one after another', () =>
    race(ownerPool, async (start) => {
      const [one, two] = [await start(hospital.otherDoctor), await start(hospital.otherDoctor)];
      for (const patient of hospital.patientIds.slice(0, 5)) {
        await one.db.query(BREAK, [patient, REASON]);
      }
      const attempt = outcomeOf(two.db.query(BREAK, [nth(hospital.patientIds, 5), REASON]));
      await untilBlocked(ownerPool, two.pid, attempt);
      await one.commit();
      expect(await attempt).toBe('too_many_emergencies');
    }));
});

describe('a review', () => {
  const REVIEW = "select app_public.review_emergency_access($1, 'justified', 'a clear case')";

  test('is made once, by an admin, of somebody else’s', () =>
    rolledBack(ownerPool, async (db) => {
      const [own, other] = [
        await breakGlass(db, hospital.admin),
        await breakGlass(db, hospital.doctor),
      ];
      expect((await errorOf(db, () => db.query(REVIEW, [other]))).code).toBe('42501');
      await become(db, hospital.admin);
      expect((await refusalOf(db, () => db.query(REVIEW, [own]))).scenario).toBe(
        'own_emergency_access',
      );
      await db.query(REVIEW, [other]);
      expect(
        (await refusalOf(db, () => db.query(REVIEW.replace('justified', 'unjustified'), [other])))
          .scenario,
      ).toBe('emergency_access_reviewed');
      const { rows } = await db.query(
        'select verdict, review_note, reviewed_by from app_public.emergency_access where id = $1',
        [other],
      );
      expect(rows).toEqual([
        {
          verdict: 'justified',
          review_note: 'a clear case',
          reviewed_by: hospital.admin.accountId,
        },
      ]);
      await become(db, foreign.admin);
      expect((await refusalOf(db, () => db.query(REVIEW, [own]))).scenario).toBe(
        'emergency_access_not_found',
      );
    }));
});

test('whether one is in force is asked of an index', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('set local enable_seqscan = off');
    const { rows } = await db.query<{ 'QUERY PLAN': string }>(
      `explain select id from app_public.emergency_access
       where hospital_id = $1 and account_id = $2 and patient_id = $3
         and expires_at > now() and revoked_at is null order by expires_at desc limit 1`,
      [hospital.id, hospital.doctor.accountId, patientId],
    );
    expect(rows.map((row) => row['QUERY PLAN']).join()).toMatch(
      /Index Scan Backward using emergency_access_of_whom/,
    );
  }));
