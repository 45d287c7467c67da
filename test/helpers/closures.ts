import type { ClientBase } from 'pg';
import { aside } from './actors.ts';
import { one } from './booking.ts';
import type { Queryable, TestHospital } from './hospital.ts';

/** A row of a change's list of appointments. */
export type Affected = {
  appointment_id: string;
  patient_id: string;
  doctor_id: string;
  starts_at: string;
  ends_at: string;
  status: string;
  alternatives: { doctor_id: string; doctor_name: string; slot_id: string; starts_at: string }[];
};

/** What a change of the calendar did, or would do. */
export type CalendarChange = {
  closed_slots: number;
  opened_slots: number;
  deleted_slots: number;
  withdrawn_slots: number;
  kept_slots: number;
  generated_slots: number;
  cancelled_appointments: number;
  notified_patients: number;
  affected_appointments: Affected[];
};

/** All types of absence. */
export const absenceTypes = [
  'annual_leave',
  'sick_leave',
  'conference',
  'training',
  'personal',
  'emergency',
  'other',
] as const;

/** An absence that somebody wants to enter: whole days unless it has hours. */
export type AbsenceWish = {
  doctorId: string;
  type?: (typeof absenceTypes)[number];
  firstDay: string | null;
  lastDay?: string | null;
  startTime?: string | null;
  endTime?: string | null;
  reason?: string;
};

/** Calls create_absence as whoever acts in `db`. */
export async function createAbsence(
  db: Queryable,
  wish: AbsenceWish,
): Promise<{ absence_id: string; change: CalendarChange }> {
  return answer(db, 'create_absence($1, $2, $3, $4, $5, $6, $7)', [
    ...argumentsOf(wish),
    wish.reason ?? null,
  ]);
}

/** Calls preview_absence as whoever acts in `db`. */
export function previewAbsence(db: Queryable, wish: AbsenceWish): Promise<CalendarChange> {
  return answer(db, 'preview_absence($1, $2, $3, $4, $5, $6)', argumentsOf(wish));
}

/** Calls cancel_absence as whoever acts in `db`. */
export function cancelAbsence(db: Queryable, absenceId: string): Promise<CalendarChange> {
  return answer(db, 'cancel_absence($1)', [absenceId]);
}

/** A holiday that somebody wants to enter. */
export type HolidayWish = { name?: string | null; date: string | null; isRecurring?: boolean };

/** Calls create_holiday as whoever acts in `db`. */
export function createHoliday(
  db: Queryable,
  { name = 'Founding Day', date, isRecurring = false }: HolidayWish,
): Promise<{ holiday_id: string; change: CalendarChange }> {
  return answer(db, 'create_holiday($1, $2, $3)', [name, date, isRecurring]);
}

/** Calls preview_holiday as whoever acts in `db`. */
export function previewHoliday(
  db: Queryable,
  { name = 'Founding Day', date, isRecurring = false }: HolidayWish,
): Promise<CalendarChange> {
  return answer(db, 'preview_holiday($1, $2, $3)', [name, date, isRecurring]);
}

/** Calls cancel_holiday as whoever acts in `db`. */
export function cancelHoliday(db: Queryable, holidayId: string): Promise<CalendarChange> {
  return answer(db, 'cancel_holiday($1)', [holidayId]);
}

/** Calls set_doctor_availability as whoever acts in `db`. */
export function setAvailability(
  db: Queryable,
  doctorId: string,
  isAvailable: boolean | null,
  reason: string | null = null,
): Promise<CalendarChange> {
  return answer(db, 'set_doctor_availability($1, $2, $3)', [doctorId, isAvailable, reason]);
}

/** Calls the function of this name, which takes one id or a doctor and a truth. */
export function ask<T = CalendarChange>(
  db: Queryable,
  operation: string,
  ...values: unknown[]
): Promise<T> {
  return answer(
    db,
    `${operation}(${values.map((_, index) => `$${index + 1}`).join(', ')})`,
    values,
  );
}

/** A change that does nothing. */
export const noChange: CalendarChange = {
  closed_slots: 0,
  opened_slots: 0,
  deleted_slots: 0,
  withdrawn_slots: 0,
  kept_slots: 0,
  generated_slots: 0,
  cancelled_appointments: 0,
  notified_patients: 0,
  affected_appointments: [],
};

/** The local date so many days from now. */
export async function dayAhead(
  db: ClientBase,
  { timeZone }: TestHospital,
  days: number,
): Promise<string> {
  const { day } = await aside(db, () =>
    one<{ day: string }>(
      db,
      'select ((app_private.clock() at time zone $1)::date + $2::int)::text as day',
      [timeZone, days],
    ),
  );
  return day;
}

/** What is told to patients about appointments: event and priority, in the order of the appointments. */
export async function toldPatients(db: ClientBase, hospital: TestHospital) {
  const { rows } = await aside(db, () =>
    db.query<{
      event: string;
      priority: string;
      patient_id: string;
      appointment_id: string;
      body: string;
    }>(
      `select event, priority, notification.patient_id, appointment_id, body
       from app_public.notification
       join app_public.appointment
         on appointment.hospital_id = notification.hospital_id and appointment.id = notification.appointment_id
       where notification.hospital_id = $1 and notification.patient_id is not null
         and event in ('doctor_absent', 'hospital_closed', 'doctor_emergency', 'doctor_unavailable')
       order by appointment.starts_at, notification.id`,
      [hospital.id],
    ),
  );
  return rows;
}

/** Local start times, day and hour, of the slots for which `condition` holds. */
export async function slotsWhere(
  db: ClientBase,
  hospital: TestHospital,
  condition: string,
): Promise<string[]> {
  const { rows } = await aside(db, () =>
    db.query<{ start: string }>(
      `select to_char(starts_at at time zone $2, 'YYYY-MM-DD HH24:MI') as start
       from app_public.slot where hospital_id = $1 and ${condition} order by starts_at, doctor_id`,
      [hospital.id, hospital.timeZone],
    ),
  );
  return rows.map(({ start }) => start);
}

/** A fingerprint of everything that a hospital has, versions of rows included, and of what it would tell. */
export async function everythingOf(db: ClientBase, hospital: TestHospital): Promise<unknown> {
  const tables = ['slot', 'doctor_day', 'appointment', 'absence', 'holiday', 'doctor', 'patient'];
  const logs = ['app_public.audit_entry', 'app_private.outbox', 'app_public.notification'];
  const names = [...tables.map((table) => `app_public.${table}`), ...logs];
  const { rows } = await aside(db, () =>
    db.query(
      names
        .map(
          (name) => `select '${name}' as name, count(*), md5(string_agg(
            concat(each.xmin, each.ctid, each::text), '|' order by each.ctid)) as content
            from ${name} as each where hospital_id = '${hospital.id}'`,
        )
        .join(' union all '),
    ),
  );
  return rows;
}

function argumentsOf(wish: AbsenceWish): unknown[] {
  return [
    wish.doctorId,
    wish.type ?? 'annual_leave',
    wish.firstDay,
    wish.lastDay === undefined ? wish.firstDay : wish.lastDay,
    wish.startTime ?? null,
    wish.endTime ?? null,
  ];
}

async function answer<T>(db: Queryable, call: string, values: unknown[]): Promise<T> {
  const { result } = await one<{ result: T }>(
    db,
    `select to_jsonb(result) as result from app_public.${call} as result`,
    values,
  );
  return result;
}
