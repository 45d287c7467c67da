import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { hashPassword } from '../../platform/password-hash.ts';
import type { TransactionSettings } from '../../platform/pool.ts';

/** A hospital made for a workload. */
export interface BenchHospital {
  id: string;
  slug: string;
  /** Reception's login. */
  accountId: string;
  email: string;
  password: string;
  doctorIds: string[];
  patientIds: string[];
  /** First and last day with slots, YYYY-MM-DD. */
  firstDay: string;
  lastDay: string;
}

export interface BenchHospitalOptions {
  doctors: number;
  /** From tomorrow on. */
  days: number;
  patients: number;
  capacity?: number;
  /** Minutes of a slot; 15 unless told. */
  slotMinutes?: number;
}

/** Slots of one doctor on one day: 08:00 to 16:00 in quarters of an hour, every day of the week. */
export const slotsADay = 32;

/** Makes a hospital in UTC, with schedules but without slots. */
export async function createHospital(
  owner: pg.Pool,
  options: BenchHospitalOptions,
): Promise<BenchHospital> {
  const slug = `bench-${randomBytes(4).toString('hex')}`;
  const id = await firstId(
    owner,
    `insert into app_public.hospital (slug, name, time_zone, booking_horizon_days)
     values ($1, 'Bench', 'UTC', 60) returning id`,
    [slug],
  );
  const locationId = await firstId(
    owner,
    `insert into app_public.location (hospital_id, name) values ($1, 'Main') returning id`,
    [id],
  );
  const doctorIds = await ids(
    owner,
    `insert into app_public.doctor (hospital_id, display_name, slot_duration, max_patients_per_day)
     select $1, 'Dr. ' || number, make_interval(mins => $3), 500 from generate_series(1, $2::integer) as number
     returning id`,
    [id, options.doctors, options.slotMinutes ?? 15],
  );
  await owner.query(
    `insert into app_public.schedule
       (hospital_id, doctor_id, location_id, weekday, start_time, end_time, slot_capacity)
     select $1, doctor_id, $2, weekday, '08:00', '16:00', $4
     from unnest($3::uuid[]) as doctor_id, generate_series(1, 7) as weekday`,
    [id, locationId, doctorIds, options.capacity ?? 1],
  );
  const patientIds = await ids(
    owner,
    `insert into app_public.patient (hospital_id, medical_record_number, name)
     select $1, number::text, 'Patient ' || number from generate_series(1, $2::integer) as number
     returning id`,
    [id, options.patients],
  );
  const { rows } = await owner.query<{ first_day: string; last_day: string }>(
    `select (today + 1)::text as first_day, (today + $1::integer)::text as last_day
     from (select (app_private.clock() at time zone 'UTC')::date as today) as present`,
    [options.days],
  );
  const [{ first_day: firstDay, last_day: lastDay } = { first_day: '', last_day: '' }] = rows;
  const login = await createReception(owner, id, slug);
  return { id, slug, doctorIds, patientIds, firstDay, lastDay, ...login };
}

/** Generates the hospital's slots; returns how many. The tables that are still empty stay unknown to the
 * planner: told that they are empty, it would scan them for as long as a connection lives. */
export async function generateSlots(owner: pg.Pool, hospital: BenchHospital): Promise<number> {
  const { rows } = await owner.query<{ count: number }>(
    'select app_private.cut_slots($1, $2, $3) as count',
    [hospital.id, hospital.firstDay, hospital.lastDay],
  );
  await owner.query(
    'vacuum analyze app_public.slot, app_public.patient, app_public.doctor, app_public.schedule',
  );
  return rows[0]?.count ?? 0;
}

/** A slot and somebody to book it. */
export interface Wish {
  slotId: string;
  patientId: string;
}

/**
 * Every slot once, with a patient who is nowhere else at that time: slots of one time stand next to
 * each other and get patients in turn, so there must be as many patients as doctors at least.
 */
export async function wishesFor(owner: pg.Pool, hospital: BenchHospital): Promise<Wish[]> {
  const { rows } = await owner.query<{ id: string }>(
    'select id from app_public.slot where hospital_id = $1 order by starts_at, id',
    [hospital.id],
  );
  const { patientIds } = hospital;
  return rows.map(({ id }, number) => ({
    slotId: id,
    patientId: patientIds[number % patientIds.length] ?? '',
  }));
}

/** What the server sets in every transaction of this hospital's reception. */
export function receptionSettings(hospital: BenchHospital): TransactionSettings {
  return {
    role: 'app_receptionist',
    'claims.hospital_id': hospital.id,
    'claims.account_id': hospital.accountId,
    'claims.role': 'receptionist',
    'claims.session_id': '00000000-0000-4000-8000-000000000000',
    'claims.request_id': 'bench',
  };
}

async function createReception(owner: pg.Pool, hospitalId: string, slug: string) {
  const email = `reception@${slug}.test`;
  const password = randomBytes(24).toString('base64url');
  const hash = await hashPassword(password);
  const accountId = await firstId(
    owner,
    `with created as (
       insert into app_public.account (hospital_id, email, display_name, role)
       values ($1, $2, 'Reception', 'receptionist') returning hospital_id, id
     ), secret as (
       insert into app_private.account_secret (hospital_id, account_id, password_hash)
       select hospital_id, id, $3 from created
     )
     select id from created`,
    [hospitalId, email, hash],
  );
  return { accountId, email, password };
}

async function ids(owner: pg.Pool, query: string, values: unknown[]): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(query, values);
  return rows.map(({ id }) => id);
}

async function firstId(owner: pg.Pool, query: string, values: unknown[]): Promise<string> {
  const [id] = await ids(owner, query, values);
  if (id === undefined) throw new Error('the statement returned no row');
  return id;
}
