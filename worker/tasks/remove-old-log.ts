import type { Task } from './task.ts';

// A statement each, so that none holds much.
const batch = 5_000;

/** Removes what a hospital's log, or the machinery's, keeps no longer. */
export const removeOldLog: Task<'remove_old_log'> = async ({ hospital_id }, { db }) => {
  let items = 0;
  for (;;) {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.remove_old_log(hospital_id => $1::uuid, most => $2::integer) as count',
      [hospital_id, batch],
    );
    const count = rows[0]?.count ?? 0;
    items += count;
    if (count < batch) return { items };
  }
};
