import type { Damage } from '../../damage.ts';
import { changeSlot, followHours, settleHours, slotNamed } from './hours.ts';

export const slotOutsideSchedule: Damage = {
  check: 'slot_outside_schedule',
  story: 'A hand shifts the last slot of a day into the evening, after the hours.',
  ends: 'repaired',
  alsoFound: ['missing_slots'],
  async inflict(db, subject) {
    await settleHours(db, subject);
    await changeSlot(
      db,
      subject,
      13,
      "during = tstzrange(starts_at + interval '2 hours', ends_at + interval '2 hours')",
    );
    return slotNamed(subject, 13);
  },
  async nearMiss(db, subject) {
    // The hours shrink: free slots after them go, and the booked one is kept for its patient.
    await subject.book(13);
    await db.query(
      "update app_public.schedule set end_time = '15:00' where hospital_id = $1 and id = any ($2)",
      [subject.hospitalId, subject.scheduleIds],
    );
    await followHours(db, subject);
  },
};
