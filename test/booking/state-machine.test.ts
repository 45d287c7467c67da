import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import {
  type AppointmentStatus,
  appointmentIn,
  appointmentStatuses,
  dayCount,
  slotState,
  stored,
} from '../helpers/booking.ts';
import { moveClock, moveClockTo } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

// Every state × every state × everybody who can change one, by a plain update: what
// appointment_transition lists works for those it lists, and nothing else works for anybody.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const patientId = nth(hospital.patientIds, 0);

const { rows: listed } = await ownerPool.query<{
  from_status: AppointmentStatus | null;
  to_status: AppointmentStatus;
  roles: string[];
}>('select from_status, to_status, roles from app_public.appointment_transition');

const actors: Readonly<Record<string, (db: ClientBase) => Promise<void>>> = {
  patient: (db) => become(db, hospital.patient),
  doctor: (db) => become(db, hospital.doctor),
  nurse: (db) => become(db, hospital.nurse),
  receptionist: (db) => become(db, hospital.receptionist),
  admin: (db) => become(db, hospital.admin),
  worker: asWorker,
  operator: asOwner,
};

const seated: readonly AppointmentStatus[] = [
  'held',
  'scheduled',
  'confirmed',
  'checked_in',
  'in_progress',
];

test('the state machine is the one that the house agreed on', () => {
  const staff = ['doctor', 'nurse', 'receptionist', 'admin'];
  const everybody = ['patient', ...staff, 'worker'];
  const agreed = [
    [null, ['requested', 'held', 'scheduled'], everybody],
    ['requested', ['scheduled', 'held'], ['doctor', 'receptionist', 'admin']],
    ['requested', ['cancelled'], everybody],
    ['requested', ['expired'], ['worker']],
    ['held', ['scheduled', 'cancelled'], everybody],
    ['held', ['expired'], ['worker']],
    ['scheduled', ['confirmed'], ['patient', ...staff]],
    ['scheduled', ['checked_in'], staff],
    ['confirmed', ['checked_in'], staff],
    ['scheduled', ['cancelled'], everybody],
    ['confirmed', ['cancelled'], everybody],
    ['scheduled', ['no_show'], [...staff, 'worker']],
    ['confirmed', ['no_show'], [...staff, 'worker']],
    ['checked_in', ['in_progress'], ['doctor']],
    ['in_progress', ['completed'], ['doctor']],
    // By the consultation that was abandoned, and by nothing else.
    ['in_progress', ['checked_in'], ['doctor']],
    ['scheduled', ['completed'], ['doctor']],
    ['confirmed', ['completed'], ['doctor']],
    ['checked_in', ['completed'], ['doctor']],
    ['no_show', ['scheduled', 'confirmed', 'checked_in'], ['admin']],
  ] as const;

  const sentences = (from: string | null, to: string, roles: readonly string[]) =>
    `${from ?? 'new'} -> ${to}: ${[...roles].sort().join(', ')}`;
  expect(
    listed
      .map(({ from_status, to_status, roles }) => sentences(from_status, to_status, roles))
      .sort(),
  ).toEqual(
    agreed
      .flatMap(([from, targets, roles]) => targets.map((to) => sentences(from, to, roles)))
      .sort(),
  );
});

describe.each(appointmentStatuses)('from %s', (from) => {
  test.each(appointmentStatuses)('to %s', (to) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await appointmentIn(db, hospital, from, slotId, patientId);
      if (from === 'held' && to === 'expired') await moveClock(db, '5 minutes');
      if (from === 'requested' && to === 'expired') await moveClock(db, '2 days');
      if (['checked_in', 'completed', 'no_show'].includes(to))
        await moveClockTo(db, slotId, '1 hour');
      // Listed, but made by the consultation that was abandoned only: a hand cannot.
      const isCarried = from === 'in_progress' && to === 'checked_in';
      const roles = isCarried ? undefined : rolesFor(from, to);

      for (const [role, act] of Object.entries(actors)) {
        await act(db);
        const change = () => changeStatus(db, id, from, to);
        if (!roles) {
          expect(await refusalOf(db, change), role).toMatchObject({
            code: 'SK409',
            scenario: 'illegal_transition',
            details: { from, to },
          });
        } else if (role !== 'operator' && !roles.includes(role)) {
          expect(await refusalOf(db, change), role).toMatchObject({
            code: 'SK403',
            scenario: 'forbidden',
            details: { from, to },
          });
        } else {
          await db.query('savepoint change');
          expect(await change(), role).toBe(1);
          expect(await stored(db, id)).toMatchObject({ status: to });
          const seats = seated.includes(to) ? 1 : 0;
          expect(await slotState(db, slotId), role).toMatchObject({ booked_count: seats });
          expect(await dayCount(db, slotId), role).toBe(seats);
          await db.query('rollback to savepoint change');
        }
      }
    }),
  );
});

describe('a new appointment', () => {
  test.each(appointmentStatuses)('as %s', (to) =>
    rolledBack(ownerPool, async (db) => {
      const roles = rolesFor(null, to);
      for (const [role, act] of Object.entries(actors)) {
        await act(db);
        const admit = () => insertAs(db, to);
        if (roles) {
          await db.query('savepoint change');
          expect(await admit(), role).toBe(1);
          await db.query('rollback to savepoint change');
        } else {
          expect(await refusalOf(db, admit), role).toMatchObject({
            code: 'SK409',
            scenario: 'illegal_transition',
            details: { from: 'new', to },
          });
        }
      }
    }),
  );

  test('is not for who is nobody', () =>
    rolledBack(ownerPool, async (db) => {
      const refusal = await refusalOf(db, () =>
        db.query("select app_private.guard_transition('anonymous', null, 'scheduled')"),
      );
      expect(refusal).toMatchObject({ code: 'SK403', scenario: 'forbidden' });
    }));
});

test('the times of a state are written by the clock, not by the hand', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    await db.query(
      `update app_public.appointment
       set status = 'cancelled', cancelled_at = '2000-01-01', cancelled_by = $2, updated_at = '2000-01-01'
       where id = $1`,
      [id, hospital.admin.accountId],
    );
    const { rows } = await db.query(
      `select cancelled_at = app_private.clock() and updated_at = app_private.clock() as is_now, cancelled_by
       from app_public.appointment where id = $1`,
      [id],
    );
    expect(rows).toEqual([{ is_now: true, cancelled_by: null }]);
  }));

function rolesFor(from: AppointmentStatus | null, to: AppointmentStatus): string[] | undefined {
  return listed.find((row) => row.from_status === from && row.to_status === to)?.roles;
}

/** Accepting a request, or proposing another time, names a slot; every other change the status only. */
async function changeStatus(
  db: ClientBase,
  id: string,
  from: AppointmentStatus,
  to: AppointmentStatus,
): Promise<number | null> {
  // As undo_no_show hands it over.
  if (from === 'no_show') await db.query("set local slotkeeper.undo_reason = 'x'");
  const accepts = from === 'requested' && seated.includes(to);
  const { rowCount } = accepts
    ? await db.query('update app_public.appointment set status = $2, slot_id = $3 where id = $1', [
        id,
        to,
        slotId,
      ])
    : await db.query('update app_public.appointment set status = $2 where id = $1', [id, to]);
  return rowCount;
}

async function insertAs(db: ClientBase, status: AppointmentStatus): Promise<number | null> {
  const { rowCount } =
    status === 'requested'
      ? await db.query(
          `insert into app_public.appointment (hospital_id, patient_id, status, doctor_id, during)
           select hospital_id, $2, $3, doctor_id, during from app_public.slot where id = $1`,
          [slotId, patientId, status],
        )
      : await db.query(
          `insert into app_public.appointment (hospital_id, patient_id, status, slot_id)
           values ($1, $2, $3, $4)`,
          [hospital.id, patientId, status, slotId],
        );
  return rowCount;
}
