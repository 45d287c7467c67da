import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { aside } from './actors.ts';
import { type Appointment, one } from './booking.ts';
import type { Queryable } from './hospital.ts';

/** What somebody asks of a doctor. A new key is made up unless one is given. */
export type RequestWish = {
  doctorId: string;
  startsAt: Date | string;
  patientId: string;
  key?: string | null;
  serviceId?: string | null;
  reason?: string | null;
};

/** Calls request_appointment as whoever acts in `db`. */
export function request(db: Queryable, wish: RequestWish): Promise<Appointment> {
  return one(
    db,
    `select * from app_public.request_appointment(
       doctor_id => $1, starts_at => $2, patient_id => $3, idempotency_key => $4, service_id => $5, reason => $6)`,
    [
      wish.doctorId,
      wish.startsAt,
      wish.patientId,
      wish.key === undefined ? randomUUID() : wish.key,
      wish.serviceId ?? null,
      wish.reason ?? null,
    ],
  );
}

/** Calls accept_appointment as whoever acts in `db`. */
export function accept(
  db: Queryable,
  appointmentId: string,
  slotId: string | null = null,
): Promise<Appointment> {
  return one(db, 'select * from app_public.accept_appointment($1, $2)', [appointmentId, slotId]);
}

/** Calls decline_appointment as whoever acts in `db`. */
export function decline(
  db: Queryable,
  appointmentId: string,
  reason: string | null = 'no time',
): Promise<Appointment> {
  return one(db, 'select * from app_public.decline_appointment($1, $2)', [appointmentId, reason]);
}

/** Calls propose_slot as whoever acts in `db`. */
export function propose(
  db: Queryable,
  appointmentId: string,
  slotId: string,
  message: string | null = null,
): Promise<Appointment> {
  return one(db, 'select * from app_public.propose_slot($1, $2, $3)', [
    appointmentId,
    slotId,
    message,
  ]);
}

/** A series that somebody wants. */
export type SeriesWish = {
  doctorId: string;
  firstStartsAt: Date | string;
  everyDays: number;
  count: number;
  patientId: string;
  key?: string | null;
  isAllOrNothing?: boolean;
  serviceId?: string | null;
  reason?: string | null;
};

/** A row of app_public.appointment_series, as far as tests look at it. */
export type Series = { id: string; patient_id: string; created_by: string | null };

/** Calls book_series as whoever acts in `db`. */
export function bookSeries(db: Queryable, wish: SeriesWish): Promise<Series> {
  return one<Series>(
    db,
    `select * from app_public.book_series(
       doctor_id => $1, first_starts_at => $2, every_days => $3, occurrence_count => $4, patient_id => $5,
       idempotency_key => $6, is_all_or_nothing => $7, service_id => $8, reason => $9)`,
    [
      wish.doctorId,
      wish.firstStartsAt,
      wish.everyDays,
      wish.count,
      wish.patientId,
      wish.key === undefined ? randomUUID() : wish.key,
      wish.isAllOrNothing ?? true,
      wish.serviceId ?? null,
      wish.reason ?? null,
    ],
  );
}

/** What became of the occurrences of a series, whoever acts in `db`. */
export async function occurrencesOf(db: ClientBase, seriesId: string): Promise<Occurrence[]> {
  return aside(db, async () => {
    const { rows } = await db.query<Occurrence>(
      `select number, starts_at, appointment_id, scenario, details
       from app_public.series_occurrence where series_id = $1 order by number`,
      [seriesId],
    );
    return rows;
  });
}

export type Occurrence = {
  number: number;
  starts_at: Date;
  appointment_id: string | null;
  scenario: string | null;
  details: Record<string, unknown> | null;
};

/** What explain_series says of one occurrence. */
export type OccurrenceVerdict = {
  number: number;
  starts_at: Date;
  slot_id: string | null;
  scenario: string | null;
  details: Record<string, unknown> | null;
};

/** Calls explain_series as whoever acts in `db`. */
export async function explainSeries(db: Queryable, wish: SeriesWish): Promise<OccurrenceVerdict[]> {
  const { rows } = await db.query<OccurrenceVerdict>(
    'select * from app_public.explain_series($1, $2, $3, $4, $5, $6)',
    [
      wish.doctorId,
      wish.firstStartsAt,
      wish.everyDays,
      wish.count,
      wish.patientId,
      wish.serviceId ?? null,
    ],
  );
  return rows;
}

/** Calls cancel_series as whoever acts in `db`. */
export async function cancelSeries(
  db: Queryable,
  seriesId: string,
  reason: string | null = null,
): Promise<Appointment[]> {
  const { rows } = await db.query<Appointment>('select * from app_public.cancel_series($1, $2)', [
    seriesId,
    reason,
  ]);
  return rows;
}

/** Start of a slot, whoever acts in `db`. */
export async function startOf(db: ClientBase, slotId: string): Promise<Date> {
  const { starts_at } = await aside(db, () =>
    one<{ starts_at: Date }>(db, 'select starts_at from app_public.slot where id = $1', [slotId]),
  );
  return starts_at;
}

/** Notifications about an appointment, oldest first, whoever acts in `db`. */
export async function notificationsOf(
  db: ClientBase,
  appointmentId: string,
): Promise<{ event: string; to: 'patient' | 'doctor'; body: string }[]> {
  return aside(db, async () => {
    const { rows } = await db.query<{ event: string; to: 'patient' | 'doctor'; body: string }>(
      `select event, case when patient_id is null then 'doctor' else 'patient' end as to, body
       from app_public.notification where appointment_id = $1 order by id`,
      [appointmentId],
    );
    return rows;
  });
}
