import { addJobs, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

/** Finds the hospitals of which a problem is known, and adds a job for each. */
export const sweepHealth: Task<'sweep_health'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    'select hospital_id from app_private.hospitals_with_findings() as hospital_id',
  );
  await addJobs(
    db,
    rows.map(
      ({ hospital_id }): NewJob => ({
        task: 'reconcile_health',
        payload: { hospital_id },
        key: `reconcile_health:${hospital_id}`,
        priority: 10,
      }),
    ),
  );
  return { items: rows.length };
};
