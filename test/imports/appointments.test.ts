import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { hold, one, slotState } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import {
  createHospital,
  generateSlots,
  insert,
  openHospital,
  slotsAhead,
} from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { dayAhead, faultsOf, importRows } from './importing.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
await numberDoctors(hospital.id, hospital.doctorIds);

async function numberDoctors(hospitalId: string, ids: readonly string[]): Promise<void> {
  await ownerPool.query(
    `update app_public.doctor set staff_number = case id when $1 then 'D-1' else 'D-2' end where hospital_id = $2`,
    [ids[0], hospitalId],
  );
}
const day = await dayAhead(ownerPool, hospital.id, 3);
const wish = { medical_record_number: 'MRN-1', staff_number: 'D-1', starts_at: `${day} 09:00` };

const asAdmin = (story: (db: PoolClient) => Promise<void>) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await story(db);
  });

test('it is booked as any other, says that it was imported, and nobody is told', () =>
  asAdmin(async (db) => {
    const { run_id: runId } = await importRows(db, 'appointments', [
      { ...wish, service: 'Consultation', reason: 'Check-up' },
    ]);
    await asOwner(db);
    const booked = await one<{ id: string; slot_id: string }>(
      db,
      `select appointment.* from app_public.appointment
       join app_public.imported_row on imported_row.hospital_id = appointment.hospital_id and record_id = appointment.id
       where run_id = $1`,
      [runId],
    );
    expect(booked).toMatchObject({
      status: 'scheduled',
      source: 'import',
      created_by: hospital.admin.accountId,
      patient_id: hospital.patientIds[0],
      service_id: hospital.serviceId,
      reason: 'Check-up',
    });
    expect(await slotState(db, booked.slot_id)).toMatchObject({ booked_count: 1 });
    const { rows: told } = await db.query(
      'select from app_public.notification where hospital_id = $1',
      [hospital.id],
    );
    expect(told).toEqual([]);
    const { rows: entries } = await db.query<{ table_name: string; actor_role: string }>(
      `select table_name, actor_role from app_public.audit_entry
       where hospital_id = $1 and record_id in ($2, $3) order by 1`,
      [hospital.id, booked.id, runId],
    );
    expect(entries).toEqual([
      { table_name: 'appointment', actor_role: 'admin' },
      { table_name: 'import_run', actor_role: 'admin' },
    ]);
  }));

test('an admin who books by hand is staff, whatever source they would like', () =>
  asAdmin(async (db) => {
    const [slotId] = await slotsAhead(db, hospital);
    const { source } = await one<{ source: string }>(
      db,
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, source)
       values ($1, $2, $3, 'scheduled', 'call') returning source`,
      [hospital.id, slotId, hospital.patientIds[0]],
    );
    expect(source).toBe('staff');
  }));

describe('what stands in the way of booking is a fault of its cell', () => {
  const obstacles: [string, string, (db: PoolClient) => Promise<unknown>][] = [
    [
      'medical_record_number',
      'patient_inactive',
      (db) =>
        db.query(
          "update app_public.patient set is_active = false where medical_record_number = 'MRN-1'",
        ),
    ],
    [
      'medical_record_number',
      'patient_blocked',
      (db) =>
        db.query(
          "update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'x' where medical_record_number = 'MRN-1'",
        ),
    ],
    [
      'staff_number',
      'doctor_unavailable',
      (db) =>
        db.query("update app_public.doctor set is_available = false where staff_number = 'D-1'"),
    ],
    [
      'starts_at',
      'slot_blocked',
      (db) =>
        db.query(
          `update app_public.slot set blocked_at = now(), blocked_reason = 'x'
           where hospital_id = $1 and starts_at = ($2::timestamp at time zone $3)`,
          [hospital.id, `${day} 09:00`, hospital.timeZone],
        ),
    ],
    [
      'starts_at',
      'hospital_holiday',
      async (db) => {
        await become(db, hospital.admin);
        await db.query("select app_public.create_holiday('Founders'' day', $1)", [day]);
      },
    ],
    [
      'starts_at',
      'doctor_absent',
      async (db) => {
        await become(db, hospital.admin);
        await db.query(
          "select app_public.create_absence(doctor_id => $1, type => 'conference', first_day => $2, last_day => $2)",
          [hospital.doctorIds[0], day],
        );
      },
    ],
    [
      'starts_at',
      'daily_limit_reached',
      async (db) => {
        await become(db, hospital.admin);
        await importRows(db, 'appointments', [{ ...wish, starts_at: `${day} 15:00` }]);
        await asOwner(db);
        await db.query(
          "update app_public.doctor set max_patients_per_day = 1 where staff_number = 'D-1'",
        );
      },
    ],
  ];

  test.each(obstacles)('%s: %s', (column, scenario, obstruct) =>
    rolledBack(ownerPool, async (db) => {
      await obstruct(db);
      await become(db, hospital.admin);
      const report = await importRows(db, 'appointments', [wish]);
      expect(faultsOf(report)).toEqual([`1 ${column} ${scenario}`]);
    }),
  );

  test('all broken rules of a row are told', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(
        "update app_public.doctor set is_available = false where staff_number = 'D-1'",
      );
      await db.query(
        "update app_public.patient set is_active = false where medical_record_number = 'MRN-1'",
      );
      await become(db, hospital.admin);
      expect(faultsOf(await importRows(db, 'appointments', [wish]))).toEqual([
        '1 medical_record_number patient_inactive',
        '1 staff_number doctor_unavailable',
      ]);
    }));

  test('a visit that needs more slots than there are does not fit; one that fits takes them all', () =>
    rolledBack(ownerPool, async (db) => {
      await insert(db, 'service', {
        hospital_id: hospital.id,
        name: 'Long',
        duration: '90 minutes',
      });
      await become(db, hospital.admin);
      const long = { ...wish, service: 'Long' };
      const report = await importRows(db, 'appointments', [
        { ...long, starts_at: `${day} 12:00` },
        long,
        { ...wish, medical_record_number: 'MRN-2', starts_at: `${day} 10:00` },
      ]);
      expect(faultsOf(report)).toEqual([
        '1 starts_at time_outside_slot',
        '3 starts_at slot_booked',
      ]);
      expect(await importRows(db, 'appointments', [long])).toMatchObject({ is_accepted: true });
    }));
});

test('a seat whose hold has lapsed is free', () =>
  rolledBack(ownerPool, async (db) => {
    const { id: slotId } = await one<{ id: string }>(
      db,
      'select id from app_public.slot where hospital_id = $1 and doctor_id = $2 and starts_at = $3::timestamp at time zone $4',
      [hospital.id, hospital.doctorIds[0], wish.starts_at, hospital.timeZone],
    );
    await become(db, hospital.receptionist);
    const { id } = await hold(db, { slotId, patientId: nth(hospital.patientIds, 1) });
    await become(db, hospital.admin);
    expect(faultsOf(await importRows(db, 'appointments', [wish]))).toEqual([
      '1 starts_at slot_booked',
    ]);
    await moveClock(db, '1 hour');
    await become(db, hospital.admin);
    expect(await importRows(db, 'appointments', [wish])).toMatchObject({ is_accepted: true });
    expect(await one(db, 'select status from app_public.appointment where id = $1', [id])).toEqual({
      status: 'expired',
    });
  }));

test('days that are not stored yet are made real, those that are needed and no others', () =>
  rolledBack(ownerPool, async (db) => {
    const far = await openHospital(db, { horizonDays: 30 });
    await db.query(
      `update app_public.doctor set staff_number = 'F-' || right(display_name, 3) where hospital_id = $1`,
      [far.id],
    );
    await db.query('delete from app_public.slot where hospital_id = $1', [far.id]);
    const days: string[] = [];
    for (const ahead of [5, 6, 20, 31]) days.push(await dayAhead(db, far.id, ahead));
    await become(db, far.admin);
    const rows = days.map((each) => ({
      medical_record_number: 'MRN-1',
      staff_number: 'F-One',
      starts_at: `${each} 09:00`,
    }));
    expect(faultsOf(await importRows(db, 'appointments', rows))).toEqual([
      '4 starts_at beyond_booking_horizon',
    ]);
    expect(await importRows(db, 'appointments', rows.slice(0, 3))).toMatchObject({
      is_accepted: true,
    });
    await asOwner(db);
    const { rows: stored } = await db.query<{ day: string; count: number }>(
      `select (starts_at at time zone $2)::date::text as day, count(*)::int
       from app_public.slot where hospital_id = $1 group by 1 order by 1`,
      [far.id, far.timeZone],
    );
    expect(stored).toEqual(days.slice(0, 3).map((each) => ({ day: each, count: 14 })));
  }));

test('on days on which the clocks change, local times are what they are', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-03-20T12:00:00Z');
    const berlin = await createHospital(db, { timeZone: 'Europe/Berlin', horizonDays: 365 });
    await db.query(
      `update app_public.doctor set staff_number = 'B-' || right(display_name, 3) where hospital_id = $1`,
      [berlin.id],
    );
    await db.query(
      `update app_public.schedule set start_time = '00:00', end_time = '08:00', break_start = null, break_end = null
       where hospital_id = $1`,
      [berlin.id],
    );
    await generateSlots(db, berlin);
    await become(db, berlin.admin);
    const row = { medical_record_number: 'MRN-1', staff_number: 'B-One' };
    const at = (starts_at: string) => ({ ...row, starts_at });
    const report = await importRows(db, 'appointments', [
      at('2027-03-28 02:30'),
      at('2027-03-28 01:30'),
      at('2027-03-28 03:30'),
      at('2027-10-31 02:30'),
      at('2027-10-31 01:30'),
      at('2027-10-31T02:30+02:00'),
      at('2027-10-31 02:30 +01:00'),
      at('2027-10-31 03:30'),
    ]);
    expect(faultsOf(report)).toEqual([
      '1 starts_at local_time_skipped',
      '4 starts_at local_time_ambiguous',
    ]);
    const right = [
      ['2027-03-28 01:30', '2027-03-28T00:30:00.000Z'],
      ['2027-03-28 03:30', '2027-03-28T01:30:00.000Z'],
      ['2027-10-31 02:30+02:00', '2027-10-31T00:30:00.000Z'],
      ['2027-10-31 02:30+01:00', '2027-10-31T01:30:00.000Z'],
      ['2027-10-31 03:30', '2027-10-31T02:30:00.000Z'],
      ['2027-11-01T00:30:00Z', '2027-11-01T00:30:00.000Z'],
    ] as const;
    await importRows(
      db,
      'appointments',
      right.map(([local]) => at(local)),
    );
    await asOwner(db);
    const { rows: booked } = await db.query<{ starts_at: Date }>(
      'select starts_at from app_public.appointment where hospital_id = $1 order by 1',
      [berlin.id],
    );
    expect(booked.map(({ starts_at: instant }) => instant.toISOString())).toEqual(
      right.map(([, instant]) => instant),
    );
  }));

test('every local time of a year is read as its clocks show it', async () => {
  const { rows } = await ownerPool.query<{
    zone: string;
    wrong: number;
    skipped: number;
    twice: number;
  }>(`
    select zone, count(*) filter (where (
        select count(*) from generate_series(
          wall at time zone 'UTC' - interval '15 hours', wall at time zone 'UTC' + interval '15 hours', '30 minutes') as instant
        where instant at time zone zone = wall) <> cardinality(instants))::int as wrong,
      count(*) filter (where cardinality(instants) = 0)::int as skipped,
      count(*) filter (where cardinality(instants) = 2)::int as twice
    from unnest(array['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/St_Johns']) as zone
    cross join generate_series(timestamp '2027-03-12', '2027-04-06', '30 minutes') as wall
    cross join lateral app_private.local_instants(wall, zone) as instants
    group by zone order by zone`);
  expect(rows.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0, 0]);
  const changes = Object.fromEntries(
    rows.map(({ zone, skipped, twice }) => [zone, [skipped, twice]]),
  );
  expect(changes).toEqual({
    'America/Sao_Paulo': [0, 0],
    'America/St_Johns': [2, 0],
    'Asia/Kolkata': [0, 0],
    'Australia/Lord_Howe': [0, 1],
    'Europe/Berlin': [2, 0],
  });
});
