import { afterEach, beforeEach, expect, test } from 'vitest';
import { addJobs } from '../../worker/jobs.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { jobsIn, startAfresh, stopCrontab, until, workFor } from './workplace.ts';

const { ownerPool, workerUrl } = await createDatabase();

beforeEach(async () => {
  await startAfresh(ownerPool);
  await stopCrontab(ownerPool);
});
afterEach(() => ownerPool.query('delete from app_private.clock_shift'));

const sweep = () =>
  addJobs(ownerPool, [
    {
      task: 'sweep_lapsed_requests',
      payload: { _cron: { ts: new Date().toISOString() } },
      key: 'sweep',
    },
  ]);

/** A hospital with a request for the slot of this number. */
async function hospitalWithRequest(slot: number): Promise<OpenHospital> {
  const hospital = await openHospital(ownerPool, { horizonDays: 8 });
  await ownerPool.query(
    `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     select hospital_id, doctor_id, $2, during, 'requested' from app_public.slot where id = $1`,
    [nth(hospital.slotIds, slot), nth(hospital.patientIds, 0)],
  );
  return hospital;
}

async function statusOf({ id }: OpenHospital): Promise<string> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.appointment where hospital_id = $1',
    [id],
  );
  return nth(rows, 0).status;
}

test('a request whose time has come is swept in its hospital, and one that still has time stays', async () => {
  const due = await hospitalWithRequest(0);
  const ahead = await hospitalWithRequest(14 * 5);
  await workFor(workerUrl);
  await sweep();
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect([await statusOf(due), await statusOf(ahead)]).toEqual(['requested', 'requested']);

  await ownerPool.query("insert into app_private.clock_shift (shift) values ('3 days')");
  await sweep();
  await until(async () => (await statusOf(due)) === 'expired');
  expect(await statusOf(ahead)).toBe('requested');
  const { rows } = await ownerPool.query(
    "select patient_id from app_public.notification where hospital_id = $1 and event = 'request_expired'",
    [due.id],
  );
  expect(rows).toEqual([{ patient_id: due.patientIds[0] }]);
});
