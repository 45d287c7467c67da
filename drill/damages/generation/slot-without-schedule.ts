import type { Damage } from '../../damage.ts';
import { changeSlot, settleHours, slotNamed } from './hours.ts';

export const slotWithoutSchedule: Damage = {
  check: 'slot_without_schedule',
  story: 'An import writes a slot and forgets the schedule that it follows.',
  ends: 'repaired',
  async inflict(db, subject) {
    await settleHours(db, subject);
    await changeSlot(db, subject, 2, 'schedule_id = null');
    return slotNamed(subject, 2);
  },
  async nearMiss(db, subject) {
    await settleHours(db, subject);
    await db.query(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during, withdrawn_at)
       select hospital_id, doctor_id, location_id,
         tstzrange(starts_at + interval '12 hours', ends_at + interval '12 hours'), app_private.clock()
       from app_public.slot where hospital_id = $1 and id = $2`,
      [subject.hospitalId, subject.slotIds[0]],
    );
  },
};
