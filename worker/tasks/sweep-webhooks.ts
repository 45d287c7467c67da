import { addJobs, sendWebhooksJob } from '../jobs.ts';
import type { Task } from './task.ts';

/** Finds the hospitals with webhooks whose time has come: another try, a test, a lease that lapsed. */
export const sweepWebhooks: Task<'sweep_webhooks'> = async (_payload, { db }) => {
  const { rows } = await db.query<{ id: string }>(
    `select hospital.id
       from app_public.hospital
      where app_private.next_webhook_at(hospital_id => hospital.id) <= app_private.clock()`,
  );
  await addJobs(
    db,
    rows.map(({ id }) => sendWebhooksJob(id)),
  );
};
