import { randomUUID } from 'node:crypto';
import { type Damage, unguarded } from '../../damage.ts';
import { appointment, requestVisit, transit, writeCount } from '../../visit.ts';

/** A visit whose slot was lost. */
export const appointmentWithoutSlot: Damage = {
  check: 'appointment_without_slot',
  story: 'A restore brings an appointment back whose slot is gone.',
  ends: 'reviewed',
  alsoFound: ['appointment_outside_slot', 'audit_gap', 'orphaned_row'],
  async inflict(db, subject) {
    const id = await subject.book(0);
    await unguarded(db, async () => {
      await db.query('update app_public.appointment set slot_id = $2 where id = $1', [
        id,
        randomUUID(),
      ]);
      await writeCount(db, subject, 0, 0);
    });
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    await requestVisit(db, subject, 0);
    const cancelled = await requestVisit(db, subject, 2);
    await transit(db, subject, cancelled, 'cancelled');
  },
};
