import { type Damage, unguarded } from '../../damage.ts';
import { settleHours } from './hours.ts';

export const missingSlots: Damage = {
  check: 'missing_slots',
  story: 'A clean-up deletes a free slot in the middle of a working day.',
  ends: 'repaired',
  async inflict(db, subject) {
    await settleHours(db, subject);
    await unguarded(db, () =>
      db.query('delete from app_public.slot where hospital_id = $1 and id = $2', [
        subject.hospitalId,
        subject.slotIds[3],
      ]),
    );
    return [{ entityType: 'doctor', entityId: subject.doctorId }];
  },
  async nearMiss(db, subject) {
    await settleHours(db, subject);
    // The last day goes as a whole: days beyond what is generated have no rows.
    await unguarded(db, () =>
      db.query('delete from app_public.slot where hospital_id = $1 and id = any ($2)', [
        subject.hospitalId,
        subject.slotIds.slice(-14),
      ]),
    );
  },
};
