import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Subject } from '../../subject.ts';

/** Adds a seat to a slot, as staff do. */
export async function addSeat(
  db: ClientBase,
  { hospitalId, slotIds }: Subject,
  slotIndex: number,
): Promise<void> {
  await db.query(
    "insert into app_public.added_seat (hospital_id, slot_id, reason) values ($1, $2, 'drill')",
    [hospitalId, slotIds[slotIndex]],
  );
}

/** Books a visit of an hour, which also takes the slot after the first; returns the appointment. */
export async function bookLong(
  db: ClientBase,
  { hospitalId, slotIds, patientIds }: Subject,
  slotIndex: number,
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `with long as (
       insert into app_public.service (hospital_id, name, duration)
       values ($1, $2, '1 hour') returning id)
     select id from long`,
    [hospitalId, `Drill ${randomUUID()}`],
  );
  const { rows: booked } = await db.query<{ id: string }>(
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, service_id, status, idempotency_key)
     values ($1, $2, $3, $4, 'scheduled', $5) returning id`,
    [hospitalId, slotIds[slotIndex], patientIds[0], rows[0]?.id, randomUUID()],
  );
  return booked[0]?.id ?? '';
}

/** Cancels an appointment, through the rules. */
export async function cancel(
  db: ClientBase,
  { hospitalId }: Subject,
  appointmentId: string,
): Promise<void> {
  await db.query(
    "update app_public.appointment set status = 'cancelled' where hospital_id = $1 and id = $2",
    [hospitalId, appointmentId],
  );
}
