import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { slotsOn } from '../helpers/calendar.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, insert } from '../helpers/hospital.ts';
import { refusalOf } from '../helpers/refusals.ts';

// Which days get slots: holidays none, absences closed ones, far days on demand.

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 10 });
const stranger = await createHospital(ownerPool, { horizonDays: 10 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const monday = '2027-02-01';
const sundayEvening = '2027-01-31T18:00:00+05:30';

function story(tell: (db: ClientBase) => Promise<void>) {
  return rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await tell(db);
  });
}

/** A holiday that was entered years ago. */
async function holiday(db: ClientBase, values: Readonly<Record<string, unknown>>): Promise<string> {
  await setClock(db, '2019-01-01T12:00:00+05:30');
  const id = await insert(db, 'holiday', { hospital_id: hospital.id, name: 'Feast', ...values });
  await setClock(db, sundayEvening);
  return id;
}

describe('holidays', () => {
  const holidays: readonly [string, string, boolean, boolean, number][] = [
    ['of that day', monday, false, true, 0],
    ['of that day in another year', '2020-02-01', false, true, 14],
    ['that returns every year', '2020-02-01', true, true, 0],
    ['that was called off', monday, false, false, 14],
    ['of the same day in another month', '2020-03-01', true, true, 14],
  ];
  test.each(holidays)('one %s', (_, date, is_recurring, is_active, count) =>
    story(async (db) => {
      const id = await holiday(db, { date, is_recurring });
      await db.query('update app_public.holiday set is_active = $2 where id = $1 and not $2', [
        id,
        is_active,
      ]);
      await insert(db, 'holiday', { hospital_id: stranger.id, name: 'Feast', date: '2027-02-02' });
      await generateSlots(db, hospital);
      expect(await slotsOn(db, hospital, monday)).toHaveLength(count);
      expect(await slotsOn(db, hospital, '2027-02-02')).toHaveLength(14);
    }),
  );

  test('29 February is one only in the years that have it', () =>
    story(async (db) => {
      await holiday(db, { date: '2024-02-29', is_recurring: true });
      const cut = (day: string) =>
        db.query('select app_private.cut_slots($1, $2, $2)', [hospital.id, day]);
      for (const day of ['2027-02-28', '2027-03-01', '2028-02-28', '2028-02-29', '2028-03-01'])
        await cut(day);
      const counts = [];
      for (const day of ['2027-02-28', '2027-03-01', '2028-02-28', '2028-02-29', '2028-03-01']) {
        counts.push((await slotsOn(db, hospital, day)).length);
      }
      expect(counts).toEqual([14, 14, 14, 0, 14]);
    }));
});

describe('absences', () => {
  const absence = (db: ClientBase, values: Readonly<Record<string, unknown>>) =>
    insert(db, 'absence', {
      hospital_id: hospital.id,
      doctor_id: doctorId,
      type: 'annual_leave',
      first_day: monday,
      last_day: monday,
      during: `[${monday} 00:00+05:30, 2027-02-02 00:00+05:30)`,
      ...values,
    });

  test('close the slots that they touch, and those of no other doctor or time', () =>
    story(async (db) => {
      const id = await absence(db, {
        start_time: '09:45',
        end_time: '11:00',
        during: `[${monday} 09:45+05:30, ${monday} 11:00+05:30)`,
      });
      await absence(db, {
        start_time: '14:00',
        end_time: '15:00',
        during: `[${monday} 14:00+05:30, ${monday} 15:00+05:30)`,
      }).then((cancelled) =>
        db.query("update app_public.absence set status = 'cancelled' where id = $1", [cancelled]),
      );
      await generateSlots(db, hospital);
      const { rows } = await db.query(
        `select to_char(starts_at at time zone 'Asia/Kolkata', 'HH24:MI') as start, status, absence_id
         from app_public.slot where absence_id is not null order by starts_at`,
      );
      expect(rows).toEqual(
        ['09:30', '10:00', '10:30'].map((start) => ({ start, status: 'blocked', absence_id: id })),
      );
    }));

  test('two that touch one slot close it once', () =>
    story(async (db) => {
      await absence(db, {
        start_time: '09:00',
        end_time: '09:10',
        during: `[${monday} 09:00+05:30, ${monday} 09:10+05:30)`,
      });
      await absence(db, {
        start_time: '09:20',
        end_time: '09:30',
        during: `[${monday} 09:20+05:30, ${monday} 09:30+05:30)`,
      });
      await generateSlots(db, hospital);
      const slots = await slotsOn(db, hospital, monday);
      expect(slots).toHaveLength(14);
      expect(slots.filter(({ status }) => status === 'blocked')).toHaveLength(1);
    }));
});

describe('days that are stored', () => {
  test('fewer than can be booked, or more', () =>
    story(async (db) => {
      const last = async (days: number | null) => {
        await db.query('update app_public.hospital set generated_days = $2 where id = $1', [
          hospital.id,
          days,
        ]);
        await generateSlots(db, hospital);
        const { day } = await one<{ day: string }>(
          db,
          `select max((starts_at at time zone 'Asia/Kolkata')::date)::text as day from app_public.slot
           where hospital_id = $1`,
          [hospital.id],
        );
        return day;
      };
      expect(await last(3)).toBe('2027-02-03');
      expect(await last(null)).toBe('2027-02-10');
      expect(await last(12)).toBe('2027-02-12');
    }));
});

describe('a day is made real', () => {
  const materialise = async (
    db: ClientBase,
    day: string | null,
    doctor: string | null = doctorId,
  ) =>
    (
      await one<{ count: number }>(db, 'select app_private.materialise_day($1, $2, $3) as count', [
        hospital.id,
        doctor,
        day,
      ])
    ).count;

  test('by anybody who may book, as a whole and once', () =>
    story(async (db) => {
      const actors = [
        hospital.patient,
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
        hospital.admin,
      ];
      for (const [index, actor] of actors.entries()) {
        await become(db, actor);
        const day = `2027-02-0${index + 2}`;
        expect(await materialise(db, day), actor.role).toBe(14);
        expect(await materialise(db, day), actor.role).toBe(0);
        expect(await slotsOn(db, hospital, day)).toHaveLength(14);
        expect(await slotsOn(db, hospital, day, otherDoctorId)).toEqual([]);
      }
    }));

  test('a day that has some rows is left as it is; one whose rows were all withdrawn is cut anew', () =>
    story(async (db) => {
      await materialise(db, monday);
      await db.query("delete from app_public.slot where starts_at > '2027-02-01 12:00+05:30'");
      expect(await materialise(db, monday)).toBe(0);
      await db.query("update app_public.slot set withdrawn_at = '2027-01-31'");
      expect(await materialise(db, monday)).toBe(14);
    }));

  test('only from today to the last bookable day', () =>
    story(async (db) => {
      for (const day of ['2027-01-30', '2027-02-11', null])
        expect(await materialise(db, day), String(day)).toBe(0);
      expect(await materialise(db, monday, null)).toBe(0);
      expect(await materialise(db, '2027-02-10')).toBe(14);
    }));

  test('not on a holiday, and closed in an absence', () =>
    story(async (db) => {
      await insert(db, 'holiday', { hospital_id: hospital.id, name: 'Feast', date: monday });
      expect(await materialise(db, monday)).toBe(0);
    }));

  test('in no other hospital', () =>
    story(async (db) => {
      await become(db, stranger.patient);
      expect((await refusalOf(db, () => materialise(db, monday))).scenario).toBe('forbidden');
      await asOwner(db);
      expect(await slotsOn(db, hospital, monday)).toEqual([]);
    }));
});
