import type { Task } from './task.ts';

/** Forgets the runs of jobs in a hospital that are older than 30 days. */
export const removeJobRuns: Task<'remove_job_runs'> = async ({ hospital_id }, { db, log }) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.remove_old_job_runs(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.debug({ hospital_id, runs: rows[0]?.count }, 'old runs of jobs are removed');
  return { items: rows[0]?.count ?? 0 };
};
