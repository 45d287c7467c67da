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
      task: 'sweep_stage_alerts',
      payload: { _cron: { ts: new Date().toISOString() } },
      key: 'sweep',
    },
  ]);

/** A patient arrives for this slot: the clock stands at the start of the visit. */
async function arrive(hospital: OpenHospital, slot: number): Promise<void> {
  const { rows } = await ownerPool.query(
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
     values ($1, $2, $3, 'scheduled') returning id, starts_at`,
    [hospital.id, nth(hospital.slotIds, slot), nth(hospital.patientIds, 0)],
  );
  await ownerPool.query(
    `insert into app_private.clock_shift (shift) values ($1::timestamptz - now())
     on conflict (is_single) do update set shift = excluded.shift`,
    [rows[0].starts_at],
  );
  await ownerPool.query("update app_public.appointment set status = 'checked_in' where id = $1", [
    rows[0].id,
  ]);
}

async function alertsOf({ id }: OpenHospital): Promise<string[]> {
  const { rows } = await ownerPool.query<{ alert: string }>(
    "select concat_ws(' ', kind, status) as alert from app_public.stage_alert where hospital_id = $1",
    [id],
  );
  return rows.map(({ alert }) => alert);
}

async function message(topic: string): Promise<boolean> {
  const { rows } = await ownerPool.query('select from app_private.outbox where topic = $1', [
    topic,
  ]);
  return rows.length > 0;
}

test('who waits too long is found in their hospital, once, and others are left alone', async () => {
  const due = await openHospital(ownerPool, { horizonDays: 2 });
  const ahead = await openHospital(ownerPool, { horizonDays: 2 });
  await arrive(due, 0);
  await workFor(workerUrl);
  await sweep();
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect(await alertsOf(due)).toEqual([]);

  await arrive(ahead, 1);
  await ownerPool.query("update app_private.clock_shift set shift = shift + interval '10 minutes'");
  await sweep();
  await until(async () => (await alertsOf(due)).length > 0);
  await sweep();
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect(await alertsOf(due)).toEqual(['no_vitals active']);
  expect(await alertsOf(ahead)).toEqual([]);
  // The relay knows what to do with the message.
  await until(async () => !(await message('stage_alert')));
});
