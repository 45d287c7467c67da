import type { ClientBase } from 'pg';
import { aside, asOwner, asWorker, become } from '../helpers/actors.ts';
import { type Appointment, book, one, transit } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import type { Actor, OpenHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

/** A row of app_public.stage_alert, as far as tests look at it. */
export type StageAlert = {
  id: string;
  appointment_id: string;
  doctor_id: string;
  patient_id: string;
  kind: string;
  waiting_since: Date;
  due_at: Date;
  raised_at: Date;
  status: string;
  acknowledged_by: string | null;
  acknowledged_at: Date | null;
  resolved_by: string | null;
  resolved_at: Date | null;
  resolution: string | null;
  note: string | null;
};

/** Books this slot for this patient and lets them arrive at its start, which the clock then shows. */
export async function arrive(
  db: ClientBase,
  hospital: OpenHospital,
  slot = 0,
  patient = 0,
  slotIds: readonly string[] = hospital.slotIds,
): Promise<Appointment> {
  await become(db, hospital.receptionist);
  const { id, starts_at } = await book(db, {
    slotId: nth(slotIds, slot),
    patientId: nth(hospital.patientIds, patient),
  });
  await setClock(db, starts_at);
  return transit(db, 'check_in_appointment', id);
}

/** The vital signs of this visit are taken now, whoever acts in `db`. */
export function takeVitals(db: ClientBase, appointmentId: string): Promise<unknown> {
  return aside(db, () =>
    db.query(
      'update app_public.appointment set vitals_recorded_at = app_private.clock() where id = $1',
      [appointmentId],
    ),
  );
}

/** Runs the sweep of one hospital as the worker does; returns how many alerts it raised. */
export async function raise(db: ClientBase, hospital: { id: string }): Promise<number> {
  await asWorker(db);
  const { count } = await one<{ count: number }>(
    db,
    'select app_private.raise_stage_alerts($1) as count',
    [hospital.id],
  );
  await asOwner(db);
  return count;
}

/** Whether the sweep would find this hospital, as the worker asks. */
export async function isDue(db: ClientBase, hospital: { id: string }): Promise<boolean> {
  await asWorker(db);
  const { due } = await one<{ due: boolean }>(db, 'select app_private.has_due_stage($1) as due', [
    hospital.id,
  ]);
  await asOwner(db);
  return due;
}

/** All alerts of a hospital, oldest first, whoever acts in `db`. */
export async function alertsIn(db: ClientBase, hospital: { id: string }): Promise<StageAlert[]> {
  const { rows } = await aside(db, () =>
    db.query<StageAlert>(
      'select * from app_public.stage_alert where hospital_id = $1 order by raised_at, id',
      [hospital.id],
    ),
  );
  return rows;
}

/** What doctors get back of a consultation. */
export type ConsultationRecord = {
  consultation_id: string;
  appointment_id: string;
  status: string;
  chief_complaint: string | null;
  diagnosis: string[];
  notes: string | null;
  ended_at: Date | null;
  abandon_reason: string | null;
  members: { doctor_id: string; role: string }[];
  texts: { text: string; doctor_name: string | null }[];
};

const asRecord = (call: string) =>
  `select *, to_jsonb(participants) as members, to_jsonb(addenda) as texts from ${call}`;

/** Calls a function that returns a consultation as whoever acts in `db`. */
export function consultation(
  db: ClientBase,
  call: string,
  values: readonly unknown[],
): Promise<ConsultationRecord> {
  return one<ConsultationRecord>(db, asRecord(`app_public.${call}`), values);
}

/** Starts the consultation of this visit as this doctor. */
export async function start(
  db: ClientBase,
  doctor: Actor,
  appointmentId: string,
): Promise<ConsultationRecord> {
  await become(db, doctor);
  return consultation(db, 'start_consultation($1)', [appointmentId]);
}

/** Writes what completing needs. */
export function fillIn(db: ClientBase, consultationId: string): Promise<ConsultationRecord> {
  return consultation(db, "update_consultation($1, 'a cough', array['a cold'], 'sleeps badly')", [
    consultationId,
  ]);
}

/** Who has read what in a hospital, oldest first, whoever acts in `db`. */
export async function readingsIn(db: ClientBase, hospital: { id: string }) {
  const { rows } = await aside(db, () =>
    db.query(
      `select patient_id, account_id, reader_role, reader_name, part, consultation_id, purpose,
         emergency_grant_id, request_id, accessed_at = app_private.clock() as is_now
       from app_public.record_access where hospital_id = $1 order by id`,
      [hospital.id],
    ),
  );
  return rows;
}
