import { addJobs, planDeliveriesJobs, sendDeliveriesJob } from '../jobs.ts';
import type { Channel } from '../transports/transport.ts';
import type { Task } from './task.ts';

/**
 * Finds what no message told: deliveries whose time has come, and notifications of the last hours that
 * are not planned. Costs one look by index a hospital and channel, and the notifications of those hours.
 */
export const sweepDeliveries: Task<'sweep_deliveries'> = async (_payload, { db }) => {
  const { rows: due } = await db.query<{ hospital_id: string; channel: Channel }>(
    `select hospital.id as hospital_id, way.channel
       from app_public.hospital
      cross join unnest(app_private.due_channels(hospital_id => hospital.id)) as way (channel)`,
  );
  const { rows: unplanned } = await db.query<{ hospital_id: string; ids: string[] }>(
    `select hospital.id as hospital_id, forgotten.ids
       from app_public.hospital
      cross join lateral (
        select array_agg(left_over) as ids
          from app_private.unplanned_notifications(hospital_id => hospital.id) as left_over) as forgotten
      where forgotten.ids is not null`,
  );
  await addJobs(db, [
    ...due.map(({ hospital_id, channel }) => sendDeliveriesJob(hospital_id, channel)),
    ...unplanned.flatMap(({ hospital_id, ids }) => planDeliveriesJobs(hospital_id, ids)),
  ]);
};
