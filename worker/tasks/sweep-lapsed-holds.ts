import { addJobs, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

/** Finds the hospitals with lapsed holds, and adds a job for each. Costs as much as holds are open. */
export const sweepLapsedHolds: Task<'sweep_lapsed_holds'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    `select distinct appointment.hospital_id
       from app_public.appointment
      where appointment.status = 'held'
        and appointment.held_until <= (select app_private.clock())`,
  );
  const jobs = rows.map(
    ({ hospital_id }): NewJob => ({
      task: 'expire_lapsed_holds',
      payload: { hospital_id },
      key: `expire_lapsed_holds:${hospital_id}`,
    }),
  );
  await addJobs(db, jobs);
  return { items: jobs.length };
};
