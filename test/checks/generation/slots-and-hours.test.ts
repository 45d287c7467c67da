// Slots and the hours that they come from: days on which the clocks change, changes of all kinds, more
// ways to break them, and repairs that look again.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { unguarded } from '../../../drill/damage.ts';
import {
  changeSlot,
  enterAbsence,
  enterHoliday,
  followHours,
  settleHours,
} from '../../../drill/damages/generation/hours.ts';
import { addSeat } from '../../../drill/damages/slots/seats.ts';
import { createSubject, type Subject } from '../../../drill/subject.ts';
import { become, rolledBack } from '../../helpers/actors.ts';
import { changeTimeZone, replaceSchedule } from '../../helpers/calendar.ts';
import { moveClock, setClock } from '../../helpers/clock.ts';
import { createDatabase } from '../../helpers/database.ts';
import { createHospital, type TestHospital } from '../../helpers/hospital.ts';
import { rowsOf } from '../findings.ts';

const { ownerPool } = await createDatabase();

const checks = [
  'duplicate_slots',
  'missing_slots',
  'slot_outside_schedule',
  'slot_without_schedule',
  'slot_off_grid',
  'slot_on_holiday',
  'unblocked_slot_in_absence',
  'block_without_absence',
  'overlapping_slots',
];

test.each([
  ['Europe/Berlin', '2027-03-10T08:00:00Z', '00:00', '06:00'],
  ['Europe/Berlin', '2027-10-10T08:00:00Z', '00:30', '07:00'],
  ['America/New_York', '2027-10-20T08:00:00Z', '01:15', '05:00'],
  ['America/New_York', '2027-03-01T08:00:00Z', '02:00', '03:30'],
  ['Australia/Lord_Howe', '2027-03-20T08:00:00Z', '00:00', '08:00'],
  ['Asia/Kathmandu', '2027-03-20T08:00:00Z', '20:00', '24:00'],
])('nights in %s from %s on are cut as they should be', (timeZone, instant, start, end) =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, instant);
    const { id } = await createHospital(db, { timeZone });
    const subject = await createSubject(db, id);
    await db.query(
      `update app_public.schedule set start_time = $2, end_time = $3, break_start = null, break_end = null
       where hospital_id = $1`,
      [id, start, end],
    );
    await followAll(db, id);
    expect(await spoken(db, id)).toEqual({});

    // One slot of each night, a quarter of an hour off: every one is found, none is missed by the clocks.
    const { rowCount } = await unguarded(db, () =>
      db.query(
        `update app_public.slot set during = tstzrange(starts_at + interval '15 minutes', ends_at)
         where hospital_id = $1 and doctor_id = $2 and id in (
           select distinct on ((starts_at at time zone $3)::date) id from app_public.slot
           where hospital_id = $1 and doctor_id = $2 and starts_at > app_private.clock()
           order by (starts_at at time zone $3)::date, starts_at desc)`,
        [id, subject.doctorId, timeZone],
      ),
    );
    expect(Object.keys(await spoken(db, id))).toEqual(['slot_off_grid']);
    expect((await rowsOf(db, 'slot_off_grid', id)).length).toBe(rowCount);
  }),
);

test('an hour off, as when local time is taken for another zone, is found', () =>
  story(async (db, subject) => {
    await unguarded(db, async () => {
      await db.query('alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap');
      await db.query(
        `update app_public.slot set during = tstzrange(starts_at - interval '10 minutes', ends_at - interval '10 minutes')
         where hospital_id = $1 and id = any ($2)`,
        [subject.hospitalId, subject.slotIds.slice(0, 14)],
      );
    });
    const said = await spoken(db, subject.hospitalId);
    // The first of the morning and of the afternoon are too early; the others begin between the steps.
    expect(said.slot_outside_schedule?.length).toBe(2);
    expect(said.slot_off_grid?.length).toBe(12);
  }));

test('all that people do to the calendar is right', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await createHospital(db, { horizonDays: 12 });
    const subject = await createSubject(db, hospital.id);
    await followAll(db, hospital.id);
    await subject.book(13);
    await subject.book(30, 1);
    await addSeat(db, subject, 20);
    const absenceId = await enterAbsence(db, subject, 28);
    await enterAbsence(db, subject, 60);
    const holidayId = await enterHoliday(db, subject, 42);
    expect(await spoken(db, hospital.id)).toEqual({});

    await db.query("update app_public.absence set status = 'cancelled' where id = $1", [absenceId]);
    expect(await spoken(db, hospital.id)).toEqual({});
    await db.query('update app_public.holiday set is_active = false where id = $1', [holidayId]);
    expect(await spoken(db, hospital.id)).toEqual({});

    await become(db, hospital.admin);
    const today = await dayOf(db, hospital);
    await replaceSchedule(db, {
      doctorId: subject.doctorId,
      from: today,
      rows: [{ locationId: subject.locationId, weekday: 3, start: '08:10', end: '12:00' }],
    });
    await followAll(db, hospital.id);
    expect(await spoken(db, hospital.id)).toEqual({});

    await become(db, hospital.admin);
    await changeTimeZone(db, 'America/New_York');
    await followAll(db, hospital.id);
    expect(await spoken(db, hospital.id)).toEqual({});

    await moveClock(db, '3 days');
    expect(await spoken(db, hospital.id)).toEqual({});
    await db.query('select app_private.extend_slot_horizon($1)', [hospital.id]);
    expect(await spoken(db, hospital.id)).toEqual({});
  }));

test('a change that its job has not followed yet is not wrong yet', () =>
  story(async (db, subject) => {
    await db.query(
      "update app_public.schedule set start_time = '10:10' where hospital_id = $1 and doctor_id = $2",
      [subject.hospitalId, subject.doctorId],
    );
    expect(await spoken(db, subject.hospitalId)).toEqual({});
    // The message is gone and the slots are as they were: the job never ran.
    await settleHours(db, subject);
    expect(Object.keys(await spoken(db, subject.hospitalId))).toEqual([
      'slot_outside_schedule',
      'slot_off_grid',
    ]);
    await followHours(db, subject);
    expect(await spoken(db, subject.hospitalId)).toEqual({});
  }));

test('days without rows beyond the stored ones, and for a cancelled holiday, are right; others are not', () =>
  story(async (db, subject) => {
    const drop = (from: number, to: number) =>
      unguarded(db, () =>
        db.query('delete from app_public.slot where hospital_id = $1 and id = any ($2)', [
          subject.hospitalId,
          subject.slotIds.slice(from, to),
        ]),
      );
    await db.query('select app_private.cut_slots($1, $2, $2, $3)', [
      subject.hospitalId,
      await dayOf(db, { timeZone: subject.timeZone }, 25),
      subject.doctorId,
    ]);
    const holidayId = await enterHoliday(db, subject, 14);
    await db.query('update app_public.holiday set is_active = false where id = $1', [holidayId]);
    await drop(14, 28);
    expect(await spoken(db, subject.hospitalId)).toEqual({});

    await drop(28, 42);
    const rows = await rowsOf(db, 'missing_slots', subject.hospitalId);
    expect(rows.map(({ metadata }) => [metadata.missing, metadata.wanted])).toEqual([[14, 14]]);
    expect(await repair(db, 'missing_slots')).toEqual([true]);
    expect(await spoken(db, subject.hospitalId)).toEqual({});
  }));

test.each([
  ['schedule_id = null', 'none'],
  ['schedule_id = app_private.new_id()', 'gone'],
  [
    'schedule_id = (select id from app_public.schedule where hospital_id = $1 and doctor_id <> slot.doctor_id limit 1)',
    'doctor',
  ],
])('a slot with %s follows its own schedule again', (change, fault) =>
  story(async (db, subject) => {
    await changeSlot(db, subject, 1, change);
    const rows = await rowsOf(db, 'slot_without_schedule', subject.hospitalId);
    expect(rows.map(({ metadata }) => metadata.fault)).toEqual([fault]);
    expect(await repair(db, 'slot_without_schedule')).toEqual([true]);
    expect(await spoken(db, subject.hospitalId)).toEqual({});
    expect(await stateOf(db, subject, 1)).toBe('available');
  }),
);

test('a stray slot in which somebody sits is left to people, an empty one goes', () =>
  story(async (db, subject) => {
    await subject.book(13);
    const later =
      "during = tstzrange(starts_at + interval '3 hours', ends_at + interval '3 hours')";
    await changeSlot(db, subject, 13, later);
    await changeSlot(db, subject, 27, later);
    expect((await repair(db, 'slot_outside_schedule')).toSorted()).toEqual([false, true]);
    expect([await stateOf(db, subject, 13), await stateOf(db, subject, 27)]).toEqual([
      'booked',
      'withdrawn',
    ]);
    // Again: what is left is still left to people, and nothing else happens.
    expect(await repair(db, 'slot_outside_schedule')).toEqual([false]);
    const { rows } = await db.query(
      "select status from app_public.review_item where reason = 'slot_outside_schedule'",
    );
    expect(rows).toEqual([{ status: 'pending' }]);
  }));

test('of twins the empty one goes, and two seated ones are left to people', () =>
  story(async (db, subject) => {
    await db.query('alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap');
    const twin = async (slotIndex: number) => {
      const { rows } = await db.query<{ id: string }>(
        `insert into app_public.slot (hospital_id, doctor_id, location_id, schedule_id, during, created_at)
         select hospital_id, doctor_id, location_id, schedule_id, during, created_at - interval '1 hour'
         from app_public.slot where hospital_id = $1 and id = $2 returning id`,
        [subject.hospitalId, subject.slotIds[slotIndex]],
      );
      return rows[0]?.id;
    };
    await subject.book(0);
    const empty = await twin(0);
    await subject.book(1, 1);
    const seated = await twin(1);
    await unguarded(db, () =>
      db.query('update app_public.slot set booked_count = 1 where id = $1', [seated]),
    );
    const rows = await rowsOf(db, 'duplicate_slots', subject.hospitalId);
    expect(rows.map(({ entity_id }) => entity_id).toSorted()).toEqual(
      [empty, subject.slotIds[1]].toSorted(),
    );
    expect((await repair(db, 'duplicate_slots')).toSorted()).toEqual([false, true]);
    expect(await stateOf(db, subject, 0)).toBe('booked');
  }));

test('who sits in a slot that a repair closes is told, and an emergency is left to people', () =>
  story(async (db, subject) => {
    await subject.book(14);
    await enterAbsence(db, subject, 14);
    await changeSlot(db, subject, 14, 'absence_id = null');
    await db.query('delete from app_public.notification where hospital_id = $1', [
      subject.hospitalId,
    ]);
    expect(await repair(db, 'unblocked_slot_in_absence')).toEqual([true]);
    const { rows } = await db.query(
      'select count(*)::integer from app_public.notification where hospital_id = $1 and patient_id = $2',
      [subject.hospitalId, subject.patientIds[0]],
    );
    expect(rows).toEqual([{ count: 1 }]);

    await changeSlot(db, subject, 14, 'absence_id = null');
    await unguarded(db, () =>
      db.query("update app_public.absence set type = 'emergency' where hospital_id = $1", [
        subject.hospitalId,
      ]),
    );
    expect(await repair(db, 'unblocked_slot_in_absence')).toEqual([false]);
  }));

test('a slot that is closed by the wrong absence is handed to the right one', () =>
  story(async (db, subject) => {
    const right = await enterAbsence(db, subject, 14);
    const other = await enterAbsence(db, subject, 28);
    await changeSlot(db, subject, 14, `absence_id = '${other}'`);
    expect(Object.keys(await spoken(db, subject.hospitalId))).toEqual(['block_without_absence']);
    expect(await repair(db, 'block_without_absence')).toEqual([true]);
    const { rows } = await db.query('select absence_id from app_public.slot where id = $1', [
      subject.slotIds[14],
    ]);
    expect(rows).toEqual([{ absence_id: right }]);
  }));

test('a recurring holiday of a year long ago closes its day, the past is left alone', () =>
  story(async (db, subject) => {
    await unguarded(db, () =>
      db.query(
        `insert into app_public.holiday (hospital_id, name, date, is_recurring)
         select hospital_id, 'Old', ((starts_at at time zone $3)::date - interval '12 years')::date, true
         from app_public.slot where hospital_id = $1 and id = $2`,
        [subject.hospitalId, subject.slotIds[14], subject.timeZone],
      ),
    );
    expect((await spoken(db, subject.hospitalId)).slot_on_holiday?.length).toBe(14);
    expect(await repair(db, 'slot_on_holiday')).toEqual(Array(14).fill(true));
    expect(await spoken(db, subject.hospitalId)).toEqual({});
    await changeSlot(db, subject, 15, 'holiday_id = null');
    await moveClock(db, '40 days');
    expect(await spoken(db, subject.hospitalId)).toEqual({});
  }));

async function repair(db: ClientBase, check: string): Promise<boolean[]> {
  await db.query("select app_private.run_checks(null, array[$1], 'manual')", [check]);
  const { rows } = await db.query<{ is_resolved: boolean }>(
    `select (app_private.repair_finding(finding.hospital_id, finding.id)).resolved_at is not null as is_resolved
     from app_public.finding where check_name = $1 and resolved_at is null`,
    [check],
  );
  return rows.map(({ is_resolved }) => is_resolved);
}

async function spoken(db: ClientBase, hospitalId: string) {
  await db.query('reset role');
  const said: Record<string, (string | null)[]> = {};
  for (const check of checks) {
    const rows = await rowsOf(db, check, hospitalId);
    if (rows.length > 0) said[check] = rows.map(({ entity_id }) => entity_id);
  }
  return said;
}

/** The jobs that follow changes of hours, for everybody of a hospital. */
async function followAll(db: ClientBase, hospitalId: string): Promise<void> {
  await db.query('reset role');
  await db.query("select set_config('claims.role', '', true)");
  await db.query(
    'select app_private.follow_schedule(hospital_id, id) from app_public.doctor where hospital_id = $1',
    [hospitalId],
  );
  await db.query("delete from app_private.outbox where hospital_id = $1 and topic = 'schedule'", [
    hospitalId,
  ]);
}

async function stateOf(db: ClientBase, subject: Subject, slotIndex: number) {
  const { rows } = await db.query<{ status: string }>(
    'select status from app_public.slot where hospital_id = $1 and id = $2',
    [subject.hospitalId, subject.slotIds[slotIndex]],
  );
  return rows[0]?.status;
}

async function dayOf(db: ClientBase, { timeZone }: Pick<TestHospital, 'timeZone'>, ahead = 0) {
  const { rows } = await db.query<{ day: string }>(
    'select ((app_private.clock() at time zone $1)::date + $2::integer)::text as day',
    [timeZone, ahead],
  );
  return rows[0]?.day ?? '';
}

function story(tell: (db: ClientBase, subject: Subject) => Promise<void>): Promise<void> {
  return rolledBack(ownerPool, async (db) => {
    const { id } = await createHospital(db, { horizonDays: 12 });
    const subject = await createSubject(db, id);
    await settleHours(db, subject);
    await tell(db, subject);
  });
}
