import { setTimeout as delay } from 'node:timers/promises';
import type { Task } from './task.ts';

/**
 * Moves what ended in past years of a hospital to the archive and removes its empty slots and days. Each
 * call is a short transaction of its own that moves a batch on; what is done stays done when this is
 * killed, and a night with nothing due costs one look a doctor.
 */
export const archivePastYears: Task<'archive_past_years'> = async (
  { hospital_id },
  { db, log },
) => {
  const moved: Record<string, number> = {};
  for (const [what, statement] of Object.entries(steps)) {
    let total = 0;
    for (;;) {
      const startedAt = performance.now();
      const { rows } = await db.query<{ count: number }>(statement, [hospital_id]);
      const count = rows[0]?.count ?? 0;
      if (count === 0) break;
      total += count;
      await delay(restAfter(performance.now() - startedAt));
    }
    moved[what] = total;
  }
  log.info({ hospital_id, ...moved }, 'past years are archived');
  return { items: Object.values(moved).reduce((sum, count) => sum + count, 0) };
};

/**
 * How long to leave the machine to whoever books, after a batch that took `ms`: work is a tenth of the
 * time. Nobody waits for the archive, and it locks nothing that a booking needs; all it takes is the
 * processor and the disk.
 */
export function restAfter(ms: number): number {
  return 9 * ms;
}

// In this order: an appointment holds its slot, and its seat the day.
const steps = {
  appointments:
    'select app_private.archive_appointments(hospital_id => $1::uuid, most => 1000) as count',
  slots: 'select app_private.remove_past_slots(hospital_id => $1::uuid, most => 1000) as count',
  days: 'select app_private.remove_past_days(hospital_id => $1::uuid) as count',
};
