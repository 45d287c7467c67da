import { type Damage, withoutConstraint } from '../../damage.ts';

export const overlappingSlots: Damage = {
  check: 'overlapping_slots',
  story: 'With the constraint dropped, a script adds a slot that begins in the middle of another.',
  ends: 'reviewed',
  alsoFound: ['slot_off_grid', 'missing_guard'],
  async inflict(db, { hospitalId, slotIds }) {
    const { rows } = await withoutConstraint(
      db,
      'app_public.slot',
      'slots_of_a_doctor_never_overlap',
      () =>
        db.query<{ id: string }>(
          `insert into app_public.slot (hospital_id, doctor_id, location_id, schedule_id, during)
           select hospital_id, doctor_id, location_id, schedule_id,
             tstzrange(starts_at + interval '10 minutes', ends_at - interval '10 minutes')
           from app_public.slot where hospital_id = $1 and id = $2 returning id`,
          [hospitalId, slotIds[0]],
        ),
    );
    return rows.map(() => ({ entityType: 'slot', entityId: slotIds[0] ?? null }));
  },
  async nearMiss(db, { hospitalId, slotIds }) {
    await db.query(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during, withdrawn_at)
       select hospital_id, doctor_id, location_id,
         tstzrange(starts_at + interval '15 minutes', ends_at + interval '15 minutes'), app_private.clock()
       from app_public.slot where hospital_id = $1 and id = $2`,
      [hospitalId, slotIds[0]],
    );
  },
};
