// The archive works at night beside whoever books: committed, on connections of their own.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { tasks } from '../../worker/task-list.ts';
import { asOwner, committedAs } from '../helpers/actors.ts';
import { book, one } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { generateSlots, slotsAhead } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { lockRow, outcomeOf, race, untilGone } from '../helpers/races.ts';
import { keepLog, surroundingsOf } from '../worker/workplace.ts';
import { idsIn, type OldHospital, openedLongAgo, run } from './long-ago.ts';

const database = await createDatabase();
const { ownerPool, workerUrl } = database;

let hospital: OldHospital;
let slotIds: string[];

/** A hospital with a past and with slots ahead, committed; the clock stands at the present. */
beforeEach(async () => {
  const db = await ownerPool.connect();
  try {
    await db.query('begin');
    hospital = await openedLongAgo(db, '2023-06-12');
    await asOwner(db);
    await db.query('delete from app_private.clock_shift');
    await generateSlots(db, hospital);
    slotIds = await slotsAhead(db, hospital);
    await db.query('commit');
  } finally {
    db.release();
  }
});
afterEach(() => ownerPool.query('delete from app_private.clock_shift'));

/** Runs the nightly task as the worker's login, without the queue. */
async function archiveAll() {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-archive', log });
  try {
    await tasks.archive_past_years(
      { hospital_id: hospital.id },
      { ...surroundingsOf(), db: pool, log },
    );
  } finally {
    await pool.end();
  }
  return lines.at(-1);
}

const bookSlot = (index: number) =>
  committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(slotIds, index), patientId: nth(hospital.patientIds, index) }),
  );

test('the nightly task moves everything, a second one nothing, and nothing derived is off', async () => {
  await expectInvariants(ownerPool);
  expect(await archiveAll()).toMatchObject({ appointments: 5, slots: expect.any(Number), days: 0 });
  await expectInvariants(ownerPool);
  expect(await idsIn(ownerPool, 'appointment', hospital.id)).toEqual([hospital.stuck.id]);
  expect(await archiveAll()).toMatchObject({ appointments: 0, slots: 0, days: 0 });
  await expectInvariants(ownerPool);
});

test('whoever books for the same patient with the same doctor does not wait for a batch', () =>
  race(ownerPool, async (start) => {
    const archive = await start();
    expect(await run(archive.db, 'archive_appointments', hospital.id)).toBe(5);
    expect(await run(archive.db, 'remove_past_slots', hospital.id)).toBeGreaterThan(0);
    await run(archive.db, 'remove_past_days', hospital.id);
    const booker = await start(hospital.receptionist);
    await booker.db.query("set local lock_timeout = '1ms'");
    const wish = { slotId: nth(slotIds, 0), patientId: nth(hospital.patientIds, 0) };
    expect(await outcomeOf(book(booker.db, wish))).toBe('done');
    await booker.commit();
    await archive.commit();
    await expectInvariants(ownerPool);
    expect(await idsIn(ownerPool, 'appointment_archive', hospital.id)).toHaveLength(5);
  }));

test('a batch does not wait for a booking that is just being made', () =>
  race(ownerPool, async (start) => {
    const booker = await start(hospital.receptionist);
    await book(booker.db, { slotId: nth(slotIds, 0), patientId: nth(hospital.patientIds, 0) });
    const archive = await start();
    await archive.db.query("set local lock_timeout = '1ms'");
    expect(await run(archive.db, 'archive_appointments', hospital.id)).toBe(5);
    expect(await run(archive.db, 'remove_past_slots', hospital.id)).toBeGreaterThan(0);
    await archive.commit();
    await booker.commit();
    await expectInvariants(ownerPool);
  }));

test('bookings go on while batches run, and all are there afterwards', async () => {
  const batches = async () => {
    let moved = 0;
    for (;;) {
      const count = await run(ownerPool, 'archive_appointments', hospital.id, 1);
      if (count === 0) return moved;
      moved += count;
    }
  };
  const bookings = Promise.all([0, 1, 2, 3, 4, 5].map((index) => outcomeOf(bookSlot(index))));
  const [first, second] = await Promise.all([batches(), batches()]);
  expect(await bookings).toEqual(Array(6).fill('done'));
  expect(first + second).toBe(5);
  await expectInvariants(ownerPool);
  expect(await idsIn(ownerPool, 'appointment', hospital.id)).toHaveLength(7);
});

test('what somebody has locked is left to the next night', () =>
  race(ownerPool, async (start) => {
    const holder = await start();
    const busy = hospital.ended.no_show.id;
    await lockRow(holder, { table: 'appointment', where: { id: busy } });
    const archive = await start();
    await archive.db.query("set local lock_timeout = '1ms'");
    expect(await run(archive.db, 'archive_appointments', hospital.id)).toBe(4);
    await archive.commit();
    await holder.end();
    expect(await run(ownerPool, 'archive_appointments', hospital.id)).toBe(1);
    expect(await idsIn(ownerPool, 'appointment_archive', hospital.id)).toContain(busy);
  }));

test('a run that is killed has done whole batches or nothing of one, and the next goes on', () =>
  race(ownerPool, async (start) => {
    expect(await run(ownerPool, 'archive_appointments', hospital.id, 2)).toBe(2);
    const killed = await start();
    expect(await run(killed.db, 'archive_appointments', hospital.id, 2)).toBe(2);
    killed.db.on('error', () => {});
    await ownerPool.query('select pg_terminate_backend($1)', [killed.pid]);
    await untilGone(ownerPool, killed.pid);
    await killed.end().catch(() => {});
    expect(await idsIn(ownerPool, 'appointment_archive', hospital.id)).toHaveLength(2);
    expect(await archiveAll()).toMatchObject({ appointments: 3 });
    await expectInvariants(ownerPool);
  }));

test('what is due is found by the index, whatever else is stored', async () => {
  const db = await ownerPool.connect();
  try {
    await db.query('begin');
    // Ten thousand current visits of the same doctors, and as many slots, written without their rules.
    await db.query("set local session_replication_role = 'replica'");
    await db.query(
      `insert into app_public.slot (hospital_id, id, doctor_id, location_id, during)
       select $1, gen_random_uuid(), $2, $3,
         tstzrange(at, at + interval '1 minute')
       from (select timestamptz '2030-01-01' + number * interval '1 minute' as at from generate_series(1, 10000) as number) as visit`,
      [hospital.id, hospital.doctorIds[0], hospital.locationIds[0]],
    );
    await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, completed_at, created_at, updated_at)
       select hospital_id, id, doctor_id, location_id, $2, during, 'completed', 'import', now(), now(), now()
       from app_public.slot where hospital_id = $1 and starts_at >= '2030-01-01'`,
      [hospital.id, hospital.patientIds[0]],
    );
    await db.query("set local session_replication_role = 'origin'");
    await db.query('analyze app_public.slot, app_public.appointment');
    const reads = () =>
      one<{ scans: number; rows: number }>(
        db,
        `select sum(seq_scan)::integer as scans, sum(seq_tup_read + idx_tup_fetch)::integer as rows
         from pg_stat_xact_user_tables where schemaname = 'app_public' and relname in ('slot', 'appointment')`,
      );
    const before = await reads();
    expect(await run(db, 'archive_appointments', hospital.id)).toBe(5);
    expect(await run(db, 'remove_past_slots', hospital.id)).toBeGreaterThan(0);
    await run(db, 'archive_appointments', hospital.id);
    await run(db, 'remove_past_slots', hospital.id);
    const after = await reads();
    expect(after.scans - before.scans).toBe(0);
    expect(after.rows - before.rows).toBeLessThan(1_000);
  } finally {
    await db.query('rollback');
    db.release();
  }
});

test('the clock of a rehearsal decides, not that of the machine', async () => {
  const db = await ownerPool.connect();
  try {
    await db.query('begin');
    await setClock(db, '2024-12-31T12:00:00Z');
    expect(await run(db, 'archive_appointments', hospital.id)).toBe(0);
    await setClock(db, '2025-01-01T12:00:00Z');
    expect(await run(db, 'archive_appointments', hospital.id)).toBe(5);
  } finally {
    await db.query('rollback');
    db.release();
  }
});
