import { type Damage, withoutConstraint } from '../../damage.ts';
import { settleHours } from './hours.ts';

export const duplicateSlots: Damage = {
  check: 'duplicate_slots',
  story: 'With the constraint dropped, generation is run twice by two hands at once.',
  ends: 'repaired',
  alsoFound: ['missing_guard'],
  async inflict(db, subject) {
    await settleHours(db, subject);
    const { rows } = await withoutConstraint(
      db,
      'app_public.slot',
      'slots_of_a_doctor_never_overlap',
      () =>
        db.query<{ id: string }>(
          `insert into app_public.slot (hospital_id, doctor_id, location_id, schedule_id, during, created_at)
           select hospital_id, doctor_id, location_id, schedule_id, during, created_at + interval '1 second'
           from app_public.slot where hospital_id = $1 and id = $2 returning id`,
          [subject.hospitalId, subject.slotIds[0]],
        ),
    );
    return rows.map(({ id }) => ({ entityType: 'slot', entityId: id }));
  },
  async nearMiss(db, subject) {
    await settleHours(db, subject);
    await db.query(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, schedule_id, during, withdrawn_at)
       select hospital_id, doctor_id, location_id, schedule_id, during, app_private.clock()
       from app_public.slot where hospital_id = $1 and id = $2`,
      [subject.hospitalId, subject.slotIds[0]],
    );
  },
};
