import type { Damage } from '../../damage.ts';
import { changeSlot, enterAbsence, settleHours, slotNamed } from './hours.ts';

export const unblockedSlotInAbsence: Damage = {
  check: 'unblocked_slot_in_absence',
  story: 'A restore brings a slot back as it was before its doctor asked for leave.',
  ends: 'repaired',
  async inflict(db, subject) {
    await settleHours(db, subject);
    await enterAbsence(db, subject, 14);
    await changeSlot(db, subject, 14, 'absence_id = null');
    return slotNamed(subject, 14);
  },
  async nearMiss(db, subject) {
    await settleHours(db, subject);
    const absenceId = await enterAbsence(db, subject, 14);
    await db.query(
      "update app_public.absence set status = 'cancelled' where hospital_id = $1 and id = $2",
      [subject.hospitalId, absenceId],
    );
  },
};
