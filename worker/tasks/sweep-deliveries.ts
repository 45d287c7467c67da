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
      cross join unnest(array['email', 'sms', 'chat']::app_public.delivery_channel[]) as way (channel)
      cross join lateral (
        select from app_public.notification_delivery as delivery
         where delivery.hospital_id = hospital.id
           and delivery.channel = way.channel
           and delivery.status in ('pending', 'sending')
           and coalesce(delivery.next_attempt_at, delivery.leased_until) <= (select app_private.clock())
         limit 1) as one`,
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
