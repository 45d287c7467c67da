import type { PoolClient } from 'pg';
import { expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { book, cancel } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { isLocked, lockRow, outcomeOf, race, untilBlocked } from '../helpers/races.ts';
import { faultsOf, importRows, type Row } from './importing.ts';

// An import of appointments holds very many locks, some of them for minutes. It takes all of them before
// it books, in the order that every booking keeps; so others wait for it, but never in a circle.

const { ownerPool } = await createDatabase();

/** A hospital of the test's own, and its first free starts as rows to import, each of another patient. */
async function prepare(patientCount = 4) {
  const hospital = await openHospital(ownerPool, { horizonDays: 6, patientCount });
  await ownerPool.query(
    `update app_public.doctor set staff_number = case id when $1 then 'D-1' else 'D-2' end where hospital_id = $2`,
    [hospital.doctorIds[0], hospital.id],
  );
  const { rows } = await ownerPool.query<{ local: string }>(
    `select to_char(starts_at at time zone $2, 'YYYY-MM-DD HH24:MI') as local
     from app_public.slot join unnest($1::uuid[]) with ordinality as wanted (id, position) using (id)
     order by wanted.position`,
    [hospital.slotIds, hospital.timeZone],
  );
  const starts = rows.map(({ local }) => local);
  const row = (slot: number, patient: number, doctor = 1): Row => ({
    medical_record_number: `MRN-${patient + 1}`,
    staff_number: `D-${doctor}`,
    starts_at: nth(starts, slot),
  });
  return { hospital, row };
}

const slot = (id: string) => ({ table: 'slot', where: { id } });
const patient = (id: string) => ({ table: 'patient', where: { id } });

test('who books with other patients and doctors does not wait for an import', () =>
  race(ownerPool, async (start) => {
    const { hospital, row } = await prepare();
    const importing = await start(hospital.admin);
    await importRows(importing.db, 'appointments', [row(0, 0), row(1, 1)]);

    const booking = await start(hospital.receptionist);
    await booking.db.query("set local lock_timeout = '1ms'");
    const patientId = nth(hospital.patientIds, 2);
    await book(booking.db, { slotId: nth(hospital.otherSlotIds, 0), patientId });
    await booking.commit();
    await importing.commit();
    await expectInvariants(ownerPool);
  }));

test('who wants a seat that an import takes waits for it, and is told that it is booked', () =>
  race(ownerPool, async (start) => {
    const { hospital, row } = await prepare();
    const [importing, booking] = [await start(hospital.admin), await start(hospital.receptionist)];
    await importRows(importing.db, 'appointments', [row(0, 0), row(1, 1)]);

    const wish = { slotId: nth(hospital.slotIds, 1), patientId: nth(hospital.patientIds, 2) };
    const attempt = outcomeOf(book(booking.db, wish));
    expect(await untilBlocked(ownerPool, booking.pid, attempt)).toEqual([importing.pid]);
    await importing.commit();
    expect(await attempt).toBe('slot_booked');
    await booking.end();
    await expectInvariants(ownerPool);
  }));

test('an import that waits for a patient holds no slot, and one that waits for a slot holds its patients', () =>
  race(ownerPool, async (start) => {
    const { hospital, row } = await prepare();
    // The order of the file is not the order of the locks.
    const rows = [row(2, 2), row(1, 1), row(0, 0)];
    const patients = hospital.patientIds.slice(0, 3).sort();
    const slots = hospital.slotIds.slice(0, 3).sort();

    const [inTheWay, further] = [await start(), await start()];
    const importing = await start(hospital.admin);
    await lockRow(inTheWay, patient(nth(patients, 1)));
    await lockRow(further, slot(nth(slots, 1)));
    const attempt = importRows(importing.db, 'appointments', rows);
    expect(await untilBlocked(ownerPool, importing.pid, attempt)).toEqual([inTheWay.pid]);
    expect(await isLocked(ownerPool, patient(nth(patients, 0)))).toBe(true);
    expect(await isLocked(ownerPool, patient(nth(patients, 2)))).toBe(false);
    expect(await isLocked(ownerPool, slot(nth(slots, 0)))).toBe(false);

    await inTheWay.commit();
    expect(await untilBlocked(ownerPool, importing.pid, attempt)).toEqual([further.pid]);
    expect(await isLocked(ownerPool, patient(nth(patients, 2)))).toBe(true);
    expect(await isLocked(ownerPool, slot(nth(slots, 0)))).toBe(true);
    expect(await isLocked(ownerPool, slot(nth(slots, 2)))).toBe(false);

    await further.commit();
    expect(await attempt).toMatchObject({ is_accepted: true });
    await importing.commit();
    await expectInvariants(ownerPool);
  }));

test('further slots of long visits are locked before the first row is booked', () =>
  race(ownerPool, async (start) => {
    const { hospital, row } = await prepare();
    await insert(ownerPool, 'service', {
      hospital_id: hospital.id,
      name: 'Long',
      duration: '60 minutes',
    });
    // A booking that was cancelled leaves the row of its day.
    await committedAs(ownerPool, hospital.receptionist, async (db) => {
      const wish = { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 3) };
      await cancel(db, (await book(db, wish)).id);
    });
    const [inTheWay, importing] = [await start(), await start(hospital.admin)];
    await lockRow(inTheWay, slot(nth(hospital.slotIds, 3)));
    const rows = [row(0, 0), { ...row(2, 1), service: 'Long' }];
    const attempt = importRows(importing.db, 'appointments', rows);
    expect(await untilBlocked(ownerPool, importing.pid, attempt)).toEqual([inTheWay.pid]);
    const days = { table: 'doctor_day', where: { hospital_id: hospital.id } };
    expect(await isLocked(ownerPool, days)).toBe(false);
    await inTheWay.commit();
    expect(await attempt).toMatchObject({ is_accepted: true });
    await importing.commit();
    await expectInvariants(ownerPool);
  }));

test('a booking that came first is a fault of the row that wanted its seat', () =>
  race(ownerPool, async (start) => {
    const { hospital, row } = await prepare();
    const [booking, importing] = [await start(hospital.receptionist), await start(hospital.admin)];
    const patientId = nth(hospital.patientIds, 3);
    await book(booking.db, { slotId: nth(hospital.slotIds, 1), patientId });
    const attempt = importRows(importing.db, 'appointments', [row(0, 0), row(1, 1)]);
    expect(await untilBlocked(ownerPool, importing.pid, attempt)).toEqual([booking.pid]);
    await booking.commit();
    expect(faultsOf(await attempt)).toEqual(['2 starts_at slot_booked']);
    await importing.commit();
    await expectInvariants(ownerPool);
  }));

test('of two imports into one hospital the second is told at once; another hospital has its own', () =>
  race(ownerPool, async (start) => {
    const [{ hospital, row }, elsewhere] = [await prepare(), await prepare()];
    const [first, second] = [await start(hospital.admin), await start(hospital.admin)];
    const third = await start(elsewhere.hospital.admin);
    await importRows(first.db, 'appointments', [row(0, 0)]);
    const patients = [{ medical_record_number: 'N-1', name: 'New' }];
    expect(await outcomeOf(importRows(second.db, 'patients', patients))).toBe('import_running');
    expect(await importRows(third.db, 'patients', patients)).toMatchObject({ is_accepted: true });
    await first.commit();
    await second.end();
    const later = await start(hospital.admin);
    expect(await importRows(later.db, 'patients', patients)).toMatchObject({ is_accepted: true });
  }));

test('a dry run lets the next import in', () =>
  race(ownerPool, async (start) => {
    const { hospital, row } = await prepare();
    const [dry, real] = [await start(hospital.admin), await start(hospital.admin)];
    await importRows(dry.db, 'appointments', [row(0, 0)], true);
    expect(await importRows(real.db, 'appointments', [row(0, 0)])).toMatchObject({
      is_accepted: true,
    });
  }));

test.each(['doctors', 'patients'] as const)(
  'somebody enters one of the %s while they are imported: its row is at fault, and none is stored',
  (kind) =>
    race(ownerPool, async (start) => {
      const { hospital } = await prepare();
      const [entering, importing] = [await start(hospital.admin), await start(hospital.admin)];
      const key = kind === 'doctors' ? 'staff_number' : 'medical_record_number';
      const name = kind === 'doctors' ? 'display_name' : 'name';
      await entering.db.query(
        kind === 'doctors'
          ? "select app_public.create_doctor('Dr. First', staff_number => 'N-2')"
          : "select app_public.create_patient('N-2', 'First')",
      );
      const rows = ['N-1', 'N-2', 'N-3'].map((number) => ({ [key]: number, [name]: 'Second' }));
      const attempt = importRows(importing.db, kind, rows);
      expect(await untilBlocked(ownerPool, importing.pid, attempt)).toEqual([entering.pid]);
      await entering.commit();
      expect(faultsOf(await attempt)).toEqual([`2 ${key} ${key}_taken`]);
      await importing.commit();
      const table = kind.slice(0, -1);
      const { rows: stored } = await ownerPool.query(
        `select ${name} as name from app_public.${table} where hospital_id = $1 and ${key} like 'N-%'`,
        [hospital.id],
      );
      expect(stored).toEqual([{ name: kind === 'doctors' ? 'Dr. First' : 'First' }]);
    }),
);

test('imports in the middle of a storm of bookings: nobody deadlocks, nothing is double-booked', async () => {
  const { hospital, row } = await prepare(60);
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  let number = 0;
  const bookOne = (db: PoolClient) => {
    number += 1;
    const slots = number % 3 === 0 ? hospital.otherSlotIds : hospital.slotIds;
    const slotId = nth(slots, (number * 7) % 40);
    return book(db, { slotId, patientId: nth(hospital.patientIds, (number * 11) % 60) });
  };
  const bookers = Array.from({ length: 6 }, async () => {
    for (let turn = 0; turn < 25; turn += 1) {
      count(await outcomeOf(committedAs(ownerPool, hospital.receptionist, bookOne)));
    }
  });
  const importer = (async () => {
    for (let turn = 0; turn < 8; turn += 1) {
      const rows = [4, 3, 2, 1, 0].flatMap((place) => [
        row(turn * 5 + place, 59 - turn * 5 - place),
        row(turn * 5 + place, (turn * 5 + place + 20) % 60, 2),
      ]);
      const report = await committedAs(ownerPool, hospital.admin, (db) =>
        importRows(db, 'appointments', rows),
      );
      count(report.is_accepted ? 'imported' : 'refused');
    }
  })();
  await Promise.all([...bookers, importer]);
  const allowed = ['done', 'imported', 'refused', 'slot_booked', 'patient_double_booked'];
  expect([...outcomes.keys()].filter((outcome) => !allowed.includes(outcome))).toEqual([]);
  expect(outcomes.get('done')).toBeGreaterThan(0);
  await expectInvariants(ownerPool);
  const { rows: halves } = await ownerPool.query(
    `select import_run.id from app_public.import_run
     left join app_public.imported_row on imported_row.hospital_id = import_run.hospital_id and imported_row.run_id = import_run.id
     left join app_public.appointment on appointment.hospital_id = import_run.hospital_id and appointment.id = record_id
     where import_run.hospital_id = $1
     group by import_run.id, row_count having count(appointment.id) <> row_count`,
    [hospital.id],
  );
  expect(halves).toEqual([]);
});
