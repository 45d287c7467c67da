import { setTimeout as delay } from 'node:timers/promises';
import type { Task } from './task.ts';

// So many seals a query: at most a hundred thousand entries, a few seconds.
const seals = 100;

/**
 * Verifies the whole sealed audit log of a hospital, a stretch of the chain at a time. Fails when
 * anything is wrong, so that whoever asked for it sees it, and says what in the log.
 */
export const verifyAudit: Task<'verify_audit'> = async ({ hospital_id }, { db, log }) => {
  const { rows: newest } = await db.query<{ number: number }>(
    'select number from app_private.newest_seal(hospital_id => $1::uuid)',
    [hospital_id],
  );
  const last = newest[0]?.number ?? 0;
  let problems = 0;
  for (let from = 1; from <= last; from += seals) {
    const startedAt = performance.now();
    const to = from + seals > last ? 2 ** 31 - 1 : from + seals - 1;
    const { rows } = await db.query<{ kind: string; detail: string }>(
      `select kind, detail from app_private.audit_problems(
         hospital_id => $1::uuid, from_number => $2::integer, to_number => $3::integer)`,
      [hospital_id, from, to],
    );
    for (const { kind, detail } of rows.slice(0, 100)) {
      log.error({ hospital_id, kind }, detail);
    }
    problems += rows.length;
    await delay(performance.now() - startedAt);
  }
  if (problems > 0) {
    throw new Error(`The audit log is not what was sealed: ${problems} problems.`);
  }
  log.info({ hospital_id, seals: last }, 'the audit log is verified');
  return { items: last };
};
