import { type Damage, unguarded } from '../../damage.ts';
import { idOf } from '../../subject.ts';
import { appointment, requestVisit } from '../../visit.ts';

/** A request that nobody answered and no sweep ended. */
export const staleActiveAppointment: Damage = {
  check: 'stale_active_appointment',
  story: 'No worker ran when the time of a request came.',
  ends: 'repaired',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    const id = await unguarded(db, () =>
      idOf(
        db,
        `insert into app_public.appointment
           (hospital_id, doctor_id, patient_id, during, status, source, created_at, updated_at)
         select $1, $2, $3, tstzrange(instant - interval '3 hours', instant - interval '150 minutes'),
           'requested', 'patient', instant - interval '1 day', instant - interval '1 day'
           from app_private.clock() as instant
         returning id`,
        [subject.hospitalId, subject.doctorId, subject.patientIds[0]],
      ),
    );
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    await requestVisit(db, subject, 0);
    await subject.book(2);
  },
};
