import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';
import { appointment, transit } from '../../visit.ts';

/** A consultation that goes on after its visit. */
export const openConsultationWithoutVisit: Damage = {
  check: 'open_consultation_without_visit',
  story: 'A hand puts a visit back into the waiting room while its consultation is open.',
  ends: 'reviewed',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    const id = await consult(db, subject);
    await unguarded(db, () => transit(db, subject, id, 'checked_in'));
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    await consult(db, subject);
  },
};

async function consult(db: ClientBase, subject: Subject): Promise<string> {
  const id = await subject.book(0);
  await transit(db, subject, id, 'checked_in');
  await db.query(
    'insert into app_public.consultation (hospital_id, appointment_id) values ($1, $2)',
    [subject.hospitalId, id],
  );
  return id;
}
