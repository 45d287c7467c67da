import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { book, cancel, hold, reschedule } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type OpenHospital, slotsAhead } from '../helpers/hospital.ts';
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
import { bookSeries, cancelSeries, type SeriesWish } from '../helpers/requests.ts';

// A series takes many seats in one transaction, so it locks them all first, in the order of every booking.

const { ownerPool } = await createDatabase();

/**
 * A hospital with a week of slots, and the first doctor's first slots of its days, in order. The later days
 * were made real first, so that who books them day by day meets them against the order of their ids.
 */
async function prepare() {
  const created = await createHospital(ownerPool, { horizonDays: 8, patientCount: 12 });
  for (let ahead = 7; ahead >= 1; ahead -= 1) {
    await ownerPool.query(
      `select app_private.cut_slots($1, day, day)
       from (select (app_private.clock() at time zone $2)::date + $3::int as day) as wanted`,
      [created.id, created.timeZone, ahead],
    );
  }
  const hospital = {
    ...created,
    slotIds: await slotsAhead(ownerPool, created),
    otherSlotIds: await slotsAhead(ownerPool, created, created.doctorIds[1]),
  };
  const days = [0, 1, 2, 3, 4, 5].map((day) => nth(hospital.slotIds, day * 14));
  expect(days).toEqual([...days].sort().reverse());
  const { rows } = await ownerPool.query<{ starts_at: Date }>(
    'select starts_at from app_public.slot where id = any ($1) order by starts_at',
    [days],
  );
  return { hospital, days, starts: rows.map(({ starts_at }) => starts_at) };
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** A series of a patient that begins on this day. */
function wishOf({ hospital, starts }: Prepared, day: number, patient: number): SeriesWish {
  return {
    doctorId: hospital.doctorIds[0],
    firstStartsAt: nth(starts, day),
    everyDays: 1,
    count: 3,
    patientId: nth(hospital.patientIds, patient),
  };
}

const slotRow = (id: string): LockableRow => ({ table: 'slot', where: { id } });

async function untilBlockedBy(pid: number, blocker: number): Promise<void> {
  let blockers: number[];
  do blockers = await untilBlocked(ownerPool, pid);
  while (!blockers.includes(blocker));
}

test('a series locks its patient, then every slot by id, then every day, before it books the first', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const { hospital, days } = world;
    const slots = days.slice(0, 3);
    const [lowest = '', , highest = ''] = [...slots].sort();
    const patient: LockableRow = { table: 'patient', where: { id: nth(hospital.patientIds, 0) } };
    const [atPatient, atHighest, atDay] = [await start(), await start(), await start()];
    // A day that is there already, the last one of the series.
    await committedAs(ownerPool, hospital.receptionist, async (db) => {
      const { id } = await book(db, {
        slotId: nth(hospital.slotIds, 2 * 14 + 3),
        patientId: nth(hospital.patientIds, 5),
      });
      await cancel(db, id);
    });
    const { rows } = await ownerPool.query<{ day: string }>(
      'select day::text from app_public.doctor_day where hospital_id = $1',
      [hospital.id],
    );
    const day: LockableRow = {
      table: 'doctor_day',
      where: { doctor_id: hospital.doctorIds[0], day: nth(rows, 0).day },
    };
    const booking = await start(hospital.receptionist);
    await lockRow(atPatient, patient);
    await lockRow(atHighest, slotRow(highest));
    await lockRow(atDay, day);

    const attempt = bookSeries(booking.db, wishOf(world, 0, 0));
    expect(await untilBlocked(ownerPool, booking.pid, attempt)).toEqual([atPatient.pid]);
    expect(await isLocked(ownerPool, slotRow(lowest))).toBe(false);

    await atPatient.commit();
    await untilBlockedBy(booking.pid, atHighest.pid);
    expect(await isLocked(ownerPool, patient)).toBe(true);
    expect(await isLocked(ownerPool, slotRow(lowest))).toBe(true);

    await atHighest.commit();
    await untilBlockedBy(booking.pid, atDay.pid);
    for (const slot of slots) expect(await isLocked(ownerPool, slotRow(slot))).toBe(true);

    await atDay.commit();
    await attempt;
    await booking.commit();
    await expectInvariants(ownerPool);
  }));

test('two series that want some of the same slots come in turn', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [
      await start(world.hospital.receptionist),
      await start(world.hospital.admin),
    ];
    await bookSeries(one.db, wishOf(world, 0, 0));
    const attempt = outcomeOf(bookSeries(other.db, wishOf(world, 2, 1)));
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toBe('series_refused');
    await other.end();
    await expectInvariants(ownerPool);
  }));

test('the seats of a series are there for the next one when the first gives up', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [
      await start(world.hospital.receptionist),
      await start(world.hospital.admin),
    ];
    await bookSeries(one.db, wishOf(world, 0, 0));
    const attempt = outcomeOf(bookSeries(other.db, wishOf(world, 1, 1)));
    await untilBlocked(ownerPool, other.pid, attempt);
    await one.end();
    expect(await attempt).toBe('done');
    await other.commit();
    await expectInvariants(ownerPool);
  }));

test('a series that is booked and one that is cancelled at once never wait in a circle', async () => {
  const world = await prepare();
  const { hospital } = world;
  for (let round = 0; round < 8; round += 1) {
    const booked = await committedAs(ownerPool, hospital.receptionist, (db) =>
      bookSeries(db, wishOf(world, 0, 0)),
    );
    const outcomes = await Promise.all([
      outcomeOf(committedAs(ownerPool, hospital.receptionist, (db) => cancelSeries(db, booked.id))),
      outcomeOf(
        committedAs(ownerPool, hospital.admin, (db) =>
          bookSeries(db, { ...wishOf(world, 0, 1), isAllOrNothing: false }),
        ),
      ),
      outcomeOf(committedAs(ownerPool, hospital.nurse, (db) => cancelSeries(db, booked.id))),
    ]);
    expect(['done', 'series_refused']).toEqual(expect.arrayContaining(outcomes));
    await expectInvariants(ownerPool);
    await cancelEverything(hospital);
  }
});

test('series, moves and single bookings in each other’s slots: each done or refused, none in a circle', async () => {
  const allowed = new Set([
    'done',
    'series_refused',
    'slot_booked',
    'patient_double_booked',
    'already_in_slot',
    'illegal_transition',
  ]);
  for (let round = 0; round < 12; round += 1) {
    const world = await prepare();
    const { hospital, days } = world;
    const as = <T>(act: Parameters<typeof committedAs<T>>[2]) =>
      outcomeOf(committedAs(ownerPool, hospital.receptionist, act));
    const movers = await Promise.all(
      [6, 7, 8].map((patient, index) =>
        committedAs(ownerPool, hospital.receptionist, (db) =>
          book(db, {
            slotId: nth(days, 5 - index),
            patientId: nth(hospital.patientIds, patient),
          }),
        ),
      ),
    );
    const outcomes = await Promise.all([
      as((db) => bookSeries(db, { ...wishOf(world, 0, 0), isAllOrNothing: false })),
      as((db) => bookSeries(db, { ...wishOf(world, 2, 1), isAllOrNothing: false })),
      as((db) => bookSeries(db, wishOf(world, 1, 2))),
      as((db) => bookSeries(db, { ...wishOf(world, 0, 3), everyDays: 2 })),
      // The same patient as the first series, and moves both up and down.
      as((db) => bookSeries(db, { ...wishOf(world, 3, 0), isAllOrNothing: false })),
      ...movers.map(({ id }, index) => as((db) => reschedule(db, id, nth(days, index)))),
      as((db) => book(db, { slotId: nth(days, 1), patientId: nth(hospital.patientIds, 0) })),
      as((db) => book(db, { slotId: nth(days, 4), patientId: nth(hospital.patientIds, 9) })),
    ]);
    for (const outcome of outcomes) expect([...allowed]).toContain(outcome);
    await expectInvariants(ownerPool);
  }
});

test('lapsed holds in the way of a series do not let it lock out of order', async () => {
  for (let round = 0; round < 8; round += 1) {
    const world = await prepare();
    const { hospital, days } = world;
    await ownerPool.query(
      "update app_public.hospital set hold_duration = '1 microsecond' where id = $1",
      [hospital.id],
    );
    for (const [index, patient] of [7, 8, 9].entries()) {
      await committedAs(ownerPool, hospital.receptionist, (db) =>
        hold(db, {
          slotId: nth(days, index * 2),
          patientId: nth(hospital.patientIds, patient),
        }),
      );
    }
    const outcomes = await Promise.all(
      [0, 1, 2, 3].map((day) =>
        outcomeOf(
          committedAs(ownerPool, hospital.receptionist, (db) =>
            bookSeries(db, { ...wishOf(world, day, day), isAllOrNothing: false }),
          ),
        ),
      ),
    );
    expect(['done', 'series_refused']).toEqual(expect.arrayContaining(outcomes));
    expect(outcomes).toContain('done');
    await expectInvariants(ownerPool);
  }
});

test('the same series sent twice at once is booked once', async () => {
  const world = await prepare();
  const wish = { ...wishOf(world, 0, 0), key: randomUUID() };
  const [one, other] = await Promise.all(
    [1, 2].map(() =>
      committedAs(ownerPool, world.hospital.receptionist, (db) => bookSeries(db, wish)),
    ),
  );
  expect(other?.id).toBe(one?.id);
  const { rows } = await ownerPool.query(
    'select count(*)::int as count from app_public.appointment where hospital_id = $1',
    [world.hospital.id],
  );
  expect(rows).toEqual([{ count: 3 }]);
});

test('series on days that nobody has made real yet: each is cut once', async () => {
  const hospital = await createHospital(ownerPool, { patientCount: 4 });
  const { rows } = await ownerPool.query<{ starts_at: Date }>(
    `select ((now() at time zone $1)::date + 2 + time '09:00') at time zone $1
       + number * interval '30 minutes' as starts_at from generate_series(0, 3) as number`,
    [hospital.timeZone],
  );
  const outcomes = await Promise.all(
    hospital.patientIds.map((patientId, index) =>
      outcomeOf(
        committedAs(ownerPool, hospital.receptionist, (db) =>
          bookSeries(db, {
            doctorId: hospital.doctorIds[0],
            firstStartsAt: nth(rows, index).starts_at,
            everyDays: 3,
            count: 4,
            patientId,
          }),
        ),
      ),
    ),
  );
  expect(outcomes).toEqual(Array(4).fill('done'));
  const { rows: slots } = await ownerPool.query(
    'select count(*)::int as count from app_public.slot where hospital_id = $1',
    [hospital.id],
  );
  expect(slots).toEqual([{ count: 4 * 14 }]);
  await expectInvariants(ownerPool);
});

async function cancelEverything(hospital: OpenHospital): Promise<void> {
  await ownerPool.query(
    "update app_public.appointment set status = 'cancelled' where hospital_id = $1 and holds_seat",
    [hospital.id],
  );
}
