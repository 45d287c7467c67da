import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { asWorker, become, rolledBack } from '../helpers/actors.ts';
import { book, one } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, slotsAhead } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 7 });
const [doctorId, otherDoctorId] = hospital.doctorIds;

// A Monday, in the afternoon of the day before.
const monday = '2027-02-01';
const sundayEvening = '2027-01-31T18:00:00+05:30';

test.each([
  [15, 28],
  [20, 21],
  [30, 14],
  [45, 9],
  [60, 7],
])('09–17 with a break at 13–14 is cut into slots of %i minutes: %i a day', (minutes, count) =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await db.query(
      'update app_public.doctor set slot_duration = make_interval(mins => $2) where id = $1',
      [doctorId, minutes],
    );
    expect(await generate(db, monday, monday)).toBe(count);

    const starts = await startsOn(db, monday);
    const expected = [
      ...startsBetween('09:00', '13:00', minutes),
      ...startsBetween('14:00', '17:00', minutes),
    ];
    expect(starts).toEqual(expected);
    const { rows } = await db.query(
      'select distinct extract(epoch from ends_at - starts_at)::int / 60 as minutes from app_public.slot',
    );
    expect(rows).toEqual([{ minutes }]);
  }),
);

test('slots carry the place, the schedule and the room of their schedule', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await db.query('update app_public.schedule set slot_capacity = 3 where doctor_id = $1', [
      doctorId,
    ]);
    await generate(db, monday, monday);
    const { rows } = await db.query(
      `select distinct slot.location_id, slot.capacity, slot.booked_count, slot.status, schedule.weekday
       from app_public.slot join app_public.schedule on schedule.id = slot.schedule_id`,
    );
    expect(rows).toEqual([
      {
        location_id: hospital.locationIds[0],
        capacity: 3,
        booked_count: 0,
        status: 'available',
        weekday: 1,
      },
    ]);
  }));

test('generating again changes nothing, also beside bookings and blocks', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    const first = await generateSlots(db, hospital);
    const slotIds = await slotsAhead(db, hospital);
    await become(db, hospital.receptionist);
    await book(db, { slotId: nth(slotIds, 0), patientId: nth(hospital.patientIds, 0) });
    await db.query("select app_public.block_slot($1, 'cleaning')", [slotIds[1]]);
    const before = await allSlots(db);

    await asWorker(db);
    expect(first).toBe(2 * 14 * 7);
    expect(await generateSlots(db, hospital)).toBe(0);
    expect(await allSlots(db)).toEqual(before);
  }));

test('what is missing is filled in, what is withdrawn is cut anew', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await generate(db, monday, monday);
    await db.query(
      "delete from app_public.slot where (starts_at at time zone 'Asia/Kolkata')::time = '09:30'",
    );
    await db.query(
      "update app_public.slot set withdrawn_at = now() where (starts_at at time zone 'Asia/Kolkata')::time = '14:00'",
    );
    expect(await generate(db, monday, monday)).toBe(2);
    expect(await startsOn(db, monday)).toHaveLength(15);
  }));

test('a slot of another length that is still offered is left alone, with what overlaps it', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await generate(db, monday, monday);
    await db.query(
      `delete from app_public.slot where (starts_at at time zone 'Asia/Kolkata')::time <> '10:30'`,
    );
    await db.query("update app_public.doctor set slot_duration = '60 minutes' where id = $1", [
      doctorId,
    ]);
    expect(await generate(db, monday, monday)).toBe(6);
    expect(await startsOn(db, monday)).toEqual([
      '09:00',
      '10:30',
      '11:00',
      '12:00',
      '14:00',
      '15:00',
      '16:00',
    ]);
  }));

test('the part of today that has passed is not generated', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, `${monday}T15:30:00+05:30`);
    expect(await generate(db, '2027-01-30', monday)).toBe(2);
    expect(await startsOn(db, monday)).toEqual(['16:00', '16:30']);
  }));

test('the horizon reaches from today to the last bookable day', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await generateSlots(db, hospital);
    const { rows } = await db.query(
      `select min((starts_at at time zone $1)::date)::text as first, max((starts_at at time zone $1)::date)::text as last
       from app_public.slot`,
      [hospital.timeZone],
    );
    expect(rows).toEqual([{ first: monday, last: '2027-02-07' }]);
  }));

describe('nothing is generated', () => {
  const reasons = {
    'for a schedule that is not active': `update app_public.schedule set is_active = false where doctor_id = $1`,
    'for a doctor who left': `update app_public.doctor set is_active = false where id = $1`,
    'at a place that was closed': `update app_public.location set is_active = false
      where id in (select location_id from app_public.schedule where doctor_id = $1)`,
    'before a schedule begins to hold': `update app_public.schedule set effective_from = '2027-02-02' where doctor_id = $1`,
    'after a schedule ceased to hold': `update app_public.schedule set effective_until = '2027-01-31' where doctor_id = $1`,
    'on another weekday': `delete from app_public.schedule where doctor_id = $1 and weekday = 1`,
  };
  test.each(Object.entries(reasons))('%s', (_, statement) =>
    rolledBack(ownerPool, async (db) => {
      await setClock(db, sundayEvening);
      await db.query(statement, [doctorId]);
      expect(await generate(db, monday, monday)).toBe(0);
    }),
  );
});

test.each(['effective_from', 'effective_until'])(
  'on the very day of %s there are slots',
  (column) =>
    rolledBack(ownerPool, async (db) => {
      await setClock(db, sundayEvening);
      await db.query(`update app_public.schedule set ${column} = $2 where doctor_id = $1`, [
        doctorId,
        monday,
      ]);
      expect(await generate(db, monday, monday)).toBe(14);
    }),
);

test('a doctor who takes nobody at present still has slots, for later', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await db.query('update app_public.doctor set is_available = false where id = $1', [doctorId]);
    expect(await generate(db, monday, monday)).toBe(14);
  }));

test('without a doctor named, all doctors of the hospital and of no other get their slots', () =>
  rolledBack(ownerPool, async (db) => {
    const stranger = await createHospital(db);
    await setClock(db, sundayEvening);
    await become(db, hospital.admin);
    const { count } = await one<{ count: number }>(
      db,
      'select app_public.generate_slots(first_day => $1, last_day => $1) as count',
      [monday],
    );
    expect(count).toBe(28);
    await asWorker(db);
    const { rows } = await db.query(
      'select doctor_id, count(*)::int as slots from app_public.slot group by doctor_id',
    );
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([
        { doctor_id: doctorId, slots: 14 },
        { doctor_id: otherDoctorId, slots: 14 },
      ]),
    );
    expect(stranger.id).not.toBe(hospital.id);
  }));

test('an admin asks for a range that is one', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const [first, last] of [
      ['2027-02-02', '2027-02-01'],
      ['2027-02-01', '2028-02-03'],
    ]) {
      const refusal = await refusalOf(db, () =>
        db.query('select app_public.generate_slots($1, $2)', [first, last]),
      );
      expect(refusal).toMatchObject({
        code: 'SK400',
        scenario: 'invalid_range',
        details: { first_day: first, last_day: last },
      });
    }
  }));

test('only admins and jobs generate', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.patient,
      hospital.doctor,
      hospital.nurse,
      hospital.receptionist,
    ]) {
      await become(db, actor);
      const error = await errorOf(db, () =>
        db.query('select app_public.generate_slots($1, $1)', [monday]),
      );
      expect(error.code, actor.role).toBe('42501');
    }
  }));

test('an admin cannot generate in another hospital', () =>
  rolledBack(ownerPool, async (db) => {
    const stranger = await createHospital(db);
    await setClock(db, sundayEvening);
    await become(db, hospital.admin);
    const { count } = await one<{ count: number }>(
      db,
      'select app_private.cut_slots($1, $2, $2) as count',
      [stranger.id, monday],
    );
    expect(count).toBe(0);
  }));

async function generate(db: ClientBase, first: string, last: string): Promise<number> {
  const { count } = await one<{ count: number }>(
    db,
    'select app_private.cut_slots($1, $2, $3, $4) as count',
    [hospital.id, first, last, doctorId],
  );
  return count;
}

async function startsOn(db: ClientBase, day: string): Promise<string[]> {
  const { rows } = await db.query<{ start: string }>(
    `select to_char(starts_at at time zone $1, 'HH24:MI') as start from app_public.slot
     where doctor_id = $2 and (starts_at at time zone $1)::date = $3 order by starts_at, withdrawn_at`,
    [hospital.timeZone, doctorId, day],
  );
  return rows.map(({ start }) => start);
}

/** Starts of slots of this length, as many as end by `end`. */
function startsBetween(start: string, end: string, minutes: number): string[] {
  const starts: string[] = [];
  for (let at = minutesOf(start); at + minutes <= minutesOf(end); at += minutes) {
    starts.push(`${pad(Math.floor(at / 60))}:${pad(at % 60)}`);
  }
  return starts;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}

async function allSlots(db: ClientBase): Promise<unknown[]> {
  const { rows } = await db.query('select * from app_public.slot order by id');
  return rows;
}
