// Reminders read what is due, and a calendar what it shows, however many visits are stored.
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOwner, asWorker, become } from '../helpers/actors.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { readingOf, watchPlans } from './plans.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);
let db: PoolClient;

/** A visit every minute for 28 days ahead and 7 days back: 50,400 in each of two hospitals. */
beforeAll(async () => {
  db = await ownerPool.connect();
  await db.query("set session_replication_role = 'replica'");
  for (const { id, doctorIds, locationIds, patientIds } of [hospital, other]) {
    await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, doctor_id, location_id, patient_id, during, status,
         source, created_at, updated_at)
       select $1, gen_random_uuid(), ($2::uuid[])[1 + abs(minute) % 2], $3, ($4::uuid[])[1 + abs(minute) % 4],
         tstzrange(at, at + interval '1 second'), 'scheduled', 'import', now() - interval '30 days', now()
       from generate_series(-7 * 1440, 28 * 1440 - 1) as minute
       cross join lateral (select date_trunc('minute', now()) + make_interval(mins => minute) as at) as start`,
      [id, doctorIds, locationIds[0], patientIds],
    );
  }
  await db.query("set session_replication_role = 'origin'");
  await db.query('analyze app_public.appointment');
  await watchPlans(db);
}, 120_000);
afterAll(() => db.release(true));

/** What `work` reads of visits, in a transaction that is rolled back; it may scan no whole table of them. */
async function visitsReadBy(work: () => Promise<unknown>): Promise<number> {
  await db.query('begin');
  try {
    const { most, wholeTables } = await readingOf(db, work);
    expect(wholeTables.filter(({ table }) => table === 'appointment')).toEqual([]);
    return most.get('appointment')?.rows ?? 0;
  } finally {
    await asOwner(db);
    await db.query('rollback');
  }
}

test('looking for hospitals reads one visit an offset', async () => {
  const read = await visitsReadBy(async () => {
    await asWorker(db);
    expect((await db.query('select app_private.hospitals_to_remind()')).rows).toHaveLength(2);
  });
  expect(read).toBeLessThanOrEqual(4);
});

test('a run reads what has come due since the last one, and a quarter of an hour before', async () => {
  let sent = 0;
  const send = async () => {
    const { rows } = await db.query('select app_private.send_reminders($1) as count', [
      hospital.id,
    ]);
    sent = rows[0].count;
  };
  const { rows } = await db.query('select created_at from app_public.hospital where id = $1', [
    hospital.id,
  ]);
  const read = await visitsReadBy(async () => {
    await setClock(db, nth(rows, 0).created_at);
    await asWorker(db);
    await send();
    expect(sent).toBe(30); // of two offsets the last quarter of an hour
    await moveClock(db, '5 minutes');
    await send();
    expect(sent).toBe(10);
  });
  expect(read).toBeLessThanOrEqual(60);
});

test('a calendar reads the visits of its doctor between its ends', async () => {
  const read = await visitsReadBy(async () => {
    await become(db, hospital.doctor);
    const { rows } = await db.query('select * from app_private.calendar_visits()');
    expect(rows).toHaveLength((35 * 1440) / 2);
    expect(nth(rows, 0).with_whom).toMatch(/^P\. \d\.$/);
  });
  expect(read).toBeLessThanOrEqual((35 * 1440) / 2);
});
