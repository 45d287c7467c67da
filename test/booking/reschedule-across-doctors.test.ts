import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import {
  appointmentIn,
  book,
  dayCount,
  reschedule,
  slotState,
  stored,
} from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { notificationsOf } from '../helpers/requests.ts';

// An appointment moves to another doctor: who may do it, and that everything moves with it.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const elsewhere = nth(hospital.otherSlotIds, 20);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);
const otherDoctorId = hospital.doctorIds[1];

test.each([hospital.patient, hospital.nurse, hospital.receptionist, hospital.admin])(
  '$role moves it to another doctor, with its seat, its day and its record',
  (actor) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await book(await as(db, hospital.patient), { slotId, patientId });

      const moved = await reschedule(await as(db, actor), id, elsewhere);

      expect(moved).toMatchObject({ id, doctor_id: otherDoctorId, slot_id: elsewhere });
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0 });
      expect(await slotState(db, elsewhere)).toMatchObject({ booked_count: 1 });
      expect([await dayCount(db, slotId), await dayCount(db, elsewhere)]).toEqual([0, 1]);
      await asOwner(db);
      const { rows } = await db.query(
        'select doctor_id, moved_by from app_public.appointment_move where appointment_id = $1',
        [id],
      );
      expect(rows).toEqual([{ doctor_id: otherDoctorId, moved_by: actor.accountId }]);
      expect((await notificationsOf(db, id)).at(-1)).toMatchObject({
        event: 'appointment_moved',
        to: actor.role === 'patient' ? 'doctor' : 'patient',
      });
    }),
);

test('a doctor moves it neither onto another doctor’s slot nor away from them', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    for (const [actor, target] of [
      [hospital.doctor, elsewhere],
      [hospital.otherDoctor, elsewhere],
      [hospital.otherDoctor, nth(hospital.slotIds, 3)],
    ] as const) {
      await become(db, actor);
      expect(await refusalOf(db, () => reschedule(db, id, target))).toMatchObject({
        code: 'SK403',
        scenario: 'forbidden',
      });
    }
    expect(await stored(db, id)).toMatchObject({ slot_id: slotId });
    expect(await slotState(db, elsewhere)).toMatchObject({ booked_count: 0 });
  }));

test('after the move it is the new doctor’s, and no longer the old one’s', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    await reschedule(await as(db, hospital.receptionist), id, elsewhere);
    await become(db, hospital.doctor);
    const attempt = () => reschedule(db, id, nth(hospital.slotIds, 3));
    expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'forbidden' });
    await become(db, hospital.otherDoctor);
    const next = nth(hospital.otherSlotIds, 21);
    expect(await reschedule(db, id, next)).toMatchObject({ slot_id: next });
  }));

test('the rules of the new doctor are judged', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId, patientId });
    await book(db, { slotId: nth(hospital.otherSlotIds, 22), patientId: otherPatientId });
    await asOwner(db);
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      otherDoctorId,
    ]);
    await become(db, hospital.patient);
    expect(await refusalOf(db, () => reschedule(db, id, elsewhere))).toMatchObject({
      scenario: 'daily_limit_reached',
    });
    expect(await stored(db, id)).toMatchObject({ slot_id: slotId });
  }));

test('a slot of another hospital is not there', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
    const attempt = () => reschedule(db, id, nth(stranger.slotIds, 0));
    expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'slot_not_found' });
  }));
