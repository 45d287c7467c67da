import { expect, test } from 'vitest';
import { asOwner, become, committedAs } from '../helpers/actors.ts';
import { one, setStatus } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { race } from '../helpers/races.ts';
import { markNoShow, undoNoShow } from '../visits/visits.ts';

// The clock stands still within a transaction: one that began first and comes second must not write that
// something ended before it began.

const { ownerPool } = await createDatabase();

test('taken back by a transaction that began before the visit was marked as missed', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 2 });
    const undoing = await start();
    const { id } = await committedAs(ownerPool, hospital.receptionist, async (db) => {
      const visit = await one(
        db,
        'select * from app_public.book_appointment($1, $2, idempotency_key => gen_random_uuid())',
        [nth(hospital.slotIds, 0), nth(hospital.patientIds, 0)],
      );
      return markNoShow(db, visit.id, 'patient_called');
    });
    await become(undoing.db, hospital.admin);
    expect(await undoNoShow(undoing.db, id)).toMatchObject({ status: 'scheduled' });
  }));

test('vital signs and an end, by a transaction that began before the arrival and the consultation', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 2 });
    const recording = await start();
    const visit = await one<{ id: string; consultation_id: string }>(
      ownerPool,
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
       values ($1, $2, $3, 'scheduled') returning *`,
      [hospital.id, nth(hospital.slotIds, 0), nth(hospital.patientIds, 0)],
    );
    await setStatus(ownerPool, visit.id, 'checked_in');
    const consultationId = await insert(ownerPool, 'consultation', {
      hospital_id: hospital.id,
      appointment_id: visit.id,
    });
    await asOwner(recording.db);
    await recording.db.query(
      'insert into app_public.vitals_entry (hospital_id, appointment_id, heart_rate) values ($1, $2, 70)',
      [hospital.id, visit.id],
    );
    await recording.db.query(
      "update app_public.consultation set status = 'abandoned', abandon_reason = 'x' where id = $1",
      [consultationId],
    );
    const { rows } = await recording.db.query(
      `select status, vitals_recorded_at >= checked_in_at as is_after from app_public.appointment where id = $1`,
      [visit.id],
    );
    expect(rows).toEqual([{ status: 'checked_in', is_after: true }]);
  }));
