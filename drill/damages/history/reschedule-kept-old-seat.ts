import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';

export const rescheduleKeptOldSeat: Damage = {
  check: 'reschedule_kept_old_seat',
  story: 'An appointment is moved, and a hand counts its old seat once more.',
  ends: 'reviewed',
  alsoFound: [
    'booked_slot_without_appointment',
    'booked_slot_with_inactive_appointment',
    'slot_counter_mismatch',
    'doctor_day_mismatch',
  ],
  async inflict(db, subject) {
    const appointmentId = await moved(db, subject);
    await unguarded(db, () =>
      db.query('update app_public.slot set booked_count = 1 where hospital_id = $1 and id = $2', [
        subject.hospitalId,
        subject.slotIds[0],
      ]),
    );
    return [{ entityType: 'appointment', entityId: appointmentId }];
  },
  async nearMiss(db, subject) {
    await moved(db, subject);
    await subject.book(0, 1);
  },
};

async function moved(db: ClientBase, subject: Subject): Promise<string> {
  const appointmentId = await subject.book(0);
  await db.query(
    'update app_public.appointment set slot_id = $3 where hospital_id = $1 and id = $2',
    [subject.hospitalId, appointmentId, subject.slotIds[4]],
  );
  return appointmentId;
}
