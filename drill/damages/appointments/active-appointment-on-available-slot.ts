import { type Damage, unguarded } from '../../damage.ts';
import { addSeat, appointment, writeCount } from '../../visit.ts';

/** The lost update: an appointment of which its slot knows nothing. */
export const activeAppointmentOnAvailableSlot: Damage = {
  check: 'active_appointment_on_available_slot',
  story: 'Two bookings wrote the count of a slot at the same time, and one of them was lost.',
  ends: 'repaired',
  alsoFound: [
    'available_slot_with_full_appointments',
    'booked_slot_with_inactive_appointment',
    'slot_counter_mismatch',
  ],
  async inflict(db, subject) {
    const id = await subject.book(0);
    await unguarded(db, () => writeCount(db, subject, 0, 0));
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    await addSeat(db, subject, 0);
    await subject.book(0);
  },
};
