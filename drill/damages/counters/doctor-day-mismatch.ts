import { type Damage, unguarded } from '../../damage.ts';
import { bookLongVisit, transit } from '../../visit.ts';

/** A day that has forgotten a visit. */
export const doctorDayMismatch: Damage = {
  check: 'doctor_day_mismatch',
  story: 'Two bookings of one day wrote its count at the same time, and one of them was lost.',
  ends: 'repaired',
  async inflict(db, subject) {
    await subject.book(0, 0);
    await subject.book(1, 1);
    await unguarded(db, () =>
      db.query('update app_public.doctor_day set booked_count = 1 where doctor_id = $1', [
        subject.doctorId,
      ]),
    );
    return [{ entityType: 'doctor', entityId: subject.doctorId }];
  },
  async nearMiss(db, subject) {
    await bookLongVisit(db, subject, 0);
    const cancelled = await subject.book(4);
    await transit(db, subject, cancelled, 'cancelled');
  },
};
