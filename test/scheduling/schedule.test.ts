import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, insert } from '../helpers/hospital.ts';
import { errorOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 1 });
const stranger = await createHospital(ownerPool, { horizonDays: 1 });

const evening = { weekday: 1, start_time: '18:00', end_time: '20:00' };

test('hours beside the others are a second schedule, announced for generation', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('delete from app_private.outbox');
    await addSchedule(db, evening);
    const { rows } = await db.query('select topic, key, payload from app_private.outbox');
    expect(rows).toEqual([
      {
        topic: 'schedule',
        key: hospital.doctorIds[0],
        payload: { doctor_id: hospital.doctorIds[0] },
      },
    ]);
  }));

test('active schedules of a doctor never overlap, also not at another place', () =>
  rolledBack(ownerPool, async (db) => {
    const clash = { ...evening, start_time: '16:59', location_id: hospital.locationIds[1] };
    expect(await errorOf(db, () => addSchedule(db, clash))).toMatchObject({
      code: '23P01',
      constraint: 'schedules_of_a_doctor_never_overlap',
    });
    await addSchedule(db, { ...clash, is_active: false });
    await addSchedule(db, { ...clash, start_time: '17:00' });
  }));

test('schedules that hold on different dates do not overlap; on one common date they do', () =>
  rolledBack(ownerPool, async (db) => {
    await addSchedule(db, { ...evening, effective_until: '2027-06-30' });
    await addSchedule(db, {
      ...evening,
      effective_from: '2027-07-01',
      effective_until: '2027-12-31',
    });
    const clash = { ...evening, effective_from: '2027-12-31' };
    expect(await errorOf(db, () => addSchedule(db, clash))).toMatchObject({ code: '23P01' });
  }));

const impossible = {
  a_schedule_starts_before_it_ends: { ...evening, end_time: '18:00' },
  a_break_has_both_ends: { ...evening, break_start: '19:00' },
  a_break_lies_within_the_working_hours: {
    ...evening,
    break_start: '17:59',
    break_end: '19:00',
  },
  a_schedule_begins_before_it_expires: {
    ...evening,
    effective_from: '2027-01-02',
    effective_until: '2027-01-01',
  },
  a_weekday_is_1_monday_to_7_sunday: { ...evening, weekday: 8 },
  a_slot_capacity_is_1_to_100: { ...evening, slot_capacity: 0 },
  schedule_of_a_doctor: { ...evening, doctor_id: stranger.doctorIds[0] },
  schedule_at_a_location: { ...evening, location_id: stranger.locationIds[0] },
};

test.each(Object.entries(impossible))('%s', (constraint, values) =>
  rolledBack(ownerPool, async (db) => {
    const error = await errorOf(db, () => addSchedule(db, values));
    expect(error.constraint).toBe(constraint);
  }),
);

function addSchedule(db: ClientBase, values: Readonly<Record<string, unknown>>): Promise<string> {
  return insert(db, 'schedule', {
    hospital_id: hospital.id,
    doctor_id: hospital.doctorIds[0],
    location_id: hospital.locationIds[0],
    ...values,
  });
}
