import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { as, asAnonymous, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, bookers, hold } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { brokenVerdicts, explain, type Verdict } from '../helpers/explanation.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { wishIn } from './obstacles.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const wish = wishIn(hospital);
const otherPatientId = nth(hospital.patientIds, 1);

test('a patient may not ask about another patient, known or not', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    for (const patientId of [otherPatientId, randomUUID(), nth(stranger.patientIds, 0)]) {
      const refusal = await refusalOf(db, () => explain(db, { ...wish, patientId }));
      expect(refusal).toMatchObject({ code: 'SK403', scenario: 'forbidden', details: {} });
    }
  }));

test('nobody asks without a login', () =>
  rolledBack(ownerPool, async (db) => {
    await asAnonymous(db);
    expect(await errorOf(db, () => explain(db, wish))).toMatchObject({ code: '42501' });
    await asOwner(db);
    expect(await refusalOf(db, () => explain(db, wish))).toMatchObject({
      code: 'SK401',
      scenario: 'not_logged_in',
    });
  }));

test('things of another hospital are not there', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const verdicts = await brokenVerdicts(db, wishIn(stranger));
    expect(verdicts.map(({ scenario }) => scenario)).toEqual([
      'slot_not_found',
      'patient_not_found',
      'service_not_found',
    ]);
  }));

test('what hangs on an unknown slot cannot be told', () =>
  rolledBack(ownerPool, async (db) => {
    const verdicts = await explain(await as(db, hospital.nurse), { ...wish, slotId: randomUUID() });
    expect(scenariosOf(verdicts, false)).toEqual(['slot_not_found']);
    expect(scenariosOf(verdicts, true)).toEqual([
      'patient_not_found',
      'patient_inactive',
      'patient_blocked',
      'service_not_found',
    ]);
    expect(scenariosOf(verdicts, null)).toEqual([
      'patient_double_booked',
      'doctor_not_found',
      'doctor_unavailable',
      'doctor_inactive',
      'slot_in_past',
      'beyond_booking_horizon',
      'hospital_holiday',
      'doctor_absent',
      'outside_schedule',
      'during_break',
      'slot_withdrawn',
      'slot_blocked',
      'slot_booked',
      'time_outside_slot',
      'daily_limit_reached',
    ]);
  }));

test('what hangs on an unknown patient cannot be told', () =>
  rolledBack(ownerPool, async (db) => {
    const unknown = { ...wish, patientId: randomUUID() };
    const verdicts = await explain(await as(db, hospital.nurse), unknown);
    expect(scenariosOf(verdicts, false)).toEqual(['patient_not_found']);
    expect(scenariosOf(verdicts, null)).toEqual([
      'patient_inactive',
      'patient_blocked',
      'patient_double_booked',
    ]);
  }));

test('it says nothing of what is not broken', () =>
  rolledBack(ownerPool, async (db) => {
    const verdicts = await explain(await as(db, hospital.nurse), wish);
    for (const { is_satisfied, details } of verdicts) {
      expect({ is_satisfied, details }).toEqual({ is_satisfied: true, details: null });
    }
  }));

test('it changes nothing, not even a lapsed hold', () =>
  rolledBack(ownerPool, async (db) => {
    await hold(await as(db, hospital.receptionist), { ...wish, patientId: otherPatientId });
    await moveClock(db, '6 minutes');
    await explain(db, wish);
    const { rows } = await db.query('select status from app_public.appointment');
    expect(rows).toEqual([{ status: 'held' }]);
  }));

test('it leaves the patient’s name out of the reason why the time is taken', () =>
  rolledBack(ownerPool, async (db) => {
    await book(await as(db, hospital.receptionist), { ...wish, patientId: otherPatientId });
    const [verdict] = await brokenVerdicts(await as(db, hospital.patient), wish);
    expect(verdict?.details).toEqual({ capacity: 1 });
  }));

// A lapsed hold frees its seat for whoever comes next. Everybody must be told so, also a patient
// whose rights do not reach to the hold of somebody else.
const lapsedHolds = {
  'the last seat of the slot': { slotIndex: 0, limit: 30 },
  'the last place of the doctor’s day': { slotIndex: 5, limit: 1 },
};

test.each(Object.entries(lapsedHolds))('a lapsed hold on %s stands in nobody’s way', (_, lapsed) =>
  rolledBack(ownerPool, async (db) => {
    await db.query('update app_public.doctor set max_patients_per_day = $2 where id = $1', [
      hospital.doctorIds[0],
      lapsed.limit,
    ]);
    await hold(await as(db, hospital.receptionist), {
      slotId: nth(hospital.slotIds, lapsed.slotIndex),
      patientId: otherPatientId,
    });
    for (const actor of bookers(hospital)) {
      expect(await brokenVerdicts(await as(db, actor), wish), actor.role).toHaveLength(1);
    }

    await moveClock(db, '5 minutes');
    for (const actor of bookers(hospital)) {
      await become(db, actor);
      expect(await brokenVerdicts(db, wish), actor.role).toEqual([]);
      await db.query('savepoint booking');
      expect(await book(db, wish), actor.role).toMatchObject({ status: 'scheduled' });
      await db.query('rollback to savepoint booking');
    }
  }),
);

test('a lapsed hold is one place of the day, not more', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    for (const [index, operation] of [book, book, hold].entries()) {
      const patientId = nth(hospital.patientIds, index + 1);
      await operation(db, { slotId: nth(hospital.slotIds, index + 5), patientId });
    }
    await asOwner(db);
    await db.query('update app_public.doctor set max_patients_per_day = 2 where id = $1', [
      hospital.doctorIds[0],
    ]);
    await moveClock(db, '5 minutes');

    await become(db, hospital.receptionist);
    expect(await brokenVerdicts(db, wish)).toMatchObject([{ scenario: 'daily_limit_reached' }]);
    const { rows: free } = await db.query(
      'select starts_at from app_public.free_slots($1) where slot_id = $2',
      [hospital.doctorIds[0], wish.slotId],
    );
    expect(free).toEqual([]);
    expect(await refusalOf(db, () => book(db, wish))).toMatchObject({
      scenario: 'daily_limit_reached',
    });
  }));

test('the patient’s own lapsed hold at this time does not stand in the way', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    const held = await hold(db, { ...wish, slotId: nth(hospital.otherSlotIds, 0) });
    expect(await brokenVerdicts(db, wish)).toMatchObject([
      { scenario: 'patient_double_booked', details: { appointment_id: held.id } },
    ]);

    await moveClock(db, '5 minutes');
    for (const actor of bookers(hospital)) {
      expect(await brokenVerdicts(await as(db, actor), wish), actor.role).toEqual([]);
    }
    await become(db, hospital.patient);
    expect(await book(db, wish)).toMatchObject({ status: 'scheduled' });
  }));

function scenariosOf(verdicts: readonly Verdict[], isSatisfied: boolean | null): string[] {
  return verdicts
    .filter(({ is_satisfied }) => is_satisfied === isSatisfied)
    .map(({ scenario }) => scenario);
}
