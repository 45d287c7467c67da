import { type Damage, unguarded } from '../../damage.ts';
import { enterAbsence, settleHours } from './hours.ts';

export const blockWithoutAbsence: Damage = {
  check: 'block_without_absence',
  story: 'An absence is cancelled while the triggers sleep, and its slots stay closed.',
  ends: 'repaired',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    await settleHours(db, subject);
    const absenceId = await enterAbsence(db, subject, 14);
    await unguarded(db, () =>
      db.query(
        `update app_public.absence set status = 'cancelled', cancelled_at = app_private.clock()
         where hospital_id = $1 and id = $2`,
        [subject.hospitalId, absenceId],
      ),
    );
    return subject.slotIds.slice(14, 28).map((entityId) => ({ entityType: 'slot', entityId }));
  },
  async nearMiss(db, subject) {
    await settleHours(db, subject);
    await enterAbsence(db, subject, 14);
    await db.query(
      `update app_public.slot set blocked_at = app_private.clock(), blocked_reason = 'drill'
       where hospital_id = $1 and id = $2`,
      [subject.hospitalId, subject.slotIds[0]],
    );
  },
};
