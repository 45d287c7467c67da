import { addJobs, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

/**
 * Finds the hospitals where somebody has waited too long for the next stage of the visit, and adds a job
 * for each. Costs one look a hospital at those who wait there now, whatever is stored.
 */
export const sweepStageAlerts: Task<'sweep_stage_alerts'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    `select hospital.id as hospital_id
       from app_public.hospital
      where app_private.has_due_stage(hospital_id => hospital.id)`,
  );
  const jobs = rows.map(
    ({ hospital_id }): NewJob => ({
      task: 'raise_stage_alerts',
      payload: { hospital_id },
      key: `raise_stage_alerts:${hospital_id}`,
    }),
  );
  await addJobs(db, jobs);
  return { items: jobs.length };
};
