// What a hospital does all day reads what it needs, however many years are stored: no hot query scans a
// growing table, and each reads a number of rows that does not grow with it. Also when the planner knows
// nothing: when a table was analyzed while it was empty, and the connection's plans are of that time.
import type { ClientBase, PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOwner, asWorker, become } from '../helpers/actors.ts';
import { book, cancel, hold, reschedule } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { freeSlotsOf, searchFreeSlots } from '../helpers/free-slots.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { growingTables, storeHistory } from './history.ts';
import { readingOf, watchPlans } from './plans.ts';

const { ownerPool } = await createDatabase();
const isSuperuser = (
  await ownerPool.query('select usesuper as is_superuser from pg_user where usename = session_user')
).rows[0].is_superuser;

/** Doctors, days past and days ahead: about a million rows in all. */
const size = { doctors: 100, past: 80, ahead: 30 };

/** The hospital of the old connection: everything was done there once while the tables were empty. */
const small = await openHospital(ownerPool, { horizonDays: 30 });
const serviceIds = await Promise.all([small].map(longService));
const before: Subject = {
  doctorId: small.doctorIds[0],
  specialty: 'general medicine',
  serviceId: nth(serviceIds, 0),
  slotIds: small.slotIds,
};
let now: Subject;
let aged: PoolClient;

/** Whom and what the queries are about. */
type Subject = { doctorId: string; specialty: string; serviceId: string; slotIds: string[] };

async function longService(hospital: { id: string }): Promise<string> {
  const { rows } = await ownerPool.query(
    "insert into app_public.service (hospital_id, name, duration) values ($1, 'Long', '1 hour') returning id",
    [hospital.id],
  );
  return rows[0].id;
}

type Deed = {
  name: string;
  /** The most rows that one statement may read of each growing table. */
  most: number;
  /** True where even plans that were made while the tables were empty must do. */
  isSteadfast?: true;
  run(db: ClientBase, subject: Subject): Promise<unknown>;
};

const patientId = nth(small.patientIds, 0);
const otherPatientId = nth(small.patientIds, 1);

const asReception = (db: ClientBase) => become(db, small.receptionist);

const deeds: Deed[] = [
  {
    name: 'free_slots of one doctor × 30 days',
    isSteadfast: true,
    most: 1_100,
    run: async (db, { doctorId }) => {
      await asReception(db);
      expect((await freeSlotsOf(db, doctorId)).length).toBeGreaterThan(300);
    },
  },
  {
    name: 'free_slots for a long service',
    isSteadfast: true,
    most: 1_200,
    run: async (db, { doctorId, serviceId }) => {
      await asReception(db);
      expect((await freeSlotsOf(db, doctorId, { serviceId })).length).toBeGreaterThan(300);
    },
  },
  {
    name: 'search_free_slots of one specialty × 7 days',
    isSteadfast: true,
    most: 1_200,
    run: async (db, { specialty }) => {
      await become(db, small.patient);
      const rows = await searchFreeSlots(db, { specialty, page_size: 100 });
      expect(rows).toHaveLength(100);
    },
  },
  {
    name: 'explain_booking',
    isSteadfast: true,
    most: 10,
    run: async (db, { slotIds }) => {
      await asReception(db);
      await db.query('select * from app_public.explain_booking($1, $2)', [slotIds[0], patientId]);
    },
  },
  {
    name: 'book_appointment, and all that it writes',
    most: 10,
    run: async (db, { slotIds }) => {
      await asReception(db);
      await book(db, { slotId: nth(slotIds, 1), patientId });
    },
  },
  {
    name: 'book_appointment for a long service',
    most: 60,
    run: async (db, { slotIds, serviceId }) => {
      await asReception(db);
      await book(db, { slotId: nth(slotIds, 1), patientId, serviceId });
    },
  },
  {
    name: 'reschedule_appointment and cancel_appointment',
    most: 20,
    run: async (db, { slotIds }) => {
      await asReception(db);
      const { id } = await book(db, { slotId: nth(slotIds, 1), patientId });
      await reschedule(db, id, nth(slotIds, 2));
      await cancel(db, id);
    },
  },
  {
    name: 'a booking that finds a lapsed hold in its way',
    most: 30,
    run: async (db, { slotIds }) => {
      await asReception(db);
      await hold(db, { slotId: nth(slotIds, 3), patientId });
      await moveClock(db, '5 minutes');
      await book(db, { slotId: nth(slotIds, 3), patientId: otherPatientId });
    },
  },
  {
    name: 'the sweep of lapsed holds',
    most: 30,
    run: async (db) => {
      await asWorker(db);
      await db.query('select app_private.expire_lapsed_holds($1)', [small.id]);
    },
  },
  {
    name: 'the sweep of alerts',
    most: 20,
    run: async (db) => {
      await asWorker(db);
      await db.query('select app_private.has_due_stage($1)', [small.id]);
      await db.query('select app_private.raise_stage_alerts($1)', [small.id]);
    },
  },
  {
    name: 'the waiting room',
    most: 20,
    run: async (db) => {
      await become(db, small.nurse);
      await db.query('select * from app_public.waiting_room()');
    },
  },
  {
    name: 'the inbox of a patient',
    most: 60,
    run: async (db) => {
      await asOwner(db);
      await db.query(
        `select * from app_public.notification
         where notification.hospital_id = $1 and notification.patient_id = $2
         order by notification.id desc limit 50`,
        [small.id, patientId],
      );
    },
  },
  {
    name: 'the open requests of a doctor',
    most: 60,
    run: async (db, { doctorId }) => {
      await asReception(db);
      await db.query(
        `select * from app_public.appointment
         where appointment.hospital_id = $1 and appointment.doctor_id = $2 and appointment.status = 'requested'
         order by appointment.starts_at limit 50`,
        [small.id, doctorId],
      );
    },
  },
  {
    name: 'the appointments of a patient, latest first',
    most: 60,
    run: async (db) => {
      await become(db, small.patient);
      await db.query(
        `select * from app_public.appointment
         where appointment.hospital_id = $1 and appointment.patient_id = $2
         order by appointment.starts_at desc limit 50`,
        [small.id, patientId],
      );
    },
  },
  {
    name: 'a week of a doctor’s appointments',
    most: 300,
    run: async (db, { doctorId }) => {
      await asReception(db);
      await db.query(
        `select * from app_public.appointment
         where appointment.hospital_id = $1 and appointment.doctor_id = $2
           and appointment.starts_at >= now() - interval '7 days' and appointment.starts_at < now()`,
        [small.id, doctorId],
      );
    },
  },
  {
    name: 'the relay’s claim of the outbox',
    isSteadfast: true,
    most: 150,
    run: async (db) => {
      await asOwner(db);
      await db.query("select * from app_private.claim_outbox(array['slots'], 100)");
    },
  },
];

/** Does all of it, rolled back, on this connection. */
async function rehearse(db: ClientBase, subject: Subject): Promise<void> {
  for (const deed of deeds) {
    await db.query('begin');
    await deed.run(db, subject);
    await db.query('rollback');
  }
}

beforeAll(async () => {
  if (!isSuperuser) return;
  await ownerPool.query('vacuum analyze');
  for (const table of growingTables) {
    const schema = table === 'outbox' ? 'app_private' : 'app_public';
    await ownerPool.query(`alter table ${schema}.${table} set (autovacuum_enabled = false)`);
  }
  // Ten times: after five a prepared statement may settle for one plan for all.
  aged = await ownerPool.connect();
  for (let time = 0; time < 10; time += 1) await rehearse(aged, before);

  const writer = await ownerPool.connect();
  try {
    const startedAt = performance.now();
    const { rows, doctorIds } = await storeHistory(writer, small, size);
    console.log(`${rows} rows stored in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    expect(rows).toBeGreaterThan(1_000_000);
    now = await subjectOf(writer, nth(doctorIds, 55));
  } finally {
    writer.release(true);
  }
}, 600_000);

async function subjectOf(db: ClientBase, doctorId: string): Promise<Subject> {
  const { rows: slots } = await db.query<{ id: string }>(
    `select id from app_public.slot
     where hospital_id = $1 and doctor_id = $2 and starts_at > now() order by starts_at limit 40`,
    [small.id, doctorId],
  );
  const { rows: doctors } = await db.query<{ specialty: string }>(
    'select specialty from app_public.doctor where hospital_id = $1 and id = $2',
    [small.id, doctorId],
  );
  return {
    doctorId,
    specialty: nth(doctors, 0).specialty,
    serviceId: before.serviceId,
    slotIds: slots.map(({ id }) => id),
  };
}

afterAll(() => aged?.release(true));

const isNew = () => ownerPool.connect();
const isAged = async () => aged;
const steadfast = deeds.filter(({ isSteadfast }) => isSteadfast);
// Postgres plans anew when autovacuum has analyzed a table that grew, a minute later at most. Until then an
// old connection keeps what it has, and a new one may take the second best index, its own checks of
// foreign keys, too; only what is asked most often is held to more.
const stages = [
  {
    when: 'plans made while the tables were empty',
    isAnalyzed: false,
    connect: isAged,
    deeds: steadfast,
  },
  {
    when: 'new plans, tables analyzed while they were empty',
    isAnalyzed: false,
    connect: isNew,
    deeds,
  },
  { when: 'an old connection, tables analyzed now', isAnalyzed: true, connect: isAged, deeds },
  { when: 'a new connection, tables analyzed now', isAnalyzed: true, connect: isNew, deeds },
];

describe.skipIf(!isSuperuser).each(stages)('$when', ({ isAnalyzed, connect, deeds }) => {
  let db: PoolClient;
  beforeAll(async () => {
    if (isAnalyzed) await ownerPool.query('analyze');
    db = await connect();
    await watchPlans(db);
  });
  afterAll(() => {
    if (db !== aged) db.release(true);
  });

  test.each(deeds)('$name', async ({ run, most, isSteadfast }) => {
    await db.query('begin');
    try {
      const reading = await readingOf(db, () => run(db, now));
      const growing = new Set<string>(growingTables);
      expect(reading.wholeTables.filter(({ table }) => growing.has(table))).toEqual([]);
      if (!isAnalyzed && !isSteadfast) return;
      const tooMany = [...reading.most].filter(
        ([table, { rows }]) => growing.has(table) && rows > most,
      );
      expect(tooMany).toEqual([]);
    } finally {
      await db.query('rollback');
    }
  });
});

test.skipIf(!isSuperuser)(
  'a scan of a whole table would be noticed, inside a function, too',
  async () => {
    const db = await ownerPool.connect();
    try {
      await watchPlans(db);
      await db.query('begin');
      await db.query('set local enable_indexscan = off');
      const { wholeTables, most } = await readingOf(db, () =>
        db.query(
          `do $$ begin perform from app_public.slot where slot.blocked_reason = 'x'; end $$`,
        ),
      );
      expect(wholeTables.map(({ table }) => table)).toContain('slot');
      expect(most.get('slot')?.rows).toBeGreaterThan(300_000);
    } finally {
      await db.query('rollback');
      db.release(true);
    }
  },
  60_000,
);
