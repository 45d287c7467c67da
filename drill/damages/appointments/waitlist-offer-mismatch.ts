import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';
import { idOf } from '../../subject.ts';
import { transit } from '../../visit.ts';

/** An offer that waits for an answer which was given. */
export const waitlistOfferMismatch: Damage = {
  check: 'waitlist_offer_mismatch',
  story: 'A held seat was confirmed past the triggers, and its offer never heard of it.',
  ends: 'repaired',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    const { entryId, appointmentId } = await offer(db, subject, 0);
    await unguarded(db, () =>
      db.query(
        "update app_public.appointment set status = 'scheduled', held_until = null where id = $1",
        [appointmentId],
      ),
    );
    return [{ entityType: 'waitlist_entry', entityId: entryId }];
  },
  async nearMiss(db, subject) {
    const accepted = await offer(db, subject, 0);
    await transit(db, subject, accepted.appointmentId, 'scheduled', 'cancelled');
    await offer(db, subject, 1);
  },
};

async function offer(
  db: ClientBase,
  subject: Subject,
  patientIndex: 0 | 1,
): Promise<{ entryId: string; appointmentId: string }> {
  const entryId = await idOf(
    db,
    `insert into app_public.waitlist_entry (hospital_id, patient_id, doctor_id, first_day, last_day)
     select $1, $2, $3, (app_private.clock() at time zone $4)::date, (app_private.clock() at time zone $4)::date + 20
     returning id`,
    [subject.hospitalId, subject.patientIds[patientIndex], subject.doctorId, subject.timeZone],
  );
  await db.query('select app_private.offer_seat($1, $2, $3)', [
    subject.hospitalId,
    entryId,
    subject.slotIds[patientIndex],
  ]);
  const appointmentId = await idOf(
    db,
    'select appointment_id as id from app_public.waitlist_offer where entry_id = $1',
    [entryId],
  );
  return { entryId, appointmentId };
}
