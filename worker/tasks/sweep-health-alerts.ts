import { addJobs, type NewJob, sendHealthAlertsJob } from '../jobs.ts';
import type { Task } from './task.ts';

/**
 * Finds what no message told: alerts that nobody was told of, chat messages whose time has come, digests
 * that are due. Costs one look by index a hospital.
 */
export const sweepHealthAlerts: Task<'sweep_health_alerts'> = async (_payload, { db }) => {
  const { rows } = await db.query<{
    hospital_id: string;
    has_alerts: boolean;
    is_digest_due: boolean;
  }>('select hospital_id, has_alerts, is_digest_due from app_private.health_news()');
  const jobs = rows.flatMap(({ hospital_id, has_alerts, is_digest_due }): NewJob[] => [
    ...(has_alerts ? [sendHealthAlertsJob(hospital_id)] : []),
    ...(is_digest_due
      ? [
          {
            task: 'send_health_digest' as const,
            payload: { hospital_id },
            key: `send_health_digest:${hospital_id}`,
          },
        ]
      : []),
  ]);
  await addJobs(db, jobs);
  return { items: jobs.length };
};
