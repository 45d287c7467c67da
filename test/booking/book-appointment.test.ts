import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, slotsAhead } from '../helpers/hospital.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

async function book(db: ClientBase, slotId: string, patientId: string, key = randomUUID()) {
  const { rows } = await db.query('select * from app_public.book_appointment($1, $2, $3)', [
    slotId,
    patientId,
    key,
  ]);
  return rows[0];
}

test('two users, one slot: the first holds the seat, the second is told', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await createHospital(db);
    await generateSlots(db, hospital);
    const [slotId = ''] = await slotsAhead(db, hospital);

    await become(db, hospital.patient);
    const first = await book(db, slotId, hospital.patientIds[0] ?? '');
    expect(first).toMatchObject({ status: 'scheduled', source: 'patient', slot_id: slotId });

    await become(db, hospital.otherPatient);
    const refusal = await refusalOf(db, () => book(db, slotId, hospital.patientIds[1] ?? ''));
    expect(refusal).toMatchObject({ code: 'SK409', scenario: 'slot_booked', recoverable: true });
  }));
