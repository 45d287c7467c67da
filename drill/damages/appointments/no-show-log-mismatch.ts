import { type Damage, unguarded } from '../../damage.ts';
import { appointment, transit, writeCount } from '../../visit.ts';

/** A missed visit that was never written down. */
export const noShowLogMismatch: Damage = {
  check: 'no_show_log_mismatch',
  story: 'A visit was marked as missed by a hand, past the triggers that log and count it.',
  ends: 'reviewed',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    const id = await subject.book(0);
    await unguarded(db, async () => {
      await transit(db, subject, id, 'no_show');
      await writeCount(db, subject, 0, 0);
      await db.query('update app_public.doctor_day set booked_count = 0 where doctor_id = $1', [
        subject.doctorId,
      ]);
    });
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    const missed = await subject.book(0);
    const undone = await subject.book(1);
    await transit(db, subject, missed, 'no_show');
    await transit(db, subject, undone, 'no_show', 'scheduled');
  },
};
