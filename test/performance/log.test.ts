// The log grows by every operation; whoever looks for something in it, or removes it, reads what they get.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { readingOf, watchPlans } from './plans.ts';

const { ownerPool } = await createDatabase();
const isSuperuser = (
  await ownerPool.query('select usesuper as is_superuser from pg_user where usename = session_user')
).rows[0].is_superuser;
const hospital = await createHospital(ownerPool);
const entityId = '00000000-0000-4000-8000-00000000000a';

/** 100,000 operations of the last ten days, fifty troubles of long ago, one in a thousand of health. */
async function storeEntries(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_public.log_entry (
       hospital_id, kind, level, name, outcome, request_id, entity_id, message, logged_at)
     select $1, case when number % 1000 = 500 then 'repair' else 'operation' end::app_public.log_kind,
       case when number % 100 = 7 and number < 5000 then 'error' else 'info' end::app_public.log_level,
       'operation_' || number % 20, case when number % 100 = 7 and number < 5000 then 'failed' else 'succeeded' end,
       'request-' || number, case when number % 10000 = 77 then $2::uuid end, 'It happened.',
       now() - interval '10 days' * (1 - number / 100000.0)
     from generate_series(1, 100000) as number`,
    [hospital.id, entityId],
  );
  await db.query('analyze app_public.log_entry');
}

/** As PostGraphile asks, prepared: whatever the planner thinks after many times. */
async function page(db: ClientBase, condition: string, values: unknown[]): Promise<number[]> {
  const counts: number[] = [];
  for (let time = 0; time < 8; time += 1) {
    const { rows } = await db.query({
      name: condition,
      text: `select log_entry.* from app_public.log_entry
        where ${condition}
        order by log_entry.logged_at desc, log_entry.hospital_id desc, log_entry.id desc limit 51`,
      values,
    });
    counts.push(rows.length);
  }
  return counts;
}

test.runIf(isSuperuser).each([
  ['the newest', 'true', [], 51],
  ['what follows a cursor', 'logged_at < $1', ["now() - interval '5 days'"], 51],
  ['a request', 'request_id = $1', ['request-4711'], 10],
  ['an entity', 'entity_id = $1', [entityId], 10],
  ['trouble', 'level >= $1::app_public.log_level', ['warning'], 51],
  ['health', 'kind = any ($1::app_public.log_kind[])', ['{finding,repair}'], 120],
  ['an hour of long ago', 'logged_at >= $1 and logged_at < $2', ['9 days', '8 days'], 51],
  ['a name', 'name = $1', ['operation_7'], 1_500],
] as const)('%s is read by an index', (_what, condition, given, most) =>
  rolledBack(ownerPool, async (db) => {
    await watchPlans(db);
    await storeEntries(db);
    const values = given.map((value) =>
      /^\d+ days$|^now/.test(value)
        ? new Date(Date.now() - Number.parseInt(value.replace(/\D+/, ''), 10) * 86_400_000)
        : value,
    );
    await become(db, hospital.admin);
    const reading = await readingOf(db, async () => {
      expect((await page(db, condition, values))[0]).toBeGreaterThan(0);
    });
    await asOwner(db);
    expect(reading.wholeTables).toEqual([]);
    expect(reading.most.get('log_entry')?.rows).toBeLessThanOrEqual(most);
  }),
);

test.runIf(isSuperuser)('a night removes what is due, and reads no more', () =>
  rolledBack(ownerPool, async (db) => {
    await watchPlans(db);
    await storeEntries(db);
    await db.query('update app_public.hospital set log_kept_days = 9 where id = $1', [hospital.id]);
    await asWorker(db);
    const removed: number[] = [];
    const reading = await readingOf(db, async () => {
      for (let batch = 0; batch < 3; batch += 1) {
        const { rows } = await db.query<{ count: number }>(
          'select app_private.remove_old_log(hospital_id => $1, most => 6000) as count',
          [hospital.id],
        );
        removed.push(rows[0]?.count ?? -1);
      }
    });
    await asOwner(db);
    expect(removed[0]).toBe(6_000);
    expect(removed[1]).toBeGreaterThan(3_900);
    expect(removed[2]).toBe(0);
    expect(reading.wholeTables.filter(({ table }) => table === 'log_entry')).toEqual([]);
    expect(reading.most.get('log_entry')?.rows).toBeLessThanOrEqual(12_000);
  }),
);

test.runIf(isSuperuser)('a spike is looked for among the failures of a quarter of an hour', () =>
  rolledBack(ownerPool, async (db) => {
    await watchPlans(db);
    await storeEntries(db);
    const reading = await readingOf(db, () => db.query('select * from checks.error_spike'));
    expect(reading.wholeTables.filter(({ table }) => table === 'log_entry')).toEqual([]);
    expect(reading.most.get('log_entry')?.rows ?? 0).toBeLessThanOrEqual(20);
  }),
);
