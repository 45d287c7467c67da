import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import {
  appointmentIn,
  book,
  cancel,
  hold,
  reschedule,
  stored,
  transit,
} from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

// Own and others': patients act for themselves, doctors with themselves, nobody across hospitals.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const nextSlotId = nth(hospital.slotIds, 1);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);

const changes = {
  confirm_hold: (db, id) => transit(db, 'confirm_hold', id),
  confirm_appointment: (db, id) => transit(db, 'confirm_appointment', id),
  cancel_appointment: (db, id) => cancel(db, id),
  reschedule_appointment: (db, id) => reschedule(db, id, nextSlotId),
} satisfies Record<string, (db: Parameters<typeof cancel>[0], id: string) => Promise<unknown>>;

test.each(Object.entries({ book, hold }))(
  'a patient does not %s for another patient',
  (_, operation) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      for (const other of [otherPatientId, randomUUID(), nth(stranger.patientIds, 0)]) {
        expect(
          await refusalOf(db, () => operation(db, { slotId, patientId: other })),
        ).toMatchObject({
          code: 'SK403',
          scenario: 'forbidden',
          details: {},
        });
      }
    }),
);

test.each(Object.entries(changes))(
  '%s: another patient’s appointment does not exist',
  (_, change) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await book(await as(db, hospital.otherPatient), {
        slotId,
        patientId: otherPatientId,
      });
      await become(db, hospital.patient);
      expect(await refusalOf(db, () => change(db, id))).toMatchObject({
        code: 'SK404',
        scenario: 'appointment_not_found',
        details: { appointment_id: id },
      });
      expect(await refusalOf(db, () => change(db, randomUUID()))).toMatchObject({
        code: 'SK404',
        scenario: 'appointment_not_found',
      });
      expect(await stored(db, id)).toMatchObject({ status: 'scheduled', slot_id: slotId });
    }),
);

test.each(Object.entries(changes))(
  '%s: another doctor’s appointment is not mine to change',
  (name, change) =>
    rolledBack(ownerPool, async (db) => {
      const status = name === 'confirm_hold' ? 'held' : 'scheduled';
      const { id } = await appointmentIn(db, hospital, status, slotId, patientId);
      await become(db, hospital.otherDoctor);
      expect(await refusalOf(db, () => change(db, id))).toMatchObject({
        code: 'SK403',
        scenario: 'forbidden',
        details: { appointment_id: id },
      });
    }),
);

test.each(Object.entries(changes))(
  '%s: an appointment of another hospital does not exist',
  (_, change) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
      await become(db, stranger.admin);
      expect(await refusalOf(db, () => change(db, id))).toMatchObject({
        code: 'SK404',
        scenario: 'appointment_not_found',
      });
    }),
);

test.each(Object.entries({ book, hold }))(
  'a doctor does not %s with another doctor',
  (_, operation) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.otherDoctor);
      expect(await refusalOf(db, () => operation(db, { slotId, patientId }))).toMatchObject({
        code: 'SK403',
        scenario: 'forbidden',
      });
    }),
);

test('a doctor does not move an appointment to another doctor; reception does', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    const elsewhere = nth(hospital.otherSlotIds, 3);

    await become(db, hospital.doctor);
    expect(await refusalOf(db, () => reschedule(db, id, elsewhere))).toMatchObject({
      code: 'SK403',
      scenario: 'forbidden',
    });

    await become(db, hospital.receptionist);
    expect(await reschedule(db, id, elsewhere)).toMatchObject({ doctor_id: hospital.doctorIds[1] });
  }));

test('a plain insert is bound to the hospital of the claims as well', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const refusal = await refusalOf(db, () =>
      db.query(
        `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
         values ($1, $2, $3, 'scheduled')`,
        [stranger.id, nth(stranger.slotIds, 0), nth(stranger.patientIds, 0)],
      ),
    );
    expect(refusal).toMatchObject({ code: 'SK403', scenario: 'forbidden', details: {} });
  }));

test('without a login there is no booking', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    expect(await refusalOf(db, () => book(db, { slotId, patientId }))).toMatchObject({
      code: 'SK401',
      scenario: 'not_logged_in',
    });
  }));

test('whoever books is written down, with the door through which they came', () =>
  rolledBack(ownerPool, async (db) => {
    const own = await book(await as(db, hospital.patient), { slotId, patientId });
    expect(own).toMatchObject({ source: 'patient', created_by: hospital.patient.accountId });

    await become(db, hospital.receptionist);
    const other = await book(db, { slotId: nextSlotId, patientId: otherPatientId });
    expect(other).toMatchObject({ source: 'staff', created_by: hospital.receptionist.accountId });

    const byHand = await appointmentIn(
      db,
      hospital,
      'scheduled',
      nth(hospital.slotIds, 2),
      patientId,
    );
    expect(byHand).toMatchObject({ source: 'import', created_by: null });
  }));
