import { type Damage, unguarded } from '../../damage.ts';
import { addSeat } from './seats.ts';

export const availableSlotWithFullAppointments: Damage = {
  check: 'available_slot_with_full_appointments',
  story: 'A hand sets the count of a booked slot back to nought.',
  ends: 'repaired',
  alsoFound: [
    'slot_counter_mismatch',
    'full_slot_not_marked',
    'active_appointment_on_available_slot',
  ],
  async inflict(db, subject) {
    await subject.book(0);
    await unguarded(db, () =>
      db.query('update app_public.slot set booked_count = 0 where hospital_id = $1 and id = $2', [
        subject.hospitalId,
        subject.slotIds[0],
      ]),
    );
    return [{ entityType: 'slot', entityId: subject.slotIds[0] ?? null }];
  },
  async nearMiss(db, subject) {
    await subject.book(0);
    await addSeat(db, subject, 0);
  },
};
