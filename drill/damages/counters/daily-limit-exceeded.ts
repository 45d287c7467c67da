import { type Damage, unguarded } from '../../damage.ts';

/** A day with more patients than agreed. */
export const dailyLimitExceeded: Damage = {
  check: 'daily_limit_exceeded',
  story: 'The count of a day was lost, and a doctor got more patients than the limit allows.',
  ends: 'reviewed',
  alsoFound: ['doctor_day_mismatch'],
  async inflict(db, subject) {
    await subject.book(0, 0);
    await subject.book(1, 1);
    await unguarded(db, () =>
      db.query(
        'update app_public.doctor_day set booked_count = 1, max_patients = 1 where doctor_id = $1',
        [subject.doctorId],
      ),
    );
    return [{ entityType: 'doctor', entityId: subject.doctorId }];
  },
  async nearMiss(db, subject) {
    await subject.book(0, 0);
    await subject.book(1, 1);
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      subject.doctorId,
    ]);
  },
};
