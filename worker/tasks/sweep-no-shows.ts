import { addJobs, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

/**
 * Finds the hospitals within their no-show window where somebody has not come in time, and adds a job for
 * each. Costs one look by index a hospital, however many appointments there are.
 */
export const sweepNoShows: Task<'sweep_no_shows'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    'select hospital_id from app_private.hospitals_with_no_shows() as hospital_id',
  );
  await addJobs(
    db,
    rows.map(
      ({ hospital_id }): NewJob => ({
        task: 'mark_no_shows',
        payload: { hospital_id },
        key: `mark_no_shows:${hospital_id}`,
      }),
    ),
  );
  return { items: rows.length };
};
