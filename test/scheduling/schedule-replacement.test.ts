import { describe, expect, test } from 'vitest';
import { aside, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, one } from '../helpers/booking.ts';
import {
  previewSchedule,
  replaceSchedule,
  type ScheduleRow,
  slotsOn,
  week,
} from '../helpers/calendar.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, insert } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 20 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const [main, annex] = hospital.locationIds;

// Sunday evening before the Monday that most of it is about.
const sundayEvening = '2027-01-31T18:00:00+05:30';
const monday = '2027-02-01';
const nextMonday = '2027-02-08';

const mornings = week({ locationId: main, start: '09:00', end: '12:00' });

/** A transaction on that Sunday evening in which all slots are generated; acts as the receptionist. */
function story(tell: (db: Parameters<Parameters<typeof rolledBack>[1]>[0]) => Promise<void>) {
  return rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await generateSlots(db, hospital);
    await become(db, hospital.receptionist);
    await tell(db);
  });
}

describe('a week is replaced', () => {
  test('from a day on: the old rows end the day before, slots follow at once', () =>
    story(async (db) => {
      const change = await replaceSchedule(db, { doctorId, from: nextMonday, rows: mornings });
      // Of 14 days with 14 slots, 6 a day stay.
      expect(change).toMatchObject({
        deleted_slots: 13 * 8,
        withdrawn_slots: 0,
        kept_slots: 0,
        generated_slots: 0,
        affected: [],
      });
      expect(await slotsOn(db, hospital, '2027-02-07')).toHaveLength(14);
      expect((await slotsOn(db, hospital, nextMonday)).map(({ start }) => start)).toEqual([
        '09:00',
        '09:30',
        '10:00',
        '10:30',
        '11:00',
        '11:30',
      ]);
      const { rows } = await db.query(
        `select effective_from::text as from, effective_until::text as until, is_active, end_time::text as end
         from app_public.schedule where doctor_id = $1 and weekday = 1 order by effective_from`,
        [doctorId],
      );
      expect(rows).toEqual([
        { from: '2000-01-01', until: '2027-02-07', is_active: true, end: '17:00:00' },
        { from: nextMonday, until: null, is_active: true, end: '12:00:00' },
      ]);
    }));

  test('a slot that stays keeps its identity and follows the new schedule', () =>
    story(async (db) => {
      const before = await slotsOn(db, hospital, nextMonday);
      await replaceSchedule(db, { doctorId, from: monday, rows: mornings });
      const after = await slotsOn(db, hospital, nextMonday);
      expect(after.map(({ id }) => id)).toEqual(before.slice(0, 6).map(({ id }) => id));
      const { rows } = await db.query(
        'select distinct effective_from::text as from from app_public.schedule where id = any ($1)',
        [after.map(({ schedule_id }) => schedule_id)],
      );
      expect(rows).toEqual([{ from: monday }]);
    }));

  test('until a day: the old week holds again after it, as a row of its own', () =>
    story(async (db) => {
      await replaceSchedule(db, {
        doctorId,
        from: nextMonday,
        until: '2027-02-14',
        rows: mornings,
      });
      expect(await slotsOn(db, hospital, '2027-02-14')).toHaveLength(6);
      expect(await slotsOn(db, hospital, '2027-02-15')).toHaveLength(14);
      const { rows } = await db.query(
        `select effective_from::text as from, effective_until::text as until
         from app_public.schedule where doctor_id = $1 and weekday = 1 and is_active order by effective_from`,
        [doctorId],
      );
      expect(rows).toEqual([
        { from: '2000-01-01', until: '2027-02-07' },
        { from: nextMonday, until: '2027-02-14' },
        { from: '2027-02-15', until: null },
      ]);
      // Slots after it follow the row that holds there.
      const { from } = await one<{ from: string }>(
        db,
        `select min(effective_from)::text as from from app_public.schedule
         where id = any (array(select schedule_id from app_public.slot
           where doctor_id = $1 and (starts_at at time zone 'Asia/Kolkata')::date = '2027-02-15'))`,
        [doctorId],
      );
      expect(from).toBe('2027-02-15');
    }));

  test('what would begin inside is put away, what reaches out begins later', () =>
    story(async (db) => {
      const future = (from: string, until: string | null) =>
        insert(db, 'schedule', {
          hospital_id: hospital.id,
          doctor_id: doctorId,
          location_id: annex,
          weekday: 2,
          start_time: '18:00',
          end_time: '19:00',
          effective_from: from,
          effective_until: until,
        });
      await asOwner(db);
      const inside = await future('2027-02-09', '2027-02-10');
      const reaching = await future('2027-02-12', '2027-03-30');
      const later = await future('2027-04-01', null);
      await become(db, hospital.admin);
      await replaceSchedule(db, { doctorId, from: nextMonday, until: '2027-02-14', rows: [] });
      const { rows } = await db.query(
        `select id, is_active, effective_from::text as from, effective_until::text as until
         from app_public.schedule where id = any ($1) order by effective_from`,
        [[inside, reaching, later]],
      );
      expect(rows).toEqual([
        { id: inside, is_active: false, from: '2027-02-09', until: '2027-02-10' },
        { id: reaching, is_active: true, from: '2027-02-15', until: '2027-03-30' },
        { id: later, is_active: true, from: '2027-04-01', until: null },
      ]);
    }));

  test('twice from the same day: the second one holds', () =>
    story(async (db) => {
      await replaceSchedule(db, { doctorId, from: monday, rows: mornings });
      await replaceSchedule(db, {
        doctorId,
        from: monday,
        rows: week({ locationId: annex, start: '20:00', end: '24:00' }),
      });
      expect((await slotsOn(db, hospital, monday)).map(({ start }) => start)).toEqual([
        '20:00',
        '20:30',
        '21:00',
        '21:30',
        '22:00',
        '22:30',
        '23:00',
        '23:30',
      ]);
    }));

  test('with no rows the doctor works no more', () =>
    story(async (db) => {
      const change = await replaceSchedule(db, { doctorId, from: monday, rows: [] });
      expect(change.deleted_slots).toBe(20 * 14);
      expect(await slotsOn(db, hospital, nextMonday)).toEqual([]);
      expect(await slotsOn(db, hospital, nextMonday, otherDoctorId)).toHaveLength(14);
    }));

  test('several places a week, and two on one day', () =>
    story(async (db) => {
      await replaceSchedule(db, {
        doctorId,
        from: monday,
        rows: [
          { locationId: main, weekday: 1, start: '08:00', end: '10:00' },
          { locationId: annex, weekday: 1, start: '10:00', end: '11:00', capacity: 3 },
          {
            locationId: annex,
            weekday: 3,
            start: '09:00',
            end: '13:00',
            breakStart: '10:00',
            breakEnd: '12:00',
          },
        ],
      });
      expect(await slotsOn(db, hospital, monday)).toMatchObject([
        { start: '08:00', location_id: main, capacity: 1 },
        { start: '08:30', location_id: main },
        { start: '09:00', location_id: main },
        { start: '09:30', location_id: main },
        { start: '10:00', location_id: annex, capacity: 3 },
        { start: '10:30', location_id: annex, capacity: 3 },
      ]);
      expect(await slotsOn(db, hospital, '2027-02-02')).toEqual([]);
      expect((await slotsOn(db, hospital, '2027-02-03')).map(({ start }) => start)).toEqual([
        '09:00',
        '09:30',
        '12:00',
        '12:30',
      ]);
    }));

  test('capacity follows, but never below those who sit there, and with the seats that were added', () =>
    story(async (db) => {
      const hours = (capacity: number) =>
        week({
          locationId: main,
          start: '09:00',
          end: '17:00',
          breakStart: '13:00',
          breakEnd: '14:00',
          capacity,
        });
      await replaceSchedule(db, { doctorId, from: monday, rows: hours(3) });
      const [slot, added] = await slotsOn(db, hospital, monday);
      for (const patientId of hospital.patientIds.slice(0, 2)) {
        await book(db, { slotId: slot?.id ?? '', patientId });
      }
      await asOwner(db);
      await insert(db, 'added_seat', {
        hospital_id: hospital.id,
        slot_id: added?.id,
        doctor_id: doctorId,
        reason: 'twins',
        added_at: '2027-01-31',
      });
      await become(db, hospital.admin);
      const change = await replaceSchedule(db, { doctorId, from: monday, rows: hours(1) });
      expect(change).toMatchObject({ deleted_slots: 0, kept_slots: 0, generated_slots: 0 });
      expect(
        (await slotsOn(db, hospital, monday)).map(({ capacity }) => capacity).slice(0, 3),
      ).toEqual([2, 2, 1]);
    }));
});

describe('appointments outside the new hours', () => {
  test('stay in their slot, which takes no other; their patients are told once, in good time', () =>
    story(async (db) => {
      const [morning, , , , , , , , afternoon] = await slotsOn(db, hospital, monday);
      const { id } = await book(db, {
        slotId: afternoon?.id ?? '',
        patientId: nth(hospital.patientIds, 0),
      });
      await book(db, { slotId: morning?.id ?? '', patientId: nth(hospital.patientIds, 1) });
      const change = await replaceSchedule(db, { doctorId, from: monday, rows: mornings });
      expect(change).toMatchObject({
        kept_slots: 1,
        notified_patients: 1,
        cancelled_appointments: 0,
        affected: [{ appointment_id: id, patient_id: hospital.patientIds[0], status: 'scheduled' }],
      });
      // The same week again finds nothing left to tell.
      expect(await replaceSchedule(db, { doctorId, from: monday, rows: mornings })).toMatchObject({
        kept_slots: 0,
        deleted_slots: 0,
        generated_slots: 0,
        notified_patients: 0,
        affected: [],
      });
      await asOwner(db);
      const { rows: told } = await db.query(
        `select patient_id, priority, appointment_id from app_public.notification where event = 'schedule_changed'`,
      );
      expect(told).toEqual([
        { patient_id: hospital.patientIds[0], priority: 'high', appointment_id: id },
      ]);

      await become(db, hospital.receptionist);
      const refusal = await refusalOf(db, () =>
        book(db, { slotId: afternoon?.id ?? '', patientId: nth(hospital.patientIds, 2) }),
      );
      expect(refusal.scenario).toBe('outside_schedule');
      // With the last one the slot goes as well.
      await cancel(db, id);
      expect((await slotsOn(db, hospital, monday)).some((slot) => slot.id === afternoon?.id)).toBe(
        false,
      );
    }));

  test('a slot that the hours have again is offered again', () =>
    story(async (db) => {
      const [, , , , , , , , afternoon] = await slotsOn(db, hospital, monday);
      await book(db, { slotId: afternoon?.id ?? '', patientId: nth(hospital.patientIds, 0) });
      await replaceSchedule(db, { doctorId, from: monday, rows: mornings });
      const change = await replaceSchedule(db, {
        doctorId,
        from: monday,
        rows: week({
          locationId: main,
          start: '09:00',
          end: '17:00',
          breakStart: '13:00',
          breakEnd: '14:00',
        }),
      });
      expect(change).toMatchObject({ opened_slots: 1, kept_slots: 0 });
      expect(
        (await slotsOn(db, hospital, monday)).find(({ id }) => id === afternoon?.id),
      ).toMatchObject({
        status: 'booked',
        is_retired: false,
      });
    }));
});

describe('the preview', () => {
  const wishes: Readonly<Record<string, { rows: readonly ScheduleRow[]; until: string | null }>> = {
    'mornings only': { rows: mornings, until: null },
    'mornings for a week': { rows: mornings, until: '2027-02-07' },
    nothing: { rows: [], until: null },
    elsewhere: {
      rows: week({ locationId: annex, start: '09:00', end: '17:00', capacity: 2 }),
      until: null,
    },
    'other weekdays, shifted': {
      rows: week({ locationId: main, start: '09:10', end: '18:00' }, [1, 3, 5]),
      until: '2027-02-10',
    },
  };
  test.each(Object.entries(wishes))(
    'of %s says what the change then does, and changes nothing',
    (_, { rows, until }) =>
      story(async (db) => {
        // One slot with an appointment, one with a history, one of a move.
        const slots = await slotsOn(db, hospital, monday);
        const slotId = (place: number) => slots[place]?.id ?? '';
        await book(db, { slotId: slotId(12), patientId: nth(hospital.patientIds, 0) });
        const { id } = await book(db, {
          slotId: slotId(11),
          patientId: nth(hospital.patientIds, 1),
        });
        await cancel(db, id);
        const moving = await book(db, {
          slotId: slotId(10),
          patientId: nth(hospital.patientIds, 2),
        });
        await db.query('select app_public.reschedule_appointment($1, $2, gen_random_uuid())', [
          moving.id,
          slotId(9),
        ]);

        const state = 'select * from app_public.slot order by id';
        const before = (await db.query(state)).rows;
        const wish = { doctorId, from: monday, rows, until };
        const preview = await previewSchedule(db, wish);
        expect((await db.query(state)).rows).toEqual(before);
        expect(await toldOf(db)).toBe(0);
        const change = await replaceSchedule(db, wish);
        expect(preview).toEqual(change);
        expect(change.deleted_slots + change.withdrawn_slots + change.kept_slots).toBeGreaterThan(
          0,
        );
        expect(await toldOf(db)).toBe(change.affected.length);
        const after = (await db.query(state)).rows.length;
        expect(after).toBe(before.length - change.deleted_slots + change.generated_slots);
      }),
  );
});

describe('a week that is not one', () => {
  const good = { locationId: main, weekday: 1, start: '09:00', end: '12:00' };
  const faults: readonly [string, ScheduleRow, string, string][] = [
    ['no location', { ...good, locationId: null }, 'location_id', 'missing'],
    [
      'a location of nobody',
      { ...good, locationId: '00000000-0000-4000-8000-000000000000' },
      'location_id',
      'unknown_location',
    ],
    ['no weekday', { ...good, weekday: null }, 'weekday', 'missing'],
    ['weekday 0', { ...good, weekday: 0 }, 'weekday', 'out_of_range'],
    ['weekday 8', { ...good, weekday: 8 }, 'weekday', 'out_of_range'],
    ['no start', { ...good, start: null }, 'start_time', 'missing'],
    ['no end', { ...good, end: null }, 'end_time', 'missing'],
    ['an end at the start', { ...good, end: '09:00' }, 'end_time', 'not_after_start'],
    ['half a break', { ...good, breakStart: '10:00' }, 'break_end', 'missing'],
    ['the other half', { ...good, breakEnd: '10:00' }, 'break_start', 'missing'],
    [
      'a break that ends as it starts',
      { ...good, breakStart: '10:00', breakEnd: '10:00' },
      'break_end',
      'not_after_start',
    ],
    [
      'a break that starts too early',
      { ...good, breakStart: '08:59', breakEnd: '10:00' },
      'break_start',
      'outside_hours',
    ],
    [
      'a break that ends too late',
      { ...good, breakStart: '11:00', breakEnd: '12:01' },
      'break_end',
      'outside_hours',
    ],
    ['room for nobody', { ...good, capacity: 0 }, 'slot_capacity', 'out_of_range'],
    ['room for too many', { ...good, capacity: 101 }, 'slot_capacity', 'out_of_range'],
  ];
  test.each(faults)('%s', (_, row, field, problem) =>
    story(async (db) => {
      for (const call of [replaceSchedule, previewSchedule]) {
        const refusal = await refusalOf(db, () =>
          call(db, { doctorId, from: monday, rows: [{ ...good, weekday: 2 }, row] }),
        );
        expect(refusal).toMatchObject({ code: 'SK422', scenario: 'schedule_invalid' });
        expect(refusal.details.rows).toEqual([
          { row: 2, field, problem, message: expect.any(String) },
        ]);
      }
    }),
  );

  test('a closed location, one of another hospital', () =>
    story(async (db) => {
      const stranger = await createHospitalAside(db);
      await db.query('select app_public.update_location($1, is_active => false)', [annex]);
      const refusal = await refusalOf(db, () =>
        replaceSchedule(db, {
          doctorId,
          from: monday,
          rows: [
            { ...good, locationId: annex },
            { ...good, weekday: 2, locationId: stranger },
          ],
        }),
      );
      expect(refusal.details.rows).toMatchObject([
        { row: 1, field: 'location_id', problem: 'inactive_location' },
        { row: 2, field: 'location_id', problem: 'unknown_location' },
      ]);
    }));

  test('rows that overlap name each other; rows that meet do not', () =>
    story(async (db) => {
      const refusal = await refusalOf(db, () =>
        replaceSchedule(db, {
          doctorId,
          from: monday,
          rows: [
            good,
            { ...good, locationId: annex, start: '12:00', end: '14:00' },
            { ...good, locationId: annex, start: '11:59', end: '12:30' },
          ],
        }),
      );
      expect(refusal.details.rows).toMatchObject([
        { row: 3, problem: 'overlaps', other_row: 1 },
        { row: 3, problem: 'overlaps', other_row: 2 },
      ]);
    }));

  test('all faults of all rows come at once, and nothing is written', () =>
    story(async (db) => {
      const before = (await db.query('select * from app_public.schedule order by id')).rows;
      const refusal = await refusalOf(db, () =>
        replaceSchedule(db, {
          doctorId,
          from: monday,
          rows: [{}, { ...good, weekday: 9, capacity: -1 }, good],
        }),
      );
      expect(refusal.details.rows).toMatchObject([
        { row: 1, field: 'location_id' },
        { row: 1, field: 'weekday' },
        { row: 1, field: 'start_time' },
        { row: 1, field: 'end_time' },
        { row: 2, field: 'weekday' },
        { row: 2, field: 'slot_capacity' },
      ]);
      expect((await db.query('select * from app_public.schedule order by id')).rows).toEqual(
        before,
      );
    }));
});

describe('who and when', () => {
  test('admins, receptionists, and doctors their own', () =>
    story(async (db) => {
      for (const actor of [hospital.admin, hospital.receptionist, hospital.doctor]) {
        await become(db, actor);
        expect(await previewSchedule(db, { doctorId, from: monday, rows: mornings })).toMatchObject(
          { generated_slots: 0 },
        );
        await replaceSchedule(db, { doctorId, from: monday, rows: mornings });
      }
      await become(db, hospital.otherDoctor);
      for (const call of [replaceSchedule, previewSchedule]) {
        const refusal = await refusalOf(db, () =>
          call(db, { doctorId, from: monday, rows: mornings }),
        );
        expect(refusal).toMatchObject({ code: 'SK403', scenario: 'forbidden' });
      }
      const regeneration = await refusalOf(db, () =>
        db.query('select app_private.regenerate_slots($1, $2, $3, null)', [
          hospital.id,
          doctorId,
          monday,
        ]),
      );
      expect(regeneration.scenario).toBe('forbidden');
      for (const actor of [hospital.nurse, hospital.patient]) {
        await become(db, actor);
        for (const call of [replaceSchedule, previewSchedule]) {
          const error = await errorOf(db, () =>
            call(db, { doctorId, from: monday, rows: mornings }),
          );
          expect(error.code, actor.role).toBe('42501');
        }
      }
    }));

  test('a doctor of nobody or of another hospital is not found', () =>
    story(async (db) => {
      await asOwner(db);
      const stranger = await createHospital(db);
      await become(db, hospital.admin);
      const refusal = await refusalOf(db, () =>
        replaceSchedule(db, { doctorId: stranger.doctorIds[0], from: monday, rows: mornings }),
      );
      expect(refusal).toMatchObject({ code: 'SK404', scenario: 'doctor_not_found' });
    }));

  test('not in the past; today is not the past', () =>
    story(async (db) => {
      const refusal = await refusalOf(db, () =>
        replaceSchedule(db, { doctorId, from: '2027-01-30', rows: mornings }),
      );
      expect(refusal).toMatchObject({
        scenario: 'schedule_in_past',
        details: { today: '2027-01-31' },
      });
      await replaceSchedule(db, { doctorId, from: '2027-01-31', rows: mornings });
    }));

  test('not until a day before it begins', () =>
    story(async (db) => {
      const refusal = await refusalOf(db, () =>
        replaceSchedule(db, { doctorId, from: monday, until: '2027-01-31', rows: mornings }),
      );
      expect(refusal).toMatchObject({ code: 'SK400', scenario: 'invalid_range' });
    }));
});

async function createHospitalAside(db: Parameters<typeof asOwner>[0]): Promise<string> {
  await asOwner(db);
  const stranger = await createHospital(db);
  await become(db, hospital.admin);
  return stranger.locationIds[0];
}

/** How many notifications tell of a changed schedule. */
async function toldOf(db: Parameters<typeof asOwner>[0]): Promise<number> {
  const { rowCount } = await aside(db, () =>
    db.query("select from app_public.notification where event = 'schedule_changed'"),
  );
  return rowCount ?? 0;
}
