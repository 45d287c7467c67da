import { type Damage, unguarded } from '../../damage.ts';
import { appointment, bookLongVisit, transit, writeCount } from '../../visit.ts';

/** A seat that a cancelled visit keeps. */
export const furtherSeatOfInactiveAppointment: Damage = {
  check: 'further_seat_of_inactive_appointment',
  story:
    'A long visit was cancelled while triggers slept, and gave back the first of its seats only.',
  ends: 'repaired',
  alsoFound: ['booked_slot_with_inactive_appointment', 'slot_counter_mismatch'],
  async inflict(db, subject) {
    const id = await subject.book(0);
    await transit(db, subject, id, 'cancelled');
    await unguarded(db, async () => {
      await db.query(
        `insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
         values ($1, $2, $3, $4, $5)`,
        [subject.hospitalId, id, subject.slotIds[1], subject.doctorId, subject.locationId],
      );
      await writeCount(db, subject, 1, 1);
    });
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    await bookLongVisit(db, subject, 0);
    const cancelled = await bookLongVisit(db, subject, 4);
    await transit(db, subject, cancelled, 'cancelled');
  },
};
