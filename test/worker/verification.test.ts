// What changed is verified by the queue: at once, or together with what follows.
import { randomUUID } from 'node:crypto';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import type { Payload } from '../../worker/payloads.ts';
import { relayBatch } from '../../worker/relay.ts';
import { VerificationPace } from '../../worker/verification-pace.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { jobsIn, keepLog, startAfresh, until, workFor } from './workplace.ts';

const database = await createDatabase();
const { ownerPool } = database;
const hospital = await createHospital(ownerPool);

beforeEach(() => startAfresh(ownerPool));

/** As if this slot of the hospital had changed. */
async function change(slotId: string): Promise<void> {
  await ownerPool.query(
    `insert into app_private.outbox (hospital_id, topic, key, payload)
     select $1, 'slots', $2::text, jsonb_build_object('doctor_id', $2::uuid, 'slot_ids', jsonb_build_array($3::uuid))`,
    [hospital.id, hospital.doctorIds[0], slotId],
  );
}

test('changes that follow each other wait in one job, and none is lost', async () => {
  const pool = createPool({
    url: database.workerUrl,
    applicationName: 'test-relay',
    log: keepLog().log,
  });
  onTestFinished(() => pool.end());
  const pace = new VerificationPace();
  // However long it takes to leave them, all of them change in the same second.
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
  onTestFinished(() => now.mockRestore());
  const slots = [randomUUID(), randomUUID(), randomUUID()];
  for (const slot of slots) {
    await change(slot);
    await relayBatch(pool, 10, pace);
  }
  const jobs = await jobsIn(ownerPool);
  const named = jobs.map(({ payload }) =>
    (payload as unknown as Payload<'verify_changes'>).flatMap(({ slot_ids }) => slot_ids),
  );
  expect(named).toEqual([slots.slice(0, 1), slots.slice(1)]);
});

test('the worker verifies all of them, and counts them in their hospital', async () => {
  await workFor(database.workerUrl);
  for (let count = 0; count < 5; count += 1) await change(randomUUID());
  await until(async () => {
    const { rows } = await ownerPool.query<{ verified: number }>(
      `select coalesce(sum(verified), 0)::integer as verified
         from app_private.verification_hour where hospital_id = $1`,
      [hospital.id],
    );
    return rows[0]?.verified === 5;
  });
  await until(async () => {
    const { rows } = await ownerPool.query(
      "select from app_private.job_hour where hospital_id = $1 and job = 'verify_changes'",
      [hospital.id],
    );
    return rows.length > 0;
  });
});
