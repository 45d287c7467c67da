import type { ClientBase } from 'pg';
import type { TestHospital } from '../helpers/hospital.ts';

/** The tables that grow with history: what a hot query must never read as a whole. */
export const growingTables = [
  'slot',
  'appointment',
  'appointment_move',
  'notification',
  'audit_entry',
  'outbox',
] as const;

/** How much history a hospital gets. */
export type HistoryOptions = {
  doctors: number;
  /** Days with slots before today; all of them are booked and over. */
  past: number;
  /** Days with slots from tomorrow on. */
  ahead: number;
};

/**
 * Years of a busy hospital, as rows that its triggers would have left: they are switched off while it
 * is stored, constraints and indexes are not. Ids grow with time, as they do in life. Doctors work 8–16
 * in quarters of an hour; ten share a specialty. Returns how many rows there are, and the doctors.
 */
export async function storeHistory(
  db: ClientBase,
  hospital: TestHospital,
  { doctors, past, ahead }: HistoryOptions,
): Promise<{ rows: number; doctorIds: string[] }> {
  let rows = 0;
  const store = async (statement: string, ...values: unknown[]) => {
    const { rowCount } = await db.query(statement, [hospital.id, ...values]);
    rows += rowCount ?? 0;
  };
  await db.query('begin');
  await db.query('set local session_replication_role = replica');
  await db.query('set local synchronous_commit = off');
  await store(
    `insert into app_public.doctor (hospital_id, display_name, specialty, slot_duration, max_patients_per_day)
     select $1, 'Dr. ' || number, 'specialty ' || number / 10, '15 minutes', 500
     from generate_series(0, $2::integer - 1) as number`,
    doctors,
  );
  await store(
    `insert into app_public.patient (hospital_id, medical_record_number, name)
     select $1, 'P-' || number, 'Patient ' || number from generate_series(1, 10000) as number`,
  );
  await store(
    `insert into app_public.schedule (hospital_id, doctor_id, location_id, weekday, start_time, end_time)
     select $1, doctor.id, $2, weekday, '08:00', '16:00'
     from app_public.doctor cross join generate_series(1, 7) as weekday
     where doctor.hospital_id = $1 and doctor.specialty like 'specialty %'`,
    hospital.locationIds[0],
  );
  await store(
    `insert into app_public.slot (hospital_id, id, doctor_id, location_id, schedule_id, during, booked_count)
     select $1, ('00000000-0000-7000-8000-' || lpad(to_hex(row_number() over ()), 12, '0'))::uuid,
       doctor_id, location_id, schedule_id, during, case when lower(during) < now() then 1 else 0 end
     from (
       select schedule.doctor_id, schedule.location_id, schedule.id as schedule_id,
         tstzrange(start, start + interval '15 minutes') as during
       from (
         select midnight::timestamp at time zone $2 as midnight, extract(isodow from midnight)::smallint as weekday
         from generate_series(
           (now() at time zone $2)::date - $3::integer, (now() at time zone $2)::date + $4::integer, '1 day') as midnight
         where midnight::date <> (now() at time zone $2)::date) as day
       join app_public.schedule on schedule.hospital_id = $1 and schedule.weekday = day.weekday
       join app_public.doctor on doctor.hospital_id = $1 and doctor.id = schedule.doctor_id
         and doctor.specialty like 'specialty %'
       cross join generate_series(
         day.midnight + interval '8 hours', day.midnight + interval '945 minutes', '15 minutes') as start
       order by schedule.doctor_id, start) as cut`,
    hospital.timeZone,
    past,
    ahead,
  );
  const { rows: patients } = await db.query<{ ids: string[] }>(
    "select array_agg(id) as ids from app_public.patient where hospital_id = $1 and medical_record_number like 'P-%'",
    [hospital.id],
  );
  const patientIds = patients[0]?.ids ?? [];
  await store(
    `insert into app_public.appointment (hospital_id, id, slot_id, doctor_id, patient_id, location_id, during,
       status, source, completed_at, held_until, created_at, updated_at, idempotency_key)
     select $1, slot.id, slot.id, slot.doctor_id, ($2::uuid[])[1 + number % 10000], slot.location_id, slot.during,
       case when number % 500 = 0 then 'expired' else 'completed' end::app_public.appointment_status, 'staff',
       case when number % 500 = 0 then null else upper(slot.during) end,
       case when number % 500 = 0 then lower(slot.during) end, lower(slot.during), lower(slot.during), slot.id
     from (
       select slot.*, row_number() over (order by slot.id) as number
       from app_public.slot where slot.hospital_id = $1 and slot.starts_at < now() and slot.booked_count = 1) as slot`,
    patientIds,
  );
  await store(
    `insert into app_public.notification (
       hospital_id, id, patient_id, event, priority, channels, title, body, appointment_id, created_at)
     select $1, ('00000000-0000-7000-8001-' || lpad(to_hex(number), 12, '0'))::uuid, appointment.patient_id,
       'booked', 'normal', '{in_app}', 'Booked', 'Your visit is booked.', appointment.id, appointment.created_at
     from (
       select appointment.*, row_number() over (order by appointment.id) as number
       from app_public.appointment where appointment.hospital_id = $1) as appointment
     where number % 2 = 0`,
  );
  await store(
    `insert into app_public.audit_entry (
       hospital_id, table_name, record_id, operation, new_state, actor_role, transaction_id, recorded_at)
     select $1, 'appointment', appointment.id, 'insert', '{"status": "scheduled"}', 'receptionist', 1, appointment.created_at
     from app_public.appointment where appointment.hospital_id = $1 and appointment.status = 'completed'`,
  );
  await store(
    `insert into app_public.appointment_move (hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, moved_at)
     select $1, appointment.id, appointment.patient_id, appointment.doctor_id,
       lag(appointment.slot_id) over (order by appointment.id), appointment.slot_id, appointment.created_at
     from app_public.appointment where appointment.hospital_id = $1 order by appointment.id offset 1 limit 20000`,
  );
  await store(
    `insert into app_private.outbox (hospital_id, topic, key, payload)
     select $1, 'slots', 'waiting', '{}' from generate_series(1, 20000)`,
  );
  await db.query('commit');
  const { rows: found } = await db.query<{ id: string }>(
    "select id from app_public.doctor where hospital_id = $1 and specialty like 'specialty %' order by display_name",
    [hospital.id],
  );
  return { rows, doctorIds: found.map(({ id }) => id) };
}
