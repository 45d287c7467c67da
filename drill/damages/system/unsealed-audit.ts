import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';

export const unsealedAudit: Damage = {
  check: 'unsealed_audit',
  story: 'Nobody seals the audit log any more, and two hours pass.',
  ends: 'told',
  async inflict(db, subject) {
    await age(db, subject, '2 hours');
    return [{ entityType: 'hospital', entityId: subject.hospitalId }];
  },
  async nearMiss(db, subject) {
    await age(db, subject, '50 minutes');
  },
};

/** Makes what is not sealed older than it is. */
async function age(db: ClientBase, { hospitalId, doctorId }: Subject, by: string): Promise<void> {
  await db.query(
    "update app_public.doctor set specialty = 'sleep' where hospital_id = $1 and id = $2",
    [hospitalId, doctorId],
  );
  await unguarded(db, () =>
    db.query(
      `update app_public.audit_entry set recorded_at = app_private.clock() - $2::interval
        where hospital_id = $1 and id > coalesce(
          (select last_entry_id from app_private.audit_seal_mark where hospital_id = $1), 0)`,
      [hospitalId, by],
    ),
  );
}
