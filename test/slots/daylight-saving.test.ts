import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { become, rolledBack } from '../helpers/actors.ts';
import { book, one, stored } from '../helpers/booking.ts';
import {
  changeTimeZone,
  previewSchedule,
  previewTimeZone,
  replaceSchedule,
  slotsOn,
  week,
} from '../helpers/calendar.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, type TestHospital } from '../helpers/hospital.ts';

// The days on which clocks change. What the wall clock of each zone shows comes from the tables of
// the JavaScript engine, so that the database is not asked about itself.

const { ownerPool } = await createDatabase();

type ChangeDay = { zone: string; day: string; hours: number; what: string };

const days: readonly ChangeDay[] = [
  { zone: 'America/New_York', day: '2027-03-14', hours: 23, what: '02:00 is 03:00' },
  { zone: 'America/New_York', day: '2027-11-07', hours: 25, what: '02:00 is 01:00' },
  { zone: 'Australia/Lord_Howe', day: '2027-10-03', hours: 23.5, what: '02:00 is 02:30' },
  { zone: 'Australia/Lord_Howe', day: '2027-04-04', hours: 24.5, what: '02:00 is 01:30' },
  { zone: 'Antarctica/Troll', day: '2027-03-28', hours: 22, what: '01:00 is 03:00' },
  { zone: 'Antarctica/Troll', day: '2027-10-31', hours: 26, what: '03:00 is 01:00' },
  { zone: 'Africa/Cairo', day: '2027-04-30', hours: 23, what: '00:00 is 01:00' },
  { zone: 'Africa/Cairo', day: '2027-10-28', hours: 25, what: '24:00 is 23:00' },
  { zone: 'Asia/Kolkata', day: '2027-03-28', hours: 24, what: 'nothing changes' },
];

describe.each(days)('$zone on $day, when $what', ({ zone, day, hours }) => {
  test('a day of round-the-clock work is cut into exactly its half hours', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openOn(db, zone, day, '00:00', '24:00');
      expect(await overlapsOf(db)).toEqual([]);
      const starts = await startsOn(db, hospital, day);
      expect(starts).toEqual(halfHoursOf(zone, day));
      expect(starts).toHaveLength(hours * 2);
    }));

  test('ordinary hours are as on every day', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openOn(db, zone, day, '09:00', '17:00');
      const starts = await startsOn(db, hospital, day);
      expect(starts).toHaveLength(16);
      expect([starts[0], starts.at(-1)]).toEqual(['09:00', '16:30']);
    }));

  test('the day is one day: its slots count in the doctor_day of its date', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openOn(db, zone, day, '00:00', '24:00');
      await db.query('update app_public.doctor set max_patients_per_day = 2');
      const { rows: slots } = await db.query<{ id: string }>(
        `select id from app_public.slot
         where doctor_id = $1 and (starts_at at time zone $2)::date = $3 order by starts_at`,
        [hospital.doctorIds[0], zone, day],
      );
      for (const [index, slot] of [slots[0], slots.at(-1)].entries()) {
        await db.query(
          `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
           values ($1, $2, $3, 'scheduled')`,
          [hospital.id, slot?.id, hospital.patientIds[index]],
        );
      }
      const { rows } = await db.query(
        'select day::text, booked_count from app_public.doctor_day where hospital_id = $1',
        [hospital.id],
      );
      expect(rows).toEqual([{ day, booked_count: 2 }]);
    }));
});

test('a break whose start was skipped begins when the clock goes on', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await openOn(db, 'America/New_York', '2027-03-14', '01:00', '05:00', [
      '02:00',
      '03:30',
    ]);
    expect(await startsOn(db, hospital, '2027-03-14')).toEqual([
      '01:00',
      '01:30',
      '03:30',
      '04:00',
      '04:30',
    ]);
    expect(await overlapsOf(db)).toEqual([]);
  }));

test('a break whose end seems to come before its start on that day is empty, and nothing is doubled', () =>
  rolledBack(ownerPool, async (db) => {
    // 02:45 is skipped and read as 03:45, later than 03:15.
    const hospital = await openOn(db, 'America/New_York', '2027-03-14', '01:00', '05:00', [
      '02:45',
      '03:15',
    ]);
    expect(await startsOn(db, hospital, '2027-03-14')).toEqual([
      '01:00',
      '01:30',
      '03:00',
      '03:45',
      '04:15',
    ]);
    expect(await overlapsOf(db)).toEqual([]);
    // Booking reads the same hours, and finds every slot that was cut from them within.
    const { rows } = await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
       select hospital_id, id, $2, 'scheduled' from app_public.slot
       where doctor_id = $1 and (starts_at at time zone 'America/New_York')::date = '2027-03-14'
       returning id`,
      [hospital.doctorIds[0], hospital.patientIds[0]],
    );
    expect(rows).toHaveLength(5);
  }));

test('two schedules that only seem apart on that day give no slot twice', () =>
  rolledBack(ownerPool, async (db) => {
    // 02:30 is read as 03:30, after the second schedule has begun.
    const hospital = await openOn(db, 'America/New_York', '2027-03-14', '01:00', '02:30');
    await db.query(
      `insert into app_public.schedule (hospital_id, doctor_id, location_id, weekday, start_time, end_time)
       values ($1, $2, $3, 7, '03:00', '05:00')`,
      [hospital.id, hospital.doctorIds[0], hospital.locationIds[0]],
    );
    await generateSlots(db, hospital);
    expect(await startsOn(db, hospital, '2027-03-14')).toEqual([
      '01:00',
      '01:30',
      '03:00',
      '03:30',
      '04:00',
      '04:30',
    ]);
    expect(await overlapsOf(db)).toEqual([]);
  }));

test('working hours that were skipped altogether give no slot', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await openOn(db, 'Antarctica/Troll', '2027-03-28', '01:00', '03:00');
    expect(await startsOn(db, hospital, '2027-03-28')).toEqual([]);
    expect(await startsOn(db, hospital, '2027-03-29')).toHaveLength(4);
    expect(await overlapsOf(db)).toEqual([]);
  }));

describe.each(days)('a week that changes across $day in $zone', ({ zone, day }) => {
  test('hours shifted by ten minutes: nothing overlaps or is empty, appointments keep their instants', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openOn(db, zone, day, '00:00', '24:00');
      const { rows: taken } = await db.query<{ id: string; starts_at: Date }>(
        `select id, starts_at from app_public.slot
         where doctor_id = $1 and (starts_at at time zone $2)::date = $3 order by starts_at`,
        [hospital.doctorIds[0], zone, day],
      );
      await become(db, hospital.admin);
      const booked = await book(db, {
        slotId: taken[7]?.id ?? '',
        patientId: hospital.patientIds[0] ?? '',
      });
      const shown = await shownAt(db, hospital, booked.id);
      const replacement = {
        doctorId: hospital.doctorIds[0],
        from: day,
        rows: week({ locationId: hospital.locationIds[0], start: '00:10', end: '24:00' }),
      };
      const preview = await previewSchedule(db, replacement);
      const change = await replaceSchedule(db, replacement);
      expect(change).toEqual(preview);
      expect(change.affected).toMatchObject([{ appointment_id: booked.id }]);
      expect(await stored(db, booked.id)).toMatchObject({
        starts_at: taken[7]?.starts_at,
        status: 'scheduled',
      });
      expect(await shownAt(db, hospital, booked.id)).toBe(shown);
      expect(await overlapsOf(db, true)).toEqual([]);

      // And back again: the day is cut as it was at first, with the appointment in its slot.
      await replaceSchedule(db, {
        ...replacement,
        rows: week({ locationId: hospital.locationIds[0], start: '00:00', end: '24:00' }),
      });
      expect(await startsOn(db, hospital, day)).toEqual(halfHoursOf(zone, day));
      expect(await overlapsOf(db, true)).toEqual([]);
      const { count } = await one<{ count: number }>(
        db,
        'select app_private.cut_slots($1, $2, $2) as count',
        [hospital.id, day],
      );
      expect(count).toBe(0);
    }));

  test('a hospital that moves into the zone has its hours on the new wall clock', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openOn(db, 'Etc/UTC', day, '09:00', '17:00');
      const { rows: slots } = await db.query<{ id: string; starts_at: Date }>(
        `select id, starts_at from app_public.slot
         where doctor_id = $1 and (starts_at at time zone 'UTC')::date = $2 order by starts_at`,
        [hospital.doctorIds[0], day],
      );
      await become(db, hospital.admin);
      const { id } = await book(db, {
        slotId: slots[0]?.id ?? '',
        patientId: hospital.patientIds[0] ?? '',
      });
      const preview = await previewTimeZone(db, zone);
      expect(await changeTimeZone(db, zone)).toEqual(preview);
      expect(await stored(db, id)).toMatchObject({ starts_at: slots[0]?.starts_at });
      const moved = { ...hospital, timeZone: zone };
      const offered = (await slotsOn(db, moved, day)).filter((slot) => !slot.is_retired);
      expect(offered.length).toBeGreaterThanOrEqual(15);
      expect(offered.every(({ start }) => start >= '09:00' && start < '17:00')).toBe(true);
      expect(await overlapsOf(db, true)).toEqual([]);
    }));
});

/** What the wall clock of the hospital shows at the start of an appointment. */
async function shownAt(
  db: ClientBase,
  hospital: TestHospital,
  appointmentId: string,
): Promise<string> {
  const { shown } = await one<{ shown: string }>(
    db,
    `select to_char(starts_at at time zone $2, 'YYYY-MM-DD HH24:MI') as shown
     from app_public.appointment where id = $1`,
    [appointmentId, hospital.timeZone],
  );
  return shown;
}

/** A hospital in this zone, the evening before that day, with these hours every day. */
async function openOn(
  db: ClientBase,
  timeZone: string,
  day: string,
  start: string,
  end: string,
  pause: readonly [string, string] | readonly [] = [],
): Promise<TestHospital> {
  const noonBefore = new Date(`${day}T12:00:00Z`);
  noonBefore.setUTCDate(noonBefore.getUTCDate() - 2);
  await setClock(db, noonBefore);
  const hospital = await createHospital(db, { timeZone, horizonDays: 4 });
  await db.query(
    `update app_public.schedule
     set start_time = $2, end_time = $3, break_start = $4, break_end = $5 where hospital_id = $1`,
    [hospital.id, start, end, pause[0] ?? null, pause[1] ?? null],
  );
  await generateSlots(db, hospital);
  return hospital;
}

async function startsOn(db: ClientBase, hospital: TestHospital, day: string): Promise<string[]> {
  const { starts } = await one<{ starts: string[] }>(
    db,
    `select coalesce(array_agg(to_char(starts_at at time zone $2, 'HH24:MI') order by starts_at), '{}') as starts
     from app_public.slot
     where doctor_id = $1 and (starts_at at time zone $2)::date = $3`,
    [hospital.doctorIds[0], hospital.timeZone, day],
  );
  return starts;
}

/** Slots that are not half an hour long, or overlap another of the same doctor. */
async function overlapsOf(db: ClientBase, exceptWithdrawn = false): Promise<unknown[]> {
  const { rows } = await db.query(
    `with slot as (
       select * from app_public.slot where withdrawn_at is null or not $1)
     select one.id from slot as one
     where one.ends_at - one.starts_at <> interval '30 minutes'
       or exists (
         select from slot as other
         where other.doctor_id = one.doctor_id and other.id <> one.id and other.during && one.during)`,
    [exceptWithdrawn],
  );
  return rows;
}

/** What the wall clock shows every half hour of absolute time from the start of that day to its end. */
function halfHoursOf(timeZone: string, day: string): string[] {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  const shown: string[] = [];
  const from = Date.parse(`${day}T00:00:00Z`) - 15 * 3_600_000;
  for (let at = from; at < from + 54 * 3_600_000; at += 1_800_000) {
    const [date, time = ''] = format.format(at).split(' ');
    if (date === day) shown.push(time);
  }
  return shown;
}
