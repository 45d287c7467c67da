import type { Payload } from '../payloads.ts';
import { portionsOfChange } from '../portions.ts';
import type { Task } from './task.ts';

type Change = Payload<'verify_changes'>[number];

// Asked together, because doctors and patients that hang on many of them are looked at once.
const mostTogether = 1_000;

/** Verifies appointments and slots that have just changed; counts the problems. */
export const verifyChanges: Task<'verify_changes'> = async (changes, { db, log }) => {
  let items = 0;
  for (const { hospital_id, appointment_ids, slot_ids, changed_at } of together(changes)) {
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
    items += problem_count;
  }
  return { items };
};

/** The same changes in as few portions as may be asked, each appointment and slot once. */
function together(changes: readonly Change[]): Change[] {
  const [first] = changes;
  if (first === undefined) return [];
  const appointments = [...new Set(changes.flatMap((change) => change.appointment_ids))];
  const slots = [...new Set(changes.flatMap((change) => change.slot_ids))];
  const [changed_at = ''] = changes.map((change) => change.changed_at).toSorted(earliestFirst);
  const all = { ...first, appointment_ids: appointments, slot_ids: slots, changed_at };
  return portionsOfChange(all, mostTogether);
}

function earliestFirst(one: string, other: string): number {
  return Date.parse(one) - Date.parse(other);
}
