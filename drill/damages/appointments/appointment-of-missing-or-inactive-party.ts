import { type Damage, unguarded } from '../../damage.ts';
import { appointment, transit } from '../../visit.ts';

/** A patient who left with a visit ahead. */
export const appointmentOfMissingOrInactiveParty: Damage = {
  check: 'appointment_of_missing_or_inactive_party',
  story: 'A hand deactivates a patient who has an appointment ahead, past the rule against it.',
  ends: 'reviewed',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    const id = await subject.book(0);
    await unguarded(db, () =>
      db.query('update app_public.patient set is_active = false where id = $1', [
        subject.patientIds[0],
      ]),
    );
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    const cancelled = await subject.book(0, 0);
    await transit(db, subject, cancelled, 'cancelled');
    await db.query('update app_public.patient set is_active = false where id = $1', [
      subject.patientIds[0],
    ]);
    await subject.book(1, 1);
    await db.query(
      "update app_public.patient set status = 'blocked', blocked_reason = 'for the drill' where id = $1",
      [subject.patientIds[1]],
    );
  },
};
