import { type Damage, unguarded } from '../../damage.ts';
import { bookLong } from './seats.ts';

export const bookedSlotWithoutAppointment: Damage = {
  check: 'booked_slot_without_appointment',
  story: 'A restore brings a full slot back, but not the appointment that filled it.',
  ends: 'repaired',
  alsoFound: ['slot_counter_mismatch'],
  async inflict(db, { hospitalId, slotIds }) {
    await unguarded(db, () =>
      db.query('update app_public.slot set booked_count = 1 where hospital_id = $1 and id = $2', [
        hospitalId,
        slotIds[0],
      ]),
    );
    return [{ entityType: 'slot', entityId: slotIds[0] ?? null }];
  },
  async nearMiss(db, subject) {
    await bookLong(db, subject, 0);
    await subject.book(3, 1);
  },
};
