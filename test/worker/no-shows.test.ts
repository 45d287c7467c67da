import { afterEach, beforeEach, expect, test } from 'vitest';
import { addJobs } from '../../worker/jobs.ts';
import { committedAs } from '../helpers/actors.ts';
import { book } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type HospitalOptions, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { jobsIn, startAfresh, until, workFor } from './workplace.ts';

const { ownerPool, workerUrl } = await createDatabase();

beforeEach(() => startAfresh(ownerPool));
afterEach(() => ownerPool.query('delete from app_private.clock_shift'));

const runSweep = () =>
  addJobs(ownerPool, [
    {
      task: 'sweep_no_shows',
      payload: { _cron: { ts: new Date().toISOString() } },
      key: 'sweep',
    },
  ]);

/** A hospital in which these patients are expected from 9:00 on, one after the other. */
async function expecting(
  patients: readonly number[],
  options: HospitalOptions = {},
): Promise<OpenHospital> {
  const hospital = await openHospital(ownerPool, { horizonDays: 3, ...options });
  for (const [slot, patient] of patients.entries()) {
    await committedAs(ownerPool, hospital.receptionist, (db) =>
      book(db, {
        slotId: nth(hospital.slotIds, slot),
        patientId: nth(hospital.patientIds, patient),
      }),
    );
  }
  return hospital;
}

/** It is so long after the hospital's first slot now. */
async function goAfterFirstSlot({ slotIds }: OpenHospital, interval: string): Promise<void> {
  await ownerPool.query('delete from app_private.clock_shift');
  await ownerPool.query(
    `insert into app_private.clock_shift (shift)
     select starts_at + $2::interval - now() from app_public.slot where id = $1`,
    [nth(slotIds, 0), interval],
  );
}

async function states({ id }: OpenHospital): Promise<string[]> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.appointment where hospital_id = $1 order by starts_at',
    [id],
  );
  return rows.map(({ status }) => status);
}

// A sweep that meets that of the crontab leaves the work to it, which may have looked a moment before.
const sweepUntil = (isSo: () => Promise<boolean>) =>
  until(async () => {
    await runSweep();
    await isQuiet();
    return isSo();
  });

const isQuiet = () => until(async () => (await jobsIn(ownerPool)).length === 0);

test('who does not come is marked by the sweep, and who is still expected is not', async () => {
  const hospital = await expecting([0, 1, 2]);
  await goAfterFirstSlot(hospital, '60 minutes');
  await workFor(workerUrl);
  await sweepUntil(async () => (await states(hospital))[1] === 'no_show');
  await isQuiet();
  expect(await states(hospital)).toEqual(['no_show', 'no_show', 'scheduled']);
  const { rows } = await ownerPool.query(
    'select reason, marked_by from app_public.no_show_log where hospital_id = $1',
    [hospital.id],
  );
  expect(rows).toEqual([
    { reason: 'auto_timeout', marked_by: null },
    { reason: 'auto_timeout', marked_by: null },
  ]);
  // Once more: there is nothing left, and nothing is counted twice.
  await runSweep();
  await isQuiet();
  await expectInvariants(ownerPool);
});

test('a hospital whose evening has come waits for its morning; another one is swept meanwhile', async () => {
  const asleep = await expecting([0], { timeZone: 'Asia/Kolkata' });
  const awake = await expecting([0], { timeZone: 'America/Los_Angeles' });
  const { worker } = await workFor(workerUrl);
  expect(worker).toBeDefined();
  // 23:00 of its day in Kolkata.
  await goAfterFirstSlot(asleep, '14 hours');
  await runSweep();
  await isQuiet();
  expect(await states(asleep)).toEqual(['scheduled']);
  // 09:30 of the day in Los Angeles.
  await goAfterFirstSlot(awake, '30 minutes');
  await sweepUntil(async () => (await states(awake))[0] === 'no_show');
  // 07:00 of the next morning in Kolkata.
  await goAfterFirstSlot(asleep, '22 hours');
  await sweepUntil(async () => (await states(asleep))[0] === 'no_show');
  await isQuiet();
  await expectInvariants(ownerPool);
});

test('a hospital where nobody is due gets no job', async () => {
  const hospital = await expecting([0]);
  await goAfterFirstSlot(hospital, '29 minutes');
  const { lines } = await workFor(workerUrl);
  await runSweep();
  await isQuiet();
  expect(lines.filter(({ task }) => task === 'mark_no_shows')).toEqual([]);
  expect(await states(hospital)).toEqual(['scheduled']);
});
