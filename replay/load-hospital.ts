import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { hashPassword } from '../platform/password-hash.ts';
import { planStaff, workingDay } from './plan.ts';
import type { DayRequest } from './read-day.ts';

/** A hospital made from a file, with the logins of its staff. */
export interface LoadedHospital {
  id: string;
  slug: string;
  timeZone: string;
  /** From the first instant of the day (included) to its end (excluded). */
  dayStart: Date;
  dayEnd: Date;
  /** Id of each location, by health post. */
  locationIds: Map<string, string>;
  /** Id of each patient, by number. */
  patientIds: Map<string, string>;
  doctorCount: number;
  slotCount: number;
  logins: StaffLogin;
}

/** Addresses of the staff, who share one password that nobody else knows. */
export interface StaffLogin {
  reception: string;
  nurse: string;
  /** By the doctor's id. */
  doctors: Map<string, string>;
  password: string;
}

export interface LoadOptions {
  /** Of the role that owns the database. */
  databaseUrl: string;
  requests: readonly DayRequest[];
  day: string;
  /** Undefined takes the next free `replay-<day>`. */
  slug: string | undefined;
}

const timeZone = 'America/Sao_Paulo';
const longestHorizonDays = 365;

/**
 * Makes a hospital that can serve the whole day: a location for each health post, doctors who work
 * on that day alone, the patients, the staff's logins, the slots. All of it through the ordinary
 * tables, triggers and functions, in one transaction.
 */
export async function loadHospital(options: LoadOptions): Promise<LoadedHospital> {
  const client = new pg.Client({
    connectionString: options.databaseUrl,
    application_name: 'slotkeeper:replay',
  });
  await client.connect();
  try {
    await client.query('begin; set local role app_owner');
    const loaded = await load(client, options);
    await client.query('commit');
    // Not the appointments: told that there are none, the planner would scan them while they come.
    await client.query('analyze app_public.slot, app_public.patient');
    return loaded;
  } finally {
    await client.end();
  }
}

async function load(client: pg.Client, options: LoadOptions): Promise<LoadedHospital> {
  const { requests, day } = options;
  const ahead = await daysAhead(client, day);
  const slug = options.slug ?? (await nextSlug(client, day));
  const id = await insertHospital(client, slug, day, ahead);
  const staff = planStaff(requests);
  const locationIds = await insertLocations(client, id, [...staff.keys()]);
  const doctorCount = await insertDoctors(client, id, day, staff, locationIds);
  const patientIds = await insertPatients(client, id, day, requests);
  const logins = await insertStaff(client, id, slug);
  // The planner has to know how large this hospital is before its slots are cut.
  await client.query('analyze app_public.location, app_public.doctor, app_public.schedule');
  const { rows } = await client.query<{ slot_count: number; day_start: Date; day_end: Date }>(
    `select app_private.cut_slots($1, $2::date, $2::date) as slot_count,
       $2::date::timestamp at time zone $3 as day_start,
       ($2::date + 1)::timestamp at time zone $3 as day_end`,
    [id, day, timeZone],
  );
  const { slot_count: slotCount, day_start: dayStart, day_end: dayEnd } = only(rows);
  return {
    id,
    slug,
    timeZone,
    dayStart,
    dayEnd,
    locationIds,
    patientIds,
    doctorCount,
    slotCount,
    logins,
  };
}

async function daysAhead(client: pg.Client, day: string): Promise<number> {
  const { rows } = await client.query<{ today: string; ahead: number }>(
    `select today::text, $1::date - today as ahead
     from (select (app_private.clock() at time zone $2)::date as today) as present`,
    [day, timeZone],
  );
  const { today, ahead } = only(rows);
  if (ahead < 1 || ahead > longestHorizonDays)
    throw new Error(
      `--day ${day} is not within the booking horizon: in ${timeZone} it is ${today}, so take a day from tomorrow to ${longestHorizonDays} days ahead.`,
    );
  return ahead;
}

async function nextSlug(client: pg.Client, day: string): Promise<string> {
  const { rows } = await client.query<{ slug: string }>(
    `select slug from app_public.hospital where slug ~ ('^replay-' || $1 || '(-\\d+)?$')`,
    [day],
  );
  const taken = new Set(rows.map((row) => row.slug));
  const first = `replay-${day}`;
  if (!taken.has(first)) return first;
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${first}-${number}`)) return `${first}-${number}`;
  }
}

async function insertHospital(
  client: pg.Client,
  slug: string,
  day: string,
  daysAhead: number,
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into app_public.hospital (slug, name, time_zone, booking_horizon_days)
     values ($1, $2, $3, greatest(30, $4::integer))
     on conflict on constraint a_slug_names_one_hospital do nothing
     returning id`,
    [slug, `One day of a city, on ${day}`, timeZone, daysAhead],
  );
  if (rows.length === 0)
    throw new Error(
      `There is a hospital "${slug}" already. Choose another --hospital, or leave it out and a free name is taken.`,
    );
  return only(rows).id;
}

async function insertLocations(
  client: pg.Client,
  hospitalId: string,
  posts: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await client.query<{ id: string; name: string }>(
    `insert into app_public.location (hospital_id, name)
     select $1, name from unnest($2::text[]) as name
     returning id, name`,
    [hospitalId, posts],
  );
  return new Map(rows.map(({ name, id }) => [name, id]));
}

/** Each works on this one day alone: 08:00 to 17:00, an hour of it free. */
async function insertDoctors(
  client: pg.Client,
  hospitalId: string,
  day: string,
  staff: ReadonlyMap<string, number>,
  locationIds: ReadonlyMap<string, string>,
): Promise<number> {
  const jobs = [...staff].flatMap(([post, count]) =>
    Array.from({ length: count }, (_, index) => ({
      name: `Dr. ${index + 1} of ${post}`,
      locationId: locationIds.get(post),
    })),
  );
  const { rowCount } = await client.query(
    `with job as (
       select app_private.new_id() as doctor_id, name, location_id
       from unnest($2::text[], $3::uuid[]) as job (name, location_id)
     ), doctor as (
       insert into app_public.doctor
         (hospital_id, id, display_name, specialty, slot_duration, max_patients_per_day)
       select $1, doctor_id, name, 'general medicine', make_interval(mins => $4), $5
       from job
     )
     insert into app_public.schedule (
       hospital_id, doctor_id, location_id, weekday, start_time, break_start, break_end, end_time,
       effective_from, effective_until)
     select $1, doctor_id, location_id, extract(isodow from $6::date), $7, $8, $9, $10, $6::date, $6::date
     from job`,
    [
      hospitalId,
      jobs.map(({ name }) => name),
      jobs.map(({ locationId }) => locationId),
      workingDay.slotMinutes,
      workingDay.slotsADay,
      day,
      workingDay.startTime,
      workingDay.breakStart,
      workingDay.breakEnd,
      workingDay.endTime,
    ],
  );
  return rowCount ?? 0;
}

/** One patient for each number of the file: people whose rounded numbers coincide become one. */
async function insertPatients(
  client: pg.Client,
  hospitalId: string,
  day: string,
  requests: readonly DayRequest[],
): Promise<Map<string, string>> {
  const ages = new Map(requests.map(({ patientNumber, age }) => [patientNumber, age]));
  const { rows } = await client.query<{ id: string; medical_record_number: string }>(
    `insert into app_public.patient (hospital_id, medical_record_number, name, date_of_birth)
     select $1, number, 'Patient ' || number, ($2::date - make_interval(years => age))::date
     from unnest($3::text[], $4::integer[]) as patient (number, age)
     returning id, medical_record_number`,
    [hospitalId, day, [...ages.keys()], [...ages.values()]],
  );
  return new Map(rows.map((row) => [row.medical_record_number, row.id]));
}

async function insertStaff(
  client: pg.Client,
  hospitalId: string,
  slug: string,
): Promise<StaffLogin> {
  const password = randomBytes(24).toString('base64url');
  const { rows } = await client.query<{ email: string; role: string; doctor_id: string | null }>(
    `with wanted (name, role, doctor_id) as (
       values ('reception', 'receptionist', null::uuid), ('nurse', 'nurse', null)
       union all
       select 'doctor-' || row_number() over (order by id), 'doctor', id
       from app_public.doctor where hospital_id = $1
     ), created as (
       insert into app_public.account (hospital_id, email, display_name, role, doctor_id)
       select $1, name || '@' || $2 || '.test', initcap(name), role::app_public.account_role, doctor_id
       from wanted
       returning hospital_id, id, email, role, doctor_id
     ), secret as (
       insert into app_private.account_secret (hospital_id, account_id, password_hash)
       select hospital_id, id, $3 from created)
     select email, role, doctor_id from created`,
    [hospitalId, slug, await hashPassword(password)],
  );
  const emailOf = (wanted: string) => only(rows.filter(({ role }) => role === wanted)).email;
  return {
    reception: emailOf('receptionist'),
    nurse: emailOf('nurse'),
    doctors: new Map(
      rows.flatMap(({ doctor_id, email }) => (doctor_id === null ? [] : [[doctor_id, email]])),
    ),
    password,
  };
}

function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (!row) throw new Error('the statement returned no row');
  return row;
}
