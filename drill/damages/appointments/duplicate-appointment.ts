import { type Damage, unguarded, withoutConstraint } from '../../damage.ts';
import { addSeat, appointment } from '../../visit.ts';

/** The same visit twice. */
export const duplicateAppointment: Damage = {
  check: 'duplicate_appointment',
  story: 'A booking was carried out twice, and a slot with two seats took both.',
  ends: 'reviewed',
  alsoFound: ['audit_gap', 'missing_guard'],
  async inflict(db, subject) {
    await addSeat(db, subject, 0);
    const one = await subject.book(0, 0);
    const other = await subject.book(0, 1);
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
    await addSeat(db, subject, 0);
    await subject.book(0, 0);
    await subject.book(0, 1);
    await subject.book(2, 0);
  },
};
