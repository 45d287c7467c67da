import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { addJobs, sendWebhooksJob } from '../../worker/jobs.ts';
import { tasks } from '../../worker/task-list.ts';
import { isPublic, judgedLookup } from '../../worker/transports/addresses.ts';
import { signedPost } from '../../worker/transports/signed-post.ts';
import { eventOf } from '../../worker/webhook-events.ts';
import { committedAs } from '../helpers/actors.ts';
import { book, cancel, transit } from '../helpers/booking.ts';
import { createDatabase, type TestDatabase } from '../helpers/database.ts';
import { openHospital, type TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { race } from '../helpers/races.ts';
import { keepLog, startAfresh, surroundingsOf, until, workFor } from './workplace.ts';

interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}
type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A receiver, which answers by the path it is asked at. */
async function startReceiver(answers: Readonly<Record<string, Answer>> = {}) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const path = request.url ?? '';
    received.push({ path, headers: request.headers as Record<string, string>, body });
    const answer = answers[path] ?? ((ok) => ok.writeHead(204).end());
    answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, received, at: (path: string) => received.filter((each) => each.path === path) };
}

const says =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body);

async function prepared() {
  const database = await createDatabase({ dropAfterFile: false });
  onTestFinished(() => database.drop());
  const hospital = await openHospital(database.ownerPool, { horizonDays: 1 });
  await startAfresh(database.ownerPool);
  return { database, hospital };
}

async function subscribe(
  { ownerPool }: TestDatabase,
  hospital: TestHospital,
  url: string,
  events = '{appointment.booked,appointment.cancelled}',
): Promise<{ id: string; secret: string }> {
  return committedAs(ownerPool, hospital.admin, async (db) => {
    const { rows } = await db.query(
      `select subscription_id as id, secret from app_public.create_webhook_subscription($1, $2, $3)`,
      [url, url, events],
    );
    return rows[0];
  });
}

/** Plans so many events by hand. */
async function planEvents({ ownerPool }: TestDatabase, hospital: TestHospital, count: number) {
  const events = Array.from({ length: count }, (_, index) => ({
    outbox_id: String(index + 1),
    event: 'appointment.booked',
    status: 'scheduled',
    occurred_at: new Date().toISOString(),
  }));
  await ownerPool.query('select app_private.plan_webhooks($1, $2)', [
    hospital.id,
    JSON.stringify(events),
  ]);
}

/** Runs the sending once as the worker's login, without the queue. */
async function sendOnce(
  { workerUrl }: TestDatabase,
  hospital: TestHospital,
  { allowPrivate = true } = {},
): Promise<void> {
  const { log } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-webhooks', log, max: 1 });
  try {
    await tasks.send_webhooks(
      { hospital_id: hospital.id },
      { ...surroundingsOf(), webhooks: { allowPrivate }, db: pool, log },
    );
  } finally {
    await pool.end();
  }
}

async function deliveriesOf({ ownerPool }: TestDatabase, subscriptionId: string) {
  const { rows } = await ownerPool.query(
    `select status, attempts, last_status_code, last_error, response_excerpt,
       extract(epoch from next_attempt_at - now())::float8 as pause
     from app_public.webhook_delivery where subscription_id = $1 order by occurred_at, id`,
    [subscriptionId],
  );
  return rows;
}

test('from the booking to the receiver, signed, each event once', async () => {
  const { database, hospital } = await prepared();
  const receiver = await startReceiver();
  const { id, secret } = await subscribe(database, hospital, `${receiver.url}/in`);
  await workFor(database.workerUrl);
  const visit = await committedAs(database.ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
  );
  await until(() => receiver.received.length === 1);
  await committedAs(database.ownerPool, hospital.receptionist, (db) => cancel(db, visit.id, 'ill'));
  await until(async () => {
    const all = await deliveriesOf(database, id);
    return all.length === 2 && all.every(({ status }) => status === 'delivered');
  });
  const bodies = receiver.received.map(({ body, headers }) =>
    new Webhook(secret).verify(body, headers),
  );
  expect(bodies).toEqual([
    {
      type: 'appointment.booked',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        hospital_id: hospital.id,
        sequence: expect.any(Number),
        appointment_id: visit.id,
        doctor_id: hospital.doctorIds[0],
        slot_id: hospital.slotIds[0],
        patient_id: hospital.patientIds[0],
        service_id: null,
        status: 'scheduled',
        previous_status: null,
        starts_at: expect.any(String),
        ends_at: expect.any(String),
      },
    },
    {
      type: 'appointment.cancelled',
      timestamp: expect.any(String),
      data: expect.objectContaining({ status: 'cancelled', previous_status: 'scheduled' }),
    },
  ]);
  expect(JSON.stringify(bodies)).not.toContain('ill');
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(2);
});

test('a hospital without webhooks plans none', async () => {
  const { database, hospital } = await prepared();
  await workFor(database.workerUrl);
  const { ownerPool } = database;
  await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
  );
  await until(async () => (await ownerPool.query('select from app_private.outbox')).rowCount === 0);
  const { rows } = await ownerPool.query(
    `select from graphile_worker._private_tasks as task
     join graphile_worker._private_jobs as job on job.task_id = task.id
     where task.identifier like '%webhooks' and job.key not like 'sweep%'`,
  );
  expect(rows).toEqual([]);
});

test('after a rotation both secrets verify', async () => {
  const { database, hospital } = await prepared();
  const receiver = await startReceiver();
  const { id, secret } = await subscribe(database, hospital, receiver.url);
  const { rows } = await committedAs(database.ownerPool, hospital.admin, (db) =>
    db.query('select secret from app_public.rotate_webhook_secret($1)', [id]),
  );
  await planEvents(database, hospital, 1);
  await sendOnce(database, hospital);
  const { body, headers } = nth(receiver.received, 0);
  for (const each of [secret, rows[0].secret]) new Webhook(each).verify(body, headers);
});

test('a target that hangs holds up nobody else, and has four requests at a time', async () => {
  const { database, hospital } = await prepared();
  const waiting: ServerResponse[] = [];
  const receiver = await startReceiver({ '/hangs': (response) => void waiting.push(response) });
  const bad = await subscribe(database, hospital, `${receiver.url}/hangs`);
  const good = await subscribe(database, hospital, `${receiver.url}/good`);
  // Few enough to be sent in the five seconds within which a job begins.
  await planEvents(database, hospital, 12);
  const sending = sendOnce(database, hospital);
  await until(async () => {
    const all = await deliveriesOf(database, good.id);
    return all.every(({ status }) => status === 'delivered');
  });
  expect(receiver.at('/good')).toHaveLength(12);
  await until(() => waiting.length >= 4);
  expect(waiting).toHaveLength(4);
  // Let go, so that the test need not wait for the timeout.
  const letGo = setInterval(() => {
    for (const response of waiting.splice(0)) response.writeHead(500).end();
  }, 5);
  await sending;
  clearInterval(letGo);
  const statuses = (await deliveriesOf(database, bad.id)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set(['pending']));
});

test('what receivers answer', async () => {
  const { database, hospital } = await prepared();
  const receiver = await startReceiver({
    '/gone': says(410),
    '/busy': says(429, { 'retry-after': '600' }, 'later'),
    '/moved': says(302, { location: '/elsewhere' }),
    '/wrong': says(400, {}, `no\0pe${'x'.repeat(1_000)}`),
    '/huge': (response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(65_536, 'x');
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      response.on('error', () => {});
      more();
    },
  });
  const paths = ['/gone', '/busy', '/moved', '/wrong', '/huge'];
  const ids: Record<string, string> = {};
  for (const path of paths)
    ids[path] = (await subscribe(database, hospital, receiver.url + path)).id;
  await planEvents(database, hospital, 1);
  await sendOnce(database, hospital);
  const of = async (path: string) => nth(await deliveriesOf(database, ids[path] ?? ''), 0);
  expect(await of('/gone')).toMatchObject({ status: 'failed', last_status_code: 410 });
  expect(await of('/busy')).toMatchObject({ status: 'pending', response_excerpt: 'later' });
  expect((await of('/busy')).pause).toBeGreaterThan(590);
  expect(await of('/moved')).toMatchObject({ status: 'pending', last_status_code: 302 });
  expect(await of('/wrong')).toMatchObject({ status: 'pending', last_status_code: 400 });
  expect((await of('/wrong')).response_excerpt).toHaveLength(500);
  expect(await of('/huge')).toMatchObject({ status: 'delivered', last_status_code: 200 });
  expect(receiver.at('/elsewhere')).toEqual([]);
  const { rows } = await database.ownerPool.query(
    `select (select status from app_public.webhook_subscription where id = $1) as status,
       (select count(*)::integer from app_public.notification where event = 'webhook_switched_off') as notices`,
    [ids['/gone']],
  );
  expect(rows).toEqual([{ status: 'switched_off', notices: 1 }]);
});

test('a private target is refused, unless the operator allows it', async () => {
  const { database, hospital } = await prepared();
  const receiver = await startReceiver();
  const { id } = await subscribe(database, hospital, receiver.url);
  await planEvents(database, hospital, 1);
  await sendOnce(database, hospital, { allowPrivate: false });
  expect(await deliveriesOf(database, id)).toMatchObject([
    { status: 'pending', attempts: 1, last_error: 'The receiver is not in the public internet.' },
  ]);
  expect(receiver.received).toEqual([]);
});

test('who dies between claim and answer leaves a lease: sent again under the same id, marked once', async () => {
  const { database, hospital } = await prepared();
  const receiver = await startReceiver();
  const { id } = await subscribe(database, hospital, receiver.url);
  await planEvents(database, hospital, 1);
  // What a sender does that is killed when the receiver has it.
  const { rows } = await database.ownerPool.query('select * from app_private.claim_webhooks($1)', [
    hospital.id,
  ]);
  const [claim] = rows;
  const secret: string = claim.secrets[0];
  await signedPost({
    url: claim.url,
    secret,
    id: claim.event_id,
    body: '{}',
    timeoutMs: 5_000,
    allowPrivate: true,
  });
  await sendOnce(database, hospital);
  expect(receiver.received).toHaveLength(1);
  await database.ownerPool.query(
    'update app_public.webhook_delivery set leased_until = now() where leased_until is not null',
  );
  await sendOnce(database, hospital);
  const [first, second] = receiver.received;
  expect(receiver.received).toHaveLength(2);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(await deliveriesOf(database, id)).toMatchObject([{ status: 'delivered', attempts: 2 }]);
});

test('the sweep finds a test that an admin sends', async () => {
  const { database, hospital } = await prepared();
  const receiver = await startReceiver();
  const { id, secret } = await subscribe(database, hospital, receiver.url);
  await committedAs(database.ownerPool, hospital.admin, (db) =>
    db.query('select app_public.send_test_webhook($1)', [id]),
  );
  await workFor(database.workerUrl);
  const { log } = keepLog();
  const pool = createPool({ url: database.workerUrl, applicationName: 'test-sweep', log });
  try {
    await tasks.sweep_webhooks(
      { _cron: { ts: new Date().toISOString() } },
      { ...surroundingsOf(), db: pool, log },
    );
  } finally {
    await pool.end();
  }
  await until(() => receiver.received.length === 1);
  const { body, headers } = nth(receiver.received, 0);
  expect(new Webhook(secret).verify(body, headers)).toMatchObject({
    type: 'webhook.test',
    data: {},
  });
});

describe('where requests go', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '::1',
    '::',
    'fd00::1',
    'fe80::1',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2001::1',
    'ff02::1',
    'not an address',
  ])('%s is not public', (address) => expect(isPublic(address)).toBe(false));

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111'])('%s is', (address) =>
    expect(isPublic(address)).toBe(true),
  );

  test.each([
    ['http://localhost:1/', 'The receiver is not in the public internet.'],
    ['http://2130706433:1/', 'The receiver is not in the public internet.'],
    ['http://0x7f.1:1/', 'The receiver is not in the public internet.'],
    ['https://[::ffff:7f00:1]:1/', 'The receiver is not in the public internet.'],
    ['https://169.254.169.254/', 'The receiver is not in the public internet.'],
    ['http://8.8.8.8/', 'The receiver is asked without TLS.'],
    ['https://user:word@8.8.8.8/', 'The address of the receiver carries credentials.'],
    ['ftp://8.8.8.8/', 'The address of the receiver is not valid.'],
    ['nowhere', 'The address of the receiver is not valid.'],
  ])('%s', async (url, reason) => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const outcome = await signedPost({ url, secret, id: 'x', body: '{}', timeoutMs: 2_000 });
    expect(outcome).toEqual({ kind: 'failed', reason });
  });

  test('a name that means a private machine, too, is refused; the judged address is the one used', async () => {
    const found = [
      { address: '8.8.8.8', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ];
    const resolve = ((_name: string, _options: unknown, done: (...all: unknown[]) => void) =>
      done(null, found)) as never;
    const ask = (judge: (address: string) => void) =>
      new Promise((done) => judgedLookup(judge, resolve)('x.test', {}, (...all) => done(all)));
    const judged: string[] = [];
    expect(await ask((address) => void judged.push(address))).toEqual([null, '8.8.8.8', 4]);
    expect(judged).toEqual(['8.8.8.8', '10.0.0.1']);
    const refused = new Error('private');
    expect(
      await ask((address) => {
        if (!isPublic(address)) throw refused;
      }),
    ).toEqual([refused, '', 0]);
  });

  test('a receiver that does not answer in time', async () => {
    const receiver = await startReceiver({ '/': () => {} });
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const post = { url: `${receiver.url}/`, secret, id: 'x', body: '{}', allowPrivate: true };
    expect(await signedPost({ ...post, timeoutMs: 100 })).toEqual({
      kind: 'failed',
      reason: 'The receiver did not answer (TimeoutError).',
    });
  });
});

test.each([
  [null, 'requested', false, 'appointment.requested'],
  [null, 'held', false, 'appointment.held'],
  [null, 'scheduled', false, 'appointment.booked'],
  [null, 'confirmed', false, 'appointment.booked'],
  [null, 'completed', false, undefined],
  ['requested', 'held', true, 'appointment.held'],
  ['held', 'scheduled', false, 'appointment.booked'],
  ['no_show', 'scheduled', false, 'appointment.booked'],
  ['scheduled', 'confirmed', false, 'appointment.confirmed'],
  ['scheduled', 'scheduled', true, 'appointment.moved'],
  ['scheduled', 'scheduled', false, undefined],
  ['confirmed', 'checked_in', false, 'appointment.checked_in'],
  ['checked_in', 'in_progress', false, undefined],
  ['in_progress', 'completed', false, 'appointment.completed'],
  ['scheduled', 'cancelled', false, 'appointment.cancelled'],
  ['scheduled', 'no_show', false, 'appointment.no_show'],
  ['held', 'expired', false, 'appointment.expired'],
])('from %s to %s, moved %s: %s', (from, status, isMoved, event) =>
  expect(eventOf(from, status, isMoved)).toBe(event),
);

test('receivers that hang leave the worker its other jobs', async () => {
  const { database } = await prepared();
  const { ownerPool } = database;
  const receiver = await startReceiver({ '/hangs': () => {} });
  const hospitals = [];
  for (let count = 0; count < 4; count += 1) {
    const hospital = await openHospital(ownerPool, { horizonDays: 1 });
    await subscribe(database, hospital, `${receiver.url}/hangs`);
    await planEvents(database, hospital, 1);
    hospitals.push(hospital.id);
  }
  await startAfresh(ownerPool);
  const { lines } = await workFor(database.workerUrl);
  await addJobs(ownerPool, hospitals.map(sendWebhooksJob));
  await until(() => receiver.received.length > 0);
  // None of these answers before the time-out of ten seconds.
  const payload = { hospital_id: hospitals[0] ?? '' };
  await addJobs(ownerPool, [{ task: 'expire_waits', payload, key: 'meanwhile' }]);
  await until(() => lines.some(({ task }) => task === 'expire_waits'));
  expect(lines.filter(({ task }) => task === 'send_webhooks')).toEqual([]);
});

test('the number of an event grows with each change of its appointment, whichever began first', async () => {
  const { database, hospital } = await prepared();
  const { ownerPool } = database;
  const receiver = await startReceiver();
  await subscribe(
    database,
    hospital,
    `${receiver.url}/in`,
    '{appointment.confirmed,appointment.cancelled}',
  );
  const { id } = await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
  );
  await race(ownerPool, async (start) => {
    const early = await start(hospital.receptionist);
    const late = await start(hospital.receptionist);
    await transit(late.db, 'confirm_appointment', id);
    await late.commit();
    await cancel(early.db, id);
    await early.commit();
  });
  await workFor(database.workerUrl);
  await until(() => receiver.received.length === 2);
  const events = receiver.received.map(({ body }) => JSON.parse(body));
  events.sort((one, other) => one.data.sequence - other.data.sequence);
  expect(events.map(({ type }) => type)).toEqual([
    'appointment.confirmed',
    'appointment.cancelled',
  ]);
});
