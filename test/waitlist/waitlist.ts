import type { ClientBase } from 'pg';
import { aside, asWorker } from '../helpers/actors.ts';
import { appointmentIn, one } from '../helpers/booking.ts';
import type { OpenHospital, Queryable, TestHospital } from '../helpers/hospital.ts';

/** A row of app_public.waitlist_entry, as far as tests look at it. */
export type Entry = {
  id: string;
  patient_id: string;
  doctor_id: string | null;
  specialty: string | null;
  status: 'waiting' | 'offered' | 'booked' | 'cancelled' | 'expired';
  created_by: string | null;
  ended_at: Date | null;
};

/** A row of app_public.waitlist_offer, as far as tests look at it. */
export type Offer = {
  id: string;
  entry_id: string;
  patient_id: string;
  doctor_id: string;
  slot_id: string;
  appointment_id: string;
  outcome: 'open' | 'accepted' | 'declined' | 'lapsed';
  decided_at: Date | null;
};

/** What somebody waits for; days count from the hospital's today. */
export type Wish = {
  patientId: string;
  /** The first doctor unless told otherwise; null with a specialty. */
  doctorId?: string | null;
  specialty?: string;
  serviceId?: string;
  locationId?: string;
  firstDay?: number;
  lastDay?: number;
  earliest?: string;
  latest?: string;
  reason?: string;
};

/** Calls join_waitlist as whoever acts in `db`: for the first doctor, from tomorrow on for 20 days. */
export async function join(
  db: Queryable,
  hospital: Pick<TestHospital, 'id' | 'timeZone' | 'doctorIds'>,
  wish: Wish,
): Promise<Entry> {
  const { specialty = null, firstDay = 1, lastDay = 20 } = wish;
  const doctorId =
    wish.doctorId === undefined && !specialty ? hospital.doctorIds[0] : wish.doctorId;
  return one<Entry>(
    db,
    `select entry.*
       from (select (app_private.clock() at time zone $1)::date as day) as today
      cross join lateral app_public.join_waitlist(
        patient_id => $2, first_day => today.day + $3::integer, last_day => today.day + $4::integer,
        doctor_id => $5, specialty => $6, service_id => $7, location_id => $8,
        earliest_time => $9, latest_time => $10, reason => $11) as entry`,
    [
      hospital.timeZone,
      wish.patientId,
      firstDay,
      lastDay,
      doctorId ?? null,
      specialty,
      wish.serviceId ?? null,
      wish.locationId ?? null,
      wish.earliest ?? null,
      wish.latest ?? null,
      wish.reason ?? null,
    ],
  );
}

/** Calls leave_waitlist as whoever acts in `db`. */
export function leave(db: Queryable, entryId: string): Promise<Entry> {
  return one<Entry>(db, 'select * from app_public.leave_waitlist($1)', [entryId]);
}

/** Offers the free seats of a doctor (the first one) as the worker does, once; returns how many. */
export async function offerSeats(
  db: ClientBase,
  hospital: TestHospital,
  doctorId: string = hospital.doctorIds[0],
): Promise<number> {
  return aside(db, async () => {
    await asWorker(db);
    const { count } = await one<{ count: number }>(
      db,
      'select app_private.offer_free_seats($1, $2) as count',
      [hospital.id, doctorId],
    );
    return count;
  });
}

/** All offers of a hospital, the oldest first, whoever acts in `db`. */
export async function offersIn(db: ClientBase, hospital: TestHospital): Promise<Offer[]> {
  return aside(db, async () => {
    const { rows } = await db.query<Offer>(
      'select * from app_public.waitlist_offer where hospital_id = $1 order by offered_at, id',
      [hospital.id],
    );
    return rows;
  });
}

/** The entry as it is stored, whoever acts in `db`. */
export function entryOf(db: ClientBase, entryId: string): Promise<Entry> {
  return aside(db, () =>
    one<Entry>(db, 'select * from app_public.waitlist_entry where id = $1', [entryId]),
  );
}

/** Blocks every slot ahead of both doctors but these, so that only these are free. */
export async function leaveFree(
  db: ClientBase,
  hospital: OpenHospital,
  ...slotIds: readonly string[]
): Promise<void> {
  await aside(db, () =>
    db.query(
      `update app_public.slot set blocked_at = now(), blocked_reason = 'test'
        where hospital_id = $1 and starts_at > app_private.clock() and blocked_at is null
          and id <> all ($2::uuid[])`,
      [hospital.id, slotIds],
    ),
  );
}

/** Books a seat of this slot for this patient as an operator; whoever acted goes on. */
export async function occupied(
  db: ClientBase,
  hospital: TestHospital,
  slotId: string,
  patientId: string,
): Promise<string> {
  return aside(
    db,
    async () => (await appointmentIn(db, hospital, 'scheduled', slotId, patientId)).id,
  );
}
