import type { ClientBase } from 'pg';
import { aside, asWorker, become } from '../helpers/actors.ts';
import { type Appointment, book, one } from '../helpers/booking.ts';
import type { OpenHospital, Queryable, TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

/** A row of app_public.no_show_log, as far as tests look at it. */
export type NoShow = {
  id: string;
  appointment_id: string;
  patient_id: string;
  doctor_id: string;
  reason: string;
  comment: string | null;
  slot_starts_at: Date;
  timeout_minutes: number;
  status_before: string;
  is_slot_released: boolean;
  is_patient_notified: boolean;
  has_blocked_patient: boolean;
  marked_by: string | null;
  marked_at: Date;
  undone_by: string | null;
  undone_at: Date | null;
  undo_reason: string | null;
};

/** A patient's counts and block, as they are stored. */
export type Record = {
  status: string;
  no_show_count: number;
  no_shows_forgiven: number;
  blocked_reason: string | null;
};

/** Books the slot of this number for the patient of this number, as reception; goes on as reception. */
export async function bookVisit(
  db: ClientBase,
  hospital: OpenHospital,
  slot = 0,
  patient = 0,
): Promise<Appointment> {
  await become(db, hospital.receptionist);
  return book(db, {
    slotId: nth(hospital.slotIds, slot),
    patientId: nth(hospital.patientIds, patient),
  });
}

/** Calls mark_no_show as whoever acts in `db`. */
export function markNoShow(
  db: Queryable,
  appointmentId: string,
  reason: string | null = null,
  comment: string | null = null,
): Promise<Appointment> {
  return one(db, 'select * from app_public.mark_no_show($1, $2, $3)', [
    appointmentId,
    reason,
    comment,
  ]);
}

/** Calls undo_no_show as whoever acts in `db`. */
export function undoNoShow(
  db: Queryable,
  appointmentId: string,
  reason: string | null = 'was in the waiting room',
): Promise<Appointment> {
  return one(db, 'select * from app_public.undo_no_show($1, $2)', [appointmentId, reason]);
}

/** Runs the sweep of one hospital as the worker; returns how many it marked. Goes on as the worker. */
export async function sweep(db: ClientBase, { id }: TestHospital, most = 200): Promise<number> {
  await asWorker(db);
  const { count } = await one<{ count: number }>(
    db,
    'select app_private.mark_no_shows($1, $2) as count',
    [id, most],
  );
  return count;
}

/** Whether the hospital is one of those that have something to sweep now. */
export async function isDue(db: ClientBase, { id }: TestHospital): Promise<boolean> {
  await asWorker(db);
  const { rows } = await db.query('select app_private.hospitals_with_no_shows() as id');
  return rows.some((row) => row.id === id);
}

/** The log of an appointment, oldest first, whoever acts in `db`. */
export async function logOf(db: ClientBase, appointmentId: string): Promise<NoShow[]> {
  const { rows } = await aside(db, () =>
    db.query<NoShow>('select * from app_public.no_show_log where appointment_id = $1 order by id', [
      appointmentId,
    ]),
  );
  return rows;
}

/** The counts and the block of a patient, whoever acts in `db`. */
export function recordOf(db: ClientBase, patientId: string): Promise<Record> {
  return aside(db, () =>
    one<Record>(
      db,
      'select status, no_show_count, no_shows_forgiven, blocked_reason from app_public.patient where id = $1',
      [patientId],
    ),
  );
}

/** What the patient was told since the booking, oldest first, whoever acts in `db`. */
export async function toldTo(
  db: ClientBase,
  patientId: string,
): Promise<{ event: string; priority: string }[]> {
  const { rows } = await aside(db, () =>
    db.query(
      `select event, priority from app_public.notification
        where patient_id = $1 and event <> 'appointment_booked' order by id`,
      [patientId],
    ),
  );
  return rows;
}
