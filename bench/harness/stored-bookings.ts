import type pg from 'pg';
import type { BenchHospital } from './hospital.ts';

/**
 * Books the first `count` slots from the hospital's first day on, as a restore would: without the rules,
 * but whole. Seats, days and log say what bookings would have left, so that no health check has anything
 * to say. Patients take turns in the order of time; there must be as many as doctors at least.
 */
export async function storeBookings(
  owner: pg.Pool,
  hospital: BenchHospital,
  count: number,
): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query("begin; set local session_replication_role = 'replica'");
    await client.query(
      `with wish as (
         select slot.*, ($2::uuid[])[1 + (row_number() over (order by slot.starts_at, slot.id) - 1)::integer % $3] as patient_id
         from app_public.slot where slot.hospital_id = $1 and slot.starts_at >= $6::date at time zone 'UTC' order by slot.starts_at, slot.id limit $4)
       insert into app_public.appointment (
         hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_by, created_at, updated_at)
       select hospital_id, id, doctor_id, location_id, patient_id, during, 'scheduled', 'staff', $5, now(), now()
       from wish`,
      [
        hospital.id,
        hospital.patientIds,
        hospital.patientIds.length,
        count,
        hospital.accountId,
        hospital.firstDay,
      ],
    );
    for (const statement of [seats, days, log]) await client.query(statement, [hospital.id]);
    await client.query('commit');
    await sealAudit(client, hospital);
    await client.query('delete from app_private.outbox');
    await client.query('vacuum analyze');
  } finally {
    client.release();
  }
}

/**
 * Sets the clock to the first minutes of a day so many days after the hospital's first one, when all visits
 * before were completed. Returns how many appointments are still ahead. Whoever calls it sets the clock back.
 */
export async function supposeToday(
  owner: pg.Pool,
  hospital: BenchHospital,
  daysOver: number,
): Promise<number> {
  const client = await owner.connect();
  try {
    const { rows: days } = await client.query<{ today: Date }>(
      "select ($1::date + $2::integer)::timestamp at time zone 'UTC' as today",
      [hospital.firstDay, daysOver],
    );
    const today = days[0]?.today;
    await client.query("begin; set local session_replication_role = 'replica'");
    for (const statement of past) await client.query(statement, [hospital.id, today]);
    const { rows } = await client.query<{ ahead: number }>(
      'select count(*)::integer as ahead from app_public.appointment where hospital_id = $1 and holds_seat',
      [hospital.id],
    );
    await client.query('commit');
    await sealAudit(client, hospital);
    await client.query(
      `insert into app_private.clock_shift (shift) values ($1::timestamptz - now())
       on conflict on constraint clock_shift_pkey do update set shift = excluded.shift`,
      [today],
    );
    await client.query('vacuum analyze');
    return rows[0]?.ahead ?? 0;
  } finally {
    client.release();
  }
}

async function sealAudit(client: pg.PoolClient, hospital: BenchHospital): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ count: number }>(
      'select app_private.seal_audit(hospital_id => $1::uuid) as count',
      [hospital.id],
    );
    if ((rows[0]?.count ?? 0) === 0) return;
  }
}

const seats = `
  update app_public.slot set booked_count = 1
    from app_public.appointment
   where slot.hospital_id = $1 and appointment.hospital_id = $1 and appointment.slot_id = slot.id`;

const days = `
  insert into app_public.doctor_day as day (hospital_id, doctor_id, day, booked_count, max_patients)
  select $1, doctor_id, (starts_at at time zone 'UTC')::date, count(*), 500
    from app_public.appointment where hospital_id = $1 group by 2, 3
  on conflict on constraint doctor_day_pkey do update set booked_count = excluded.booked_count`;

const log = `
  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, new_state, actor_account_id, actor_role, transaction_id, recorded_at)
  select hospital_id, 'appointment', id, 'insert', to_jsonb(appointment), created_by, 'receptionist',
    pg_current_xact_id()::text::bigint, created_at
    from app_public.appointment where hospital_id = $1`;

const past = [
  `update app_public.appointment
      set status = 'completed', checked_in_at = starts_at, completed_at = ends_at, updated_at = ends_at
    where hospital_id = $1 and ends_at <= $2`,
  'update app_public.slot set booked_count = 0 where hospital_id = $1 and ends_at <= $2',
  `update app_public.doctor_day set booked_count = 0
    where hospital_id = $1 and day < ($2::timestamptz at time zone 'UTC')::date`,
  `insert into app_public.audit_entry (
     hospital_id, table_name, record_id, operation, old_state, new_state, changed_columns, actor_account_id, actor_role,
     transaction_id, recorded_at)
   select hospital_id, 'appointment', id, 'update', jsonb_build_object('status', 'scheduled'), to_jsonb(appointment),
     jsonb_build_object('status', 'completed'), created_by, 'doctor', pg_current_xact_id()::text::bigint, updated_at
     from app_public.appointment where hospital_id = $1 and ends_at <= $2`,
];
