import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { columnsOf, type ImportKind } from '../../import/columns.ts';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { beginAtNoon } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { dayAhead, faultsOf, importRows, type Row } from './importing.ts';

// Every way in which every column can be at fault, each beside the row that it would be without.

const { ownerPool } = await createDatabase();
await beginAtNoon(ownerPool);
const hospital = await openHospital(ownerPool);
await ownerPool.query(
  `update app_public.doctor set staff_number = case id when $1 then 'D-1' else 'D-2' end where hospital_id = $2`,
  [hospital.doctorIds[0], hospital.id],
);
await insert(ownerPool, 'doctor', {
  hospital_id: hospital.id,
  display_name: 'Dr. Gone',
  staff_number: 'D-GONE',
  is_active: false,
});
await insert(ownerPool, 'location', { hospital_id: hospital.id, name: 'Closed', is_active: false });
await insert(ownerPool, 'service', {
  hospital_id: hospital.id,
  name: 'Former',
  is_active: false,
});
const today = await dayAhead(ownerPool, hospital.id, 0);
const yesterday = await dayAhead(ownerPool, hospital.id, -1);
const tomorrow = await dayAhead(ownerPool, hospital.id, 1);

const right: Record<ImportKind, Row> = {
  doctors: {
    staff_number: 'D-9',
    display_name: 'Dr. New',
    specialty: 'cardiology',
    slot_minutes: '20',
    max_patients_per_day: '12',
  },
  patients: {
    medical_record_number: 'MRN-9',
    name: 'Nora New',
    phone: '+91 (0) 22/123-456',
    email: 'Nora@Example.org',
    date_of_birth: '1988-02-29',
  },
  schedules: {
    staff_number: 'D-1',
    location: 'Annex',
    weekday: '1',
    start_time: '18:00',
    end_time: '22:00',
    break_start: '19:00',
    break_end: '19:30',
    slot_capacity: '2',
    effective_from: today,
    effective_until: '2099-12-31',
  },
  appointments: {
    medical_record_number: 'MRN-1',
    staff_number: 'D-1',
    starts_at: `${tomorrow} 09:30`,
    service: 'Consultation',
    reason: 'Check-up',
    external_id: 'X-1',
  },
};

const long = (length: number) => 'x'.repeat(length);

/** By kind: the column, what it says instead, the scenario; and what else differs. */
const faults: Record<ImportKind, [string, string | null, string, Row?][]> = {
  doctors: [
    ['staff_number', null, 'cell_missing'],
    ['staff_number', long(51), 'cell_invalid'],
    ['staff_number', 'D-1', 'staff_number_taken'],
    ['display_name', null, 'cell_missing'],
    ['display_name', '   ', 'cell_missing'],
    ['display_name', long(201), 'cell_invalid'],
    ['specialty', long(101), 'cell_invalid'],
    ['slot_minutes', '4', 'cell_invalid'],
    ['slot_minutes', '481', 'cell_invalid'],
    ['slot_minutes', 'half an hour', 'cell_invalid'],
    ['slot_minutes', '20.5', 'cell_invalid'],
    ['max_patients_per_day', '0', 'cell_invalid'],
    ['max_patients_per_day', '501', 'cell_invalid'],
    ['max_patients_per_day', '99999999999999999999', 'cell_invalid'],
  ],
  patients: [
    ['medical_record_number', null, 'cell_missing'],
    ['medical_record_number', long(65), 'cell_invalid'],
    ['medical_record_number', 'MRN-1', 'medical_record_number_taken'],
    ['name', null, 'cell_missing'],
    ['name', long(201), 'cell_invalid'],
    ['phone', 'none', 'cell_invalid'],
    ['phone', '12', 'cell_invalid'],
    ['email', 'nora at example', 'cell_invalid'],
    ['email', `n@${long(260)}`, 'cell_invalid'],
    ['date_of_birth', '29.02.1988', 'cell_invalid'],
    ['date_of_birth', '1989-02-29', 'cell_invalid'],
    ['date_of_birth', '1988-13-01', 'cell_invalid'],
    ['date_of_birth', '1849-12-31', 'cell_invalid'],
    ['date_of_birth', '2988-01-01', 'cell_invalid'],
  ],
  schedules: [
    ['staff_number', null, 'cell_missing'],
    ['staff_number', 'D-7', 'doctor_not_found'],
    ['staff_number', 'D-GONE', 'doctor_inactive'],
    ['location', null, 'cell_missing'],
    ['location', 'Moon', 'location_not_found'],
    ['location', 'Closed', 'location_not_found'],
    ['weekday', null, 'cell_missing'],
    ['weekday', '0', 'cell_invalid'],
    ['weekday', 'Montag', 'cell_invalid'],
    ['start_time', null, 'cell_missing'],
    ['start_time', '6 pm', 'cell_invalid'],
    ['end_time', null, 'cell_missing'],
    ['end_time', '25:00', 'cell_invalid'],
    ['end_time', '24:30', 'cell_invalid'],
    ['end_time', '18:00', 'cell_invalid', { break_start: null, break_end: null }],
    ['break_start', null, 'cell_missing'],
    ['break_start', '7', 'cell_invalid'],
    ['break_start', '17:00', 'cell_invalid'],
    ['break_end', null, 'cell_missing'],
    ['break_end', 'late', 'cell_invalid'],
    ['break_end', '19:00', 'cell_invalid'],
    ['break_end', '22:30', 'cell_invalid'],
    ['slot_capacity', '0', 'cell_invalid'],
    ['slot_capacity', '101', 'cell_invalid'],
    ['effective_from', 'soon', 'cell_invalid'],
    ['effective_from', yesterday, 'schedule_in_past'],
    ['effective_until', '2099-02-30', 'cell_invalid'],
    ['effective_until', yesterday, 'cell_invalid'],
    ['start_time', '16:30', 'schedule_overlaps'],
  ],
  appointments: [
    ['medical_record_number', null, 'cell_missing'],
    ['medical_record_number', 'MRN-77', 'patient_not_found'],
    ['staff_number', null, 'cell_missing'],
    ['staff_number', 'D-7', 'doctor_not_found'],
    ['staff_number', 'D-GONE', 'doctor_inactive', { starts_at: `${tomorrow} 09:30` }],
    ['starts_at', null, 'cell_missing'],
    ['starts_at', 'tomorrow', 'cell_invalid'],
    ['starts_at', `${tomorrow}`, 'cell_invalid'],
    ['starts_at', `${tomorrow} 09:30+25:00`, 'cell_invalid'],
    ['starts_at', `${tomorrow} 09:31`, 'slot_not_found'],
    ['starts_at', `${yesterday} 09:30`, 'slot_in_past'],
    ['starts_at', '2099-01-01 09:30', 'beyond_booking_horizon'],
    ['service', 'Alchemy', 'service_not_found'],
    ['service', 'Former', 'service_not_found'],
    ['reason', long(2001), 'cell_invalid'],
    ['external_id', long(101), 'cell_invalid'],
  ],
};

const cases = Object.entries(faults).flatMap(([kind, list]) =>
  list.map(([column, value, scenario, others = {}]) => ({
    kind: kind as ImportKind,
    column,
    value,
    says: value === null ? 'nothing' : value.length > 30 ? `${value.length} characters` : value,
    scenario,
    others,
  })),
);

test('every column is wrong in some way here', () => {
  for (const [kind, { needed, optional }] of Object.entries(columnsOf)) {
    const columns = new Set(faults[kind as ImportKind].map(([column]) => column));
    expect([...columns].sort()).toEqual([...needed, ...optional].sort());
  }
});

test('the columns of files are those of the mutations', async () => {
  const { rows } = await ownerPool.query<{ kind: ImportKind; columns: string[] }>(
    `select replace(relname, '_import_row', 's') as kind, array_agg(attname::text order by attnum) as columns
     from pg_catalog.pg_class join pg_catalog.pg_attribute on attrelid = pg_class.oid
     where relnamespace = 'app_public'::regnamespace and relname like '%\\_import\\_row' and attnum > 0
     group by relname`,
  );
  expect(Object.fromEntries(rows.map(({ kind, columns }) => [kind, columns]))).toEqual(
    Object.fromEntries(
      Object.entries(columnsOf).map(([kind, { needed, optional }]) => [
        kind,
        [...needed, ...optional],
      ]),
    ),
  );
});

const asAdmin = (story: (db: PoolClient) => Promise<void>) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await story(db);
  });

test.each(Object.keys(right) as ImportKind[])('%s without a fault are imported', (kind) =>
  asAdmin(async (db) => {
    expect(await importRows(db, kind, [right[kind]])).toMatchObject({
      is_accepted: true,
      row_count: 1,
      fault_count: 0,
      faults: [],
    });
  }),
);

test.each(cases)('$kind: $column that says $says is $scenario', (each) =>
  asAdmin(async (db) => {
    const { kind, column, value, scenario, others } = each;
    const wrong = { ...right[kind], ...others, [column]: value };
    const report = await importRows(db, kind, [wrong]);
    expect(report).toMatchObject({ is_accepted: false, run_id: null });
    expect(faultsOf(report)[0]).toBe(`1 ${column} ${scenario}`);
    expect(report.faults[0]?.value).toBe(value?.trim() ? value.slice(0, 100) : null);
    expect(report.faults[0]?.message).toMatch(/\.$/);
  }),
);

test('every scenario of a fault is in the catalog', async () => {
  const { rows } = await ownerPool.query<{ scenario: string }>(
    'select scenario from app_public.error_catalog',
  );
  const known = rows.map(({ scenario }) => scenario);
  expect(cases.map(({ scenario }) => scenario).filter((each) => !known.includes(each))).toEqual([]);
});

describe('rows of one import beside each other', () => {
  test('a doctor and a patient come once', () =>
    asAdmin(async (db) => {
      const doctors = [right.doctors, { ...right.doctors, display_name: 'Dr. Same' }];
      const report = await importRows(db, 'doctors', doctors);
      expect(faultsOf(report)).toEqual(['2 staff_number repeated_in_import']);
      expect(report.faults[0]?.message).toBe('Row 1 has this staff number already.');
      const patients = [right.patients, right.patients, right.patients];
      expect(faultsOf(await importRows(db, 'patients', patients))).toEqual([
        '2 medical_record_number repeated_in_import',
        '3 medical_record_number repeated_in_import',
      ]);
    }));

  test('hours of a doctor do not overlap, unless on other days', () =>
    asAdmin(async (db) => {
      const later = { ...right.schedules, effective_from: '2050-01-01', effective_until: null };
      const clash = { ...right.schedules, start_time: '18:30', effective_until: null };
      expect(faultsOf(await importRows(db, 'schedules', [right.schedules, later]))).toEqual([
        '2 start_time schedule_overlaps',
      ]);
      const ended = { ...right.schedules, effective_until: '2049-12-31' };
      expect((await importRows(db, 'schedules', [ended, later])).is_accepted).toBe(true);
      const report = await importRows(db, 'schedules', [{ ...clash, weekday: 'Tue' }, clash]);
      expect(faultsOf(report)).toEqual(['2 start_time schedule_overlaps']);
      expect(report.faults[0]?.message).toBe('The doctor has hours at this time already.');
    }));

  test('a patient and a slot are booked once, and an external id is used once', () =>
    asAdmin(async (db) => {
      const first = right.appointments;
      const report = await importRows(db, 'appointments', [
        first,
        { ...first, staff_number: 'D-2', external_id: null },
        { ...first, medical_record_number: 'MRN-2', external_id: null },
        { ...first, starts_at: `${tomorrow} 10:00` },
      ]);
      expect(faultsOf(report)).toEqual([
        '2 medical_record_number patient_double_booked',
        '3 starts_at slot_booked',
        '4 external_id repeated_in_import',
      ]);
      expect(report.faults[0]?.message).toBe(
        'Row 1 brings the patient an appointment at this time already.',
      );
    }));

  test('all faults of all rows come together, in order', () =>
    asAdmin(async (db) => {
      const report = await importRows(db, 'doctors', [
        { staff_number: 'D-1', display_name: null, slot_minutes: 'x' },
        right.doctors,
        { staff_number: null, display_name: 'Dr. X', max_patients_per_day: '-1' },
      ]);
      expect(report).toMatchObject({ row_count: 3, fault_count: 5 });
      expect(faultsOf(report)).toEqual([
        '1 staff_number staff_number_taken',
        '1 display_name cell_missing',
        '1 slot_minutes cell_invalid',
        '3 staff_number cell_missing',
        '3 max_patients_per_day cell_invalid',
      ]);
    }));

  test('a thousand faults are listed, and all are counted', () =>
    asAdmin(async (db) => {
      const rows = Array.from({ length: 600 }, (_, index) => ({ phone: `no number ${index}` }));
      const report = await importRows(db, 'patients', rows);
      expect(report.fault_count).toBe(1_800);
      expect(report.faults).toHaveLength(1_000);
    }));
});

test('what the cells say is trimmed, and kept as it should be', () =>
  asAdmin(async (db) => {
    await importRows(db, 'patients', [{ ...right.patients, name: ' Nora New ', phone: ' ' }]);
    await asOwner(db);
    const { rows } = await db.query(
      `select name, phone, email, date_of_birth::text from app_public.patient
       where hospital_id = $1 and medical_record_number = 'MRN-9'`,
      [hospital.id],
    );
    expect(rows).toEqual([
      { name: 'Nora New', phone: null, email: 'nora@example.org', date_of_birth: '1988-02-29' },
    ]);
  }));

test('weekdays are numbers or English names', () =>
  asAdmin(async (db) => {
    const names = ['Monday', 'TUE', 'wed', '4', 'friday', 'Sat', '7'];
    const rows = names.map((weekday) => ({ ...right.schedules, weekday }));
    expect(await importRows(db, 'schedules', rows)).toMatchObject({ is_accepted: true });
    await asOwner(db);
    const { rows: stored } = await db.query(
      `select schedule.weekday from app_public.imported_row
       join app_public.schedule on schedule.hospital_id = imported_row.hospital_id and schedule.id = imported_row.record_id
       where imported_row.hospital_id = $1 order by imported_row.row_number`,
      [hospital.id],
    );
    expect(stored.map(({ weekday }) => weekday)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  }));
