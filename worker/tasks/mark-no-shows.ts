import type { Task } from './task.ts';

/** In one transaction; short, because those who book wait for its slots. */
const batchSize = 200;

/** Marks the visits of a hospital as missed to which nobody came, batch after batch. */
export const markNoShows: Task<'mark_no_shows'> = async ({ hospital_id }, { db, log }) => {
  let marked = 0;
  for (;;) {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.mark_no_shows(hospital_id => $1::uuid, most => $2::integer) as count',
      [hospital_id, batchSize],
    );
    const count = rows[0]?.count ?? 0;
    marked += count;
    if (count === 0) break;
  }
  log.info({ hospital_id, appointments: marked }, 'visits that nobody came to are marked');
  return { items: marked };
};
