import { type Damage, unguarded } from '../../damage.ts';

/** A patient who is refused, and nobody knows why. */
export const patientBlockMismatch: Damage = {
  check: 'patient_block_mismatch',
  story: 'A hand blocks a patient past the triggers that write the block down.',
  ends: 'repaired',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    await unguarded(db, () =>
      db.query(
        `update app_public.patient
            set status = 'blocked', blocked_at = app_private.clock(), blocked_reason = 'for the drill'
          where id = $1`,
        [subject.patientIds[0]],
      ),
    );
    return [{ entityType: 'patient', entityId: subject.patientIds[0] }];
  },
  async nearMiss(db, subject) {
    for (const patientId of subject.patientIds) {
      await db.query(
        "update app_public.patient set status = 'blocked', blocked_reason = 'for the drill' where id = $1",
        [patientId],
      );
    }
    await db.query("update app_public.patient set status = 'active' where id = $1", [
      subject.patientIds[1],
    ]);
  },
};
