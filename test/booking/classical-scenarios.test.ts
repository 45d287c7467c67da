import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, dayCount, one, setStatus, slotState, stored } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

// The six ways in which appointment systems go wrong, each tried from the outside and from psql.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const [slotId, nextSlotId] = [nth(hospital.slotIds, 0), nth(hospital.slotIds, 1)];
const [patientId, otherPatientId] = [nth(hospital.patientIds, 0), nth(hospital.patientIds, 1)];

test('two users want one slot: one gets it, the other is told that it is taken', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    const booked = await book(db, { slotId, patientId });

    await become(db, hospital.otherPatient);
    const refusal = await refusalOf(db, () => book(db, { slotId, patientId: otherPatientId }));

    expect(booked).toMatchObject({ status: 'scheduled', slot_id: slotId, patient_id: patientId });
    expect(refusal).toMatchObject({ code: 'SK409', scenario: 'slot_booked', recoverable: true });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1, capacity: 1 });
  }));

test('a visit longer than the slots up to the break is refused', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await insert(db, 'service', {
      hospital_id: hospital.id,
      name: 'Long visit',
      duration: '4 hours 15 minutes',
    });

    await become(db, hospital.receptionist);
    const refusal = await refusalOf(db, () => book(db, { slotId, patientId, serviceId }));

    expect(refusal).toMatchObject({ code: 'SK422', scenario: 'time_outside_slot' });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0 });
  }));

const timesOutsideTheSlot = {
  'an hour later':
    "tstzrange(lower(during) + interval '1 hour', upper(during) + interval '1 hour')",
  'longer than the slot': "tstzrange(lower(during), upper(during) + interval '1 second')",
  'sooner than the slot': "tstzrange(lower(during) - interval '1 second', upper(during))",
};

test.each(Object.entries(timesOutsideTheSlot))(
  'psql cannot give a new appointment a time that is %s',
  (_, during) =>
    rolledBack(ownerPool, async (db) => {
      const refusal = await refusalOf(db, () =>
        db.query(
          `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, during)
           select hospital_id, id, $2, 'scheduled', ${during} from app_public.slot where id = $1`,
          [slotId, patientId],
        ),
      );
      expect(refusal).toMatchObject({ code: 'SK422', scenario: 'time_outside_slot' });
    }),
);

test.each(Object.entries(timesOutsideTheSlot))(
  'psql cannot move an appointment to a time that is %s',
  (_, during) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
      await asOwner(db);

      const alone = await refusalOf(db, () =>
        db.query(`update app_public.appointment set during = ${during} where id = $1`, [id]),
      );
      const withItsStatus = await refusalOf(db, () =>
        db.query(
          `update app_public.appointment set status = 'confirmed', during = ${during} where id = $1`,
          [id],
        ),
      );

      expect(alone).toMatchObject({ code: 'SK409', scenario: 'already_in_slot' });
      expect(withItsStatus).toMatchObject({ code: 'SK409', scenario: 'illegal_transition' });
    }),
);

test('cancelling frees the seat at once, for somebody else', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });

    const cancelled = await cancel(db, id, 'I feel better');
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      cancelled_by: hospital.patient.accountId,
      cancellation_reason: 'I feel better',
    });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0, status: 'available' });
    expect(await dayCount(db, slotId)).toBe(0);

    const next = await book(await as(db, hospital.otherPatient), {
      slotId,
      patientId: otherPatientId,
    });
    expect(next).toMatchObject({ status: 'scheduled', slot_id: slotId });
  }));

test.each([
  ['the same time', "interval '0'", "interval '0'"],
  ['a time around it', "interval '-5 minutes'", "interval '5 minutes'"],
  ['a time within it', "interval '5 minutes'", "interval '-5 minutes'"],
  ['a time that begins before its end', "interval '29 minutes'", "interval '29 minutes'"],
])('a doctor cannot have a second slot at %s', (_, later, longer) =>
  rolledBack(ownerPool, async (db) => {
    await db.query('delete from app_public.slot where id = $1', [nextSlotId]);
    const error = await errorOf(db, () =>
      db.query(
        `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
         select hospital_id, doctor_id, location_id,
           tstzrange(starts_at + ${later}, ends_at + ${longer})
         from app_public.slot where id = $1`,
        [slotId],
      ),
    );
    expect(error).toMatchObject({ code: '23P01', constraint: 'slots_of_a_doctor_never_overlap' });
  }),
);

test('slots that only touch, or are withdrawn, or another doctor’s do not overlap', () =>
  rolledBack(ownerPool, async (db) => {
    const again = `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
      select hospital_id, doctor_id, location_id, during from app_public.slot where id = $1`;
    await db.query('delete from app_public.slot where id = $1', [nextSlotId]);
    await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [slotId]);
    await db.query(again, [slotId]);
    const touching = await db.query(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
       select hospital_id, doctor_id, location_id, tstzrange(ends_at, ends_at + interval '5 minutes')
       from app_public.slot where id = $1`,
      [slotId],
    );
    expect(touching.rowCount).toBe(1);
  }));

test('a patient cannot be in two places at a time, not even by a hand in psql', () =>
  rolledBack(ownerPool, async (db) => {
    const taken = await book(await as(db, hospital.patient), { slotId, patientId });
    const sameTime = nth(hospital.otherSlotIds, 0);

    const refusal = await refusalOf(db, () => book(db, { slotId: sameTime, patientId }));
    await asOwner(db);
    await db.query('alter table app_public.appointment disable trigger user');
    const error = await errorOf(db, () =>
      db.query(
        `insert into app_public.appointment
           (hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_at, updated_at)
         select hospital_id, id, doctor_id, location_id, $2, during, 'scheduled', 'import', now(), now()
         from app_public.slot where id = $1`,
        [sameTime, patientId],
      ),
    );

    expect(refusal).toMatchObject({
      code: 'SK409',
      scenario: 'patient_double_booked',
      details: { appointment_id: taken.id },
    });
    expect(error).toMatchObject({
      code: '23P01',
      constraint: 'a_patient_is_in_one_place_at_a_time',
    });
  }));

test('a slot that has an appointment cannot be deleted, even when it was cancelled', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
    await asOwner(db);
    const remove = () => db.query('delete from app_public.slot where id = $1', [slotId]);

    const whileBooked = await errorOf(db, remove);
    await setStatus(db, id, 'cancelled');
    const afterwards = await errorOf(db, remove);

    for (const error of [whileBooked, afterwards]) {
      expect(error).toMatchObject({ code: '23503', constraint: 'appointment_in_a_slot' });
    }
  }));

test('an appointment that holds a seat cannot be deleted; one that ended can', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
    await asOwner(db);
    const remove = () => db.query('delete from app_public.appointment where id = $1', [id]);

    const refusal = await refusalOf(db, remove);
    await setStatus(db, id, 'cancelled');
    const removed = await remove();

    expect(refusal).toMatchObject({
      code: 'SK409',
      scenario: 'appointment_holds_a_seat',
      details: { appointment_id: id },
    });
    expect(removed.rowCount).toBe(1);
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0 });
  }));

test('no request role may delete an appointment or a slot', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.patient,
      hospital.doctor,
      hospital.receptionist,
      hospital.admin,
    ]) {
      await become(db, actor);
      for (const table of ['appointment', 'slot', 'doctor_day']) {
        const error = await errorOf(db, () => db.query(`delete from app_public.${table}`));
        expect(error.code, `${actor.role} deletes from ${table}`).toBe('42501');
      }
    }
  }));

test('an appointment cannot lie in the slot of another doctor', () =>
  rolledBack(ownerPool, async (db) => {
    const error = await errorOf(db, () =>
      db.query(
        `insert into app_public.appointment (hospital_id, slot_id, doctor_id, patient_id, status)
         values ($1, $2, $3, $4, 'scheduled')`,
        [hospital.id, slotId, hospital.doctorIds[1], patientId],
      ),
    );
    expect(error).toMatchObject({ code: '23503', constraint: 'appointment_in_a_slot' });
  }));

test('an appointment cannot lie in a slot of another hospital, nor be of its patient', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const foreignSlot = await refusalOf(db, () =>
      book(db, { slotId: nth(stranger.slotIds, 0), patientId }),
    );
    const foreignPatient = await refusalOf(db, () =>
      book(db, { slotId, patientId: nth(stranger.patientIds, 0) }),
    );

    await asOwner(db);
    const { id } = await one(
      db,
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
       values ($1, $2, $3, 'scheduled') returning *`,
      [hospital.id, slotId, patientId],
    );
    const moved = await refusalOf(db, () =>
      db.query('update app_public.appointment set slot_id = $2 where id = $1', [
        id,
        nth(stranger.slotIds, 0),
      ]),
    );

    expect(foreignSlot).toMatchObject({ code: 'SK404', scenario: 'slot_not_found' });
    expect(foreignPatient).toMatchObject({ code: 'SK404', scenario: 'patient_not_found' });
    expect(moved).toMatchObject({ code: 'SK404', scenario: 'slot_not_found' });
  }));

test('a seat cannot be held without a slot', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
    await asOwner(db);
    const refusal = await refusalOf(db, () =>
      db.query('update app_public.appointment set slot_id = null where id = $1', [id]),
    );
    expect(refusal).toMatchObject({ code: 'SK404', scenario: 'slot_not_found' });
    expect(await stored(db, id)).toMatchObject({ slot_id: slotId });
  }));

test('the state of a slot is in step with its appointments at every moment', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('update app_public.slot set capacity = 2 where id = $1', [slotId]);
    const status = async () => (await slotState(db, slotId)).status;
    expect(await status()).toBe('available');

    await as(db, hospital.receptionist);
    const first = await book(db, { slotId, patientId });
    expect(await status()).toBe('available');
    const second = await book(db, { slotId, patientId: otherPatientId });
    expect(await status()).toBe('booked');

    await db.query("select app_public.block_slot($1, 'cleaning')", [slotId]);
    expect(await status()).toBe('blocked');
    await db.query('select app_public.unblock_slot($1)', [slotId]);
    expect(await status()).toBe('booked');

    await cancel(db, first.id);
    expect(await status()).toBe('available');
    await cancel(db, second.id);
    await asOwner(db);
    await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [slotId]);
    expect(await status()).toBe('withdrawn');
  }));

test('the state of a slot cannot be written', () =>
  rolledBack(ownerPool, async (db) => {
    const error = await errorOf(db, () =>
      db.query("update app_public.slot set status = 'booked' where id = $1", [slotId]),
    );
    expect(error.code).toBe('428C9');
  }));
