import { addJobs, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

/** Finds the hospitals whose audit log has entries to seal, and adds a job for each. */
export const sweepAudit: Task<'sweep_audit'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    'select hospital_id from app_private.hospitals_to_seal() as due (hospital_id)',
  );
  const jobs = rows.map(
    ({ hospital_id }): NewJob => ({
      task: 'seal_audit',
      payload: { hospital_id },
      key: `seal_audit:${hospital_id}`,
    }),
  );
  await addJobs(db, jobs);
  return { items: jobs.length };
};
