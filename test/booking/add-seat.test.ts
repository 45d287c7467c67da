import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, type SlotState, slotState } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital, type Queryable } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);
const staff = [hospital.doctor, hospital.nurse, hospital.receptionist, hospital.admin];

async function addSeat(db: Queryable, slot = slotId, reason: string | null = 'an emergency') {
  const { rows } = await db.query<SlotState>('select * from app_public.add_seat($1, $2)', [
    slot,
    reason,
  ]);
  return nth(rows, 0);
}

test.each(staff)('$role adds a seat to a full slot, and somebody takes it', (actor) =>
  rolledBack(ownerPool, async (db) => {
    await book(await as(db, hospital.receptionist), { slotId, patientId });
    const wish = { slotId, patientId: otherPatientId };
    expect(await refusalOf(db, () => book(db, wish))).toMatchObject({ scenario: 'slot_booked' });

    expect(await addSeat(await as(db, actor))).toMatchObject({
      capacity: 2,
      booked_count: 1,
      status: 'available',
    });
    expect(await book(db, wish)).toMatchObject({ status: 'scheduled' });
  }),
);

test('why, by whom and when is kept, logged and told outside', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('delete from app_private.outbox');
    await addSeat(await as(db, hospital.nurse));
    await asOwner(db);
    const { rows: seats } = await db.query(
      `select slot_id, doctor_id, reason, added_by, added_at = app_private.clock() as is_now
       from app_public.added_seat`,
    );
    expect(seats).toEqual([
      {
        slot_id: slotId,
        doctor_id: hospital.doctorIds[0],
        reason: 'an emergency',
        added_by: hospital.nurse.accountId,
        is_now: true,
      },
    ]);
    const { rows: log } = await db.query(
      `select table_name, operation, changed_columns, actor_role from app_public.audit_entry
       where transaction_id = pg_current_xact_id()::text::bigint order by table_name`,
    );
    expect(log).toMatchObject([
      { table_name: 'added_seat', operation: 'insert', actor_role: 'nurse' },
      { table_name: 'slot', operation: 'update', changed_columns: { capacity: 2 } },
    ]);
    const { rows: told } = await db.query('select topic, payload from app_private.outbox');
    expect(told).toEqual([
      {
        topic: 'slots',
        payload: { doctor_id: hospital.doctorIds[0], slot_ids: [slotId] },
      },
    ]);
  }));

test('the doctor’s daily limit still holds', () =>
  rolledBack(ownerPool, async (db) => {
    await book(await as(db, hospital.receptionist), { slotId, patientId });
    await asOwner(db);
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      hospital.doctorIds[0],
    ]);
    await addSeat(await as(db, hospital.doctor));
    await become(db, hospital.receptionist);
    const attempt = () => book(db, { slotId, patientId: otherPatientId });
    expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'daily_limit_reached' });
  }));

test.each([null, '', '  '])('a reason is required: %j', (reason) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => addSeat(db, slotId, reason))).toMatchObject({
      code: 'SK400',
      scenario: 'invalid_input',
    });
  }),
);

test.each([
  ['that has begun', 'slot_in_past', 'select 1'],
  ['that is withdrawn', 'slot_withdrawn', 'update app_public.slot set withdrawn_at = now()'],
  [
    'that the schedule no longer has',
    'slot_withdrawn',
    'update app_public.slot set is_retired = true',
  ],
  ['with a hundred seats', 'slot_is_largest', 'update app_public.slot set capacity = 100'],
])('none is added to a slot %s', (_, scenario, change) =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    if (change.startsWith('update')) await db.query(`${change} where id = $1`, [slotId]);
    if (scenario === 'slot_in_past') await moveClock(db, '2 days');
    const before = await slotState(db, slotId);
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => addSeat(db))).toMatchObject({ scenario });
    expect(await slotState(db, slotId)).toEqual(before);
  }),
);

test('a doctor adds to their own slots only, a patient to none', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.otherDoctor);
    expect(await refusalOf(db, () => addSeat(db))).toMatchObject({
      code: 'SK403',
      scenario: 'forbidden',
    });
    await become(db, hospital.patient);
    expect(await errorOf(db, () => addSeat(db))).toMatchObject({ code: '42501' });
  }));

test('a slot of another hospital is not there', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, stranger.admin);
    for (const slot of [slotId, randomUUID()]) {
      expect(await refusalOf(db, () => addSeat(db, slot))).toMatchObject({
        code: 'SK404',
        scenario: 'slot_not_found',
        details: { slot_id: slot },
      });
    }
  }));

test('a hand that writes the row adds the seat as well; nobody writes the capacity of a slot', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    await db.query(
      "insert into app_public.added_seat (hospital_id, slot_id, reason) values ($1, $2, 'x')",
      [hospital.id, slotId],
    );
    expect(await slotState(db, slotId)).toMatchObject({ capacity: 2 });
    const attempt = () =>
      db.query('update app_public.slot set capacity = 3 where id = $1', [slotId]);
    expect(await errorOf(db, attempt)).toMatchObject({ code: '42501' });
  }));
