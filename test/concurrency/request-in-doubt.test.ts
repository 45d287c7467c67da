import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import pg from 'pg';
import { expect, test } from 'vitest';
import { become, committedAs } from '../helpers/actors.ts';
import { type Appointment, book, cancel, hold, reschedule } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { outcomeOf, race, untilBlocked, untilGone } from '../helpers/races.ts';

// A connection that dies at COMMIT leaves its client not knowing. The same key and request again
// must give exactly one appointment, whatever became of the first.

const database = await createDatabase();
const { ownerPool } = database;

type Operation = (db: ClientBase, world: World, key: string) => Promise<Appointment>;
type World = { hospital: OpenHospital; appointmentId: string };

const operations: Record<string, Operation> = {
  book_appointment: (db, { hospital }, key) => book(db, { ...wishOf(hospital), key }),
  hold_slot: (db, { hospital }, key) => hold(db, { ...wishOf(hospital), key }),
  reschedule_appointment: (db, { hospital, appointmentId }, key) =>
    reschedule(db, appointmentId, nth(hospital.slotIds, 0), { key }),
};

const cuts = {
  'after COMMIT was sent': {
    isStored: true,
    async cut(client: pg.Client) {
      const answer = client.query('commit').catch(() => {});
      await written(client);
      streamOf(client).destroy();
      await answer;
    },
  },
  'before COMMIT was sent': {
    isStored: false,
    async cut(client: pg.Client) {
      streamOf(client).destroy();
    },
  },
  'when the server ends it before COMMIT': {
    isStored: false,
    async cut(client: pg.Client) {
      const pid = await pidOf(client);
      await ownerPool.query('select pg_terminate_backend($1)', [pid]);
      await outcomeOf(client.query('commit'));
    },
  },
};

const cases = Object.keys(operations).flatMap((operation) =>
  Object.keys(cuts).map((cut) => [operation, cut as keyof typeof cuts] as const),
);

test.each(cases)('%s: the connection dies %s, the request is repeated', async (name, cutName) => {
  const world = await prepare();
  const { patient } = world.hospital;
  const operation = operations[name] as Operation;
  const key = randomUUID();
  const { cut, isStored } = cuts[cutName];

  const first = await withClient(async (client) => {
    await client.query('begin');
    await become(client, patient);
    const placed = await operation(client, world, key);
    const pid = await pidOf(client);
    await cut(client);
    await untilGone(ownerPool, pid);
    return placed;
  });
  expect(await storedUnder(key)).toBe(isStored ? 1 : 0);

  const repeated = await committedAs(ownerPool, patient, (db) => operation(db, world, key));
  const again = await committedAs(ownerPool, patient, (db) => operation(db, world, key));

  if (isStored) expect(repeated.id).toBe(first.id);
  expect(again.id).toBe(repeated.id);
  expect(repeated).toMatchObject({ slot_id: nth(world.hospital.slotIds, 0) });
  expect(await storedUnder(key)).toBe(1);
  expect(await seatsTakenIn(nth(world.hospital.slotIds, 0))).toBe(1);
  await expectInvariants(ownerPool);
});

test.each(Object.entries(operations))(
  '%s: two copies of a request at once are one appointment',
  (_, operation) =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const { patient } = world.hospital;
      const key = randomUUID();
      const [first, copy] = [await start(patient), await start(patient)];

      const placed = await operation(first.db, world, key);
      const attempt = operation(copy.db, world, key);
      expect(await untilBlocked(ownerPool, copy.pid, attempt)).toEqual([first.pid]);
      await first.commit();

      expect((await attempt).id).toBe(placed.id);
      await copy.commit();
      expect(await storedUnder(key)).toBe(1);
      await expectInvariants(ownerPool);
    }),
);

test.each(Object.entries(operations))(
  '%s: of two copies the second goes on where the first was rolled back',
  (_, operation) =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const { patient } = world.hospital;
      const key = randomUUID();
      const [first, copy] = [await start(patient), await start(patient)];
      await operation(first.db, world, key);
      const attempt = operation(copy.db, world, key);
      await untilBlocked(ownerPool, copy.pid, attempt);
      await first.end();

      expect(await attempt).toMatchObject({ slot_id: nth(world.hospital.slotIds, 0) });
      await copy.commit();
      expect(await storedUnder(key)).toBe(1);
      await expectInvariants(ownerPool);
    }),
);

test('twenty copies of one request at once are one appointment', async () => {
  const world = await prepare();
  const key = randomUUID();
  const copies = await Promise.all(
    Array.from({ length: 20 }, () =>
      committedAs(ownerPool, world.hospital.patient, (db) =>
        book(db, { ...wishOf(world.hospital), key }),
      ),
    ),
  );
  expect(new Set(copies.map(({ id }) => id)).size).toBe(1);
  expect(await storedUnder(key)).toBe(1);
  await expectInvariants(ownerPool);
});

test('one key for two requests at once: one is served, the other refused', () =>
  race(ownerPool, async (start) => {
    const { hospital } = await prepare();
    const key = randomUUID();
    const [first, other] = [await start(hospital.patient), await start(hospital.patient)];
    await book(first.db, { ...wishOf(hospital), key });
    const attempt = outcomeOf(hold(other.db, { ...wishOf(hospital), key }));
    await untilBlocked(ownerPool, other.pid, attempt);
    await first.commit();
    expect(await attempt).toBe('idempotency_key_reused');
    await other.end();
  }));

test('a repeated request finds its appointment also when somebody cancels it meanwhile', () =>
  race(ownerPool, async (start) => {
    const { hospital } = await prepare();
    const key = randomUUID();
    const wish = { ...wishOf(hospital), key };
    const { id } = await committedAs(ownerPool, hospital.patient, (db) => book(db, wish));
    const [cancelling, repeating] = [
      await start(hospital.receptionist),
      await start(hospital.patient),
    ];
    await cancel(cancelling.db, id);
    expect(await book(repeating.db, wish)).toMatchObject({ id, status: 'scheduled' });
    await cancelling.commit();
    await repeating.commit();
    expect(await committedAs(ownerPool, hospital.patient, (db) => book(db, wish))).toMatchObject({
      id,
      status: 'cancelled',
    });
    await expectInvariants(ownerPool);
  }));

async function prepare(): Promise<World> {
  const hospital = await openHospital(ownerPool, { horizonDays: 1 });
  const { id } = await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 5), patientId: nth(hospital.patientIds, 0) }),
  );
  return { hospital, appointmentId: id };
}

function wishOf(hospital: OpenHospital) {
  return { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) };
}

async function withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: database.url, application_name: 'test:doubt' });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

type Stream = { destroy(): void; write(data: Uint8Array, done: () => void): void };

function streamOf(client: pg.Client): Stream {
  return (client as unknown as { connection: { stream: Stream } }).connection.stream;
}

/** Resolves when everything that was written to the socket has left the process. */
async function written(client: pg.Client): Promise<void> {
  await new Promise(setImmediate);
  await new Promise<void>((resolve) => streamOf(client).write(new Uint8Array(0), resolve));
}

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

async function storedUnder(key: string): Promise<number> {
  const { rows } = await ownerPool.query<{ stored: number }>(
    `select (select count(*) from app_public.appointment where idempotency_key = $1)::int
       + (select count(*) from app_public.appointment_move where idempotency_key = $1)::int as stored`,
    [key],
  );
  return rows[0]?.stored ?? 0;
}

async function seatsTakenIn(slotId: string): Promise<number> {
  const { rows } = await ownerPool.query<{ booked_count: number }>(
    'select booked_count from app_public.slot where id = $1',
    [slotId],
  );
  return rows[0]?.booked_count ?? 0;
}
