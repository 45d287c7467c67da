// One appointment, verified now by whoever may see it.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { unguarded } from '../../drill/damage.ts';
import { as, asOwner, rolledBack } from '../helpers/actors.ts';
import { book } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

interface Verification {
  is_valid: boolean;
  reason: string | null;
  details: Record<string, unknown>[];
  duration_ms: number;
}

async function verify(db: ClientBase, id: string | null): Promise<Verification> {
  const { rows } = await db.query<Verification>('select * from app_public.verify_appointment($1)', [
    id,
  ]);
  return rows[0] as Verification;
}

/** An appointment of the hospital's first patient. */
async function booked(db: ClientBase, hospital: OpenHospital): Promise<string> {
  const [patientId = ''] = hospital.patientIds;
  const [slotId = ''] = hospital.slotIds;
  const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
  return id;
}

const story = (tell: (db: ClientBase, hospital: OpenHospital) => Promise<void>) =>
  rolledBack(ownerPool, async (db) => tell(db, await openHospital(db)));

test('one that is right is valid, for staff and for its patient', () =>
  story(async (db, hospital) => {
    const id = await booked(db, hospital);
    for (const actor of [hospital.patient, hospital.nurse, hospital.doctor, hospital.admin]) {
      expect(await verify(await as(db, actor), id)).toEqual({
        is_valid: true,
        reason: null,
        details: [],
        duration_ms: expect.any(Number),
      });
    }
  }));

test('one whose time no slot has is not; patients learn which check speaks, staff of what', () =>
  story(async (db, hospital) => {
    const id = await booked(db, hospital);
    await asOwner(db);
    await unguarded(db, () =>
      db.query(
        'update app_public.slot set booked_count = 0 where id = (select slot_id from app_public.appointment where id = $1)',
        [id],
      ),
    );
    const forStaff = await verify(await as(db, hospital.receptionist), id);
    expect(forStaff).toMatchObject({ is_valid: false, reason: forStaff.details[0]?.check });
    expect(forStaff.details[0]).toMatchObject({ severity: 'critical', detail: expect.any(String) });
    const forPatient = await verify(await as(db, hospital.patient), id);
    expect(forPatient.reason).toBe(forStaff.reason);
    expect(Object.keys(forPatient.details[0] ?? {}).toSorted()).toEqual([
      'check',
      'severity',
      'title',
    ]);
  }));

test('one that was made in the future is not', () =>
  story(async (db, hospital) => {
    const id = await booked(db, hospital);
    await asOwner(db);
    await unguarded(db, () =>
      db.query(
        "update app_public.appointment set updated_at = now() + interval '1 day' where id = $1",
        [id],
      ),
    );
    expect(await verify(await as(db, hospital.receptionist), id)).toMatchObject({
      is_valid: false,
      reason: 'timestamps',
    });
  }));

test("another patient's, another hospital's, one that is not there and none look alike", () =>
  story(async (db, hospital) => {
    const id = await booked(db, hospital);
    await asOwner(db);
    const elsewhere = await openHospital(db);
    const refused = { scenario: 'appointment_not_found' };
    for (const actor of [hospital.otherPatient, elsewhere.admin]) {
      await as(db, actor);
      expect(await refusalOf(db, () => verify(db, id))).toMatchObject(refused);
    }
    await as(db, hospital.admin);
    expect(await refusalOf(db, () => verify(db, hospital.id))).toMatchObject(refused);
    expect(await refusalOf(db, () => verify(db, null))).toMatchObject(refused);
    await as(db, hospital.otherPatient);
    expect(
      await refusalOf(db, () =>
        db.query('select app_private.find_faults($1, $2)', [hospital.id, id]),
      ),
    ).toMatchObject(refused);
  }));
