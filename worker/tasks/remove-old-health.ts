import type { Task } from './task.ts';

/** In one transaction. */
const batchSize = 1_000;

/** Forgets what health checks of a hospital found long ago, batch after batch. */
export const removeOldHealth: Task<'remove_old_health'> = async ({ hospital_id }, { db }) => {
  let items = 0;
  for (let removed = batchSize; removed > 0; items += removed) {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.remove_old_health(hospital_id => $1::uuid, most => $2::integer) as count',
      [hospital_id, batchSize],
    );
    removed = rows[0]?.count ?? 0;
  }
  return { items };
};
