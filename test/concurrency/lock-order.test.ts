import { expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { book, cancel, hold, reschedule } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import {
  isLocked,
  type LockableRow,
  lockRow,
  outcomeOf,
  race,
  untilBlocked,
} from '../helpers/races.ts';

// Patient, then slots by id, then the doctor's day: proven by standing in the way at each step and
// looking at what the booking that waits there holds already, and what not yet.

const { ownerPool } = await createDatabase();

/** A hospital of the test's own, with the rows of its first day that bookings lock. */
async function prepare() {
  const hospital = await openHospital(ownerPool, { horizonDays: 3 });
  const [slotId = '', middleSlotId = '', lastSlotId = ''] = [
    ...hospital.slotIds.slice(0, 14),
  ].sort();
  const { rows } = await ownerPool.query<{ day: string }>(
    'select (starts_at at time zone $2)::date::text as day from app_public.slot where id = $1',
    [slotId, hospital.timeZone],
  );
  const slotRow = (id: string): LockableRow => ({ table: 'slot', where: { id } });
  return {
    hospital,
    slotId,
    middleSlotId,
    lastSlotId,
    patientId: nth(hospital.patientIds, 0),
    patient: { table: 'patient', where: { id: nth(hospital.patientIds, 0) } },
    slot: slotRow(slotId),
    middleSlot: slotRow(middleSlotId),
    lastSlot: slotRow(lastSlotId),
    day: {
      table: 'doctor_day',
      where: { doctor_id: hospital.doctorIds[0], day: rows[0]?.day },
    },
  };
}

/** Creates the row of the first day: a booking that was cancelled leaves one. */
async function createDay({ hospital, slotId }: Awaited<ReturnType<typeof prepare>>): Promise<void> {
  await committedAs(ownerPool, hospital.receptionist, async (db) => {
    const { id } = await book(db, { slotId, patientId: nth(hospital.patientIds, 3) });
    await cancel(db, id);
  });
}

test('a booking that waits for its patient holds neither slot nor day', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    await createDay(world);
    const [inTheWay, booking] = [await start(), await start(world.hospital.patient)];
    await lockRow(inTheWay, world.patient);

    const attempt = book(booking.db, world);
    expect(await untilBlocked(ownerPool, booking.pid, attempt)).toEqual([inTheWay.pid]);
    expect(await isLocked(ownerPool, world.slot)).toBe(false);
    expect(await isLocked(ownerPool, world.day)).toBe(false);

    await inTheWay.commit();
    expect(await attempt).toMatchObject({ status: 'scheduled' });
    await booking.commit();
    await expectInvariants(ownerPool);
  }));

test('a booking that waits for its slot holds its patient, and not yet the day', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    await createDay(world);
    const [inTheWay, booking] = [await start(), await start(world.hospital.patient)];
    await lockRow(inTheWay, world.slot);

    const attempt = book(booking.db, world);
    expect(await untilBlocked(ownerPool, booking.pid, attempt)).toEqual([inTheWay.pid]);
    expect(await isLocked(ownerPool, world.patient)).toBe(true);
    expect(await isLocked(ownerPool, world.day)).toBe(false);

    await inTheWay.commit();
    expect(await attempt).toMatchObject({ status: 'scheduled' });
    await booking.commit();
  }));

test('a booking that waits for the day holds its patient and its slot', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    await createDay(world);
    const [inTheWay, booking] = [await start(), await start(world.hospital.patient)];
    await lockRow(inTheWay, world.day);

    const attempt = book(booking.db, world);
    expect(await untilBlocked(ownerPool, booking.pid, attempt)).toEqual([inTheWay.pid]);
    expect(await isLocked(ownerPool, world.patient)).toBe(true);
    expect(await isLocked(ownerPool, world.slot)).toBe(true);

    await inTheWay.commit();
    expect(await attempt).toMatchObject({ status: 'scheduled' });
    await booking.commit();
  }));

test.each(['up', 'down'] as const)(
  'a move %s locks both slots by id, before the day',
  (direction) =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const [from, to] =
        direction === 'up' ? [world.slotId, world.lastSlotId] : [world.lastSlotId, world.slotId];
      const { id } = await committedAs(ownerPool, world.hospital.patient, (db) =>
        book(db, { slotId: from, patientId: world.patientId }),
      );
      const [first, last, moving] = [
        await start(),
        await start(),
        await start(world.hospital.patient),
      ];

      await lockRow(first, world.slot);
      await lockRow(last, world.lastSlot);
      const attempt = reschedule(moving.db, id, to);
      expect(await untilBlocked(ownerPool, moving.pid, attempt)).toEqual([first.pid]);
      expect(await isLocked(ownerPool, world.patient)).toBe(true);

      await first.commit();
      await untilBlockedBy(moving.pid, last.pid);
      expect(await isLocked(ownerPool, world.slot)).toBe(true);
      expect(await isLocked(ownerPool, world.day)).toBe(false);

      await last.commit();
      expect(await attempt).toMatchObject({ slot_id: to });
      await moving.commit();
      await expectInvariants(ownerPool);
    }),
);

test.each([
  ['of the hold', 'slot'],
  ['that it leaves', 'middleSlot'],
  ['that it takes', 'lastSlot'],
] as const)('a move that lets a hold lapse locks the slot %s before any day', (_, inTheWay) =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const { hospital } = world;
    const { id } = await committedAs(ownerPool, hospital.patient, (db) =>
      book(db, { slotId: world.middleSlotId, patientId: world.patientId }),
    );
    await lapse(world);
    const [other, moving] = [await start(), await start(hospital.patient)];

    await lockRow(other, world[inTheWay]);
    const attempt = reschedule(moving.db, id, world.lastSlotId);
    expect(await untilBlocked(ownerPool, moving.pid, attempt)).toEqual([other.pid]);
    expect(await isLocked(ownerPool, world.day)).toBe(false);

    // As a booking of that slot would go on.
    await lockRow(other, world.day);
    await other.commit();
    expect(await outcomeOf(attempt)).toBe('done');
    await moving.commit();
    const { rows } = await ownerPool.query(
      'select booked_count from app_public.slot where id = $1',
      [world.slotId],
    );
    expect(rows).toEqual([{ booked_count: 0 }]);
    await expectInvariants(ownerPool);
  }),
);

test('a booking does not wait for the appointment of a lapsed hold: somebody is just ending it', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const held = await lapse(world);
    const [ending, booking] = [await start(), await start(world.hospital.patient)];
    await lockRow(ending, { table: 'appointment', where: { id: held.id } });

    const booked = await book(booking.db, {
      slotId: world.middleSlotId,
      patientId: world.patientId,
    });
    expect(booked).toMatchObject({ status: 'scheduled' });
    await booking.commit();
    await ending.end();
    await expectInvariants(ownerPool);
  }));

test('a booking does not wait for a change of its doctor', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [changing, booking] = [await start(), await start(world.hospital.patient)];
    await lockRow(changing, { table: 'doctor', where: { id: world.hospital.doctorIds[0] } });
    expect(await book(booking.db, world)).toMatchObject({ status: 'scheduled' });
  }));

/** A committed hold of the third patient in the first slot, lapsed for everybody who comes next. */
async function lapse({ hospital, slotId }: Awaited<ReturnType<typeof prepare>>) {
  await ownerPool.query(
    "update app_public.hospital set hold_duration = '1 microsecond' where id = $1",
    [hospital.id],
  );
  return committedAs(ownerPool, hospital.receptionist, (db) =>
    hold(db, { slotId, patientId: nth(hospital.patientIds, 2) }),
  );
}

async function untilBlockedBy(pid: number, blocker: number): Promise<void> {
  let blockers: number[];
  do blockers = await untilBlocked(ownerPool, pid);
  while (!blockers.includes(blocker));
}
