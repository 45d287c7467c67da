import type { Task } from './task.ts';

/** Marks what has expired of a hospital's logins, and forgets what is not kept any longer. */
export const tidyLogin: Task<'tidy_login'> = async ({ hospital_id }, { db, log }) => {
  await db.query('select app_private.tidy_login(hospital_id => $1::uuid)', [hospital_id]);
  log.debug({ hospital_id }, 'the login is tidied');
};
