import pg from 'pg';
import { hashPassword } from '../platform/password-hash.ts';
import { DEMO_ACCOUNTS, DEMO_PASSWORD, demoEmail } from './accounts.ts';
import { DEMO_HOSPITALS, type DemoDoctor, type DemoHospital, patientName } from './hospitals.ts';

/**
 * The tables that the demo fills. Only these are analyzed: a table that is empty when the planner
 * looks at it gets plans that read all of it, and sessions keep such plans while it grows.
 */
const FILLED = [
  'hospital',
  'location',
  'doctor',
  'patient',
  'account',
  'service',
  'schedule',
  'slot',
];

/**
 * Loads the demo hospitals through the same tables, triggers and constraints as everything else, in
 * one transaction; does nothing for those that are there already. Returns the slugs it loaded.
 */
export async function loadDemo(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'demo' });
  await client.connect();
  try {
    const missing = await missingHospitals(client);
    if (missing.length === 0) return [];
    const passwordHash = await hashPassword(DEMO_PASSWORD);
    await client.query('begin; set local role app_owner');
    for (const hospital of missing) await loadHospital(client, hospital, passwordHash);
    await client.query('commit');
    await client.query(`analyze ${FILLED.map((table) => `app_public.${table}`).join(', ')}`);
    return missing.map(({ slug }) => slug);
  } finally {
    await client.end();
  }
}

async function missingHospitals(client: pg.Client): Promise<DemoHospital[]> {
  const { rows } = await client.query<{ slug: string }>('select slug from app_public.hospital');
  const present = new Set(rows.map(({ slug }) => slug));
  return DEMO_HOSPITALS.filter(({ slug }) => !present.has(slug));
}

async function loadHospital(
  client: pg.Client,
  hospital: DemoHospital,
  passwordHash: string,
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `insert into app_public.hospital (slug, name, time_zone) values ($1, $2, $3) returning id`,
    [hospital.slug, hospital.name, hospital.timeZone],
  );
  const hospitalId = onlyId(rows);
  const locationIds: string[] = [];
  for (const name of hospital.locations) {
    locationIds.push(await insertLocation(client, hospitalId, name));
  }
  await insertServices(client, hospitalId, hospital.services);
  const doctorIds: string[] = [];
  for (const doctor of hospital.doctors) {
    doctorIds.push(await insertDoctor(client, hospitalId, locationIds, doctor));
  }
  const patientIds = await insertPatients(client, hospitalId, hospital);
  await insertAccounts(client, {
    hospitalId,
    slug: hospital.slug,
    passwordHash,
    doctorIds,
    patientIds,
  });
  await client.query('select app_private.extend_slot_horizon($1)', [hospitalId]);
}

async function insertLocation(client: pg.Client, hospitalId: string, name: string) {
  const { rows } = await client.query<{ id: string }>(
    'insert into app_public.location (hospital_id, name) values ($1, $2) returning id',
    [hospitalId, name],
  );
  return onlyId(rows);
}

async function insertServices(
  client: pg.Client,
  hospitalId: string,
  services: DemoHospital['services'],
): Promise<void> {
  await client.query(
    `insert into app_public.service (hospital_id, name, duration)
     select $1, service.name, make_interval(mins => service.minutes)
     from unnest($2::text[], $3::int[]) as service (name, minutes)`,
    [hospitalId, services.map(([name]) => name), services.map(([, minutes]) => minutes)],
  );
}

async function insertDoctor(
  client: pg.Client,
  hospitalId: string,
  locationIds: readonly string[],
  doctor: DemoDoctor,
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into app_public.doctor (hospital_id, display_name, specialty, slot_duration, max_patients_per_day)
     values ($1, $2, $3, make_interval(mins => $4), $5) returning id`,
    [hospitalId, doctor.name, doctor.specialty, doctor.slotMinutes, doctor.maxPatientsPerDay],
  );
  const doctorId = onlyId(rows);
  for (const { days, location, hours, pause, capacity } of doctor.schedules) {
    await client.query(
      `insert into app_public.schedule (
         hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end, slot_capacity)
       select $1, $2, $3, weekday, $5, $6, $7, $8, $9 from unnest($4::smallint[]) as weekday`,
      [
        hospitalId,
        doctorId,
        locationIds[location],
        days,
        hours[0],
        hours[1],
        pause?.[0] ?? null,
        pause?.[1] ?? null,
        capacity ?? 1,
      ],
    );
  }
  return doctorId;
}

async function insertPatients(
  client: pg.Client,
  hospitalId: string,
  { patientCount, slug }: DemoHospital,
): Promise<string[]> {
  const numbers = Array.from({ length: patientCount }, (_, number) => number);
  const { rows } = await client.query<{ id: string }>(
    `insert into app_public.patient (hospital_id, medical_record_number, name, phone, email, date_of_birth)
     select $1, 'MRN-' || lpad(patient.number::text, 5, '0'), patient.name,
       '+91 98' || lpad((patient.number * 7919 % 100000000)::text, 8, '0'),
       'patient' || patient.number || '@' || $2 || '.test',
       date '1940-01-01' + (patient.number * 97 % 28000)
     from unnest($3::int[], $4::text[]) as patient (number, name)
     returning id`,
    [hospitalId, slug, numbers.map((number) => number + 1), numbers.map(patientName)],
  );
  return rows.map(({ id }) => id);
}

type AccountsOptions = {
  hospitalId: string;
  slug: string;
  passwordHash: string;
  doctorIds: readonly string[];
  patientIds: readonly string[];
};

async function insertAccounts(client: pg.Client, options: AccountsOptions): Promise<void> {
  for (const [name, role] of DEMO_ACCOUNTS) {
    await client.query(
      `with created as (
         insert into app_public.account (hospital_id, email, display_name, role, doctor_id, patient_id)
         values ($1, $2, $3, $4, $5, $6)
         returning hospital_id, id)
       insert into app_private.account_secret (hospital_id, account_id, password_hash)
       select hospital_id, id, $7 from created`,
      [
        options.hospitalId,
        demoEmail(name, options.slug),
        `Demo ${role}`,
        role,
        role === 'doctor' ? options.doctorIds[0] : null,
        role === 'patient' ? options.patientIds[0] : null,
        options.passwordHash,
      ],
    );
  }
}

function onlyId(rows: readonly { id: string }[]): string {
  const [row] = rows;
  if (!row) throw new Error('the insert returned no row');
  return row.id;
}
