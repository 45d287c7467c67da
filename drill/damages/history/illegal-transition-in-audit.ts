import type { ClientBase } from 'pg';
import type { Damage } from '../../damage.ts';

export const illegalTransitionInAudit: Damage = {
  check: 'illegal_transition_in_audit',
  story:
    'The guard of the state machine is asleep for a moment, and a job confirms an appointment, which only people may.',
  ends: 'reviewed',
  async inflict(db, subject) {
    const appointmentId = await subject.book(0);
    await db.query(
      'alter table app_public.appointment disable trigger appointment_status_follows_the_state_machine',
    );
    await confirmAs(db, 'worker', subject.hospitalId, appointmentId);
    await db.query(
      'alter table app_public.appointment enable trigger appointment_status_follows_the_state_machine',
    );
    return [{ entityType: 'appointment', entityId: appointmentId }];
  },
  async nearMiss(db, subject) {
    await confirmAs(db, 'receptionist', subject.hospitalId, await subject.book(0));
  },
};

async function confirmAs(
  db: ClientBase,
  role: string,
  hospitalId: string,
  appointmentId: string,
): Promise<void> {
  await claim(db, role, hospitalId);
  await db.query(
    "update app_public.appointment set status = 'confirmed' where hospital_id = $1 and id = $2",
    [hospitalId, appointmentId],
  );
  await claim(db, '', '');
}

async function claim(db: ClientBase, role: string, hospitalId: string): Promise<void> {
  await db.query(
    "select set_config('claims.role', $1, true), set_config('claims.hospital_id', $2, true)",
    [role, hospitalId],
  );
}
