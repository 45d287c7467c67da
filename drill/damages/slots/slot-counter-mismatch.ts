import { type Damage, unguarded } from '../../damage.ts';
import { addSeat, cancel } from './seats.ts';

export const slotCounterMismatch: Damage = {
  check: 'slot_counter_mismatch',
  story: 'A hand raises the count of a slot of three seats in which nobody sits.',
  ends: 'repaired',
  async inflict(db, { hospitalId, slotIds }) {
    await unguarded(db, () =>
      db.query(
        'update app_public.slot set capacity = 3, booked_count = 1 where hospital_id = $1 and id = $2',
        [hospitalId, slotIds[0]],
      ),
    );
    return [{ entityType: 'slot', entityId: slotIds[0] ?? null }];
  },
  async nearMiss(db, subject) {
    await addSeat(db, subject, 0);
    await subject.book(0, 0);
    await cancel(db, subject, await subject.book(0, 1));
  },
};
