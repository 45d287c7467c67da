import type { ClientBase } from 'pg';
import type { Named } from './damage.ts';
import { idOf, type Subject } from './subject.ts';

/** Names an appointment, as checks do. */
export function appointment(entityId: string): Named {
  return { entityType: 'appointment', entityId };
}

/** Changes the state of an appointment along the state machine, as an operator. */
export async function transit(
  db: ClientBase,
  { hospitalId }: Subject,
  appointmentId: string,
  ...states: readonly string[]
): Promise<void> {
  for (const state of states) {
    await db.query(
      'update app_public.appointment set status = $3 where hospital_id = $1 and id = $2',
      [hospitalId, appointmentId, state],
    );
  }
}

/** Holds a slot for the first patient; returns the appointment. */
export function holdSeat(db: ClientBase, subject: Subject, slotIndex: number): Promise<string> {
  return idOf(
    db,
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
     values ($1, $2, $3, 'held') returning id`,
    [subject.hospitalId, subject.slotIds[slotIndex], subject.patientIds[0]],
  );
}

/** Leaves a request of the first patient for the time of a slot; returns the appointment. */
export function requestVisit(db: ClientBase, subject: Subject, slotIndex: number): Promise<string> {
  return idOf(
    db,
    `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     select slot.hospital_id, slot.doctor_id, $3, slot.during, 'requested'
       from app_public.slot where slot.hospital_id = $1 and slot.id = $2
     returning id`,
    [subject.hospitalId, subject.slotIds[slotIndex], subject.patientIds[0]],
  );
}

/** Books a visit of an hour, which takes two slots; returns the appointment. */
export async function bookLongVisit(
  db: ClientBase,
  subject: Subject,
  slotIndex: number,
): Promise<string> {
  const serviceId = await idOf(
    db,
    `insert into app_public.service (hospital_id, name, duration)
     values ($1, 'Drill ' || gen_random_uuid(), '1 hour') returning id`,
    [subject.hospitalId],
  );
  return idOf(
    db,
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, status)
     values ($1, $2, $3, $4, 'scheduled') returning id`,
    [subject.hospitalId, subject.slotIds[slotIndex], subject.patientIds[0], serviceId],
  );
}

/** Gives a slot another seat, as staff may. */
export async function addSeat(db: ClientBase, subject: Subject, slotIndex: number): Promise<void> {
  await db.query(
    "insert into app_public.added_seat (hospital_id, slot_id, reason) values ($1, $2, 'for the drill')",
    [subject.hospitalId, subject.slotIds[slotIndex]],
  );
}

/** Writes how many seats a slot counts; for hands that nobody guards. */
export async function writeCount(
  db: ClientBase,
  subject: Subject,
  slotIndex: number,
  count: number,
): Promise<void> {
  await db.query(
    'update app_public.slot set booked_count = $3 where hospital_id = $1 and id = $2',
    [subject.hospitalId, subject.slotIds[slotIndex], count],
  );
}
