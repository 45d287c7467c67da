import { addJobs, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

/**
 * Finds the hospitals with requests whose time has come without an answer, and adds a job for each. Costs
 * one look by index a hospital, however many requests are open.
 */
export const sweepLapsedRequests: Task<'sweep_lapsed_requests'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    `select hospital.id as hospital_id
       from app_public.hospital
      cross join lateral (
        select from app_public.appointment
         where appointment.hospital_id = hospital.id
           and appointment.status = 'requested'
           and appointment.starts_at <= (select app_private.clock())
         limit 1) as due`,
  );
  const jobs = rows.map(
    ({ hospital_id }): NewJob => ({
      task: 'expire_lapsed_requests',
      payload: { hospital_id },
      key: `expire_lapsed_requests:${hospital_id}`,
    }),
  );
  await addJobs(db, jobs);
  return { items: jobs.length };
};
