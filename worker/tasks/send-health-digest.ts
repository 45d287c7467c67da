import type { Task } from './task.ts';

/**
 * Leaves the digest of a hospital's health for its admins, when it is due and there is something to tell;
 * the deliveries of notifications carry it from there.
 */
export const sendHealthDigest: Task<'send_health_digest'> = async ({ hospital_id }, { db }) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.send_health_digest(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  return { items: rows[0]?.count ?? 0 };
};
