import type { Task } from './task.ts';

/**
 * Marks the runs that give no sign of life as stuck. Costs as much as runs are open. Each is settled in a
 * transaction of its own, so that one that cannot be does not keep the others.
 */
export const sweepStuckJobs: Task<'sweep_stuck_jobs'> = async (_payload, { db, log }) => {
  const { rows } = await db.query<{ hospital_id: string; id: string; job: string }>(
    `select job_run.hospital_id, job_run.id, job_run.job
       from app_public.job_run
       left join app_public.job on job.name = job_run.job
      where job_run.outcome in ('waiting', 'running')
        and coalesce(job_run.heartbeat_at, job_run.created_at)
          < now() - coalesce(job.stuck_after, interval '5 minutes')
      order by job_run.created_at`,
  );
  let items = 0;
  for (const { hospital_id, id, job } of rows) {
    const { rows: settled } = await db.query<{ is_stuck: boolean }>(
      'select app_private.settle_stuck_run(hospital_id => $1::uuid, run_id => $2::uuid) as is_stuck',
      [hospital_id, id],
    );
    if (!settled[0]?.is_stuck) continue;
    items += 1;
    log.warn({ hospital_id, job, job_run_id: id }, 'a run of a job is stuck');
  }
  return { items };
};
