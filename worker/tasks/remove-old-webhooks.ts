import type { Task } from './task.ts';

/** Removes the webhook deliveries of a hospital that ended long ago. */
export const removeOldWebhooks: Task<'remove_old_webhooks'> = async ({ hospital_id }, { db }) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.remove_old_webhooks(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  return { items: rows[0]?.count ?? 0 };
};
