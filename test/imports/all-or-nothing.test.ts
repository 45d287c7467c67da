import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import type { ImportKind } from '../../import/columns.ts';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { dayAhead, faultsOf, importRows, type Row, rowCounts } from './importing.ts';

// A refused import and a dry run leave every table as it was; an accepted one leaves its rows, and which
// row of which run each record came from.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
await ownerPool.query(
  `update app_public.doctor set staff_number = case id when $1 then 'D-1' else 'D-2' end where hospital_id = $2`,
  [hospital.doctorIds[0], hospital.id],
);
const day = await dayAhead(ownerPool, hospital.id, 3);

const rowsOf: Record<ImportKind, { right: Row[]; wrong: Row; table: string }> = {
  doctors: {
    right: [1, 2, 3].map((number) => ({ staff_number: `N-${number}`, display_name: 'Dr. New' })),
    wrong: { staff_number: 'D-1', display_name: 'Dr. Again' },
    table: 'doctor',
  },
  patients: {
    right: [1, 2, 3].map((number) => ({ medical_record_number: `N-${number}`, name: 'New' })),
    wrong: { medical_record_number: 'N-4', name: 'New', phone: 'none' },
    table: 'patient',
  },
  schedules: {
    right: [1, 2, 3].map((weekday) => ({
      staff_number: 'D-1',
      location: 'Annex',
      weekday: String(weekday),
      start_time: '20:00',
      end_time: '22:00',
    })),
    wrong: {
      staff_number: 'D-1',
      location: 'Annex',
      weekday: '4',
      start_time: '16:00',
      end_time: '22:00',
    },
    table: 'schedule',
  },
  appointments: {
    right: ['09:00', '09:30', '10:00'].map((time) => ({
      medical_record_number: 'MRN-1',
      staff_number: 'D-1',
      starts_at: `${day} ${time}`,
      external_id: `X ${time}`,
    })),
    // Whether it can be booked is only known after the others are.
    wrong: { medical_record_number: 'MRN-2', staff_number: 'D-1', starts_at: `${day} 09:30` },
    table: 'appointment',
  },
};
const kinds = Object.entries(rowsOf).map(([kind, rows]) => ({ kind: kind as ImportKind, ...rows }));

const asAdmin = (story: (db: PoolClient) => Promise<void>) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await story(db);
  });

async function countsBeside(db: PoolClient, act: () => Promise<void>) {
  await asOwner(db);
  const before = await rowCounts(db);
  await become(db, hospital.admin);
  await act();
  await asOwner(db);
  return { before, after: await rowCounts(db) };
}

describe.each(kinds)('$kind', ({ kind, right, wrong, table }) => {
  test.each([0, 1, 3])('a fault in a row after %i others leaves every table as it was', (place) =>
    asAdmin(async (db) => {
      const { before, after } = await countsBeside(db, async () => {
        const rows = right.toSpliced(place, 0, wrong);
        const report = await importRows(db, kind, rows);
        expect(report).toMatchObject({ is_accepted: false, run_id: null, row_count: 4 });
        // Of two appointments that want one slot the second is at fault.
        expect(report.faults[0]?.row_number).toBe(
          kind === 'appointments' && place < 2 ? 3 : place + 1,
        );
      });
      expect(after).toEqual(before);
    }),
  );

  test('a dry run says what the import says, and leaves nothing', () =>
    asAdmin(async (db) => {
      for (const rows of [right, [...right, wrong]]) {
        let dry = {};
        const { before, after } = await countsBeside(db, async () => {
          dry = await importRows(db, kind, rows, true);
        });
        expect(after).toEqual(before);
        await become(db, hospital.admin);
        await db.query('savepoint real');
        const real = await importRows(db, kind, rows);
        await db.query('rollback to savepoint real');
        expect({ ...dry, is_dry_run: false, run_id: real.run_id }).toEqual(real);
        expect(dry).toMatchObject({ is_dry_run: true, run_id: null });
      }
    }));

  test('what was imported can be traced to its run and row, and the run has all of its rows', () =>
    asAdmin(async (db) => {
      const { before, after } = await countsBeside(db, async () => {
        const { run_id: runId } = await importRows(db, kind, right);
        const { rows: traced } = await db.query(
          `select imported_row.row_number, ${table}.id is not null as is_there
           from app_public.import_run
           join app_public.imported_row on imported_row.hospital_id = import_run.hospital_id and imported_row.run_id = import_run.id
           left join app_public.${table} on ${table}.hospital_id = imported_row.hospital_id and ${table}.id = imported_row.record_id
           where import_run.id = $1 order by 1`,
          [runId],
        );
        expect(traced).toEqual([1, 2, 3].map((row_number) => ({ row_number, is_there: true })));
        expect(
          await one(db, 'select * from app_public.import_run where id = $1', [runId]),
        ).toMatchObject({
          kind,
          row_count: 3,
          file_name: null,
          created_by: hospital.admin.accountId,
        });
      });
      const name = `app_public.${table}`;
      expect(after[name]).toBe((before[name] ?? 0) + 3);
      expect(after['app_private.import_row']).toBe(0);
    }));

  test('the same rows a second time are told kindly, and change nothing', () =>
    asAdmin(async (db) => {
      const { run_id: runId } = await importRows(db, kind, right);
      const { before, after } = await countsBeside(db, async () => {
        const report = await importRows(db, kind, right);
        expect(faultsOf(report)).toEqual(['- - already_imported']);
        expect(report.faults[0]?.message).toContain(`run ${runId}`);
      });
      expect(after).toEqual(before);
    }));
});

test('an appointment that was imported is not imported again, even after it was cancelled', () =>
  asAdmin(async (db) => {
    const [first, second] = rowsOf.appointments.right;
    await importRows(db, 'appointments', [first ?? {}]);
    const { record_id: id } = await one<{ record_id: string }>(
      db,
      'select record_id from app_public.imported_row where external_id is not null',
    );
    await db.query('select from app_public.cancel_appointment($1)', [id]);
    const report = await importRows(db, 'appointments', [second ?? {}, first ?? {}]);
    expect(faultsOf(report)).toEqual(['2 external_id external_id_taken']);
  }));

test('what another hospital has is not in the way, and is not found', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await importRows(db, 'patients', rowsOf.patients.right);
    await importRows(db, 'appointments', rowsOf.appointments.right);
    await become(db, stranger.admin);
    expect(await importRows(db, 'patients', rowsOf.patients.right)).toMatchObject({
      is_accepted: true,
    });
    expect(
      faultsOf(await importRows(db, 'appointments', rowsOf.appointments.right)).map(
        (fault) => fault.split(' ')[2],
      ),
    ).toEqual(['doctor_not_found', 'doctor_not_found', 'doctor_not_found']);
  }));

describe('who may import, and how much', () => {
  test.each(['receptionist', 'nurse', 'doctor', 'patient'] as const)('not a %s', (role) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital[role]);
      for (const { kind, right } of kinds) {
        expect(await errorOf(db, () => importRows(db, kind, right))).toMatchObject({
          code: '42501',
        });
      }
    }),
  );

  test('between one row and a thousand', () =>
    asAdmin(async (db) => {
      for (const [count, fault] of [
        [0, 'are missing'],
        [1_001, 'are more than 1000'],
      ] as const) {
        const rows = Array.from({ length: count }, () => ({ name: 'x' }));
        expect(await refusalOf(db, () => importRows(db, 'patients', rows))).toMatchObject({
          scenario: 'invalid_input',
          details: { rows: fault },
        });
      }
    }));

  test('an admin of one hospital cannot take part in the import of another', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, stranger.admin);
      const calls = [
        `select app_private.stage_rows('${hospital.id}', app_private.new_id(), '{1}', '[{}]')`,
        `select app_private.lock_imported_seats('${hospital.id}', app_private.new_id())`,
      ];
      for (const call of calls) {
        expect((await errorOf(db, () => db.query(call))).code).toMatch(/^(42501|SK403)$/);
      }
    }));
});
