import { type Damage, unguarded } from '../../damage.ts';

export const auditGap: Damage = {
  check: 'audit_gap',
  story:
    'A hand confirms an appointment with the triggers asleep, so that no entry of the log tells it.',
  ends: 'reviewed',
  async inflict(db, subject) {
    const appointmentId = await subject.book(0);
    await unguarded(db, () =>
      db.query(
        "update app_public.appointment set status = 'confirmed' where hospital_id = $1 and id = $2",
        [subject.hospitalId, appointmentId],
      ),
    );
    return [{ entityType: 'appointment', entityId: appointmentId }];
  },
  async nearMiss(db, subject) {
    const appointmentId = await subject.book(0);
    await db.query(
      "update app_public.appointment set status = 'confirmed' where hospital_id = $1 and id = $2",
      [subject.hospitalId, appointmentId],
    );
  },
};
