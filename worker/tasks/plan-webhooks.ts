import { addJobs, sendWebhooksJob } from '../jobs.ts';
import type { Task } from './task.ts';

/** Plans who is told of events, and adds the job that tells them. */
export const planWebhooks: Task<'plan_webhooks'> = async ({ hospital_id, events }, { db }) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.plan_webhooks(hospital_id => $1::uuid, events => $2::jsonb) as count',
    [hospital_id, JSON.stringify(events)],
  );
  const items = rows[0]?.count ?? 0;
  if (items > 0) await addJobs(db, [sendWebhooksJob(hospital_id)]);
  return { items };
};
