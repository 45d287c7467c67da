// The chat is told by messages of their own: each is tried again later and later, and none holds up another.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import type { TaskName } from '../../worker/payloads.ts';
import { tasks } from '../../worker/task-list.ts';
import { openTransports, type Transports } from '../../worker/transports/open-transports.ts';
import { startMailServer } from '../delivery/mail-server.ts';
import { createDatabase, type TestDatabase } from '../helpers/database.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { keepLog, startAfresh, surroundingsOf, until, workFor } from '../worker/workplace.ts';
import { breakOne, declareTrouble, look } from './trouble.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const machinery = '00000000-0000-0000-0000-000000000000';
const check = 'channel_trouble';

interface Told {
  channel: string;
  id: string;
  to: string;
  title: string;
  text: string;
}

/** The operator's gateway to the chat; it says 202 unless told otherwise. */
async function startChat(answer: (response: ServerResponse, told: Told) => void = says(202)) {
  const told: Told[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const message = new Webhook(secret).verify(body, request.headers as Record<string, string>);
    told.push(message as Told);
    answer(response, message as Told);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const transports = openTransports({
    chat: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, secret },
  });
  onTestFinished(() => transports.close());
  return { told, transports };
}

function says(code: number) {
  return (response: ServerResponse) => void response.writeHead(code).end();
}

async function prepared() {
  const database = await createDatabase({ dropAfterFile: false });
  onTestFinished(() => database.drop());
  await declareTrouble(database.ownerPool, { check, title: 'Seats that do not add up' });
  const hospital = await createHospital(database.ownerPool);
  await startAfresh(database.ownerPool);
  return { database, hospital };
}

async function raise({ ownerPool }: TestDatabase, hospitalId: string, detail = 'It is wrong.') {
  await breakOne(ownerPool, check, hospitalId, { detail });
  await look(ownerPool, check, hospitalId === machinery ? null : hospitalId);
}

/** Runs the task once as the worker's login, without the queue. */
async function run(
  { workerUrl }: TestDatabase,
  hospital: Pick<TestHospital, 'id'>,
  transports: Transports,
  name: Extract<TaskName, 'send_health_alerts' | 'send_health_digest'> = 'send_health_alerts',
) {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-alerts', log, max: 1 });
  try {
    await tasks[name](
      { hospital_id: hospital.id },
      { ...surroundingsOf(transports), db: pool, log },
    );
  } finally {
    await pool.end();
  }
  return lines;
}

async function messages({ ownerPool }: TestDatabase) {
  const { rows } = await ownerPool.query(
    `select id, status, attempts, outcome, last_error,
       extract(epoch from next_attempt_at - app_private.clock())::float8 as pause
     from app_private.health_alert_delivery order by id`,
  );
  return rows;
}

/** As if so much time had passed for the messages that wait. */
const soon = ({ ownerPool }: TestDatabase) =>
  ownerPool.query(
    "update app_private.health_alert_delivery set next_attempt_at = now() - interval '1 second' where status = 'pending'",
  );

test('from the check to the chat and the inbox, within a second, by the worker, once', async () => {
  const { database, hospital } = await prepared();
  const { told, transports } = await startChat();
  await workFor(database.workerUrl, transports);
  await raise(database, hospital.id, 'Slot 7 is wrong.');
  await until(() => told.length > 0);
  await until(async () => nth(await messages(database), 0).status === 'sent');
  const [message] = await messages(database);
  expect(told).toEqual([
    {
      channel: 'chat',
      id: message.id,
      to: 'health',
      title: '[critical] Seats that do not add up',
      text: `Slot 7 is wrong.\nCheck: ${check}`,
    },
  ]);
  const { rows } = await database.ownerPool.query(
    "select account_id from app_public.notification where event = 'health_alert_raised'",
  );
  expect(rows).toEqual([{ account_id: hospital.admin.accountId }]);
});

test('what concerns the whole system is told to one room, and to the admins of every hospital', async () => {
  const { database, hospital } = await prepared();
  const other = await createHospital(database.ownerPool);
  const { told, transports } = await startChat();
  await raise(database, machinery, 'A guard is off.');
  await run(database, { id: machinery }, transports);
  expect(told).toMatchObject([
    { to: 'health', title: '[critical] System: Seats that do not add up' },
  ]);
  const { rows } = await database.ownerPool.query<{ hospital_id: string }>(
    "select hospital_id from app_public.notification where event = 'health_alert_raised'",
  );
  expect(rows.map(({ hospital_id }) => hospital_id).toSorted()).toEqual(
    [hospital.id, other.id].toSorted(),
  );
});

test('a chat that fails is tried again, later and later, under the same id, and given up at last', async () => {
  const { database, hospital } = await prepared();
  const { told, transports } = await startChat(says(500));
  await raise(database, hospital.id);
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    await soon(database);
    await run(database, hospital, transports);
    const [message] = await messages(database);
    expect(message).toMatchObject({
      attempts: attempt,
      status: attempt < 8 ? 'pending' : 'failed',
      outcome: attempt < 8 ? null : 'gave_up',
      last_error: 'The receiver answered 500.',
    });
    if (attempt < 8) pauses.push(message.pause);
  }
  expect(new Set(told.map(({ id }) => id)).size).toBe(1);
  expect(told).toHaveLength(8);
  for (const [index, pause] of pauses.entries()) {
    const middle = Math.min(60 * 2 ** index, 3600);
    expect(pause).toBeGreaterThan(middle * 0.45);
    expect(pause).toBeLessThan(middle * 1.55);
  }
  expect((await database.ownerPool.query('select from app_public.notification')).rowCount).toBe(1);
});

test('one message that is refused for good does not keep the others', async () => {
  const { database, hospital } = await prepared();
  await declareTrouble(database.ownerPool, { check: 'a_bad_one', title: 'Bad' });
  const { transports } = await startChat((response, { title }) =>
    says(title.endsWith('Bad') ? 422 : 202)(response),
  );
  await breakOne(database.ownerPool, 'a_bad_one', hospital.id);
  await look(database.ownerPool, 'a_bad_one', hospital.id);
  await raise(database, hospital.id);
  await run(database, hospital, transports);
  expect((await messages(database)).map(({ outcome }) => outcome).toSorted()).toEqual([
    'delivered',
    'rejected',
  ]);
});

test('a chat that is away holds up neither inbox nor digest, and counts as no try', async () => {
  const { database, hospital } = await prepared();
  const away = openTransports({ chat: { url: 'http://127.0.0.1:9', secret } });
  onTestFinished(() => away.close());
  await raise(database, hospital.id);
  const lines = await run(database, hospital, away);
  expect(lines).toMatchObject([{ msg: 'the chat cannot be reached; health alerts wait for it' }]);
  expect(await messages(database)).toMatchObject([
    { status: 'pending', attempts: 0, last_error: expect.stringContaining('did not answer') },
  ]);
  await run(database, hospital, away, 'send_health_digest');
  const { rows } = await database.ownerPool.query(
    'select event, channels from app_public.notification order by id',
  );
  expect(rows).toEqual([
    { event: 'health_alert_raised', channels: ['in_app'] },
    { event: 'health_digest', channels: ['email'] },
  ]);
  const { told, transports } = await startChat();
  await soon(database);
  await run(database, hospital, transports);
  expect(told).toHaveLength(1);
});

test('without a chat its messages are left out, and that is said once', async () => {
  const { database, hospital } = await prepared();
  const none = openTransports({});
  await raise(database, hospital.id);
  expect(await run(database, hospital, none)).toMatchObject([
    { msg: 'no chat is configured; health alerts reach the inbox and the digest only' },
  ]);
  expect(await run(database, hospital, none)).toEqual([]);
  expect(await messages(database)).toMatchObject([{ status: 'skipped', outcome: 'no_transport' }]);
});

test('who dies while sending is followed by somebody else when the lease ends: twice at most', async () => {
  const { database, hospital } = await prepared();
  const { told, transports } = await startChat();
  await raise(database, hospital.id);
  const { ownerPool } = database;
  await ownerPool.query('select app_private.tell_of_health_alerts($1)', [hospital.id]);
  const claim = await ownerPool.query(
    'select id, lease from app_private.claim_health_messages($1)',
    [hospital.id],
  );
  expect(claim.rows).toHaveLength(1);
  await run(database, hospital, transports);
  expect(told).toEqual([]);
  await ownerPool.query(
    "update app_private.health_alert_delivery set leased_until = now() - interval '1 second'",
  );
  await run(database, hospital, transports);
  await run(database, hospital, transports);
  expect(told).toHaveLength(1);
  const late = await ownerPool.query(
    "select app_private.settle_health_message($1, $2, $3, 'failed') as state",
    [hospital.id, claim.rows[0].id, claim.rows[0].lease],
  );
  expect(late.rows).toEqual([{ state: null }]);
  expect(await messages(database)).toMatchObject([{ status: 'sent', attempts: 2 }]);
});

test('two workers that tell at once tell once', async () => {
  const { database, hospital } = await prepared();
  const { told, transports } = await startChat();
  for (const number of [1, 2, 3]) await raise(database, hospital.id, `Slot ${number} is wrong.`);
  await Promise.all([1, 2, 3, 4].map(() => run(database, hospital, transports)));
  const { rows } = await database.ownerPool.query(
    'select sum(cardinality(alert_ids))::integer as told, (select count(*)::integer from app_public.notification) as inbox from app_private.health_alert_delivery',
  );
  expect(rows[0].told).toBe(3);
  expect(told).toHaveLength(rows[0].inbox);
});

test('what waits longer than a day is no news any more', async () => {
  const { database, hospital } = await prepared();
  const { told, transports } = await startChat();
  await raise(database, hospital.id);
  await database.ownerPool.query('select app_private.tell_of_health_alerts($1)', [hospital.id]);
  await database.ownerPool.query("insert into app_private.clock_shift (shift) values ('25 hours')");
  await run(database, hospital, transports);
  expect(told).toEqual([]);
  expect(await messages(database)).toMatchObject([{ status: 'failed', outcome: 'too_late' }]);
});

test('the digest is mailed to each admin, once, by the deliveries of all notifications', async () => {
  const { database, hospital } = await prepared();
  await raise(database, hospital.id, 'Slot 9 is wrong.');
  const server = await startMailServer();
  const mail = openTransports({
    email: { url: `smtp://127.0.0.1:${server.port}`, from: 'Hospital <no-reply@hospital.example>' },
  });
  onTestFinished(() => mail.close());
  await workFor(database.workerUrl, mail);
  await Promise.all([1, 2].map(() => run(database, hospital, mail, 'send_health_digest')));
  await until(() => server.arrived.length > 0);
  expect(server.arrived).toMatchObject([
    {
      to: [`admin@${hospital.slug}.test`],
      mail: {
        subject: 'Health of the hospital',
        text: expect.stringContaining('[critical] Seats that do not add up: Slot 9 is wrong.'),
      },
    },
  ]);
});

test('the sweep finds what is due in each hospital and in the machinery, and nothing else', async () => {
  const { database, hospital } = await prepared();
  const quiet = await createHospital(database.ownerPool);
  await database.ownerPool.query(
    `insert into app_private.health_digest_mark (hospital_id, reached_at, reached_before)
     values ($1, now(), now() - interval '4 hours')`,
    [quiet.id],
  );
  await raise(database, hospital.id);
  await raise(database, machinery);
  await startAfresh(database.ownerPool);
  const { log } = keepLog();
  const pool = createPool({ url: database.workerUrl, applicationName: 'test-alerts', log, max: 1 });
  onTestFinished(() => pool.end());
  const payload = { _cron: { ts: new Date().toISOString() } };
  await tasks.sweep_health_alerts(payload, { ...surroundingsOf(), db: pool, log });
  const { rows } = await database.ownerPool.query<{ key: string }>(
    'select key from graphile_worker._private_jobs order by key',
  );
  expect(rows.map(({ key }) => key)).toEqual(
    [
      `send_health_alerts:${machinery}`,
      `send_health_alerts:${hospital.id}`,
      `send_health_digest:${hospital.id}`,
    ].toSorted(),
  );
});
