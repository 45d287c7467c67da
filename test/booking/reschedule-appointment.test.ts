import { expect, test } from 'vitest';
import { as, asOwner, become } from '../helpers/actors.ts';
import {
  appointmentIn,
  appointmentStatuses,
  book,
  cancel,
  dayCount,
  hold,
  reschedule,
  slotState,
  stored,
} from '../helpers/booking.ts';
import { moveClock, onTheEve } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { obstacles, wishIn } from './obstacles.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);
const slotId = nth(hospital.slotIds, 0);
const sameDay = nth(hospital.slotIds, 6);
const nextDay = nth(hospital.slotIds, 14);
const otherDoctor = nth(hospital.otherSlotIds, 15);
const booked = { booked_count: 1, status: 'booked' };
const free = { booked_count: 0, status: 'available' };

test.each([
  ['another slot of the day', sameDay, 1],
  ['another day', nextDay, 0],
  ['another doctor on another day', otherDoctor, 0],
])('the same appointment moves to %s, with its seat and its place of the day', (_, target, left) =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });

    const moved = await reschedule(db, id, target);

    expect(moved).toMatchObject({
      id,
      status: 'scheduled',
      slot_id: target,
      rescheduled_from: slotId,
    });
    const { rows } = await db.query(
      `select appointment.during = slot.during and appointment.doctor_id = slot.doctor_id
         and appointment.location_id = slot.location_id as is_in_its_slot
       from app_public.appointment, app_public.slot
       where appointment.id = $1 and slot.id = $2`,
      [id, target],
    );
    expect(rows).toEqual([{ is_in_its_slot: true }]);
    expect(await slotState(db, slotId)).toMatchObject(free);
    expect(await slotState(db, target)).toMatchObject(booked);
    expect(await dayCount(db, slotId)).toBe(left);
    expect(await dayCount(db, target)).toBe(1);
  }),
);

test('a confirmed appointment stays confirmed', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'confirmed', slotId, patientId);
    await become(db, hospital.patient);
    expect(await reschedule(db, id, sameDay)).toMatchObject({ status: 'confirmed' });
  }));

test('the move is remembered: from where, to where, why and by whom', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
    await reschedule(db, id, sameDay, { reason: 'school' });
    await reschedule(db, id, nextDay);
    const { rows } = await db.query(
      `select appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, reason, moved_by
       from app_public.appointment_move where appointment_id = $1 order by id`,
      [id],
    );
    const move = {
      appointment_id: id,
      patient_id: patientId,
      doctor_id: hospital.doctorIds[0],
      moved_by: hospital.patient.accountId,
    };
    expect(rows).toEqual([
      { ...move, from_slot_id: slotId, to_slot_id: sameDay, reason: 'school' },
      { ...move, from_slot_id: sameDay, to_slot_id: nextDay, reason: null },
    ]);
  }));

test('it can move back, and its old slot goes to somebody else meanwhile', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
    await reschedule(db, id, sameDay);
    await reschedule(db, id, slotId);
    expect(await slotState(db, slotId)).toMatchObject(booked);
    await reschedule(db, id, nextDay);
    expect(await book(db, { slotId, patientId: otherPatientId })).toMatchObject({
      status: 'scheduled',
    });
    expect(await refusalOf(db, () => reschedule(db, id, slotId))).toMatchObject({
      scenario: 'slot_booked',
    });
  }));

test('a full day does not forbid moving within it, only moving into it', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await become(db, hospital.receptionist);
    const first = await book(db, { slotId, patientId });
    const second = await book(db, { slotId: nextDay, patientId: otherPatientId });
    await asOwner(db);
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      hospital.doctorIds[0],
    ]);

    await become(db, hospital.receptionist);
    expect(await reschedule(db, first.id, sameDay)).toMatchObject({ slot_id: sameDay });
    expect(await dayCount(db, slotId)).toBe(1);
    const refusal = await refusalOf(db, () => reschedule(db, second.id, slotId));
    expect(refusal).toMatchObject({ code: 'SK409', scenario: 'daily_limit_reached' });
    expect(await stored(db, second.id)).toMatchObject({ slot_id: nextDay });
  }));

test('two appointments of one patient never come to overlap by a move', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await become(db, hospital.receptionist);
    const first = await book(db, { slotId, patientId });
    const second = await book(db, { slotId: sameDay, patientId });
    const sameTime = nth(hospital.otherSlotIds, 0);
    expect(await refusalOf(db, () => reschedule(db, second.id, sameTime))).toMatchObject({
      scenario: 'patient_double_booked',
      details: { appointment_id: first.id },
    });
    // Its own time does not stand in its way.
    expect(await reschedule(db, first.id, sameTime)).toMatchObject({ slot_id: sameTime });
  }));

const ofTheNewSlot = obstacles.filter(({ scenario }) =>
  [
    'slot_not_found',
    'patient_inactive',
    'patient_blocked',
    'doctor_unavailable',
    'doctor_inactive',
    'slot_in_past',
    'hospital_holiday',
    'doctor_absent',
    'outside_schedule',
    'during_break',
    'slot_withdrawn',
    'slot_blocked',
    'slot_booked',
  ].includes(scenario),
);

test.each(ofTheNewSlot)('$title refuses the move, and the old seat is kept', (obstacle) =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), { slotId: nextDay, patientId });
    await asOwner(db);
    const { wish } = await obstacle.raise(db, hospital, wishIn(hospital));

    await become(db, hospital.receptionist);
    const refusal = await refusalOf(db, () => reschedule(db, id, wish.slotId));

    expect(refusal).toMatchObject({ code: obstacle.code, scenario: obstacle.scenario });
    expect(refusal.details.violations).toMatchObject([{ scenario: obstacle.scenario }]);
    expect(await stored(db, id)).toMatchObject({ slot_id: nextDay, status: 'scheduled' });
    expect(await slotState(db, nextDay)).toMatchObject({ booked_count: 1 });
  }),
);

test('a move beyond the horizon is refused', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
    await asOwner(db);
    await db.query('update app_public.hospital set booking_horizon_days = 1 where id = $1', [
      hospital.id,
    ]);
    await become(db, hospital.receptionist);
    expect(await refusalOf(db, () => reschedule(db, id, nextDay))).toMatchObject({
      code: 'SK422',
      scenario: 'beyond_booking_horizon',
    });
  }));

test('a move needs the service to fit and to be offered there, too', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await become(db, hospital.receptionist);
    const { id } = await book(db, { slotId, patientId, serviceId: hospital.serviceId });
    await asOwner(db);
    await db.query("update app_public.service set duration = '7 hours' where id = $1", [
      hospital.serviceId,
    ]);
    await become(db, hospital.receptionist);
    expect(await refusalOf(db, () => reschedule(db, id, sameDay))).toMatchObject({
      scenario: 'time_outside_slot',
    });
    await asOwner(db);
    await db.query(
      'update app_public.service set duration = null, is_active = false where id = $1',
      [hospital.serviceId],
    );
    await become(db, hospital.receptionist);
    expect(await refusalOf(db, () => reschedule(db, id, sameDay))).toMatchObject({
      scenario: 'service_not_found',
    });
  }));

test('moving to the slot where it is already is refused', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
    expect(await refusalOf(db, () => reschedule(db, id, slotId))).toMatchObject({
      code: 'SK409',
      scenario: 'already_in_slot',
      details: { slot_id: slotId },
    });
  }));

const fixed = appointmentStatuses.filter(
  (status) => !['scheduled', 'confirmed', 'requested'].includes(status),
);

test.each(fixed)('what is %s does not move', (status) =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await appointmentIn(db, hospital, status, slotId, patientId);
    await become(db, hospital.receptionist);
    expect(await refusalOf(db, () => reschedule(db, id, sameDay))).toMatchObject({
      code: 'SK409',
      scenario: 'illegal_transition',
      details: { from: status },
    });
  }),
);

test('what was moved before and then cancelled does not move either', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
    await reschedule(db, id, sameDay);
    await cancel(db, id);
    expect(await refusalOf(db, () => reschedule(db, id, nextDay))).toMatchObject({
      scenario: 'illegal_transition',
      details: { from: 'cancelled' },
    });
    await asOwner(db);
    const byHand = await refusalOf(db, () =>
      db.query('update app_public.appointment set slot_id = $2 where id = $1', [id, nextDay]),
    );
    expect(byHand).toMatchObject({ scenario: 'illegal_transition' });
  }));

test('a request has no slot to move from: it is accepted into one', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'requested', slotId, patientId);
    await become(db, hospital.receptionist);
    expect(await refusalOf(db, () => reschedule(db, id, slotId))).toMatchObject({
      code: 'SK409',
      scenario: 'illegal_transition',
      details: { from: 'requested' },
    });
  }));

test('a lapsed hold in the new slot, or in the way of the day, makes room', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      hospital.doctorIds[0],
    ]);
    await become(db, hospital.receptionist);
    const held = await hold(db, { slotId, patientId: otherPatientId });
    const { id } = await book(db, { slotId: nextDay, patientId });
    await moveClock(db, '5 minutes');

    expect(await reschedule(db, id, slotId)).toMatchObject({ slot_id: slotId });
    expect(await stored(db, held.id)).toMatchObject({ status: 'expired' });
    expect(await dayCount(db, slotId)).toBe(1);
    expect(await dayCount(db, nextDay)).toBe(0);
  }));
