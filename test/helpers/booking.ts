import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { aside, asOwner } from './actors.ts';
import { moveClock } from './clock.ts';
import type { Actor, Queryable, TestHospital } from './hospital.ts';

/** A row of app_public.appointment, as far as tests look at it. */
export type Appointment = {
  id: string;
  slot_id: string | null;
  doctor_id: string;
  patient_id: string;
  status: AppointmentStatus;
  source: string;
  starts_at: Date;
  ends_at: Date;
  held_until: Date | null;
  rescheduled_from: string | null;
  cancelled_by: string | null;
  cancellation_reason: string | null;
  idempotency_key: string;
  updated_at: Date;
};

/** All states of an appointment. */
export const appointmentStatuses = [
  'requested',
  'held',
  'scheduled',
  'confirmed',
  'checked_in',
  'in_progress',
  'completed',
  'cancelled',
  'no_show',
  'expired',
] as const;

/** A state of an appointment. */
export type AppointmentStatus = (typeof appointmentStatuses)[number];

/** What somebody wants to book or hold. A new key is made up unless one is given. */
export type Wish = {
  slotId: string;
  patientId: string;
  key?: string | null;
  serviceId?: string;
  reason?: string;
};

/** Calls book_appointment as whoever acts in `db`. */
export function book(db: Queryable, wish: Wish): Promise<Appointment> {
  return place(db, 'book_appointment', wish);
}

/** Calls hold_slot as whoever acts in `db`. */
export function hold(db: Queryable, wish: Wish): Promise<Appointment> {
  return place(db, 'hold_slot', wish);
}

function place(db: Queryable, operation: string, wish: Wish): Promise<Appointment> {
  const { slotId, patientId, key = randomUUID(), serviceId = null, reason = null } = wish;
  return one(
    db,
    `select * from app_public.${operation}(
       slot_id => $1, patient_id => $2, idempotency_key => $3, service_id => $4, reason => $5)`,
    [slotId, patientId, key, serviceId, reason],
  );
}

/** Calls reschedule_appointment as whoever acts in `db`. */
export function reschedule(
  db: Queryable,
  appointmentId: string,
  newSlotId: string,
  { key = randomUUID(), reason = null }: { key?: string | null; reason?: string | null } = {},
): Promise<Appointment> {
  return one(
    db,
    `select * from app_public.reschedule_appointment(
       appointment_id => $1, new_slot_id => $2, idempotency_key => $3, reason => $4)`,
    [appointmentId, newSlotId, key, reason],
  );
}

/** Calls cancel_appointment as whoever acts in `db`. */
export function cancel(
  db: Queryable,
  appointmentId: string,
  reason: string | null = null,
): Promise<Appointment> {
  return one(db, 'select * from app_public.cancel_appointment($1, $2)', [appointmentId, reason]);
}

/** Calls the function of this name, which takes an appointment only, as whoever acts in `db`. */
export function transit(
  db: Queryable,
  operation:
    | 'confirm_hold'
    | 'confirm_appointment'
    | 'check_in_appointment'
    | 'complete_appointment',
  appointmentId: string,
): Promise<Appointment> {
  return one(db, `select * from app_public.${operation}($1)`, [appointmentId]);
}

/** Changes the status by a plain update, as a hand in psql would. */
export function setStatus(
  db: Queryable,
  appointmentId: string,
  status: AppointmentStatus,
): Promise<Appointment> {
  return one(db, 'update app_public.appointment set status = $2 where id = $1 returning *', [
    appointmentId,
    status,
  ]);
}

/** Counts of a slot, whoever acts in `db`. */
export type SlotState = { booked_count: number; capacity: number; status: string };

/** How full a slot is, whoever acts in `db`. */
export async function slotState(db: ClientBase, slotId: string): Promise<SlotState> {
  return aside(db, () =>
    one<SlotState>(db, 'select booked_count, capacity, status from app_public.slot where id = $1', [
      slotId,
    ]),
  );
}

/** How many appointments the doctor's day of a slot counts, whoever acts in `db`; 0 without a row. */
export async function dayCount(db: ClientBase, slotId: string): Promise<number> {
  const { count } = await aside(db, () =>
    one<{ count: number }>(
      db,
      `select coalesce(sum(doctor_day.booked_count), 0)::int as count
       from app_public.slot
       join app_public.hospital on hospital.id = slot.hospital_id
       left join app_public.doctor_day
         on doctor_day.hospital_id = slot.hospital_id and doctor_day.doctor_id = slot.doctor_id
         and doctor_day.day = (slot.starts_at at time zone hospital.time_zone)::date
       where slot.id = $1`,
      [slotId],
    ),
  );
  return count;
}

/** The appointment as it is stored, whoever acts in `db`. */
export function stored(db: ClientBase, appointmentId: string): Promise<Appointment> {
  return aside(db, () =>
    one<Appointment>(db, 'select * from app_public.appointment where id = $1', [appointmentId]),
  );
}

/**
 * An appointment in this state, brought there along the state machine by an operator in psql; the
 * transaction acts as the operator afterwards, and its clock stands where it stood.
 */
export async function appointmentIn(
  db: ClientBase,
  hospital: TestHospital,
  status: AppointmentStatus,
  slotId: string,
  patientId: string,
): Promise<Appointment> {
  await asOwner(db);
  if (status === 'requested') return request(db, hospital, slotId, patientId);
  const [first, ...further] = pathTo[status];
  let appointment = await one<Appointment>(
    db,
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
     values ($1, $2, $3, $4) returning *`,
    [hospital.id, slotId, patientId, first],
  );
  for (const next of further) {
    if (next === 'expired') await moveClock(db, '1 hour');
    appointment = await setStatus(db, appointment.id, next);
    if (next === 'expired') await moveClock(db, '-1 hour');
  }
  return appointment;
}

/** A request of the patient for the time of this slot, made by an operator in psql. */
function request(db: ClientBase, hospital: TestHospital, slotId: string, patientId: string) {
  return one<Appointment>(
    db,
    `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     select $1, doctor_id, $3, during, 'requested' from app_public.slot where id = $2 returning *`,
    [hospital.id, slotId, patientId],
  );
}

const pathTo: Record<Exclude<AppointmentStatus, 'requested'>, readonly AppointmentStatus[]> = {
  held: ['held'],
  scheduled: ['scheduled'],
  confirmed: ['scheduled', 'confirmed'],
  checked_in: ['scheduled', 'checked_in'],
  in_progress: ['scheduled', 'checked_in', 'in_progress'],
  completed: ['scheduled', 'completed'],
  cancelled: ['scheduled', 'cancelled'],
  no_show: ['scheduled', 'no_show'],
  expired: ['held', 'expired'],
};

/** Everybody of a hospital who may book in the first doctor's slots for the first patient. */
export function bookers(hospital: TestHospital): Actor[] {
  return [hospital.patient, hospital.doctor, hospital.nurse, hospital.receptionist, hospital.admin];
}

/** The one row that a statement returns; throws when there are none or more. */
export async function one<T extends object = Appointment>(
  db: Queryable,
  statement: string,
  values: readonly unknown[] = [],
): Promise<T> {
  const { rows } = await db.query<T>(statement, [...values]);
  const [row] = rows;
  if (!row || rows.length > 1) throw new Error(`expected one row, got ${rows.length}`);
  return row;
}
