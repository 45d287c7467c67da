import type { Task } from './task.ts';

/** Verifies appointments and slots that have just changed; counts the problems. */
export const verifyChanges: Task<'verify_changes'> = async (
  { hospital_id, appointment_ids, slot_ids, changed_at },
  { db, log },
) => {
  const { rows } = await db.query<{ problem_count: number; late_ms: number }>(
    `select problem_count, late_ms
       from app_private.verify_changes(
         hospital_id => $1::uuid, appointment_ids => $2::uuid[], slot_ids => $3::uuid[],
         changed_at => $4::timestamptz)`,
    [hospital_id, appointment_ids, slot_ids, changed_at],
  );
  const { problem_count = 0, late_ms } = rows[0] ?? {};
  log.debug(
    { hospital_id, appointments: appointment_ids.length, slots: slot_ids.length, late_ms },
    'changes are verified',
  );
  if (problem_count > 0) log.warn({ hospital_id, problem_count }, 'what changed is not right');
  return { items: problem_count };
};
