import type { ClientBase } from 'pg';
import { one } from './booking.ts';
import type { Queryable, TestHospital } from './hospital.ts';

/** A row of a week as a client writes it; times like `09:00`. */
export type ScheduleRow = {
  locationId?: string | null;
  weekday?: number | null;
  start?: string | null;
  end?: string | null;
  breakStart?: string | null;
  breakEnd?: string | null;
  capacity?: number | null;
};

/** What a change of the calendar did, as far as tests look at it. */
export type CalendarChange = {
  closed_slots: number;
  opened_slots: number;
  deleted_slots: number;
  withdrawn_slots: number;
  kept_slots: number;
  generated_slots: number;
  cancelled_appointments: number;
  notified_patients: number;
  affected: { appointment_id: string; patient_id: string; status: string }[];
};

/** A replacement of a doctor's week. */
export type Replacement = {
  doctorId: string;
  from: string;
  rows: readonly ScheduleRow[];
  until?: string | null;
};

/** Calls replace_schedule as whoever acts in `db`. */
export function replaceSchedule(db: Queryable, replacement: Replacement): Promise<CalendarChange> {
  return calendarChange(db, 'replace_schedule', replacement);
}

/** Calls preview_schedule as whoever acts in `db`. */
export function previewSchedule(db: Queryable, replacement: Replacement): Promise<CalendarChange> {
  return calendarChange(db, 'preview_schedule', replacement);
}

function calendarChange(
  db: Queryable,
  operation: string,
  { doctorId, from, rows, until = null }: Replacement,
): Promise<CalendarChange> {
  return one(
    db,
    `select ${changeColumns} from app_public.${operation}(
       doctor_id => $1, effective_from => $2, effective_until => $4,
       rows => array(
         select row(wish ->> 'locationId', wish ->> 'weekday', wish ->> 'start', wish ->> 'end',
           wish ->> 'breakStart', wish ->> 'breakEnd', wish ->> 'capacity')::text::app_public.schedule_row
         from jsonb_array_elements($3::jsonb) as wish)) as change`,
    [doctorId, from, JSON.stringify(rows), until],
  );
}

/** Calls change_time_zone as whoever acts in `db`. */
export function changeTimeZone(db: Queryable, timeZone: string): Promise<CalendarChange> {
  return one(db, `select ${changeColumns} from app_public.change_time_zone($1) as change`, [
    timeZone,
  ]);
}

/** Calls preview_time_zone as whoever acts in `db`. */
export function previewTimeZone(db: Queryable, timeZone: string): Promise<CalendarChange> {
  return one(db, `select ${changeColumns} from app_public.preview_time_zone($1) as change`, [
    timeZone,
  ]);
}

/** Calls regenerate_slots for a doctor from a day on, as whoever acts in `db`. */
export function regenerate(
  db: Queryable,
  hospital: TestHospital,
  from: string,
  until: string | null = null,
): Promise<CalendarChange> {
  return one(
    db,
    `select ${changeColumns} from app_private.regenerate_slots($1, $2, $3, $4) as change`,
    [hospital.id, hospital.doctorIds[0], from, until],
  );
}

const changeColumns = `
  closed_slots, opened_slots, deleted_slots, withdrawn_slots, kept_slots, generated_slots,
  cancelled_appointments, notified_patients,
  array(
    select jsonb_build_object('appointment_id', entry.appointment_id, 'patient_id', entry.patient_id,
      'status', entry.status)
    from unnest(change.affected_appointments) as entry) as affected`;

/** A slot with its local time, as tests of the calendar look at it. */
export type LocalSlot = {
  id: string;
  day: string;
  start: string;
  capacity: number;
  booked_count: number;
  status: string;
  location_id: string;
  schedule_id: string | null;
  is_retired: boolean;
};

/** The slots of the first doctor on a local day that are not withdrawn, soonest first. */
export async function slotsOn(
  db: ClientBase,
  hospital: TestHospital,
  day: string,
  doctorId = hospital.doctorIds[0],
): Promise<LocalSlot[]> {
  const { rows } = await db.query<LocalSlot>(
    `select slot.id, (starts_at at time zone time_zone)::date::text as day,
       to_char(starts_at at time zone time_zone, 'HH24:MI') as start,
       slot.capacity, slot.booked_count, slot.status, slot.location_id, slot.schedule_id, slot.is_retired
     from app_public.slot join app_public.hospital on hospital.id = slot.hospital_id
     where slot.doctor_id = $1 and (starts_at at time zone time_zone)::date = $2 and withdrawn_at is null
     order by starts_at`,
    [doctorId, day],
  );
  return rows;
}

/** The same hours on these weekdays, all of them unless told. */
export function week(row: ScheduleRow, weekdays: readonly number[] = [1, 2, 3, 4, 5, 6, 7]) {
  return weekdays.map((weekday): ScheduleRow => ({ weekday, ...row }));
}
