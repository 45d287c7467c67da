import type { Payload } from './payloads.ts';

/** A list in portions of at most `most`, in its order; none of an empty list. */
export function portionsOf<T>(items: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  );
}

type Change = Payload<'verify_changes'>[number];

/** A change in portions of at most `most` appointments and as many slots. */
export function portionsOfChange(change: Change, most: number): Change[] {
  const appointments = portionsOf(change.appointment_ids, most);
  const slots = portionsOf(change.slot_ids, most);
  return Array.from({ length: Math.max(appointments.length, slots.length) }, (_, index) => ({
    ...change,
    appointment_ids: appointments[index] ?? [],
    slot_ids: slots[index] ?? [],
  }));
}
