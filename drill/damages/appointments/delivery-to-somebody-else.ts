import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';
import { idOf } from '../../subject.ts';
import { transit } from '../../visit.ts';

/** What one patient is told, in the name of another. */
export const deliveryToSomebodyElse: Damage = {
  check: 'delivery_to_somebody_else',
  story: 'A hand gives the delivery of a message to another patient.',
  ends: 'reviewed',
  async inflict(db, subject) {
    const id = await deliver(db, subject);
    await unguarded(db, () =>
      db.query('update app_public.notification_delivery set patient_id = $2 where id = $1', [
        id,
        subject.patientIds[1],
      ]),
    );
    return [{ entityType: 'notification_delivery', entityId: id }];
  },
  async nearMiss(db, subject) {
    await deliver(db, subject);
  },
};

async function deliver(db: ClientBase, subject: Subject): Promise<string> {
  const appointmentId = await subject.book(0);
  await transit(db, subject, appointmentId, 'cancelled');
  await db.query(
    `select app_private.plan_deliveries($1, array(
       select id from app_public.notification where hospital_id = $1 and appointment_id = $2))`,
    [subject.hospitalId, appointmentId],
  );
  return idOf(
    db,
    "select id from app_public.notification_delivery where patient_id = $1 and channel = 'in_app'",
    [subject.patientIds[0]],
  );
}
