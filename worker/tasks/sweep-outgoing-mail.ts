import { addJobs, sendMailJob } from '../jobs.ts';
import type { Task } from './task.ts';

/** Finds the hospitals with mails of the login to be tried (again), and adds a job for each. */
export const sweepOutgoingMail: Task<'sweep_outgoing_mail'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ hospital_id: string }>(
    'select due.hospital_id from app_private.hospitals_with_mail() as due (hospital_id)',
  );
  await addJobs(
    db,
    rows.map(({ hospital_id }) => sendMailJob(hospital_id)),
  );
};
