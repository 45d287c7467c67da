import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { ownFolder } from '../platform/folder.ts';
import { until } from '../worker/workplace.ts';
import { ask, bookAll, expectAsAnswered, logIn, storedOf, wishesFor } from './bookings.ts';
import { startServerProcess } from './processes.ts';
import { drawsFor, report } from './seed.ts';
import { ownDatabase, takeTime, untilDisconnected } from './world.ts';

takeTime();

test('a server is killed under bookings and started again: what was acknowledged is stored once, the rest can be repeated', async () => {
  const draw = drawsFor('server');
  const database = await ownDatabase();
  const { ownerPool } = database;
  const hospital = await openHospital(ownerPool, { horizonDays: 10, patientCount: 300 });
  const place = { urls: database, dataDir: await ownFolder() };
  let server = await startServerProcess(place);
  const token = await logIn(ownerPool, hospital, server.url);
  const wishes = wishesFor(hospital);
  const strikeAt = draw.between(20, 100);

  let answers = 0;
  const struck = Promise.withResolvers<void>();
  const booking = bookAll(() => server.url, token, wishes, {
    onAnswer() {
      answers += 1;
      if (answers === strikeAt) struck.resolve();
    },
  });
  await struck.promise;
  await server.kill();
  // What it was doing ends with its connections.
  await untilDisconnected(ownerPool, 'slotkeeper-server');
  const inDoubt = wishes.filter((wish) => wish.unanswered > 0);
  const storedBefore = await storedOf(ownerPool, inDoubt);
  const acknowledgedBefore = wishes.filter(({ appointmentId }) => appointmentId);
  expect(acknowledgedBefore.length).toBeGreaterThan(0);
  await expectStored(acknowledgedBefore);

  const began = performance.now();
  server = await startServerProcess(place, Number(new URL(server.url).port));
  const recovered = performance.now() - began;
  await booking;
  expect(inDoubt.length).toBeGreaterThan(0);
  for (const wish of inDoubt) {
    const id = storedBefore.get(wish.idempotencyKey);
    if (id) expect(wish.appointmentId).toBe(id);
  }
  report('server killed under bookings', {
    'after answers': strikeAt,
    'unanswered requests': inDoubt.length,
    'of them stored': storedBefore.size,
    'up again within ms': Math.round(recovered),
  });
  const acknowledged = wishes.filter(({ appointmentId }) => appointmentId);
  expect(acknowledged.length).toBeGreaterThan(acknowledgedBefore.length);
  expect(wishes.some(({ refusal }) => refusal)).toBe(true);
  await expectAsAnswered(ownerPool, wishes);
  // Once more gives the same.
  const again = acknowledged.slice(0, 20).map((wish) => ({ ...wish }));
  for (const wish of again) {
    const { appointmentId } = wish;
    await ask(server.url, token, wish);
    expect(wish.appointmentId).toBe(appointmentId);
  }
  await expectAsAnswered(ownerPool, wishes);
  await expectInvariants(ownerPool);

  async function expectStored(told: readonly { idempotencyKey: string; appointmentId?: string }[]) {
    const stored = await storedOf(ownerPool, told as typeof wishes);
    for (const { idempotencyKey, appointmentId } of told)
      expect(stored.get(idempotencyKey)).toBe(appointmentId);
  }
});

test('SIGTERM under load: not ready any more, what is in flight is answered, and it leaves with 0', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  // A request waits below until the test lets it go on; two seconds may be over before that.
  await ownerPool.query(
    `alter role app_authenticator in database ${database.name} set lock_timeout = '1min';
     alter role app_authenticator in database ${database.name} set statement_timeout = '1min'`,
  );
  const hospital = await openHospital(ownerPool, { horizonDays: 4, patientCount: 100 });
  const server = await startServerProcess({ urls: database, dataDir: await ownFolder() });
  const token = await logIn(ownerPool, hospital, server.url);
  const wishes = wishesFor(hospital);
  await bookAll(() => server.url, token, wishes.slice(0, 20));

  // Ten requests that wait for a row, so that they are in flight for certain.
  const inFlight = wishes.slice(20, 30);
  const blocker = await ownerPool.connect();
  await blocker.query('begin');
  await blocker.query('select from app_public.patient where id = any ($1) for update', [
    inFlight.map(({ patientId }) => patientId),
  ]);
  const answered = inFlight.map((wish) => ask(server.url, token, wish));
  await until(async () => {
    const { rows } = await ownerPool.query(
      `select from pg_stat_activity where datname = current_database()
         and application_name = 'slotkeeper-server' and wait_event_type = 'Lock'`,
    );
    return rows.length >= inFlight.length;
  });
  // And one whose head is not all there yet.
  const probe = connect(Number(new URL(server.url).port), '127.0.0.1');
  probe.write('GET /readyz HTTP/1.1\r\nhost: x\r\n');
  await until(async () => (await fetch(`${server.url}/readyz`)).status === 200);

  const began = performance.now();
  server.process.kill('SIGTERM');
  await until(
    async () => (await fetch(`${server.url}/readyz`).catch(() => undefined))?.status !== 200,
  );
  probe.end('\r\n');
  const said = await text(probe);
  expect(said).toContain('HTTP/1.1 503');
  expect(said).toContain('draining');
  expect(server.process.exitCode).toBeNull();
  await blocker.query('commit');
  blocker.release();

  expect(await Promise.all(answered)).toEqual(inFlight.map(() => true));
  const answeredAt = performance.now();
  expect(inFlight.filter(({ unanswered, putOff }) => unanswered + putOff > 0)).toEqual([]);
  expect(await server.exited).toEqual({ code: 0, signal: null });
  // Clients that would keep their connections, four seconds long, do not keep it.
  expect(performance.now() - answeredAt).toBeLessThan(3_500);
  report('server told to stop under load', {
    'requests in flight': inFlight.length,
    'left within ms': Math.round(performance.now() - began),
  });
  expect(server.noise()).toBe('');
  expect(inFlight.some(({ appointmentId }) => appointmentId)).toBe(true);
  await expectAsAnswered(ownerPool, wishes.slice(0, 30));
  const late = nth(wishes, 31);
  expect(await ask(server.url, token, late)).toBe(false);
  await expectInvariants(ownerPool);
});
