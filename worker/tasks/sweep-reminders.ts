import { addJobs, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

/** Finds the hospitals where reminders have come due, and adds a job for each. */
export const sweepReminders: Task<'sweep_reminders'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    'select hospital_id from app_private.hospitals_to_remind() as due (hospital_id)',
  );
  const jobs = rows.map(
    ({ hospital_id }): NewJob => ({
      task: 'send_reminders',
      payload: { hospital_id },
      key: `send_reminders:${hospital_id}`,
    }),
  );
  await addJobs(db, jobs);
};
