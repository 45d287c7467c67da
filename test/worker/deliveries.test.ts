import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { tasks } from '../../worker/task-list.ts';
import { openTransports, type Transports } from '../../worker/transports/open-transports.ts';
import { refusal, startMailServer } from '../delivery/mail-server.ts';
import { createDatabase, type TestDatabase } from '../helpers/database.ts';
import { openHospital, type TestHospital } from '../helpers/hospital.ts';
import { ownFolder } from '../platform/folder.ts';
import { keepLog, startAfresh, surroundingsOf, until, workFor } from './workplace.ts';

const from = 'Hospital <no-reply@hospital.example>';

async function ownDatabase(): Promise<TestDatabase> {
  const database = await createDatabase({ dropAfterFile: false });
  onTestFinished(() => database.drop());
  return database;
}

function mailTo(port: number): Transports {
  const transports = openTransports({ email: { url: `smtp://127.0.0.1:${port}`, from } });
  onTestFinished(() => transports.close());
  return transports;
}

/** A hospital with so many patients, each with an address; number n is n@example.org. */
async function reachableHospital(
  { ownerPool }: TestDatabase,
  patientCount: number,
): Promise<TestHospital> {
  const hospital = await openHospital(ownerPool, { horizonDays: 1, patientCount });
  await ownerPool.query(
    `update app_public.patient set email = replace(medical_record_number, 'MRN-', '') || '@example.org'
     where hospital_id = $1`,
    [hospital.id],
  );
  await startAfresh(ownerPool);
  return hospital;
}

/** Tells every patient something, as a flow would. */
async function tellAll({ ownerPool }: TestDatabase, hospital: TestHospital): Promise<void> {
  await ownerPool.query(
    `insert into app_public.notification (hospital_id, patient_id, event, priority, channels, title, body, created_at)
     select hospital_id, id, 'appointment_booked', 'normal', '{in_app,email}', 'News', 'Text of ' || name, now()
     from app_public.patient where hospital_id = $1`,
    [hospital.id],
  );
}

async function planAll({ ownerPool }: TestDatabase, hospital: TestHospital): Promise<void> {
  await ownerPool.query(
    'select app_private.plan_deliveries($1, array_agg(id)) from app_public.notification where hospital_id = $1',
    [hospital.id],
  );
}

async function mails({ ownerPool }: TestDatabase): Promise<Record<string, number>> {
  const { rows } = await ownerPool.query<{ outcome: string; count: number }>(
    `select coalesce(outcome, status::text) as outcome, count(*)::integer as count
     from app_public.notification_delivery where channel = 'email' group by 1`,
  );
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]));
}

/** Runs the sending once as the worker's login, without the queue. */
async function sendOnce(
  { workerUrl }: TestDatabase,
  hospital: TestHospital,
  transports: Transports,
) {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-send', log, max: 1 });
  try {
    const payload = { hospital_id: hospital.id, channel: 'email' as const };
    await tasks.send_deliveries(payload, { ...surroundingsOf(transports), db: pool, log });
  } finally {
    await pool.end();
  }
  return lines;
}

test('from the notification to the mail, by the worker', async () => {
  const database = await ownDatabase();
  const hospital = await reachableHospital(database, 4);
  const server = await startMailServer();
  await workFor(database.workerUrl, mailTo(server.port));
  await tellAll(database, hospital);
  await until(async () => (await mails(database)).delivered === 4);
  expect(server.arrived.map(({ to }) => to[0]).sort()).toEqual([
    '1@example.org',
    '2@example.org',
    '3@example.org',
    '4@example.org',
  ]);
  expect(server.arrived[0]?.mail.subject).toBe('News');
  // Having read it is no news.
  await database.ownerPool.query('update app_public.notification set read_at = now()');
  await until(async () => {
    const { rows } = await database.ownerPool.query('select from app_private.outbox');
    return rows.length === 0;
  });
  expect(server.arrived).toHaveLength(4);
});

test('1,000 mails of which one in a hundred has a bad address: all others arrive, once', async () => {
  const database = await ownDatabase();
  const hospital = await reachableHospital(database, 1_000);
  const server = await startMailServer({
    onRcptTo({ address }, _session, done) {
      done(/00@/.test(address) ? refusal(550, '5.1.1 unknown') : null);
    },
  });
  await tellAll(database, hospital);
  await planAll(database, hospital);
  // Two workers at once.
  const transports = mailTo(server.port);
  await Promise.all([
    sendOnce(database, hospital, transports),
    sendOnce(database, hospital, transports),
  ]);
  expect(await mails(database)).toEqual({ delivered: 990, rejected: 10 });
  const recipients = server.arrived.map(({ to }) => to[0]);
  expect(recipients).toHaveLength(990);
  expect(new Set(recipients).size).toBe(990);
  expect(new Set(server.arrived.map(({ mail }) => mail.messageId)).size).toBe(990);
});

test('a server that is away is asked once; nothing counts as tried, and all goes out when it is back', async () => {
  const database = await ownDatabase();
  const hospital = await reachableHospital(database, 60);
  await tellAll(database, hospital);
  await planAll(database, hospital);
  const server = await startMailServer();
  await server.close();
  const lines = await sendOnce(database, hospital, mailTo(server.port));
  expect(lines.map(({ msg }) => msg)).toEqual(['the transport cannot be reached']);
  const { rows } = await database.ownerPool.query(
    `select max(attempts) as attempts, count(last_error)::integer as told, bool_and(last_error not like '%@%') as is_clean
     from app_public.notification_delivery where channel = 'email'`,
  );
  expect(rows).toEqual([{ attempts: 0, told: 1, is_clean: true }]);
  const back = await startMailServer();
  await database.ownerPool.query(
    `update app_public.notification_delivery set next_attempt_at = now() where status = 'pending'`,
  );
  await sendOnce(database, hospital, mailTo(back.port));
  expect(await mails(database)).toEqual({ delivered: 60 });
  expect(back.arrived).toHaveLength(60);
});

test('without a mail server everything is skipped, said once, and not sent when there is one', async () => {
  const database = await ownDatabase();
  const hospital = await reachableHospital(database, 3);
  await tellAll(database, hospital);
  await planAll(database, hospital);
  const none = openTransports({});
  expect((await sendOnce(database, hospital, none)).map(({ msg }) => msg)).toEqual([
    'no transport is configured for this channel; its messages are skipped',
  ]);
  await tellAll(database, hospital);
  await planAll(database, hospital);
  expect(await sendOnce(database, hospital, none)).toEqual([]);
  expect(await mails(database)).toEqual({ no_transport: 6 });
  const server = await startMailServer();
  await sendOnce(database, hospital, mailTo(server.port));
  expect(server.arrived).toEqual([]);
});

test('at most eight at once', async () => {
  const database = await ownDatabase();
  const hospital = await reachableHospital(database, 30);
  await tellAll(database, hospital);
  await planAll(database, hospital);
  let [open, most] = [0, 0];
  const counting = {
    async send() {
      open += 1;
      most = Math.max(most, open);
      await new Promise((done) => setImmediate(done));
      open -= 1;
      return { kind: 'sent' as const };
    },
    async close() {},
  };
  await sendOnce(database, hospital, { ...openTransports({}), email: counting });
  expect(most).toBe(8);
  expect(await mails(database)).toEqual({ delivered: 30 });
});

test('the worker is killed after the mail was taken and before it could say so: sent again under the same id, marked once', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const hospital = await reachableHospital(database, 2);
  const taken = Promise.withResolvers<void>();
  const ids: string[] = [];
  let worker: ChildProcess | undefined;
  const server = await startMailServer({
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on('end', () => {
        ids.push(/^message-id: (.*)$/im.exec(text)?.[1] ?? '');
        // It is ours now; whoever sent it does not live to hear it.
        worker?.kill('SIGKILL');
        if (worker) taken.resolve();
        else done();
      });
    },
  });
  await tellAll(database, hospital);
  await planAll(database, hospital);
  worker = spawn(process.execPath, [resolve(import.meta.dirname, '../../worker/main.ts')], {
    env: {
      ...process.env,
      NODE_ENV: 'test',
      DATABASE_URL: database.databaseUrl,
      WORKER_URL: database.workerUrl,
      DATA_DIR: await ownFolder(),
      SMTP_URL: `smtp://127.0.0.1:${server.port}`,
      MAIL_FROM: from,
    },
    stdio: 'ignore',
  });
  const exited = once(worker, 'exit');
  await ownerPool.query(
    `select graphile_worker.add_job('send_deliveries', json_build_object('hospital_id', $1::uuid, 'channel', 'email'))`,
    [hospital.id],
  );
  await taken.promise;
  await exited;
  worker = undefined;
  expect(await mails(database)).toEqual({ sending: 2 });
  await ownerPool.query(
    'update app_public.notification_delivery set leased_until = now() where leased_until is not null',
  );
  await sendOnce(database, hospital, mailTo(server.port));
  expect(ids).toHaveLength(3);
  expect(ids.filter((id) => id === ids[0])).toHaveLength(2);
  const { rows } = await ownerPool.query(
    `select status, attempts from app_public.notification_delivery where channel = 'email'`,
  );
  expect(rows).toEqual([
    { status: 'sent', attempts: 2 },
    { status: 'sent', attempts: 2 },
  ]);
});

test('the sweep plans what no message told and sends what is due', async () => {
  const database = await ownDatabase();
  const { ownerPool, workerUrl } = database;
  const hospital = await reachableHospital(database, 2);
  await tellAll(database, hospital);
  await startAfresh(ownerPool);
  // As if they had been left two minutes ago.
  await ownerPool.query(
    `insert into app_public.notification (hospital_id, id, patient_id, event, priority, channels, title, body, created_at)
     select hospital_id,
       (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - 120000), 12, '0') || right(replace(id::text, '-', ''), 20))::uuid,
       patient_id, event, priority, channels, title, body, created_at
     from app_public.notification`,
  );
  await startAfresh(ownerPool);
  const server = await startMailServer();
  await workFor(workerUrl, mailTo(server.port));
  const { log } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-sweep', log });
  try {
    await tasks.sweep_deliveries(
      { _cron: { ts: new Date().toISOString() } },
      { ...surroundingsOf(), db: pool, log },
    );
  } finally {
    await pool.end();
  }
  await until(async () => (await mails(database)).delivered === 2);
  expect(server.arrived).toHaveLength(2);
});
