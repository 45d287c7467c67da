import fc from 'fast-check';
import { expect, test } from 'vitest';
import { become } from '../helpers/actors.ts';
import { book } from '../helpers/booking.ts';
import { onTheEve } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { brokenVerdicts } from '../helpers/explanation.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { type Obstacle, obstacles, wishIn } from './obstacles.ts';

// Several obstacles at once: the first in the order of the rules is raised, all are listed.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);

// These change another part of the world than the others, so that any set of them can stand together.
const independent = obstacles.filter(
  ({ scenario, title }) =>
    [
      'patient_inactive',
      'patient_blocked',
      'patient_double_booked',
      'doctor_unavailable',
      'doctor_inactive',
      'slot_in_past',
      'hospital_holiday',
      'doctor_absent',
      'during_break',
      'slot_blocked',
      'slot_booked',
      'daily_limit_reached',
    ].includes(scenario) || title === 'an unknown service',
);

// Raised in this order, because later ones would forbid the bookings that the earlier ones need.
const inTheOrderOfRaising = [
  'patient_double_booked',
  'slot_booked',
  'daily_limit_reached',
  'hospital_holiday',
  'doctor_absent',
];

function raisingOrder(left: Obstacle, right: Obstacle): number {
  return place(left) - place(right);
}

function place({ scenario }: Obstacle): number {
  const index = inTheOrderOfRaising.indexOf(scenario);
  return index === -1 ? inTheOrderOfRaising.length : index;
}

test('whatever set of obstacles stands in the way, all are listed in order and the first is raised', async () => {
  await fc.assert(
    fc.asyncProperty(fc.subarray([...independent], { minLength: 2 }), (chosen) =>
      onTheEve(ownerPool, hospital, async (db) => {
        let wish = wishIn(hospital);
        for (const obstacle of [...chosen].sort(raisingOrder)) {
          ({ wish } = await obstacle.raise(db, hospital, wish));
        }

        await become(db, hospital.receptionist);
        const refusal = await refusalOf(db, () => book(db, wish));
        const explained = await brokenVerdicts(db, wish);

        const expected = chosen.map(({ scenario }) => scenario);
        const listed = refusal.details.violations as { scenario: string }[];
        expect(listed.map(({ scenario }) => scenario)).toEqual(expected);
        expect(refusal.scenario).toBe(expected[0]);
        expect(explained.map(({ scenario }) => scenario)).toEqual(expected);
      }),
    ),
    { numRuns: 40 },
  );
});

test('what cannot stand with the others: withdrawn, out of hours, in the break, too long', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const slotId = await insert(db, 'slot', {
      hospital_id: hospital.id,
      doctor_id: hospital.doctorIds[0],
      location_id: hospital.locationIds[0],
      during: '[2200-01-01 07:30Z, 2200-01-01 13:30Z)',
      withdrawn_at: new Date(),
    });
    const serviceId = await insert(db, 'service', {
      hospital_id: hospital.id,
      name: 'A day long',
      duration: '8 hours',
    });

    await become(db, hospital.receptionist);
    const refusal = await refusalOf(db, () => book(db, { ...wishIn(hospital), slotId, serviceId }));

    expect(refusal.details.violations).toMatchObject([
      { rule: 8, scenario: 'beyond_booking_horizon' },
      { rule: 11, scenario: 'outside_schedule' },
      { rule: 12, scenario: 'during_break' },
      { rule: 13, scenario: 'slot_withdrawn' },
      { rule: 13, scenario: 'time_outside_slot' },
    ]);
    expect(refusal.scenario).toBe('beyond_booking_horizon');
  }));
