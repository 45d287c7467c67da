import type { Task } from './task.ts';

/** Forgets the sessions of a hospital that ended long ago. */
export const removeOldSessions: Task<'remove_old_sessions'> = async (
  { hospital_id },
  { db, log },
) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.remove_old_sessions(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.debug({ hospital_id, sessions: rows[0]?.count }, 'old sessions are removed');
  return { items: rows[0]?.count ?? 0 };
};
