import { type Damage, unguarded, withoutConstraint } from '../../damage.ts';
import { addSeat, writeCount } from '../../visit.ts';

const alsoFound = [
  'appointment_outside_slot',
  'audit_gap',
  'booked_slot_with_inactive_appointment',
  'booked_slot_without_appointment',
  'missing_guard',
  'slot_counter_mismatch',
];

/** Two patients on one seat. */
export const overbookedSlot: Damage = {
  check: 'over_capacity_slot',
  story: 'A hand moves a patient into a slot that is full.',
  ends: 'reviewed',
  alsoFound,
  async inflict(db, subject) {
    await subject.book(0, 0);
    const moved = await subject.book(1, 1);
    await unguarded(db, async () => {
      await db.query(
        `update app_public.appointment set slot_id = slot.id, during = slot.during
           from app_public.slot where appointment.id = $1 and slot.id = $2`,
        [moved, subject.slotIds[0]],
      );
      await writeCount(db, subject, 1, 0);
    });
    return [{ entityType: 'slot', entityId: subject.slotIds[0] ?? null }];
  },
  async nearMiss(db, subject) {
    await addSeat(db, subject, 0);
    await subject.book(0, 0);
    await subject.book(0, 1);
  },
};

/** A count beyond the room that there is. */
export const overcountedSlot: Damage = {
  check: 'over_capacity_slot',
  story: 'A restore without constraints leaves a slot with a count beyond its capacity.',
  ends: 'repaired',
  alsoFound,
  async inflict(db, subject) {
    await withoutConstraint(
      db,
      'app_public.slot',
      'a_slot_never_holds_more_than_its_capacity',
      () => unguarded(db, () => writeCount(db, subject, 0, 3)),
    );
    return [{ entityType: 'slot', entityId: subject.slotIds[0] ?? null }];
  },
  async nearMiss(db, subject) {
    await addSeat(db, subject, 0);
    await addSeat(db, subject, 0);
    await subject.book(0, 0);
  },
};
