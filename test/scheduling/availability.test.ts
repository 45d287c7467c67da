import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import {
  type AppointmentStatus,
  appointmentIn,
  book,
  cancel,
  dayCount,
  one,
  slotState,
  stored,
} from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { ask, noChange, setAvailability, toldPatients } from '../helpers/closures.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const stranger = await openHospital(ownerPool, { horizonDays: 1 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const patientId = nth(hospital.patientIds, 0);
const upcoming: AppointmentStatus[] = ['requested', 'held', 'scheduled', 'confirmed'];
const underWay: AppointmentStatus[] = ['checked_in', 'in_progress'];

test('a doctor who becomes unavailable has everything ahead cancelled, and its seats freed', () =>
  rolledBack(ownerPool, async (db) => {
    const visits = [];
    for (const [index, status] of (['requested', 'held', 'scheduled'] as const).entries()) {
      const slotId = nth(hospital.slotIds, index * 14);
      visits.push(
        await appointmentIn(db, hospital, status, slotId, nth(hospital.patientIds, index)),
      );
    }
    const confirmed = await appointmentIn(
      db,
      hospital,
      'confirmed',
      nth(hospital.slotIds, 1),
      patientId,
    );
    await become(db, hospital.receptionist);
    const elsewhere = await book(db, { slotId: nth(hospital.otherSlotIds, 5), patientId });

    const change = await setAvailability(db, doctorId, false);

    expect(change).toMatchObject({
      closed_slots: 0,
      cancelled_appointments: 4,
      notified_patients: 3,
    });
    expect(change.affected_appointments.map(({ status }) => status)).toEqual([
      'requested',
      'confirmed',
      'held',
      'scheduled',
    ]);
    for (const { id } of [...visits, confirmed]) {
      expect(await stored(db, id)).toMatchObject({
        status: 'cancelled',
        cancellation_cause: 'doctor_unavailable',
        cancellation_reason: 'Doctor unavailable',
        cancelled_by: hospital.receptionist.accountId,
      });
    }
    const told = await toldPatients(db, hospital);
    expect(told.map(({ event, priority }) => [event, priority])).toEqual(
      Array(4).fill(['doctor_unavailable', 'high']),
    );
    expect(await slotState(db, nth(hospital.slotIds, 1))).toMatchObject({
      booked_count: 0,
      status: 'available',
    });
    expect(await dayCount(db, nth(hospital.slotIds, 1))).toBe(0);
    expect(await stored(db, elsewhere.id)).toMatchObject({ status: 'scheduled' });
    expect(
      await one(db, 'select is_available from app_public.doctor where id = $1', [doctorId]),
    ).toEqual({ is_available: false });
    expect(
      await refusalOf(db, () => book(db, { slotId: nth(hospital.slotIds, 3), patientId })),
    ).toMatchObject({ scenario: 'doctor_unavailable' });
    expect(await setAvailability(db, doctorId, true)).toEqual(noChange);
    expect(await book(db, { slotId: nth(hospital.slotIds, 3), patientId })).toMatchObject({
      status: 'scheduled',
    });
  }));

test('a reason is passed on', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.doctor);
    const { id } = await book(db, { slotId: nth(hospital.slotIds, 0), patientId });
    await setAvailability(db, doctorId, false, 'Parental leave');
    expect(await stored(db, id)).toMatchObject({ cancellation_reason: 'Parental leave' });
  }));

test('who is checked in or in the room is still seen by a doctor who takes nobody new', () =>
  rolledBack(ownerPool, async (db) => {
    for (const [index, status] of underWay.entries()) {
      await appointmentIn(
        db,
        hospital,
        status,
        nth(hospital.slotIds, index),
        nth(hospital.patientIds, index),
      );
    }
    await become(db, hospital.admin);
    expect(await setAvailability(db, doctorId, false)).toEqual(noChange);
    expect(await slotState(db, nth(hospital.slotIds, 0))).toMatchObject({ booked_count: 1 });
  }));

test('unavailable again changes nothing more', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await setAvailability(db, doctorId, false)).toEqual(noChange);
    expect(await setAvailability(db, doctorId, false)).toEqual(noChange);
    expect(await refusalOf(db, () => setAvailability(db, doctorId, null))).toMatchObject({
      scenario: 'invalid_input',
      details: { is_available: 'is missing' },
    });
  }));

test.each(upcoming)(
  'a hand in psql cannot make a doctor unavailable over a visit that is %s',
  (status) =>
    rolledBack(ownerPool, async (db) => {
      await appointmentIn(db, hospital, status, nth(hospital.slotIds, 0), patientId);
      for (const column of ['is_available', 'is_active']) {
        const attempt = () =>
          db.query(`update app_public.doctor set ${column} = false where id = $1`, [doctorId]);
        expect(await refusalOf(db, attempt)).toMatchObject({
          code: 'SK409',
          scenario: 'doctor_has_appointments',
          details: { doctor_id: doctorId, appointment_count: 1 },
        });
      }
    }),
);

test('what has ended, has begun or has lapsed is not ahead', () =>
  rolledBack(ownerPool, async (db) => {
    for (const [index, status] of (
      ['completed', 'cancelled', 'no_show', 'expired', 'held', 'scheduled'] as const
    ).entries()) {
      await appointmentIn(
        db,
        hospital,
        status,
        nth(hospital.slotIds, index),
        nth(hospital.patientIds, index % 4),
      );
    }
    const { starts_at } = await one<{ starts_at: string }>(
      db,
      'select starts_at::text from app_public.slot where id = $1',
      [nth(hospital.slotIds, 5)],
    );
    await setClock(db, starts_at);
    await db.query(
      'update app_public.doctor set is_active = false, is_available = false where id = $1',
      [doctorId],
    );
  }));

test.each([
  ['deactivate_doctor', 'doctor_has_appointments', doctorId],
  ['deactivate_patient', 'patient_has_appointments', patientId],
])('%s is refused while something is ahead or under way', (operation, scenario, id) =>
  rolledBack(ownerPool, async (db) => {
    for (const status of [...upcoming, ...underWay]) {
      await db.query('savepoint visit');
      await appointmentIn(db, hospital, status, nth(hospital.slotIds, 0), patientId);
      await become(db, hospital.admin);
      expect(await refusalOf(db, () => ask(db, operation, id)), status).toMatchObject({
        code: 'SK409',
        scenario,
        details: { appointment_count: 1 },
      });
      await db.query('rollback to savepoint visit');
    }
    await become(db, hospital.admin);
    expect(await ask(db, operation, id)).toMatchObject({ id, is_active: false });
    expect(await ask(db, operation, id)).toMatchObject({ is_active: false });
  }),
);

test('a visit under way counts though its time has passed, a forgotten one does not', () =>
  rolledBack(ownerPool, async (db) => {
    await appointmentIn(db, hospital, 'checked_in', nth(hospital.slotIds, 0), patientId);
    const { starts_at } = await one<{ starts_at: string }>(
      db,
      'select starts_at::text from app_public.slot where id = $1',
      [nth(hospital.slotIds, 0)],
    );
    await setClock(db, starts_at);
    await moveClock(db, '2 hours');
    await become(db, hospital.admin);
    for (const [operation, id] of [
      ['deactivate_doctor', doctorId],
      ['deactivate_patient', patientId],
    ]) {
      expect(await refusalOf(db, () => ask(db, operation ?? '', id))).toMatchObject({
        details: { appointment_count: 1 },
      });
    }
    await moveClock(db, '2 days');
    await ask(db, 'deactivate_doctor', doctorId);
    await ask(db, 'deactivate_patient', patientId);
  }));

test('who left can be booked, and can book, when they are back', () =>
  rolledBack(ownerPool, async (db) => {
    const wish = { slotId: nth(hospital.slotIds, 0), patientId };
    await become(db, hospital.admin);
    await ask(db, 'deactivate_doctor', doctorId);
    expect(await refusalOf(db, () => book(db, wish))).toMatchObject({
      scenario: 'doctor_inactive',
    });
    expect(await ask(db, 'reactivate_doctor', doctorId)).toMatchObject({ is_active: true });
    await ask(db, 'deactivate_patient', patientId);
    expect(await refusalOf(db, () => book(db, wish))).toMatchObject({
      scenario: 'patient_inactive',
    });
    expect(await ask(db, 'reactivate_patient', patientId)).toMatchObject({ is_active: true });
    const { id } = await book(db, wish);
    await cancel(db, id);
    await asOwner(db);
    await db.query('update app_public.patient set is_active = false where id = $1', [patientId]);
  }));

test('doctors say it of themselves, receptionists and admins of all', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [hospital.doctor, hospital.receptionist, hospital.admin]) {
      await become(db, actor);
      expect(await setAvailability(db, doctorId, false)).toEqual(noChange);
      expect(await setAvailability(db, doctorId, true)).toEqual(noChange);
    }
    await become(db, hospital.otherDoctor);
    for (const isAvailable of [true, false]) {
      expect(await refusalOf(db, () => setAvailability(db, doctorId, isAvailable))).toMatchObject({
        scenario: 'forbidden',
      });
    }
    const vacate = () =>
      db.query("select app_private.vacate_doctor($1, $2, 'mine')", [hospital.id, doctorId]);
    expect(await refusalOf(db, vacate)).toMatchObject({ scenario: 'forbidden' });
    for (const actor of [hospital.nurse, hospital.patient]) {
      await become(db, actor);
      expect((await errorOf(db, () => setAvailability(db, doctorId, false))).code).toBe('42501');
      expect((await errorOf(db, vacate)).code).toBe('42501');
    }
  }));

test('admins let doctors go, and receptionists too let patients go', () =>
  rolledBack(ownerPool, async (db) => {
    const mayDo = async (operation: string, id: string) => {
      const allowed: string[] = [];
      for (const actor of [
        hospital.patient,
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
        hospital.admin,
      ]) {
        await become(db, actor);
        await db.query('savepoint attempt');
        await ask(db, operation, id).then(
          () => allowed.push(actor.role),
          () => {},
        );
        await db.query('rollback to savepoint attempt');
      }
      return allowed;
    };
    for (const operation of [
      'deactivate_doctor',
      'reactivate_doctor',
      'preview_doctor_deactivation',
    ]) {
      expect(await mayDo(operation, otherDoctorId), operation).toEqual(['admin']);
    }
    for (const operation of [
      'deactivate_patient',
      'reactivate_patient',
      'preview_patient_deactivation',
    ]) {
      expect(await mayDo(operation, patientId), operation).toEqual(['receptionist', 'admin']);
    }
    await become(db, hospital.receptionist);
    const dismiss = () =>
      db.query('update app_public.doctor set is_active = false where id = $1', [doctorId]);
    expect((await errorOf(db, dismiss)).code).toBe('42501');
  }));

test('to another hospital a doctor or patient does not exist', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const unknown of [stranger.doctorIds[0], randomUUID()]) {
      for (const [operation, ...more] of [
        ['set_doctor_availability', false],
        ['set_doctor_availability', true],
        ['preview_doctor_availability', false],
        ['deactivate_doctor'],
        ['reactivate_doctor'],
        ['preview_doctor_deactivation'],
      ] as const) {
        expect(
          await refusalOf(db, () => ask(db, operation, unknown, ...more)),
          operation,
        ).toMatchObject({ scenario: 'doctor_not_found', details: { doctor_id: unknown } });
      }
    }
    for (const unknown of [nth(stranger.patientIds, 0), randomUUID()]) {
      for (const operation of [
        'deactivate_patient',
        'reactivate_patient',
        'preview_patient_deactivation',
      ]) {
        expect(await refusalOf(db, () => ask(db, operation, unknown)), operation).toMatchObject({
          scenario: 'patient_not_found',
          details: { patient_id: unknown },
        });
      }
    }
    await as(db, stranger.admin);
    expect(await setAvailability(db, stranger.doctorIds[0], false)).toEqual(noChange);
  }));

test('the change is audited', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.doctor);
    await setAvailability(db, doctorId, false);
    await asOwner(db);
    const { rows } = await db.query(
      "select changed_columns, actor_role from app_public.audit_entry where table_name = 'doctor' and record_id = $1 and operation = 'update'",
      [doctorId],
    );
    expect(rows).toEqual([{ changed_columns: { is_available: false }, actor_role: 'doctor' }]);
  }));
