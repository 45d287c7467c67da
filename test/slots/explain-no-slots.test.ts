import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, bookers, hold } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { explainNoSlots, searchFreeSlots, type Wishes } from '../helpers/free-slots.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

type Scene = {
  db: ClientBase;
  hospital: TestHospital;
  doctorId: string;
  /** Reasons of these days of the first doctor: day, reason and details. */
  reasons(wishes?: Wishes): Promise<[string, string, Record<string, unknown>][]>;
  /** Changes something as an operator. */
  change(statement: string, values?: unknown[]): Promise<void>;
};

/** Monday 2026-01-05, 08:00 in UTC; slots of an hour from 9 to 13 and 14 to 17; three days to book in. */
const scene = (story: (scene: Scene) => Promise<void>) =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await createHospital(db, {
      timeZone: 'UTC',
      horizonDays: 2,
      slotMinutes: 60,
      patientCount: 8,
    });
    await setClock(db, '2026-01-05T08:00:00Z');
    const [doctorId] = hospital.doctorIds;
    await become(db, hospital.receptionist);
    await story({
      db,
      hospital,
      doctorId,
      async reasons(wishes = {}) {
        const rows = await explainNoSlots(db, { doctor_id: doctorId, ...wishes });
        return rows.map(({ day, reason, details }) => [day, reason, details]);
      },
      async change(statement, values = []) {
        await asOwner(db);
        await db.query(statement, values);
        await become(db, hospital.receptionist);
      },
    });
  });

const monday = { first_day: '2026-01-05', last_day: '2026-01-05' };

/** Stores the slots of Monday and returns their ids. */
async function stored({ db, hospital, change, doctorId }: Scene): Promise<string[]> {
  await change("select app_private.cut_slots($1, '2026-01-05', '2026-01-05')", [hospital.id]);
  const { rows } = await db.query<{ id: string }>(
    'select id from app_public.slot where doctor_id = $1 order by starts_at',
    [doctorId],
  );
  return rows.map(({ id }) => id);
}

test('days with a free slot are not listed, stored or not', () =>
  scene(async (each) => {
    expect(await each.reasons()).toEqual([]);
    await stored(each);
    expect(await each.reasons()).toEqual([]);
  }));

test('past and beyond_horizon: the days on both sides of what can be booked', () =>
  scene(async ({ reasons }) => {
    expect(await reasons({ first_day: '2026-01-03', last_day: '2026-01-09' })).toEqual([
      ['2026-01-03', 'past', {}],
      ['2026-01-04', 'past', {}],
      ['2026-01-08', 'beyond_horizon', { last_day: '2026-01-07' }],
      ['2026-01-09', 'beyond_horizon', { last_day: '2026-01-07' }],
    ]);
  }));

test('past: today, when its last slot has begun, stored or not', () =>
  scene(async (each) => {
    await stored(each);
    await setClock(each.db, '2026-01-05T16:00:00Z');
    expect(await each.reasons(monday)).toEqual([['2026-01-05', 'past', {}]]);
    await each.change('delete from app_public.slot');
    expect(await each.reasons(monday)).toEqual([['2026-01-05', 'past', {}]]);
  }));

test('doctor_unavailable and doctor_inactive', () =>
  scene(async ({ reasons, change, doctorId }) => {
    await change('update app_public.doctor set is_available = false where id = $1', [doctorId]);
    expect(await reasons(monday)).toEqual([['2026-01-05', 'doctor_unavailable', {}]]);
    await change('update app_public.doctor set is_active = false where id = $1', [doctorId]);
    expect(await reasons(monday)).toEqual([['2026-01-05', 'doctor_inactive', {}]]);
  }));

test('hospital_holiday, with its name', () =>
  scene(async ({ hospital, reasons, change }) => {
    await change(
      "insert into app_public.holiday (hospital_id, name, date) values ($1, 'Rest', '2026-01-06')",
      [hospital.id],
    );
    expect(await reasons()).toEqual([['2026-01-06', 'hospital_holiday', { holiday: 'Rest' }]]);
  }));

test('no_working_hours: not on this weekday, not at this location, or not any more', () =>
  scene(async (each) => {
    const { hospital, reasons, change } = each;
    const [, annex] = hospital.locationIds;
    expect(await reasons({ ...monday, location_id: annex })).toEqual([
      ['2026-01-05', 'no_working_hours', { location_id: annex }],
    ]);
    await change('delete from app_public.schedule where hospital_id = $1 and weekday = 2', [
      hospital.id,
    ]);
    expect(await reasons()).toEqual([['2026-01-06', 'no_working_hours', {}]]);
    await stored(each);
    await change('update app_public.schedule set is_active = false where hospital_id = $1', [
      hospital.id,
    ]);
    expect(await reasons(monday)).toEqual([['2026-01-05', 'no_working_hours', {}]]);
  }));

test('doctor_absent, before the day is stored and after', () =>
  scene(async (each) => {
    const { hospital, reasons, change, doctorId } = each;
    await change(
      `insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day)
       values ($1, $2, 'sick_leave', '2026-01-05', '2026-01-05')`,
      [hospital.id, doctorId],
    );
    expect(await reasons()).toEqual([['2026-01-05', 'doctor_absent', {}]]);
    await stored(each);
    await change(
      `update app_public.slot set absence_id = absence.id
       from app_public.absence where absence.doctor_id = slot.doctor_id`,
    );
    expect(await reasons()).toEqual([['2026-01-05', 'doctor_absent', {}]]);
  }));

test('full, until a seat is free again', () =>
  scene(async (each) => {
    const { db, hospital, reasons } = each;
    const slotIds = await stored(each);
    for (const [index, slotId] of slotIds.entries()) {
      const wish = { slotId, patientId: nth(hospital.patientIds, index) };
      if (index === 2) await hold(db, wish);
      else await book(db, wish);
    }
    expect(await reasons()).toEqual([['2026-01-05', 'full', { booked_slots: 7 }]]);
    await moveClock(db, '5 minutes');
    expect(await reasons()).toEqual([]);
  }));

test('blocked: all slots are kept free by hand; full when somebody has one of them', () =>
  scene(async (each) => {
    const { db, hospital, reasons } = each;
    const [first = '', ...others] = await stored(each);
    for (const slotId of others) {
      await db.query("select app_public.block_slot($1, 'cleaning')", [slotId]);
    }
    expect(await reasons()).toEqual([]);
    await db.query('savepoint free');
    await db.query("select app_public.block_slot($1, 'cleaning')", [first]);
    expect(await reasons()).toEqual([['2026-01-05', 'blocked', { blocked_slots: 7 }]]);
    await db.query('rollback to savepoint free');
    await book(db, { slotId: first, patientId: nth(hospital.patientIds, 0) });
    expect(await reasons()).toEqual([
      ['2026-01-05', 'full', { booked_slots: 1, blocked_slots: 6 }],
    ]);
  }));

test('daily_limit_reached, with the limit', () =>
  scene(async (each) => {
    const { db, hospital, reasons, change, doctorId } = each;
    const [first = ''] = await stored(each);
    await change('update app_public.doctor set max_patients_per_day = 1 where id = $1', [doctorId]);
    await book(db, { slotId: first, patientId: nth(hospital.patientIds, 0) });
    expect(await reasons()).toEqual([['2026-01-05', 'daily_limit_reached', { max_patients: 1 }]]);
  }));

test('too_short_for_service: free slots, but too few in a row', () =>
  scene(async (each) => {
    const { db, hospital, reasons, change } = each;
    await change(
      `insert into app_public.service (hospital_id, name, duration) values ($1, 'Long', '3 hours')`,
      [hospital.id],
    );
    const { rows } = await db.query<{ id: string }>(
      "select id from app_public.service where name = 'Long'",
    );
    const service_id = rows[0]?.id ?? '';
    expect(await reasons({ service_id })).toEqual([]);
    const slotIds = await stored(each);
    for (const index of [1, 5]) {
      const patientId = nth(hospital.patientIds, index);
      await book(db, { slotId: nth(slotIds, index), patientId });
    }
    expect(await reasons({ service_id })).toEqual([
      ['2026-01-05', 'too_short_for_service', { service_id, free_slots: 5 }],
    ]);
    expect(await reasons()).toEqual([]);
  }));

test('outside_wished_hours: something is free, but at other hours', () =>
  scene(async ({ reasons }) => {
    expect(await reasons({ ...monday, latest_time: '08:00' })).toEqual([
      ['2026-01-05', 'outside_wished_hours', { first_start: '2026-01-05T09:00:00+00:00' }],
    ]);
    expect(await reasons({ ...monday, earliest_time: '16:30' })).toHaveLength(1);
    expect(await reasons({ ...monday, earliest_time: '16:00' })).toEqual([]);
  }));

test('a day has a reason exactly when the search finds nothing on it, for everybody', () =>
  scene(async (each) => {
    const { db, hospital, change, doctorId } = each;
    const slotIds = await stored(each);
    await db.query("select app_public.block_slot($1, 'cleaning')", [slotIds[0]]);
    await change(
      `insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day, start_time, end_time)
       values ($1, $2, 'personal', '2026-01-06', '2026-01-06', '00:00', '16:00')`,
      [hospital.id, doctorId],
    );
    const wishes: Wishes[] = [
      {},
      { latest_time: '09:30' },
      { earliest_time: '16:00' },
      { weekdays: [2], latest_time: '15:00' },
      { specialty: 'general medicine', weekdays: [1, 3] },
      { location_id: hospital.locationIds[1] },
    ];
    for (const actor of bookers(hospital)) {
      await become(db, actor);
      for (const wish of wishes) {
        const range = { first_day: '2026-01-05', last_day: '2026-01-07' };
        const found = await searchFreeSlots(db, { ...range, ...wish, page_size: 100 });
        const free = new Set(
          found.map((row) => `${row.starts_at.toISOString().slice(0, 10)} ${row.doctor_id}`),
        );
        const closed = (await explainNoSlots(db, { ...range, ...wish })).map(
          ({ day, doctor_id }) => `${day} ${doctor_id}`,
        );
        const asked = ['2026-01-05', '2026-01-06', '2026-01-07']
          .filter((day) => wish.weekdays?.includes(new Date(day).getUTCDay()) ?? true)
          .flatMap((day) => hospital.doctorIds.map((id) => `${day} ${id}`));
        expect(closed.toSorted()).toEqual(asked.filter((each) => !free.has(each)).toSorted());
      }
    }
  }));

test('2,000 days of doctors are explained, more are not', () =>
  scene(async ({ db, hospital }) => {
    const range = (last_day: string) => explainNoSlots(db, { first_day: '2026-01-05', last_day });
    expect(await range('2028-09-30')).toHaveLength(2_000 - 2 * 3);
    expect(await refusalOf(db, () => range('2028-10-01'))).toMatchObject({
      scenario: 'invalid_range',
      details: { doctors: 2, most_doctor_days: 2_000 },
    });
    expect(
      await refusalOf(db, () =>
        explainNoSlots(db, { doctor_id: hospital.doctorIds[0], last_day: '9999-12-31' }),
      ),
    ).toMatchObject({ scenario: 'invalid_range' });
  }));

test('it refuses the same wishes as the search', () =>
  scene(async ({ db }) => {
    const refused: [Wishes, string][] = [
      [{ first_day: '2026-01-08', last_day: '2026-01-07' }, 'invalid_range'],
      [{ first_day: 'infinity', last_day: 'infinity' }, 'invalid_range'],
      [{ earliest_time: '10:00', latest_time: '09:59' }, 'invalid_range'],
      [{ weekdays: [9] }, 'invalid_input'],
      [{ doctor_id: randomUUID() }, 'doctor_not_found'],
      [{ location_id: randomUUID() }, 'location_not_found'],
      [{ service_id: randomUUID() }, 'service_not_found'],
    ];
    for (const [wish, scenario] of refused) {
      expect(await refusalOf(db, () => explainNoSlots(db, wish))).toMatchObject({ scenario });
    }
  }));
