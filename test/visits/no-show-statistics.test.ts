import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { bookVisit, markNoShow, undoNoShow } from './visits.ts';

const { ownerPool } = await createDatabase();

type Figure = {
  group_key: string;
  group_name: string;
  visits: number;
  no_shows: number;
  rate: string;
};

async function statistics(
  db: ClientBase,
  groupBy: string | null,
  from: string | null = '2020-03-01',
  to: string | null = '2020-03-31',
): Promise<Figure[]> {
  const { rows } = await db.query<Figure>(
    groupBy === null
      ? 'select * from app_public.no_show_statistics($1, $2)'
      : 'select * from app_public.no_show_statistics($1, $2, $3)',
    groupBy === null ? [from, to] : [from, to, groupBy],
  );
  return rows;
}

/** `key: missed of visits`, in the order of the answer. */
const short = (figures: Figure[]) =>
  figures.map(({ group_key, no_shows, visits }) => `${group_key}: ${no_shows} of ${visits}`);

/** A visit at this local time that ended so, booked so many days before; written without its rules. */
async function store(
  db: ClientBase,
  hospital: OpenHospital,
  local: string,
  status: string,
  {
    doctor = 0,
    daysBefore = 0,
    service = null as string | null,
    isArchived = false,
  }: {
    doctor?: number;
    daysBefore?: number;
    service?: string | null;
    isArchived?: boolean;
  } = {},
): Promise<void> {
  await asOwner(db);
  const values = [
    hospital.id,
    hospital.doctorIds[doctor],
    hospital.locationIds[doctor],
    nth(hospital.patientIds, 0),
    service,
    local,
    hospital.timeZone,
    status,
    daysBefore,
  ];
  const times = `
    from (select $6::timestamp at time zone $7 as at, ($6::timestamp - make_interval(days => $9)) at time zone $7 as made) as time`;
  if (isArchived) {
    await db.query(
      `insert into app_public.appointment_archive (
         hospital_id, id, doctor_id, location_id, patient_id, service_id, starts_at, ends_at, status, source,
         created_at, updated_at, archived_at)
       select $1, gen_random_uuid(), $2, $3, $4, $5, at, at + interval '30 minutes', $8::app_public.appointment_status, 'staff',
         made, at, now() ${times}`,
      values,
    );
    return;
  }
  await db.query("set local session_replication_role = 'replica'");
  await db.query(
    `insert into app_public.appointment (
       hospital_id, doctor_id, location_id, patient_id, service_id, during, status, source, checked_in_at, completed_at, cancelled_at,
       created_at, updated_at)
     select $1, $2, $3, $4, $5, tstzrange(at, at + interval '30 minutes'), $8::app_public.appointment_status, 'staff',
       case when $8::text in ('checked_in', 'in_progress') then at end, case when $8::text = 'completed' then at end,
       case when $8::text = 'cancelled' then at end, made, at ${times}`,
    values,
  );
  await db.query("set local session_replication_role = 'origin'");
}

const story =
  (tell: (db: ClientBase, hospital: OpenHospital) => Promise<void>, timeZone = 'Asia/Kolkata') =>
  () =>
    rolledBack(ownerPool, async (db) =>
      tell(db, await openHospital(db, { timeZone, horizonDays: 1 })),
    );

test(
  'what took place or was missed is counted, archived or not, and nothing else',
  story(async (db, hospital) => {
    for (const [day, status] of [
      [2, 'no_show'],
      [3, 'completed'],
      [4, 'completed'],
      [5, 'cancelled'],
      [6, 'expired'],
    ] as const) {
      await store(db, hospital, `2020-03-0${day} 10:00`, status);
    }
    await store(db, hospital, '2020-03-09 10:00', 'no_show', { doctor: 1, isArchived: true });
    await store(db, hospital, '2020-03-10 10:00', 'cancelled', { doctor: 1, isArchived: true });
    await become(db, hospital.admin);
    const figures = await statistics(db, null);
    expect(figures).toEqual(
      [
        {
          group_key: hospital.doctorIds[0],
          group_name: 'Dr. One',
          visits: 3,
          no_shows: 1,
          rate: '0.3333',
        },
        {
          group_key: hospital.doctorIds[1],
          group_name: 'Dr. Two',
          visits: 1,
          no_shows: 1,
          rate: '1.0000',
        },
      ].sort((one, other) => ((one.group_key ?? '') < (other.group_key ?? '') ? -1 : 1)),
    );
    expect(await statistics(db, 'doctor')).toEqual(figures);
  }),
);

test.each([
  ['Asia/Kolkata', '2020-03'],
  ['America/Los_Angeles', '2020-03'],
  ['Pacific/Kiritimati', '2020-03'],
])('days, weekdays and hours are those of the hospital: %s', (timeZone, month) =>
  story(async (db, hospital) => {
    // 2 March 2020 is a Monday.
    await store(db, hospital, `${month}-02 00:00`, 'no_show');
    await store(db, hospital, `${month}-02 23:30`, 'completed');
    await store(db, hospital, `${month}-01 23:30`, 'no_show');
    await store(db, hospital, `${month}-03 00:00`, 'no_show');
    await become(db, hospital.admin);
    const onMonday = (by: string) => statistics(db, by, `${month}-02`, `${month}-02`);
    expect(await onMonday('weekday')).toMatchObject([
      { group_key: '1', group_name: 'Monday', visits: 2, no_shows: 1, rate: '0.5000' },
    ]);
    expect(await onMonday('hour')).toMatchObject([
      { group_key: '0', group_name: '00:00', visits: 1, no_shows: 1 },
      { group_key: '23', group_name: '23:00', visits: 1, no_shows: 0 },
    ]);
    expect(short(await statistics(db, 'weekday', `${month}-01`, `${month}-03`))).toEqual([
      '1: 1 of 2',
      '2: 1 of 1',
      '7: 1 of 1',
    ]);
  }, timeZone)(),
);

// In Berlin the clocks go from 02:00 to 03:00 on 29 March 2020, and back from 03:00 on 25 October.
test(
  'a day on which the clocks change is one day, and keeps its hours',
  story(async (db, hospital) => {
    for (const day of ['2020-03-29', '2020-10-25']) {
      for (const time of ['00:00', '09:00', '23:30']) {
        await store(db, hospital, `${day} ${time}`, 'no_show');
      }
    }
    await become(db, hospital.admin);
    for (const day of ['2020-03-29', '2020-10-25']) {
      expect(short(await statistics(db, 'hour', day, day))).toEqual([
        '0: 1 of 1',
        '9: 1 of 1',
        '23: 1 of 1',
      ]);
      expect(short(await statistics(db, 'weekday', day, day))).toEqual(['7: 3 of 3']);
    }
  }, 'Europe/Berlin'),
);

test(
  'lead time falls into steps of local days',
  story(async (db, hospital) => {
    for (const [index, daysBefore] of [0, 1, 2, 3, 7, 8, 14, 15, 30, 31, 90].entries()) {
      await store(db, hospital, `2020-03-${10 + index} 10:00`, 'no_show', { daysBefore });
    }
    await become(db, hospital.admin);
    const figures = await statistics(db, 'lead_time');
    expect(short(figures)).toEqual([
      '0: 1 of 1',
      '1: 2 of 2',
      '3: 2 of 2',
      '8: 2 of 2',
      '15: 2 of 2',
      '31: 2 of 2',
    ]);
    expect(figures.map(({ group_name }) => group_name)).toEqual([
      'same day',
      '1 to 2 days',
      '3 to 7 days',
      '8 to 14 days',
      '15 to 30 days',
      'over 30 days',
    ]);
  }),
);

test(
  'by location and by service, also for visits without one; most missed first',
  story(async (db, hospital) => {
    await store(db, hospital, '2020-03-02 10:00', 'no_show', { service: hospital.serviceId });
    await store(db, hospital, '2020-03-03 10:00', 'no_show');
    await store(db, hospital, '2020-03-04 10:00', 'no_show', { doctor: 1 });
    await become(db, hospital.admin);
    expect(
      (await statistics(db, 'service')).map(({ group_name, no_shows }) => [group_name, no_shows]),
    ).toEqual([
      ['none', 2],
      ['Consultation', 1],
    ]);
    expect(
      (await statistics(db, 'location')).map(({ group_name, no_shows }) => [group_name, no_shows]),
    ).toEqual([
      ['Main', 2],
      ['Annex', 1],
    ]);
  }),
);

test(
  'a doctor sees their own, a patient nothing, and another hospital is not there',
  story(async (db, hospital) => {
    await store(db, hospital, '2020-03-02 10:00', 'no_show');
    await store(db, hospital, '2020-03-03 10:00', 'no_show', { doctor: 1 });
    await store(db, hospital, '2020-03-04 10:00', 'no_show', { doctor: 1, isArchived: true });
    await become(db, hospital.doctor);
    expect(short(await statistics(db, 'doctor'))).toEqual([`${hospital.doctorIds[0]}: 1 of 1`]);
    await become(db, hospital.otherDoctor);
    expect(short(await statistics(db, 'doctor'))).toEqual([`${hospital.doctorIds[1]}: 2 of 2`]);
    await become(db, hospital.patient);
    expect((await errorOf(db, () => statistics(db, 'doctor'))).code).toBe('42501');
    await asOwner(db);
    const foreign = await openHospital(db, { horizonDays: 1 });
    await become(db, foreign.admin);
    expect(await statistics(db, 'doctor')).toEqual([]);
  }),
);

test(
  'an undone no-show is none',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await setClock(db, visit.starts_at);
    await markNoShow(db, visit.id);
    const day = visit.starts_at.toISOString().slice(0, 10);
    await become(db, hospital.admin);
    expect(short(await statistics(db, 'doctor', day, day))).toEqual([
      `${hospital.doctorIds[0]}: 1 of 1`,
    ]);
    await setClock(db, new Date(visit.starts_at.getTime() + 3_600_000));
    await undoNoShow(db, visit.id);
    expect(short(await statistics(db, 'doctor', day, day))).toEqual([
      `${hospital.doctorIds[0]}: 0 of 1`,
    ]);
  }),
);

test.each([
  ['2020-03-02', '2020-03-01'],
  ['2020-03-02', null],
  [null, '2020-03-02'],
  ['2017-01-01', '2020-03-02'],
])('days from %s to %s are refused', (from, to) =>
  story(async (db, hospital) => {
    await become(db, hospital.admin);
    expect((await refusalOf(db, () => statistics(db, 'hour', from, to))).scenario).toBe(
      'invalid_input',
    );
  })(),
);
