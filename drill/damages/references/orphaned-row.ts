import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';

export const orphanedRow: Damage = {
  check: 'orphaned_row',
  story: 'A restore brings a message back, but not the patient whom it was for.',
  ends: 'reviewed',
  async inflict(db, subject) {
    const entityId = await tell(db, subject);
    await unguarded(db, () =>
      db.query(
        'update app_public.notification set patient_id = $3 where hospital_id = $1 and id = $2',
        [subject.hospitalId, entityId, randomUUID()],
      ),
    );
    return [{ entityType: 'notification', entityId }];
  },
  async nearMiss(db, subject) {
    // A reference that is null leads nowhere and says so.
    await tell(db, subject);
  },
};

async function tell(db: ClientBase, { hospitalId, patientIds }: Subject): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into app_public.notification (hospital_id, patient_id, event, priority, channels, title, body, created_at)
     select $1, $2, event, 'normal', '{in_app}', 'Drill', 'Drill', app_private.clock()
       from app_public.notification_template limit 1
     returning id`,
    [hospitalId, patientIds[0]],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no template.');
  return row.id;
}
