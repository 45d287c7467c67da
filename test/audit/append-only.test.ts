import { expect, test } from 'vitest';
import { asWorker, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 1 });

const changes = {
  update: "update app_public.audit_entry set actor_role = 'nobody'",
  delete: 'delete from app_public.audit_entry',
};

test.each(Object.entries(changes))('not even a superuser can %s entries', (_, change) =>
  rolledBack(ownerPool, async (db) => {
    const refusal = await refusalOf(db, () => db.query(change));
    expect(refusal).toMatchObject({ code: 'SK403', scenario: 'audit_is_append_only' });
    expect(refusal.details).toEqual({ audit_entry: expect.any(Number) });
  }),
);

const forbidden = { ...changes, truncate: 'truncate app_public.audit_entry' };

test.each(Object.entries(forbidden))('the owner has no right to %s', (_, change) =>
  rolledBack(ownerPool, async (db) => {
    await db.query('set local role app_owner');
    expect((await errorOf(db, () => db.query(change))).code).toBe('42501');
  }),
);

test.each(Object.entries(forbidden))('no request role and no job has a right to %s', (_, change) =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.patient,
      hospital.doctor,
      hospital.receptionist,
      hospital.admin,
    ]) {
      await become(db, actor);
      expect((await errorOf(db, () => db.query(change))).code, actor.role).toBe('42501');
    }
    await asWorker(db);
    expect((await errorOf(db, () => db.query(change))).code).toBe('42501');
  }),
);

test('nobody adds an entry of their own', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const error = await errorOf(db, () =>
      db.query(
        `insert into app_public.audit_entry (hospital_id, table_name, record_id, operation, actor_role, transaction_id, recorded_at)
         values ($1, 'appointment', $1, 'insert', 'admin', 1, now())`,
        [hospital.id],
      ),
    );
    expect(error.code).toBe('42501');
  }));
