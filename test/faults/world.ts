import type pg from 'pg';
import { beforeAll, expect, onTestFinished, vi } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { awaitServer, createDatabase, type TestDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital, type Queryable } from '../helpers/hospital.ts';
import { until } from '../worker/workplace.ts';
import type { Mailbox } from './mailbox.ts';

/**
 * For files whose tests start processes, fill days and send mails: what they wait for comes, but on a busy
 * machine not within the usual time. Nor does that of the first one include making the template.
 */
export function takeTime(): void {
  vi.setConfig({ testTimeout: 240_000 });
  beforeAll(awaitServer, 240_000);
}

/** A database of this test's own. */
export async function ownDatabase(): Promise<TestDatabase> {
  const database = await createDatabase({ dropAfterFile: false });
  onTestFinished(() => database.drop());
  return database;
}

/** So many patients with an address each. */
export async function openReachableHospital(
  db: Queryable,
  patientCount: number,
  slotCapacity = 1,
): Promise<OpenHospital> {
  const hospital = await openHospital(db, {
    patientCount,
    slotCapacity,
    horizonDays: 3,
    maxPatientsPerDay: 500,
  });
  await db.query(
    `update app_public.patient set email = replace(medical_record_number, 'MRN-', '') || '@example.org'
     where hospital_id = $1`,
    [hospital.id],
  );
  return hospital;
}

/** Tells every patient something, as a flow would. */
export async function tellAll(db: Queryable, hospital: OpenHospital): Promise<void> {
  await db.query(
    `insert into app_public.notification (hospital_id, patient_id, event, priority, channels, title, body, created_at)
     select hospital_id, id, 'appointment_booked', 'normal', '{in_app,email}', 'News', 'Text of ' || name,
       app_private.clock()
     from app_public.patient where hospital_id = $1`,
    [hospital.id],
  );
}

/**
 * Fills the next two whole days, each patient at most once a day, and returns how many visits there are.
 * Nobody is told of them.
 */
export async function fillTwoDays(pool: pg.Pool, hospital: OpenHospital): Promise<number> {
  const bookAll = (db: pg.PoolClient) =>
    db.query(
      `with seat as (
       select slot.id, row_number() over (
         partition by (slot.starts_at at time zone $2)::date order by slot.starts_at, slot.id, number) as place
       from app_public.slot cross join generate_series(1, slot.capacity) as number
       where slot.hospital_id = $1
         and (slot.starts_at at time zone $2)::date - (now() at time zone $2)::date between 1 and 2
     ), visitor as (
       select patient.id, row_number() over (order by patient.id) as place
       from app_public.patient where patient.hospital_id = $1 and status = 'active'
     )
     select app_public.book_appointment(
       slot_id => seat.id, patient_id => visitor.id, idempotency_key => gen_random_uuid())
     from seat join visitor using (place)`,
      [hospital.id, hospital.timeZone],
    );
  const { rowCount } = await committedAs(pool, hospital.receptionist, bookAll);
  await pool.query('delete from app_public.notification where hospital_id = $1', [hospital.id]);
  return rowCount ?? 0;
}

/** Moves the clock of the system to the evening of the second day, when nobody came to any of them. */
export async function goToSecondEvening(db: Queryable, hospital: OpenHospital): Promise<void> {
  await db.query(
    `insert into app_private.clock_shift (shift)
     select ((now() at time zone $1)::date + 2 + time '18:00') at time zone $1 - now()
     on conflict (is_single) do update set shift = excluded.shift`,
    [hospital.timeZone],
  );
}

/** Somebody holds a slot of these days, so that a batch of the sweep waits in its middle. */
export async function holdSlot(pool: pg.Pool, hospital: OpenHospital, place: number) {
  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  await client.query('begin');
  const { rows } = await client.query<{ pid: number }>(
    `select pg_backend_pid() as pid from app_public.slot
     where slot.id = (
       select id from app_public.slot where slot.hospital_id = $1 and slot.booked_count > 0
       order by slot.starts_at, slot.id offset $2 limit 1)
     for update`,
    [hospital.id, place],
  );
  return {
    /** Until somebody waits for it. */
    async waitedFor() {
      const waiting = 'from pg_stat_activity where $1::integer = any (pg_blocking_pids(pid))';
      await until(() => countOf(pool, waiting, [rows[0]?.pid]));
    },
    letGo: () => client.query('rollback'),
  };
}

/** Lets the clock of the system jump by an interval. */
export async function jump(db: Queryable, interval: string): Promise<void> {
  await db.query(
    `insert into app_private.clock_shift (shift) values ($1)
     on conflict (is_single) do update set shift = clock_shift.shift + excluded.shift`,
    [interval],
  );
}

/** As if so long had passed for what the dead left: the heartbeat of a worker, and what it was sending. */
export async function ageTheDead(db: Queryable, workerId: string, interval: string): Promise<void> {
  await db.query(
    'update app_private.worker_heartbeat set beaten_at = beaten_at - $2::interval where worker_id = $1',
    [workerId, interval],
  );
  await db.query(
    'update app_public.notification_delivery set leased_until = leased_until - $1::interval where leased_until is not null',
    [interval],
  );
}

export async function countOf(
  db: Queryable,
  query: string,
  values: unknown[] = [],
): Promise<number> {
  const { rows } = await db.query<{ count: string }>(`select count(*) as count ${query}`, values);
  return Number(rows[0]?.count);
}

/** Mails that were sent, as the database knows. */
export const sentMails = (db: Queryable) =>
  countOf(db, "from app_public.notification_delivery where channel = 'email' and status = 'sent'");

/** Visits that are marked as missed. */
export const missedVisits = (db: Queryable) =>
  countOf(db, 'from app_public.no_show_log where undone_at is null');

/** Each mail that was to go out has arrived, and its row says so once. */
export async function expectAllArrived(
  db: Queryable,
  mailbox: Pick<Mailbox, 'taken'>,
): Promise<void> {
  const { rows } = await db.query<{ id: string; status: string; reference: string }>(
    "select id, status, reference from app_public.notification_delivery where channel = 'email' and outcome is distinct from 'no_address'",
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(({ status }) => status !== 'sent')).toEqual([]);
  const expected = rows.map(({ id }) => `<${id}@hospital.example>`).sort();
  expect(rows.map(({ reference }) => reference).sort()).toEqual(expected);
  expect([...mailbox.taken.keys()].sort()).toEqual(expected);
  expect(
    await countOf(
      db,
      `from (select from app_public.notification_delivery where channel = 'email'
             group by hospital_id, notification_id having count(*) > 1) as twice`,
    ),
  ).toBe(0);
}

/** Every visit was missed once, is told of once, and the patients' counts agree. */
export async function expectAllMissedOnce(db: Queryable, visits: number): Promise<void> {
  const { rows } = await db.query(
    `select
       (select count(*)::integer from app_public.appointment where status = 'no_show') as missed,
       (select count(*)::integer from app_public.no_show_log where undone_at is null) as logged,
       (select count(distinct appointment_id)::integer from app_public.no_show_log where undone_at is null) as visits,
       (select sum(no_show_count)::integer from app_public.patient) as counted,
       (select count(*)::integer from app_public.notification where event = 'no_show') as told,
       (select count(*)::integer from app_public.patient
         where no_show_count <> (
           select count(*) from app_public.no_show_log
           where no_show_log.hospital_id = patient.hospital_id and no_show_log.patient_id = patient.id
             and undone_at is null)) as wrong`,
  );
  expect(rows).toEqual([
    { missed: visits, logged: visits, visits, counted: visits, told: visits, wrong: 0 },
  ]);
}

/** Until the database has noticed that a process is gone, and has ended what that one had begun. */
export async function untilDisconnected(db: Queryable, applicationName: string): Promise<void> {
  await until(
    async () =>
      (await countOf(
        db,
        'from pg_stat_activity where datname = current_database() and application_name = $1',
        [applicationName],
      )) === 0,
  );
}

/** As `until`, but says after a minute what it has waited for in vain. */
export async function withinAMinute<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + 60_000;
  return until(() => {
    if (performance.now() > deadline) throw new Error(`Not within a minute: ${what}.`);
    return look();
  });
}
