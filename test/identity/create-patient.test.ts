import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 1 });
const stranger = await createHospital(ownerPool, { horizonDays: 1 });

test.each(['receptionist', 'admin'] as const)('a %s registers a patient', (role) =>
  rolledBack(ownerPool, async (db) => {
    const created = await register(await as(db, hospital[role]), {
      number: 'NEW-1',
      email: 'Anna@Example.test',
    });
    expect(created).toMatchObject({
      hospital_id: hospital.id,
      medical_record_number: 'NEW-1',
      email: 'anna@example.test',
      status: 'active',
      is_active: true,
      no_show_count: 0,
    });
  }),
);

test('a record number is one patient in its hospital, and may be another elsewhere', () =>
  rolledBack(ownerPool, async (db) => {
    await register(await as(db, stranger.admin), { number: 'NEW-1' });
    await register(await as(db, hospital.admin), { number: 'NEW-1' });
    expect(await refusalOf(db, () => register(db, { number: 'NEW-1' }))).toMatchObject({
      code: 'SK409',
      scenario: 'medical_record_number_taken',
      details: { medical_record_number: 'NEW-1' },
    });
  }));

test('nobody else registers patients', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [hospital.patient, hospital.doctor, hospital.nurse]) {
      await become(db, actor);
      const error = await errorOf(db, () => register(db, { number: 'NEW-1' }));
      expect(error.code, actor.role).toBe('42501');
    }
  }));

test('counts of no-shows are not written by any request', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const change of ['no_show_count = 0', 'no_shows_forgiven = 0', 'blocked_at = now()']) {
      const error = await errorOf(db, () => db.query(`update app_public.patient set ${change}`));
      expect(error.code, change).toBe('42501');
    }
  }));

test('who is logged in reads their own account', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [hospital.patient, hospital.doctor, hospital.nurse, hospital.admin]) {
      await become(db, actor);
      const account = await one<{ id: string; role: string }>(
        db,
        'select * from app_public.current_account()',
      );
      expect(account).toMatchObject({ id: actor.accountId, role: actor.role });
    }
  }));

type Registered = { id: string };

function register(
  db: ClientBase,
  { number, email = null }: { number: string; email?: string | null },
): Promise<Registered> {
  return one(
    db,
    'select * from app_public.create_patient(medical_record_number => $1, name => $2, email => $3)',
    [number, 'Anna Example', email],
  );
}
