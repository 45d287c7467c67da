import { expect, test } from 'vitest';
import { unguarded } from '../../drill/damage.ts';
import { createPool } from '../../platform/pool.ts';
import type { Payload } from '../../worker/payloads.ts';
import { tasks } from '../../worker/task-list.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { jobsIn, keepLog, startAfresh, surroundingsOf } from './workplace.ts';

const { ownerPool, workerUrl } = await createDatabase();

async function run<Name extends keyof typeof tasks>(name: Name, payload: Payload<Name>) {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-task', log });
  try {
    const task = tasks[name] as (typeof tasks)[Name];
    const result = await task(payload, { ...surroundingsOf(), db: pool, log });
    return { result, lines };
  } finally {
    await pool.end();
  }
}

test('the log is swept, sealed and verified, and what a hand changed fails the job', async () => {
  await startAfresh(ownerPool);
  const hospital = await createHospital(ownerPool);
  const payload = { hospital_id: hospital.id };
  await run('sweep_audit', { _cron: { ts: new Date().toISOString() } });
  expect((await jobsIn(ownerPool)).map(({ task }) => task)).toContain('seal_audit');

  const sealed = await run('seal_audit', payload);
  const { rows } = await ownerPool.query<{ number: number; hash: string; entries: number }>(
    `select seal.number, seal.hash, (select count(*)::int from app_public.audit_entry where hospital_id = $1) as entries
       from app_private.newest_seal($1) as seal`,
    [hospital.id],
  );
  expect(sealed.result).toEqual({ items: rows[0]?.entries });
  expect(JSON.stringify(sealed.lines)).toContain(rows[0]?.hash);
  expect((await run('seal_audit', payload)).result).toEqual({ items: 0 });
  expect((await run('verify_audit', payload)).result).toEqual({ items: 1 });

  const db = await ownerPool.connect();
  try {
    await db.query('begin');
    await unguarded(db, () =>
      db.query("update app_public.audit_entry set actor_role = 'nobody' where hospital_id = $1", [
        hospital.id,
      ]),
    );
    await db.query('commit');
  } finally {
    db.release();
  }
  await expect(run('verify_audit', payload)).rejects.toThrow(
    `The audit log is not what was sealed: ${rows[0]?.entries} problems.`,
  );
});
