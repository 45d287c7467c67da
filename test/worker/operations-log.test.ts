// What a worker does comes into the log: runs with a record one by one, short ones together, and webhooks.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Pool } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { LogEntry } from '../../platform/operations-log.ts';
import { startRunTally } from '../../worker/run-tally.ts';
import { committedAs } from '../helpers/actors.ts';
import { book } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { until, workFor } from './workplace.ts';

const { ownerPool, workerUrl } = await createDatabase();

async function entriesOf(pool: Pool, kind: string, hospitalId: string) {
  const { rows } = await pool.query(
    'select * from app_public.log_entry where kind = $1::app_public.log_kind and hospital_id = $2 order by id',
    [kind, hospitalId],
  );
  return rows;
}

test('short runs are told together, by job and hospital', () => {
  const told: LogEntry[] = [];
  const tally = startRunTally({ write: (entry) => void told.push(entry), close: async () => {} });
  const run = { hospitalId: 'h', job: 'send_reminders', items: 2 };
  tally.count({ ...run, durationMs: 10 });
  tally.count({ ...run, durationMs: 30 });
  tally.count({ ...run, job: 'offer_seats', items: null, durationMs: 5 });
  tally.stop();
  expect(told).toMatchObject([
    { name: 'send_reminders', details: { count: 2, total_ms: 40, longest_ms: 30, items: 4 } },
    { name: 'offer_seats', hospitalId: 'h', details: { count: 1, items: 0 } },
  ]);
});

test('a booking, its jobs and its webhooks: tried, refused and told', async () => {
  let status = 500;
  const receiver = createServer((_request, response) => void response.writeHead(status).end());
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  onTestFinished(async () => {
    receiver.closeAllConnections();
    receiver.close();
    await once(receiver, 'close');
  });
  const hospital = await openHospital(ownerPool, { horizonDays: 1 });
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  await committedAs(ownerPool, hospital.admin, (db) =>
    db.query("select app_public.create_webhook_subscription($1, $1, '{appointment.booked}')", [
      url,
    ]),
  );
  const { worker } = await workFor(workerUrl);
  await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
  );
  const [refused] = await until(async () => {
    const rows = await entriesOf(ownerPool, 'webhook', hospital.id);
    return rows.length === 1 && rows;
  });
  status = 204;
  await ownerPool.query(
    `update app_public.webhook_delivery set next_attempt_at = now() where status = 'pending'`,
  );
  await ownerPool.query("select graphile_worker.add_job('send_webhooks', $1::json)", [
    JSON.stringify({ hospital_id: hospital.id }),
  ]);
  const [, taken] = await until(async () => {
    const rows = await entriesOf(ownerPool, 'webhook', hospital.id);
    return rows.length === 2 && rows;
  });
  expect(refused).toMatchObject({
    name: 'appointment.booked',
    outcome: 'failed',
    level: 'warning',
    code: '500',
    entity_type: 'webhook_delivery',
    duration_ms: expect.any(Number),
    details: { attempts: 1, status_code: 500 },
  });
  expect(taken).toMatchObject({ outcome: 'succeeded', level: 'info', code: '204' });

  // Told at the latest when the worker ends.
  await worker.stop();
  const jobs = await entriesOf(ownerPool, 'job', hospital.id);
  const names = jobs.map(({ name }) => name);
  expect(names).toContain('plan_webhooks');
  expect(names).toContain('send_webhooks');
  expect(jobs.find(({ name }) => name === 'plan_webhooks')).toMatchObject({
    outcome: 'succeeded',
    actor_role: 'worker',
    details: { count: expect.any(Number), total_ms: expect.any(Number) },
  });
  const { rows } = await ownerPool.query<{ told: string }>(
    `select log_entry::text as told from app_public.log_entry
     join app_public.patient on patient.hospital_id = log_entry.hospital_id
     where log_entry::text ilike '%' || patient.name || '%'`,
  );
  expect(rows).toEqual([]);
});

test('a worker tells how far its clock is from the database', async () => {
  await workFor(workerUrl);
  const beat = await until(async () => {
    const { rows } = await ownerPool.query(
      `select kind, environment from app_private.process_heartbeat
       where beaten_at > now() - interval '5 seconds' order by started_at desc`,
    );
    return rows[0];
  });
  expect(beat).toEqual({ kind: 'worker', environment: 'development' });
});
