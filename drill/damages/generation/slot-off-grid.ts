import type { Damage } from '../../damage.ts';
import { changeSlot, followHours, settleHours, slotNamed } from './hours.ts';

export const slotOffGrid: Damage = {
  check: 'slot_off_grid',
  story: 'A script shortens a slot by some minutes.',
  ends: 'repaired',
  async inflict(db, subject) {
    await settleHours(db, subject);
    await changeSlot(
      db,
      subject,
      4,
      "during = tstzrange(starts_at + interval '5 minutes', ends_at)",
    );
    return slotNamed(subject, 4);
  },
  async nearMiss(db, subject) {
    await db.query(
      "update app_public.doctor set slot_duration = '20 minutes' where hospital_id = $1 and id = $2",
      [subject.hospitalId, subject.doctorId],
    );
    await followHours(db, subject);
  },
};
