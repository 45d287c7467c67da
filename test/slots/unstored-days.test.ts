// Days that have no rows yet: the answer is computed, and it is the same after their slots are cut.
import fc from 'fast-check';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { bookers } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type FreeSlot, freeSlotsOf, searchFreeSlots } from '../helpers/free-slots.ts';
import { createHospital, insert, type TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 2, timeZone: 'UTC' });
const [doctorId] = hospital.doctorIds;
/** A Monday, long before any change of clocks. */
const evening = '2026-01-04T20:00:00Z';

test('days without rows are offered, by doctor and time alone, and nothing is written', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, evening);
    for (const actor of bookers(hospital)) {
      await become(db, actor);
      const offered = await freeSlotsOf(db, doctorId);
      expect(offered).toHaveLength(2 * 14);
      expect(offered[0]).toMatchObject({
        slot_id: null,
        doctor_id: doctorId,
        location_id: hospital.locationIds[0],
        starts_at: new Date('2026-01-05T09:00:00Z'),
        ends_at: new Date('2026-01-05T09:30:00Z'),
        capacity: 1,
        seats_left: 1,
      });
      const starts = offered.map(({ starts_at }) => starts_at.getTime());
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    }
    const { rows } = await db.query('select from app_public.slot');
    expect(rows).toEqual([]);
  }));

test('a day has its rows or its grid, never both', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, evening);
    await cut(db, '2026-01-05');
    await db.query(
      `delete from app_public.slot where starts_at <> '2026-01-05T11:00Z' and doctor_id = $1`,
      [doctorId],
    );
    await become(db, hospital.patient);
    const offered = await freeSlotsOf(db, doctorId);
    expect(offered.filter(({ slot_id }) => slot_id !== null)).toHaveLength(1);
    expect(offered).toHaveLength(1 + 14);
  }));

test('slots of today that have begun are not offered', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2026-01-05T15:30:00Z');
    await become(db, hospital.patient);
    expect((await freeSlotsOf(db, doctorId))[0]?.starts_at).toEqual(
      new Date('2026-01-05T16:00:00Z'),
    );
  }));

test.each([
  ['its location is closed', 'update app_public.location set is_active = false'],
  ['its schedule is switched off', 'update app_public.schedule set is_active = false'],
  ['its schedule begins later', "update app_public.schedule set effective_from = '2026-02-01'"],
  ['its schedule has ended', "update app_public.schedule set effective_until = '2026-01-04'"],
  ['the doctor is gone', 'update app_public.doctor set is_active = false'],
])('a day is not computed when %s', (_, change) =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, evening);
    await db.query(change);
    await become(db, hospital.patient);
    expect(await freeSlotsOf(db, doctorId)).toEqual([]);
  }),
);

test('a holiday is not computed, one that is cancelled or of another day is', () =>
  rolledBack(ownerPool, async (db) => {
    const holiday = (date: string, more = {}) =>
      insert(db, 'holiday', { hospital_id: hospital.id, name: 'Closed', date, ...more });
    await setClock(db, '2018-12-01T12:00:00Z');
    await holiday('2025-01-05');
    const calledOff = await holiday('2026-01-05');
    await db.query('update app_public.holiday set is_active = false where id = $1', [calledOff]);
    await setClock(db, evening);
    await become(db, hospital.patient);
    expect(await freeSlotsOf(db, doctorId)).toHaveLength(28);
    await asOwner(db);
    await setClock(db, '2018-12-01T12:00:00Z');
    await holiday('2019-01-06', { is_recurring: true });
    await setClock(db, evening);
    await become(db, hospital.patient);
    const offered = await freeSlotsOf(db, doctorId);
    expect(offered.map(({ starts_at }) => starts_at.toISOString().slice(0, 10))).toEqual(
      Array(14).fill('2026-01-05'),
    );
  }));

test('an absence takes the slots that it touches, also from patients who may not see it', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, evening);
    const absence = (start_time: string, end_time: string) =>
      insert(db, 'absence', {
        hospital_id: hospital.id,
        doctor_id: doctorId,
        type: 'personal',
        first_day: '2026-01-05',
        last_day: '2026-01-05',
        start_time,
        end_time,
      });
    await absence('09:15', '10:30');
    const calledOff = await absence('12:00', '13:00');
    await db.query("update app_public.absence set status = 'cancelled' where id = $1", [calledOff]);
    await become(db, hospital.patient);
    const offered = await freeSlotsOf(db, doctorId);
    expect(offered[0]?.starts_at).toEqual(new Date('2026-01-05T10:30:00Z'));
    expect(offered).toHaveLength(28 - 3);
  }));

test('a slot whose schedule was switched off is not offered, nor one that now lies in a break', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, evening);
    await cut(db, '2026-01-05');
    await cut(db, '2026-01-06');
    await db.query(
      "update app_public.schedule set break_start = '10:00', break_end = '11:00' where weekday = 1",
    );
    await db.query('update app_public.schedule set is_active = false where weekday = 2');
    await become(db, hospital.patient);
    const starts = (await freeSlotsOf(db, doctorId)).map(({ starts_at }) =>
      starts_at.toISOString().slice(0, 16),
    );
    expect(starts).toHaveLength(12);
    expect(starts).not.toContain('2026-01-05T10:00');
    expect(starts).not.toContain('2026-01-05T10:30');
  }));

test('an unknown service is refused, on computed days as on others', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    const serviceId = doctorId;
    const refusal = await refusalOf(db, () => freeSlotsOf(db, doctorId, { serviceId }));
    expect(refusal).toMatchObject({ scenario: 'service_not_found' });
  }));

/** A day's hours of one schedule, in quarters of an hour. */
const hours = fc
  .record({
    start: fc.integer({ min: 0, max: 80 }),
    length: fc.integer({ min: 1, max: 40 }),
    pause: fc.option(fc.tuple(fc.integer({ min: 0, max: 39 }), fc.integer({ min: 1, max: 12 }))),
    capacity: fc.integer({ min: 1, max: 3 }),
    place: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ start, length, pause, capacity, place }) => {
    const end = Math.min(96, start + length);
    const from = pause && start + pause[0];
    const isPaused = pause !== null && from !== null && from + pause[1] <= end;
    return {
      start,
      end,
      pause: isPaused ? ([from, from + pause[1]] as const) : null,
      capacity,
      place,
    };
  });

/** Those that begin after the one before has ended. */
function apart<T extends { start: number; end: number }>(shifts: readonly T[]): T[] {
  const chosen: T[] = [];
  for (const shift of shifts.toSorted((a, b) => a.start - b.start)) {
    if ((chosen.at(-1)?.end ?? 0) <= shift.start) chosen.push(shift);
  }
  return chosen;
}

const calendar = fc.record({
  shifts: fc.array(hours, { minLength: 1, maxLength: 3 }).map(apart),
  minutes: fc.constantFrom(5, 15, 20, 30, 45, 60),
  zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
  day: fc.constantFrom(
    '2026-03-08',
    '2026-03-29',
    '2026-04-05',
    '2026-10-04',
    '2026-10-25',
    '2026-11-01',
    '2026-06-10',
  ),
  clockHour: fc.integer({ min: -12, max: 20 }),
  service: fc.option(
    fc.record({
      duration: fc.option(fc.constantFrom(5, 15, 20, 30, 50, 90, 240)),
      before: fc.constantFrom(0, 5, 15, 40, 120),
      after: fc.constantFrom(0, 10, 30, 120),
    }),
  ),
});

type Calendar = typeof calendar extends fc.Arbitrary<infer T> ? T : never;

test('what is computed of a day is what is there once its slots are cut', async () => {
  const seed = Number(process.env.SLOTKEEPER_SEED ?? Math.trunc(Math.random() * 2 ** 31));
  let offered = 0;
  await fc
    .assert(
      fc.asyncProperty(calendar, (each) =>
        rolledBack(ownerPool, async (db) => {
          const { own, serviceId } = await build(db, each);
          const wish = serviceId === undefined ? {} : { serviceId };
          const search = { first_day: each.day, last_day: each.day, page_size: 100 };
          const both = async () => {
            await become(db, own.patient);
            return {
              free: (await freeSlotsOf(db, own.doctorIds[0], wish)).map(withoutRow),
              found: (
                await searchFreeSlots(db, {
                  ...search,
                  ...(serviceId === undefined ? {} : { service_id: serviceId }),
                })
              ).map(withoutRow),
            };
          };
          const computed = await both();
          offered += computed.free.length;
          await asOwner(db);
          await cut(db, each.day, own);
          expect(await both()).toEqual(computed);
        }),
      ),
      { seed, numRuns: 120 },
    )
    .catch((error: unknown) => {
      throw new Error(`SLOTKEEPER_SEED=${seed} repeats this`, { cause: error });
    });
  expect(offered).toBeGreaterThan(0);
}, 180_000);

const clock = (quarter: number) =>
  `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`;

async function build(
  db: ClientBase,
  { shifts, minutes, zone, day, clockHour, service }: Calendar,
): Promise<{ own: TestHospital; serviceId: string | undefined }> {
  const own = await createHospital(db, { timeZone: zone, horizonDays: 1, slotMinutes: minutes });
  await setClock(
    db,
    new Date(Date.parse(`${day}T00:00:00Z`) + clockHour * 3_600_000).toISOString(),
  );
  await db.query('delete from app_public.schedule where hospital_id = $1', [own.id]);
  for (const { start, end, pause, capacity, place } of shifts) {
    await db.query(
      `insert into app_public.schedule
         (hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end, slot_capacity)
       values ($1, $2, $3, extract(isodow from $4::date), $5, $6, $7, $8, $9)`,
      [
        own.id,
        own.doctorIds[0],
        nth(own.locationIds, place),
        day,
        clock(start),
        clock(end),
        pause && clock(pause[0]),
        pause && clock(pause[1]),
        capacity,
      ],
    );
  }
  const serviceId =
    service &&
    (await insert(db, 'service', {
      hospital_id: own.id,
      name: 'Special',
      duration: service.duration && `${service.duration} minutes`,
      buffer_before: `${service.before} minutes`,
      buffer_after: `${service.after} minutes`,
    }));
  return { own, serviceId: serviceId ?? undefined };
}

function withoutRow({ slot_id: _, ...rest }: FreeSlot) {
  return rest;
}

async function cut(db: ClientBase, day: string, of = hospital): Promise<void> {
  await db.query('select app_private.cut_slots($1, $2, $2)', [of.id, day]);
}
