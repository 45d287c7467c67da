import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';

/** A doctor made to be damaged, with a week of slots and two patients, in a hospital that may be real. */
export interface Subject {
  hospitalId: string;
  timeZone: string;
  locationId: string;
  doctorId: string;
  /** The schedules of the doctor: 09:00–17:00 with a break from 13:00 to 14:00, Monday to Sunday. */
  scheduleIds: string[];
  patientIds: [string, string];
  /** Slots from tomorrow on (the hospital's day), soonest first; half an hour, one seat each. */
  slotIds: string[];
  /** Books a patient (the first) into a slot, through the rules; returns the appointment. */
  book(slotIndex: number, patientIndex?: 0 | 1): Promise<string>;
}

/** Makes a doctor, patients and slots in this hospital, as its owner would. */
export async function createSubject(db: ClientBase, hospitalId: string): Promise<Subject> {
  const { rows: hospitals } = await db.query<{ time_zone: string }>(
    'select time_zone from app_public.hospital where id = $1',
    [hospitalId],
  );
  const timeZone = hospitals[0]?.time_zone;
  if (timeZone === undefined) throw new Error('This hospital does not exist.');
  const locationId = await idOf(
    db,
    'insert into app_public.location (hospital_id, name) values ($1, $2) returning id',
    [hospitalId, `Drill ${randomUUID()}`],
  );
  const doctorId = await idOf(
    db,
    `insert into app_public.doctor (hospital_id, display_name, specialty)
     values ($1, 'Dr. Drill', 'drills') returning id`,
    [hospitalId],
  );
  const { rows: schedules } = await db.query<{ id: string }>(
    `insert into app_public.schedule
       (hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end)
     select $1, $2, $3, weekday, '09:00', '17:00', '13:00', '14:00' from generate_series(1, 7) as weekday
     returning id`,
    [hospitalId, doctorId, locationId],
  );
  await db.query('select app_private.extend_slot_horizon($1, $2)', [hospitalId, doctorId]);
  const { rows: slots } = await db.query<{ id: string }>(
    `select slot.id from app_public.slot
      where slot.hospital_id = $1 and slot.doctor_id = $2
        and slot.starts_at >= ((app_private.clock() at time zone $3)::date + 1)::timestamp at time zone $3
      order by slot.starts_at`,
    [hospitalId, doctorId, timeZone],
  );
  const slotIds = slots.map(({ id }) => id);
  const patientIds: [string, string] = [
    await createPatient(db, hospitalId),
    await createPatient(db, hospitalId),
  ];
  return {
    hospitalId,
    timeZone,
    locationId,
    doctorId,
    scheduleIds: schedules.map(({ id }) => id),
    patientIds,
    slotIds,
    book: (slotIndex, patientIndex = 0) =>
      idOf(
        db,
        `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, idempotency_key)
         values ($1, $2, $3, 'scheduled', $4) returning id`,
        [hospitalId, slotIds[slotIndex], patientIds[patientIndex], randomUUID()],
      ),
  };
}

function createPatient(db: ClientBase, hospitalId: string): Promise<string> {
  return idOf(
    db,
    `insert into app_public.patient (hospital_id, medical_record_number, name)
     values ($1, $2, 'Drill patient') returning id`,
    [hospitalId, `DRILL-${randomUUID()}`],
  );
}

/** The one id that a statement returns. */
export async function idOf(
  db: ClientBase,
  statement: string,
  values: readonly unknown[],
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(statement, [...values]);
  const [row] = rows;
  if (row === undefined) throw new Error('Nothing was written.');
  return row.id;
}
