import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, one } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

// What a closure looks at follows the appointments that it touches, not all that ever were.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const [doctorId] = hospital.doctorIds;

const questions: Record<string, string> = {
  'the appointments of a doctor': `select * from app_private.find_affected($1, $2, tstzrange(now(), now() + interval '3 days'))`,
  'the appointments of all doctors': `select * from app_private.find_affected($1, null, tstzrange(now(), now() + interval '3 days'), $2 is null)`,
  'all that a doctor has ahead': `select unnest(app_private.upcoming_of_doctor($1, $2, true))`,
  'the slots of a holiday': `select $2, unnest(app_private.slots_of_holiday($1, (now() + interval '2 days')::date, true))`,
  'all that a patient has ahead': `select $2, unnest(app_private.upcoming_of_patient($1, '${nth(hospital.patientIds, 0)}'))`,
};

test.each(Object.entries(questions))('%s: as many pages after years of history', (_, question) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    for (const index of [0, 20]) {
      const slotId = nth(hospital.slotIds, index);
      await book(db, { slotId, patientId: nth(hospital.patientIds, 0) });
    }
    await asOwner(db);
    const fresh = await pagesOf(db, question);
    await addHistory(db);
    expect(await pagesOf(db, question)).toBeLessThanOrEqual(fresh * 1.5 + 20);
  }),
);

/** Pages that a question touches, asked for the second time: the first one may still plan. */
async function pagesOf(db: ClientBase, question: string): Promise<number> {
  await db.query('analyze app_public.appointment, app_public.slot');
  const explained = `explain (analyze, buffers, format json) ${question
    .replaceAll('$1', `'${hospital.id}'::uuid`)
    .replaceAll('$2', `'${doctorId}'::uuid`)}`;
  await db.query(explained);
  const { 'QUERY PLAN': plan } = await one<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    db,
    explained,
  );
  const { 'Shared Hit Blocks': hit = Number.NaN, 'Shared Read Blocks': read = Number.NaN } =
    plan[0].Plan;
  return hit + read;
}

/** Twenty thousand completed visits of the doctor and the patient, each in a slot of its own. */
async function addHistory(db: ClientBase): Promise<void> {
  await db.query('set local session_replication_role = replica');
  await db.query(
    `with slot as (
       insert into app_public.slot (hospital_id, doctor_id, location_id, during)
       select $1, $2, $3, tstzrange(start, start + interval '30 minutes')
       from generate_series(now() - interval '20000 hours', now() - interval '2 days', interval '1 hour') as start
       returning hospital_id, id, doctor_id, location_id, during)
     insert into app_public.appointment (
       hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_at, updated_at, completed_at)
     select hospital_id, id, doctor_id, location_id, $4, during, 'completed', 'import', now(), now(), now() from slot`,
    [hospital.id, doctorId, hospital.locationIds[0], nth(hospital.patientIds, 0)],
  );
  await db.query('set local session_replication_role = origin');
}
