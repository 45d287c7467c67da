import { type Damage, unguarded } from '../../damage.ts';
import { bookLong } from './seats.ts';

export const appointmentOutsideSlot: Damage = {
  check: 'appointment_outside_slot',
  story: 'A script moves the time of an appointment and forgets its slot.',
  ends: 'reviewed',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    const appointmentId = await subject.book(0);
    await unguarded(db, () =>
      db.query(
        `update app_public.appointment
         set during = tstzrange(starts_at + interval '2 hours', ends_at + interval '2 hours')
         where hospital_id = $1 and id = $2`,
        [subject.hospitalId, appointmentId],
      ),
    );
    return [{ entityType: 'appointment', entityId: appointmentId }];
  },
  async nearMiss(db, subject) {
    await bookLong(db, subject, 0);
  },
};
