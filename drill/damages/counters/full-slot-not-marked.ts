import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';

/** A slot that is full and says that it is not. */
export const fullSlotNotMarked: Damage = {
  check: 'full_slot_not_marked',
  story:
    'A page of slots comes back from an old copy of the disk, with a status that was computed then.',
  ends: 'repaired',
  alsoFound: [
    'active_appointment_on_available_slot',
    'available_slot_with_full_appointments',
    'missing_guard',
  ],
  async inflict(db, subject) {
    await subject.book(0);
    await unguarded(db, async () => {
      await makeGenerated(db, false);
      await db.query("update app_public.slot set status = 'available' where id = $1", [
        subject.slotIds[0],
      ]);
      await makeGenerated(db, true);
    });
    return [{ entityType: 'slot', entityId: subject.slotIds[0] ?? null }];
  },
  async nearMiss(db, subject) {
    await subject.book(0);
    await db.query(
      `update app_public.slot set blocked_at = app_private.clock(), blocked_reason = 'for the drill'
        where id = $1`,
      [subject.slotIds[1]],
    );
  },
};

// Nothing else than the catalog itself lets a generated column be written.
async function makeGenerated(db: ClientBase, isGenerated: boolean): Promise<void> {
  await db.query(
    `update pg_catalog.pg_attribute set attgenerated = $1
      where attrelid = 'app_public.slot'::regclass and attname = 'status'`,
    [isGenerated ? 's' : ''],
  );
}
