import { addJobs, sendDeliveriesJob } from '../jobs.ts';
import { type Channel, channels } from '../transports/transport.ts';
import type { Task } from './task.ts';

/** Plans by which channels new notifications go out and when, and adds a job for what is due at once. */
export const planDeliveries: Task<'plan_deliveries'> = async (
  { hospital_id, notification_ids },
  { db },
) => {
  const { rows } = await db.query<{ due: string[] }>(
    `select app_private.plan_deliveries(
       hospital_id => $1::uuid, notification_ids => $2::uuid[]) as due`,
    [hospital_id, notification_ids],
  );
  const due = (rows[0]?.due ?? []).filter((name): name is Channel =>
    (channels as readonly string[]).includes(name),
  );
  await addJobs(
    db,
    due.map((channel) => sendDeliveriesJob(hospital_id, channel)),
  );
};
