import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { appointmentIn, book, cancel, hold, reschedule, transit } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { accept, decline, propose, startOf } from '../helpers/requests.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const elsewhere = nth(hospital.otherSlotIds, 20);
const patientId = nth(hospital.patientIds, 0);
const [doctorId, otherDoctorId] = hospital.doctorIds;

type Event = {
  happened_at: Date;
  event: string;
  from_status: string | null;
  to_status: string | null;
  from_starts_at: Date | null;
  to_starts_at: Date | null;
  from_doctor_id: string | null;
  to_doctor_id: string | null;
  reason: string | null;
  actor_role: string;
  actor_account_id: string | null;
  actor_name: string | null;
};

async function history(db: ClientBase, id: string): Promise<Event[]> {
  const { rows } = await db.query<Event>('select * from app_public.appointment_history($1)', [id]);
  return rows;
}

const eventsOf = async (db: ClientBase, id: string) =>
  (await history(db, id)).map(({ event }) => event);

test('what happened to an appointment is told, oldest first: when, what, why and by whom', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), {
      slotId,
      patientId,
      reason: 'cough',
    });
    await moveClock(db, '1 minute');
    await reschedule(await as(db, hospital.receptionist), id, elsewhere, { reason: 'ward closed' });
    await moveClock(db, '1 minute');
    await transit(await as(db, hospital.patient), 'confirm_appointment', id);
    await moveClock(db, '1 minute');
    await cancel(await as(db, hospital.otherDoctor), id, 'ill');

    const [first, last] = [await startOf(db, slotId), await startOf(db, elsewhere)];
    await become(db, hospital.nurse);
    const told = await history(db, id);
    expect(told).toMatchObject([
      {
        event: 'booked',
        from_status: null,
        to_status: 'scheduled',
        from_starts_at: null,
        to_starts_at: first,
        from_doctor_id: null,
        to_doctor_id: doctorId,
        reason: 'cough',
        actor_role: 'patient',
        actor_account_id: hospital.patient.accountId,
        actor_name: 'patient',
      },
      {
        event: 'moved',
        from_status: 'scheduled',
        to_status: 'scheduled',
        from_starts_at: first,
        to_starts_at: last,
        from_doctor_id: doctorId,
        to_doctor_id: otherDoctorId,
        reason: 'ward closed',
        actor_role: 'receptionist',
        actor_name: 'reception',
      },
      { event: 'confirmed', from_status: 'scheduled', to_status: 'confirmed', reason: null },
      {
        event: 'cancelled',
        from_status: 'confirmed',
        to_status: 'cancelled',
        reason: 'ill',
        actor_role: 'doctor',
        actor_name: 'doctor2',
      },
    ]);
    const instants = told.map(({ happened_at }) => happened_at.getTime());
    expect(instants.map((instant) => instant - nth(instants, 0))).toEqual([
      0, 60_000, 120_000, 180_000,
    ]);
  }));

test('requests and holds have names for what became of them', () =>
  rolledBack(ownerPool, async (db) => {
    const asked = () => appointmentIn(db, hospital, 'requested', slotId, patientId);
    const story = async (...steps: ((id: string) => Promise<unknown>)[]) => {
      await db.query('savepoint story');
      const { id } = await asked();
      for (const step of steps) await step(id);
      await become(db, hospital.admin);
      const events = await eventsOf(db, id);
      await db.query('rollback to savepoint story');
      return events;
    };
    const next = nth(hospital.slotIds, 1);
    const byDoctor = () => as(db, hospital.doctor);
    const byPatient = () => as(db, hospital.patient);
    expect(await story(async (id) => accept(await byDoctor(), id))).toEqual([
      'requested',
      'accepted',
    ]);
    expect(await story(async (id) => decline(await byDoctor(), id))).toEqual([
      'requested',
      'declined',
    ]);
    expect(await story(async (id) => cancel(await byPatient(), id))).toEqual([
      'requested',
      'cancelled',
    ]);
    expect(
      await story(
        async (id) => propose(await byDoctor(), id, next),
        async (id) => transit(await byPatient(), 'confirm_hold', id),
      ),
    ).toEqual(['requested', 'proposed', 'hold_confirmed']);
    expect(
      await story(async () => {
        await moveClock(db, '3 days');
        await asWorker(db);
        await db.query('select app_private.expire_lapsed_requests($1)', [hospital.id]);
        await asOwner(db);
        await moveClock(db, '-3 days');
      }),
    ).toEqual(['requested', 'expired']);
  }));

test.each([
  ['completed', ['booked', 'completed']],
  ['in_progress', ['booked', 'checked_in', 'in_progress']],
  ['no_show', ['booked', 'no_show']],
  ['expired', ['held', 'expired']],
] as const)('that of what is %s', (status, events) =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, status, slotId, patientId);
    await become(db, hospital.doctor);
    expect(await eventsOf(db, id)).toEqual(events);
  }),
);

test('what changes neither state, time nor doctor is no event', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    await db.query("update app_public.appointment set notes = 'x' where id = $1", [id]);
    await become(db, hospital.doctor);
    expect(await eventsOf(db, id)).toEqual(['booked']);
  }));

test('a patient reads their own, and which role acted but never who', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await hold(await as(db, hospital.receptionist), { slotId, patientId });
    await become(db, hospital.patient);
    expect(await history(db, id)).toMatchObject([
      { event: 'held', actor_role: 'receptionist', actor_account_id: null, actor_name: null },
    ]);
  }));

test('another patient’s, one of another hospital and one that never was look alike', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    const nowhere = randomUUID();
    for (const actor of [hospital.otherPatient, stranger.admin, stranger.patient]) {
      await become(db, actor);
      for (const unknown of [id, nowhere]) {
        expect(await refusalOf(db, () => history(db, unknown)), actor.role).toMatchObject({
          code: 'SK404',
          scenario: 'appointment_not_found',
          details: { appointment_id: unknown },
        });
      }
    }
  }));

test('a record of another table is no appointment', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => history(db, patientId))).toMatchObject({
      scenario: 'appointment_not_found',
    });
  }));

test('the log itself says who may read: a patient who claims to be staff reads nothing more', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    await become(db, hospital.otherPatient);
    const direct = () =>
      db.query('select * from app_private.read_appointment_history($1, $2)', [hospital.id, id]);
    expect(await refusalOf(db, direct)).toMatchObject({ scenario: 'appointment_not_found' });
    await db.query("select set_config('claims.role', 'admin', true)");
    expect(await refusalOf(db, () => history(db, id))).toMatchObject({
      scenario: 'appointment_not_found',
    });
  }));

test('an archived appointment keeps its history', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
    await cancel(db, id, 'better');
    await asOwner(db);
    await moveClock(db, '800 days');
    await asWorker(db);
    await db.query('select app_private.archive_appointments($1)', [hospital.id]);
    await asOwner(db);
    const { rows } = await db.query('select from app_public.appointment where id = $1', [id]);
    expect(rows).toEqual([]);
    for (const actor of [hospital.patient, hospital.admin]) {
      await become(db, actor);
      expect(await eventsOf(db, id)).toEqual(['booked', 'cancelled']);
    }
    await become(db, hospital.otherPatient);
    expect(await refusalOf(db, () => history(db, id))).toMatchObject({
      scenario: 'appointment_not_found',
    });
  }));
