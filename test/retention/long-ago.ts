import type { ClientBase } from 'pg';
import { asOwner, become } from '../helpers/actors.ts';
import {
  type Appointment,
  type AppointmentStatus,
  appointmentIn,
  book,
  one,
  reschedule,
  setStatus,
} from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { type HospitalOptions, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

/** A hospital with a day of its past: visits that ended in every way, one that never did. */
export type OldHospital = OpenHospital & {
  /** By how they ended; `moved` was completed after it had moved from another slot. */
  ended: Record<'completed' | 'cancelled' | 'no_show' | 'expired' | 'moved', Appointment>;
  /** Still scheduled, though its time is long over. */
  stuck: Appointment;
};

/** What the archive is asked to do in one call. */
export type Step = 'archive_appointments' | 'remove_past_slots' | 'remove_past_days';

/** Creates the hospital on a day of long ago (the clock stands there afterwards) and lets it work. */
export async function openedLongAgo(
  db: ClientBase,
  day: string,
  options: HospitalOptions = {},
): Promise<OldHospital> {
  await setClock(db, `${day}T03:00:00Z`);
  const hospital = await openHospital(db, { horizonDays: 2, patientCount: 6, ...options });
  const visit = (status: AppointmentStatus, index: number) =>
    appointmentIn(db, hospital, status, nth(hospital.slotIds, index), nth(hospital.patientIds, 0));
  const ended = {
    completed: await visit('completed', 0),
    cancelled: await visit('cancelled', 1),
    no_show: await visit('no_show', 2),
    expired: await visit('expired', 3),
    moved: await movedAndCompleted(db, hospital),
  };
  const stuck = await visit('scheduled', 6);
  return { ...hospital, ended, stuck };
}

async function movedAndCompleted(db: ClientBase, hospital: OpenHospital): Promise<Appointment> {
  await become(db, hospital.receptionist);
  const { id } = await book(db, {
    slotId: nth(hospital.slotIds, 4),
    patientId: nth(hospital.patientIds, 0),
    reason: 'a cough',
  });
  await reschedule(db, id, nth(hospital.slotIds, 5), { reason: 'the bus is late' });
  await asOwner(db);
  return setStatus(db, id, 'completed');
}

/** Calls a step of the archive once, as whoever acts in `db`. */
export async function run(
  db: Pick<ClientBase, 'query'>,
  step: Step,
  hospitalId: string,
  most = 5000,
): Promise<number> {
  const { count } = await one<{ count: number }>(
    db as ClientBase,
    `select app_private.${step}(hospital_id => $1, most => $2) as count`,
    [hospitalId, most],
  );
  return count;
}

/** Ids of the hospital's appointments that are in the archive, or among the current ones. */
export async function idsIn(
  db: Pick<ClientBase, 'query'>,
  table: 'appointment' | 'appointment_archive',
  hospitalId: string,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from app_public.${table} where hospital_id = $1 order by id`,
    [hospitalId],
  );
  return rows.map(({ id }) => id);
}
