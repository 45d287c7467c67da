import type { Task } from './task.ts';

/** Ends the waits of a hospital whose days have passed. */
export const expireWaits: Task<'expire_waits'> = async ({ hospital_id }, { db, log }) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.expire_waits(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.info({ hospital_id, waits: rows[0]?.count }, 'waits have expired');
  return { items: rows[0]?.count ?? 0 };
};
