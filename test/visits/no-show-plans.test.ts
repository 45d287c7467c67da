// What the sweep reads follows what is due: neither the history nor what lies ahead.
import type { ClientBase } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOwner, asWorker } from '../helpers/actors.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { readingOf, watchPlans } from '../performance/plans.ts';
import { bookVisit, sweep } from './visits.ts';

const { ownerPool } = await createDatabase();
const { rows: roles } = await ownerPool.query(
  'select usesuper as is_superuser from pg_user where usename = session_user',
);

const stored = 20_000;

describe.skipIf(!roles[0].is_superuser)('with 20,000 appointments stored', () => {
  let db: ClientBase & { release(destroy?: boolean): void };
  const setUp = async () => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    const writer = await ownerPool.connect();
    try {
      // Half of them are over, and half are expected in the years ahead.
      await writer.query("begin; set local session_replication_role = 'replica'");
      await writer.query(
        `insert into app_public.appointment (
           hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, completed_at, created_at, updated_at)
         select $1, gen_random_uuid(), $2, $3, $4, tstzrange(at, at + interval '30 minutes'),
           case when at < now() then 'completed' else 'scheduled' end::app_public.appointment_status, 'import',
           case when at < now() then at end, now(), now()
         from (
           select now() - interval '10 days' - number * interval '1 hour' as at from generate_series(1, $5::integer / 2) as number
           union all
           select now() + interval '10 days' + number * interval '1 hour' from generate_series(1, $5::integer / 2) as number
         ) as time`,
        [
          hospital.id,
          hospital.doctorIds[1],
          hospital.locationIds[0],
          nth(hospital.patientIds, 3),
          stored,
        ],
      );
      await writer.query('commit');
    } finally {
      writer.release();
    }
    await ownerPool.query('analyze app_public.appointment');
    return hospital;
  };
  let hospital: Awaited<ReturnType<typeof setUp>>;

  beforeAll(async () => {
    hospital = await setUp();
    db = await ownerPool.connect();
    await watchPlans(db);
  });
  afterAll(() => db.release(true));

  /** Three visits of the morning are due; then `work` is watched. */
  async function readWhile(work: () => Promise<unknown>) {
    await db.query('begin');
    try {
      for (const number of [0, 1, 2]) await bookVisit(db, hospital, number, number);
      const { starts_at } = await bookVisit(db, hospital, 3, 0);
      await setClock(db, starts_at);
      return await readingOf(db, work);
    } finally {
      await asOwner(db);
      await db.query('rollback');
    }
  }

  test('looking where something is due reads one stretch of the expected visits', async () => {
    const { wholeTables, most } = await readWhile(async () => {
      await asWorker(db);
      const { rows } = await db.query('select app_private.hospitals_with_no_shows() as id');
      expect(rows).toEqual([{ id: hospital.id }]);
    });
    expect(wholeTables.map(({ table }) => table)).not.toContain('appointment');
    expect(most.get('appointment')?.rows).toBeLessThanOrEqual(4);
  });

  test('marking reads what is due, and what hangs on it', async () => {
    const { wholeTables, most } = await readWhile(async () => {
      expect(await sweep(db, hospital)).toBe(3);
    });
    expect(wholeTables.map(({ table }) => table)).not.toContain('appointment');
    expect(most.get('appointment')?.rows).toBeLessThanOrEqual(8);
    expect(most.get('appointment_seat')?.rows ?? 0).toBeLessThanOrEqual(8);
  });

  test('a look without an index would be noticed', async () => {
    const { wholeTables, most } = await readWhile(async () => {
      await db.query('set local enable_indexscan = off; set local enable_bitmapscan = off');
      await asWorker(db);
      await db.query('select app_private.hospitals_with_no_shows()');
    });
    expect(wholeTables.map(({ table }) => table)).toContain('appointment');
    expect(most.get('appointment')?.rows).toBeGreaterThan(stored / 4);
  });
});
