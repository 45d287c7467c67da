import type { Task } from './task.ts';

/** Leaves the reminders of a hospital that have come due; those that were left already stay single. */
export const sendReminders: Task<'send_reminders'> = async ({ hospital_id }, { db, log }) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.send_reminders(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.info({ hospital_id, reminders: rows[0]?.count }, 'reminders have been sent');
};
