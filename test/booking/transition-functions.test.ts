import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { become, rolledBack } from '../helpers/actors.ts';
import {
  type Appointment,
  type AppointmentStatus,
  appointmentIn,
  appointmentStatuses,
  bookers,
  cancel,
  transit,
} from '../helpers/booking.ts';
import { moveClockTo } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

// Each transition has a function of its own; each function works from these states, for these roles.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const patientId = nth(hospital.patientIds, 0);

type Operation = {
  name: string;
  call(db: ClientBase, id: string): Promise<Appointment>;
  to: AppointmentStatus;
  from: readonly AppointmentStatus[];
  /** Roles that it works for. */
  roles: readonly string[];
  /** Whether it works on the day of the visit only. */
  isOnTheDay?: boolean;
  /** Roles that cannot even call it. */
  ungranted?: readonly string[];
};

const staff = ['doctor', 'nurse', 'receptionist', 'admin'];

const operations: readonly Operation[] = [
  {
    name: 'confirm_hold',
    call: (db, id) => transit(db, 'confirm_hold', id),
    to: 'scheduled',
    from: ['held'],
    roles: ['patient', ...staff],
  },
  {
    name: 'confirm_appointment',
    call: (db, id) => transit(db, 'confirm_appointment', id),
    to: 'confirmed',
    from: ['scheduled'],
    roles: ['patient', ...staff],
  },
  {
    name: 'check_in_appointment',
    isOnTheDay: true,
    call: (db, id) => transit(db, 'check_in_appointment', id),
    to: 'checked_in',
    from: ['scheduled', 'confirmed'],
    roles: staff,
    ungranted: ['patient'],
  },
  {
    name: 'complete_appointment',
    isOnTheDay: true,
    call: (db, id) => transit(db, 'complete_appointment', id),
    to: 'completed',
    from: ['scheduled', 'confirmed', 'checked_in', 'in_progress'],
    roles: ['doctor'],
    ungranted: ['patient'],
  },
  {
    name: 'cancel_appointment',
    call: (db, id) => cancel(db, id, 'changed plans'),
    to: 'cancelled',
    from: ['requested', 'held', 'scheduled', 'confirmed'],
    roles: ['patient', ...staff],
  },
];

describe.each(operations)('$name', (operation) => {
  test.each(appointmentStatuses)('from %s', (from) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await appointmentIn(db, hospital, from, slotId, patientId);
      if (operation.isOnTheDay) await moveClockTo(db, slotId);
      for (const actor of bookers(hospital)) {
        await become(db, actor);
        const call = () => operation.call(db, id);
        if (operation.ungranted?.includes(actor.role)) {
          expect((await errorOf(db, call)).code, actor.role).toBe('42501');
        } else if (!operation.from.includes(from)) {
          expect(await refusalOf(db, call), actor.role).toMatchObject({
            code: 'SK409',
            scenario: 'illegal_transition',
            details: { from },
          });
        } else if (operation.roles.includes(actor.role)) {
          await db.query('savepoint call');
          expect(await call(), actor.role).toMatchObject({ id, status: operation.to });
          await db.query('rollback to savepoint call');
        } else {
          expect(await refusalOf(db, call), actor.role).toMatchObject({
            code: 'SK403',
            scenario: 'forbidden',
          });
        }
      }
    }),
  );
});

test('what is written with a state: who cancelled and why, when the patient came, when it ended', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    await moveClockTo(db, slotId);
    await become(db, hospital.doctor);
    expect(await transit(db, 'check_in_appointment', id)).toMatchObject({
      checked_in_at: expect.any(Date),
      completed_at: null,
    });
    expect(await transit(db, 'complete_appointment', id)).toMatchObject({
      checked_in_at: expect.any(Date),
      completed_at: expect.any(Date),
      cancelled_at: null,
    });

    const tomorrow = nth(hospital.slotIds, 40);
    const other = await appointmentIn(db, hospital, 'scheduled', tomorrow, patientId);
    await become(db, hospital.nurse);
    expect(await cancel(db, other.id, 'no power')).toMatchObject({
      cancelled_at: expect.any(Date),
      cancelled_by: hospital.nurse.accountId,
      cancellation_reason: 'no power',
    });
  }));
