import type { Task } from './task.ts';

/** Removes the notifications of a hospital that were read long ago. */
export const removeReadNotifications: Task<'remove_read_notifications'> = async (
  { hospital_id },
  { db, log },
) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.remove_read_notifications(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.debug({ hospital_id, notifications: rows[0]?.count }, 'old notifications are removed');
  return { items: rows[0]?.count ?? 0 };
};
