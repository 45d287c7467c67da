import type { Task } from './task.ts';

/** Runs every health check of a hospital, or of the machinery; counts what they found. */
export const runHealthChecks: Task<'run_health_checks'> = async (
  { hospital_id, trigger },
  { db, log },
) => {
  const { rows } = await db.query<{ found: number; fresh: number; failed: string[] }>(
    `select run.finding_count as found, run.new_count as fresh, run.failed_checks as failed
       from app_private.run_checks(
         hospital_id => $1::uuid, check_names => null, trigger => $2::app_public.check_trigger,
         requested_by => (${whoAsked})) as run`,
    [hospital_id, trigger],
  );
  const [run] = rows;
  log.info({ hospital_id, trigger, ...run }, 'health checks have run');
  return { items: run?.found ?? 0 };
};

const whoAsked = `
  select job_run.requested_by
    from app_public.job_run
   where $2 = 'manual' and job_run.hospital_id = $1 and job_run.job = 'run_health_checks'
     and job_run.outcome = 'running' and job_run.started_by = 'manual'
   order by job_run.created_at desc
   limit 1`;
