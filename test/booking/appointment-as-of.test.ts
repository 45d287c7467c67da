import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, one, reschedule } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, openHospital, type Queryable } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const [slotId, laterSlotId] = [nth(hospital.slotIds, 0), nth(hospital.slotIds, 3)];

type PastAppointment = Record<string, unknown> & { appointment_id: string | null };

function asOf(db: Queryable, id: string, ago: string): Promise<PastAppointment> {
  return one<PastAppointment>(
    db as never,
    'select * from app_public.appointment_as_of($1, app_private.clock() - $2::interval)',
    [id, ago],
  );
}

test('staff see an appointment as it was at any instant, and who had made it so', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    const made = await book(db, { slotId, patientId: hospital.patientIds[0] ?? '' });
    await moveClock(db, '10 minutes');
    await become(db, hospital.receptionist);
    const moved = await reschedule(db, made.id, laterSlotId);
    await moveClock(db, '10 minutes');
    await cancel(db, made.id, 'rather not said here');
    await moveClock(db, '10 minutes');
    for (const actor of [hospital.admin, hospital.doctor, hospital.nurse]) {
      await become(db, actor);
      expect(await asOf(db, made.id, '25 minutes')).toMatchObject({
        appointment_id: made.id,
        status: 'scheduled',
        slot_id: slotId,
        starts_at: made.starts_at,
        ends_at: made.ends_at,
        changed_by_role: 'patient',
        changed_by: hospital.patient.accountId,
        later_changes: 2,
      });
      expect(await asOf(db, made.id, '15 minutes')).toMatchObject({
        status: 'scheduled',
        slot_id: laterSlotId,
        starts_at: moved.starts_at,
        changed_by_role: 'receptionist',
        later_changes: 1,
      });
      const now = await asOf(db, made.id, '-1 year');
      expect(now).toMatchObject({ status: 'cancelled', later_changes: 0 });
      expect(JSON.stringify(now)).not.toContain('rather not');
    }
  }));

test('there is nothing before it was made, and nothing after it was removed', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const made = await book(db, { slotId, patientId: hospital.patientIds[0] ?? '' });
    expect((await asOf(db, made.id, '1 second')).appointment_id).toBeNull();
    await cancel(db, made.id);
    await moveClock(db, '1 minute');
    await asOwner(db);
    await db.query('delete from app_public.appointment where id = $1', [made.id]);
    await become(db, hospital.admin);
    expect((await asOf(db, made.id, '0')).appointment_id).toBeNull();
    expect(await asOf(db, made.id, '30 seconds')).toMatchObject({ status: 'cancelled' });
  }));

test('an archived one is told as well, and of an erased patient the states', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const made = await book(db, {
      slotId,
      patientId: hospital.patientIds[0] ?? '',
      reason: 'two heads',
    });
    await cancel(db, made.id);
    await setClock(db, '2099-01-01');
    await asOwner(db);
    await db.query('select app_private.archive_appointments($1)', [hospital.id]);
    await become(db, hospital.admin);
    await db.query("select app_public.erase_patient($1, 'case 1')", [hospital.patientIds[0]]);
    const told = await asOf(db, made.id, '1 day');
    expect(told).toMatchObject({ status: 'cancelled', patient_id: hospital.patientIds[0] });
    expect(JSON.stringify(told)).not.toContain('two heads');
  }));

test('what is not of the hospital and what is not there look alike', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const made = await book(db, { slotId, patientId: hospital.patientIds[0] ?? '' });
    await asOwner(db);
    const other = await createHospital(db);
    await become(db, other.admin);
    for (const id of [made.id, randomUUID(), hospital.patientIds[0] ?? '']) {
      expect(await refusalOf(db, () => asOf(db, id, '0'))).toMatchObject({
        code: 'SK404',
        scenario: 'appointment_not_found',
        details: { appointment_id: id },
      });
    }
    await become(db, hospital.patient);
    expect((await errorOf(db, () => asOf(db, made.id, '0'))).code).toBe('42501');
  }));
