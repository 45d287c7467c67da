import type { Task } from './task.ts';

/** Lets the lapsed holds of a hospital expire; their seats are free again. */
export const expireLapsedHolds: Task<'expire_lapsed_holds'> = async (
  { hospital_id },
  { db, log },
) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.expire_lapsed_holds(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.info({ hospital_id, holds: rows[0]?.count }, 'lapsed holds have expired');
  return { items: rows[0]?.count ?? 0 };
};
