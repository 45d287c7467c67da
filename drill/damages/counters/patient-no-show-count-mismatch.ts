import { type Damage, unguarded } from '../../damage.ts';
import { transit } from '../../visit.ts';

/** A patient who is said to have missed visits. */
export const patientNoShowCountMismatch: Damage = {
  check: 'patient_no_show_count_mismatch',
  story: 'A hand raises the number of visits that a patient has missed.',
  ends: 'repaired',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    await transit(db, subject, await subject.book(0), 'no_show');
    await unguarded(db, () =>
      db.query('update app_public.patient set no_show_count = 3 where id = $1', [
        subject.patientIds[0],
      ]),
    );
    return [{ entityType: 'patient', entityId: subject.patientIds[0] }];
  },
  async nearMiss(db, subject) {
    await transit(db, subject, await subject.book(0), 'no_show');
    await db.query(
      "update app_public.patient set status = 'blocked', blocked_reason = 'for the drill' where id = $1",
      [subject.patientIds[0]],
    );
    await db.query("update app_public.patient set status = 'active' where id = $1", [
      subject.patientIds[0],
    ]);
    await transit(db, subject, await subject.book(2), 'no_show', 'scheduled');
  },
};
