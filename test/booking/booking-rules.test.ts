import { describe, expect, test } from 'vitest';
import { as, become } from '../helpers/actors.ts';
import { book, bookers, hold } from '../helpers/booking.ts';
import { onTheEve } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { brokenVerdicts, explain } from '../helpers/explanation.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { obstacles, wishIn } from './obstacles.ts';

// Every rule alone: what breaks it, what booking then says, and that everybody is told the same.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const { receptionist } = hospital;

test('without an obstacle nothing is broken, and everybody may book', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const wish = wishIn(hospital);
    for (const actor of bookers(hospital)) {
      await become(db, actor);
      expect(await brokenVerdicts(db, wish), actor.role).toEqual([]);
      await db.query('savepoint booking');
      expect(await book(db, wish), actor.role).toMatchObject({ status: 'scheduled' });
      await db.query('rollback to savepoint booking');
    }
  }));

describe.each(obstacles)('$scenario: $title', (obstacle) => {
  test('refuses booking and holding, alone and with its details', () =>
    onTheEve(ownerPool, hospital, async (db) => {
      const { wish, details } = await obstacle.raise(db, hospital, wishIn(hospital));
      await become(db, receptionist);
      for (const operation of [book, hold]) {
        const refusal = await refusalOf(db, () => operation(db, wish));
        expect(refusal).toMatchObject({ code: obstacle.code, scenario: obstacle.scenario });
        expect(refusal.details).toMatchObject(details);
        expect(refusal.details.violations).toEqual([
          {
            rule: obstacle.rule,
            scenario: obstacle.scenario,
            details: expect.objectContaining(details),
          },
        ]);
      }
    }));

  test('everybody who may book is told the same', () =>
    onTheEve(ownerPool, hospital, async (db) => {
      const { wish, details } = await obstacle.raise(db, hospital, wishIn(hospital));
      for (const actor of bookers(hospital)) {
        if (actor.role === 'patient' && actor.patientId !== wish.patientId) continue;
        const verdicts = await brokenVerdicts(await as(db, actor), wish);
        expect(verdicts, actor.role).toEqual([
          {
            rule: obstacle.rule,
            scenario: obstacle.scenario,
            is_satisfied: false,
            details: expect.objectContaining(details),
          },
        ]);
      }
    }));
});

test('explain_booking judges every rule once, in the order of the rules', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const verdicts = await explain(await as(db, receptionist), wishIn(hospital));
    expect(verdicts.map(({ scenario }) => scenario)).toEqual([
      'slot_not_found',
      'patient_not_found',
      'patient_inactive',
      'patient_blocked',
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
      'service_not_found',
      'time_outside_slot',
      'daily_limit_reached',
    ]);
    expect(new Set(obstacles.map(({ scenario }) => scenario))).toEqual(
      new Set(verdicts.map(({ scenario }) => scenario)),
    );
  }));

test('the last bookable day is exactly the horizon', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await db.query('update app_public.hospital set booking_horizon_days = 2 where id = $1', [
      hospital.id,
    ]);
    await become(db, receptionist);
    const within = { ...wishIn(hospital), slotId: nth(hospital.slotIds, 27) };
    const beyond = { ...wishIn(hospital), slotId: nth(hospital.slotIds, 28) };
    expect(await brokenVerdicts(db, within)).toEqual([]);
    expect(await brokenVerdicts(db, beyond)).toMatchObject([
      { scenario: 'beyond_booking_horizon' },
    ]);
  }));
