import { randomUUID } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';

/** Anything that runs SQL. */
export type Queryable = Pick<Pool | ClientBase, 'query'>;

/** A person or login of a test hospital, as the claims of a request need it. */
export type Actor = {
  hospitalId: string;
  role: 'patient' | 'doctor' | 'nurse' | 'receptionist' | 'admin';
  accountId: string;
  doctorId?: string;
  patientId?: string;
};

/** A small hospital: two locations, two doctors who work 09–17 every day, some patients, all roles. */
export type TestHospital = {
  id: string;
  slug: string;
  timeZone: string;
  locationIds: [string, string];
  doctorIds: [string, string];
  serviceId: string;
  patientIds: string[];
  admin: Actor;
  receptionist: Actor;
  nurse: Actor;
  /** The account of the first doctor, and of the second. */
  doctor: Actor;
  otherDoctor: Actor;
  /** The account of the first patient, and of the second. */
  patient: Actor;
  otherPatient: Actor;
};

export type HospitalOptions = {
  timeZone?: string;
  patientCount?: number;
  slotMinutes?: number;
  slotCapacity?: number;
  maxPatientsPerDay?: number;
  horizonDays?: number;
};

/** Creates a hospital as the owner of the database would; it has schedules but no slots yet. */
export async function createHospital(
  db: Queryable,
  options: HospitalOptions = {},
): Promise<TestHospital> {
  const id = randomUUID();
  const slug = `h-${id.slice(0, 8)}`;
  const timeZone = options.timeZone ?? 'Asia/Kolkata';
  await db.query(
    'insert into app_public.hospital (id, slug, name, time_zone, booking_horizon_days) values ($1, $2, $2, $3, $4)',
    [id, slug, timeZone, options.horizonDays ?? 30],
  );
  const locationIds: [string, string] = [
    await insert(db, 'location', { hospital_id: id, name: 'Main' }),
    await insert(db, 'location', { hospital_id: id, name: 'Annex' }),
  ];
  const doctor = async (name: string) => {
    const doctorId = await insert(db, 'doctor', {
      hospital_id: id,
      display_name: name,
      specialty: 'general medicine',
      slot_duration: `${options.slotMinutes ?? 30} minutes`,
      max_patients_per_day: options.maxPatientsPerDay ?? 30,
    });
    await db.query(
      `insert into app_public.schedule
         (hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end, slot_capacity)
       select $1, $2, $3, weekday, '09:00', '17:00', '13:00', '14:00', $4 from generate_series(1, 7) as weekday`,
      [id, doctorId, locationIds[0], options.slotCapacity ?? 1],
    );
    return doctorId;
  };
  const doctorIds: [string, string] = [await doctor('Dr. One'), await doctor('Dr. Two')];
  const serviceId = await insert(db, 'service', { hospital_id: id, name: 'Consultation' });
  const { rows: patients } = await db.query<{ id: string }>(
    `insert into app_public.patient (hospital_id, medical_record_number, name)
     select $1, 'MRN-' || number, 'Patient ' || number from generate_series(1, $2) as number returning id`,
    [id, options.patientCount ?? 4],
  );
  const patientIds = patients.map((row) => row.id);

  const actor = async (
    name: string,
    role: Actor['role'],
    identity: { doctorId?: string; patientId?: string } = {},
  ): Promise<Actor> => {
    const accountId = await insert(db, 'account', {
      hospital_id: id,
      email: `${name}@${slug}.test`,
      display_name: name,
      role,
      doctor_id: identity.doctorId ?? null,
      patient_id: identity.patientId ?? null,
    });
    return { hospitalId: id, role, accountId, ...identity };
  };
  return {
    id,
    slug,
    timeZone,
    locationIds,
    doctorIds,
    serviceId,
    patientIds,
    admin: await actor('admin', 'admin'),
    receptionist: await actor('reception', 'receptionist'),
    nurse: await actor('nurse', 'nurse'),
    doctor: await actor('doctor', 'doctor', { doctorId: doctorIds[0] }),
    otherDoctor: await actor('doctor2', 'doctor', { doctorId: doctorIds[1] }),
    patient: await actor('patient', 'patient', { patientId: patientIds[0] ?? '' }),
    otherPatient: await actor('patient2', 'patient', { patientId: patientIds[1] ?? '' }),
  };
}

/** A hospital whose slots are generated. */
export type OpenHospital = TestHospital & {
  /** Slots of the first doctor from tomorrow on, soonest first: 14 a day unless told otherwise. */
  slotIds: string[];
  /** Slots of the second doctor, at the same times. */
  otherSlotIds: string[];
};

/** Creates a hospital with its slots, ready to be booked in. */
export async function openHospital(
  db: Queryable,
  options: HospitalOptions = {},
): Promise<OpenHospital> {
  const hospital = await createHospital(db, options);
  // Read once: midnight between two statements would leave out a day, or give the doctors different ones.
  const { rows } = await db.query<{ today: string }>(
    'select (app_private.clock() at time zone $1)::date::text as today',
    [hospital.timeZone],
  );
  await generateSlots(db, hospital);
  const [one, two] = hospital.doctorIds;
  return {
    ...hospital,
    slotIds: await slotsAhead(db, hospital, one, rows[0]?.today),
    otherSlotIds: await slotsAhead(db, hospital, two, rows[0]?.today),
  };
}

/** Generates the slots of a hospital to its horizon; returns how many. */
export async function generateSlots(db: Queryable, hospital: TestHospital): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.extend_slot_horizon($1) as count',
    [hospital.id],
  );
  return rows[0]?.count ?? 0;
}

/** Ids of a doctor's slots from tomorrow on (local days), soonest first. */
export async function slotsAhead(
  db: Queryable,
  hospital: TestHospital,
  doctorId: string = hospital.doctorIds[0],
  today?: string,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select slot.id from app_public.slot
     where slot.hospital_id = $1 and slot.doctor_id = $2
       and slot.starts_at >= (coalesce($4::date, (app_private.clock() at time zone $3)::date) + 1)::timestamp at time zone $3
     order by slot.starts_at`,
    [hospital.id, doctorId, hospital.timeZone, today],
  );
  return rows.map(({ id }) => id);
}

/** Inserts one row and returns its id. */
export async function insert(
  db: Queryable,
  table: string,
  values: Readonly<Record<string, unknown>>,
): Promise<string> {
  const columns = Object.keys(values);
  const { rows } = await db.query<{ id: string }>(
    `insert into app_public.${table} (${columns.join(', ')})
     values (${columns.map((_, index) => `$${index + 1}`).join(', ')}) returning id`,
    Object.values(values),
  );
  const [row] = rows;
  if (!row) throw new Error(`nothing was inserted into ${table}`);
  return row.id;
}
