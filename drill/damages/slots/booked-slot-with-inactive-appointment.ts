import { type Damage, unguarded } from '../../damage.ts';
import { cancel } from './seats.ts';

export const bookedSlotWithInactiveAppointment: Damage = {
  check: 'booked_slot_with_inactive_appointment',
  story: 'A visit is cancelled and its seat is not given back.',
  ends: 'repaired',
  alsoFound: ['slot_counter_mismatch'],
  async inflict(db, subject) {
    await cancel(db, subject, await subject.book(0));
    await unguarded(db, () =>
      db.query('update app_public.slot set booked_count = 1 where hospital_id = $1 and id = $2', [
        subject.hospitalId,
        subject.slotIds[0],
      ]),
    );
    return [{ entityType: 'slot', entityId: subject.slotIds[0] ?? null }];
  },
  async nearMiss(db, subject) {
    await cancel(db, subject, await subject.book(0));
    await subject.book(0, 1);
  },
};
