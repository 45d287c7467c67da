import type { Task } from './task.ts';

/**
 * Seals what is new in the audit log of a hospital, a batch a transaction. The hash of the newest seal
 * goes to the log of the worker: kept there, it proves later that the chain was not written anew.
 */
export const sealAudit: Task<'seal_audit'> = async ({ hospital_id }, { db, log }) => {
  let sealed = 0;
  for (;;) {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.seal_audit(hospital_id => $1::uuid) as count',
      [hospital_id],
    );
    const count = rows[0]?.count ?? 0;
    if (count === 0) break;
    sealed += count;
  }
  if (sealed === 0) return { items: 0 };
  const { rows } = await db.query<{ number: number; hash: string }>(
    'select number, hash from app_private.newest_seal(hospital_id => $1::uuid)',
    [hospital_id],
  );
  log.info({ hospital_id, entries: sealed, ...rows[0] }, 'the audit log is sealed');
  return { items: sealed };
};
