import type { Task } from './task.ts';

/** Lets the requests of a hospital expire whose time has come without an answer; the patients are told. */
export const expireLapsedRequests: Task<'expire_lapsed_requests'> = async (
  { hospital_id },
  { db, log },
) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.expire_lapsed_requests(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.info({ hospital_id, requests: rows[0]?.count }, 'unanswered requests have expired');
  return { items: rows[0]?.count ?? 0 };
};
