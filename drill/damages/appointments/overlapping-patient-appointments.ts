import { type Damage, unguarded, withoutConstraint } from '../../damage.ts';
import { createSubject } from '../../subject.ts';
import { appointment } from '../../visit.ts';

/** A patient who would have to be at two doctors at once. */
export const overlappingPatientAppointments: Damage = {
  check: 'overlapping_patient_appointments',
  story: 'Two records of one person were merged by hand, with a visit each at the same time.',
  ends: 'reviewed',
  alsoFound: ['audit_gap', 'missing_guard'],
  async inflict(db, subject) {
    const elsewhere = await createSubject(db, subject.hospitalId);
    const one = await subject.book(0);
    const other = await elsewhere.book(0);
    await withoutConstraint(
      db,
      'app_public.appointment',
      'a_patient_is_in_one_place_at_a_time',
      () =>
        unguarded(db, () =>
          db.query('update app_public.appointment set patient_id = $2 where id = $1', [
            other,
            subject.patientIds[0],
          ]),
        ),
    );
    return [appointment(one), appointment(other)];
  },
  async nearMiss(db, subject) {
    const elsewhere = await createSubject(db, subject.hospitalId);
    await subject.book(0);
    await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
       values ($1, $2, $3, 'scheduled')`,
      [subject.hospitalId, elsewhere.slotIds[1], subject.patientIds[0]],
    );
  },
};
