import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { proveTables } from '../../replay/prove.ts';
import { replayDay } from '../../replay/replay-day.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer } from '../helpers/server.ts';

const database = await createDatabase();
const server = await startServer(database.authenticatorUrl);
afterAll(() => server.close());

const file = join(import.meta.dirname, 'a-day.csv');
const nextWeek = dayAhead(7);

function dayAhead(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

function replay(changed: { url?: string; day?: string; hospital?: string; said?: string[] } = {}) {
  const { said = [], ...options } = changed;
  return replayDay({
    file,
    day: nextWeek,
    url: server.url,
    inFlight: 8,
    hospital: undefined,
    throughTheDay: false,
    databaseUrl: database.databaseUrl,
    say: (message) => said.push(message),
    showProgress: () => ({ step: () => {}, end: () => {} }),
    ...options,
  });
}

test('a day is booked as reception would; only the clashes are refused, and all is proven', async () => {
  const said: string[] = [];
  const { booked, refused, proofs } = await replay({ said });
  expect({ booked, refused }).toEqual({ booked: 37, refused: { patient_double_booked: 3 } });
  expect(proofs.filter(({ contradictions }) => contradictions !== 0)).toEqual([]);
  expect(proofs).toHaveLength(10);
  expect(said.join('\n')).toContain(
    `Hospital replay-${nextWeek} (America/Sao_Paulo): 2 locations, 3 doctors, 96 slots`,
  );
});

test('the same day once more becomes a hospital of its own', async () => {
  const said: string[] = [];
  await replay({ said, day: dayAhead(8) });
  const { booked } = await replay({ said, day: dayAhead(8) });
  expect(booked).toBe(37);
  expect(said.join('\n')).toContain(`Hospital replay-${dayAhead(8)}-2 `);
});

test('a name that is taken is refused, and nothing is left behind', async () => {
  await replay({ hospital: 'the-city', day: dayAhead(9) });
  const count = async () => {
    const { rows } = await database.ownerPool.query('select count(*) from app_public.patient');
    return rows[0].count;
  };
  const before = await count();
  await expect(replay({ hospital: 'the-city', day: dayAhead(9) })).rejects.toThrow(
    'There is a hospital "the-city" already.',
  );
  expect(await count()).toBe(before);
});

test.each([
  ['yesterday', -1],
  ['in two years', 730],
])('a day %s is refused in words', async (_when, days) => {
  await expect(replay({ day: dayAhead(days) })).rejects.toThrow(
    'is not within the booking horizon',
  );
});

test('without a server nothing is made', async () => {
  await expect(replay({ url: 'http://127.0.0.1:9', hospital: 'nobody-there' })).rejects.toThrow(
    'Nobody answers at http://127.0.0.1:9',
  );
  const { rows } = await database.ownerPool.query(
    `select from app_public.hospital where slug = 'nobody-there'`,
  );
  expect(rows).toEqual([]);
});

test('answers that get lost are asked for again, and nobody is booked twice', async () => {
  const line = await openBadLine(server.url);
  try {
    const { booked, refused, proofs } = await replay({ url: line.url, day: dayAhead(10) });
    expect(line.lost()).toBeGreaterThan(5);
    expect({ booked, refused }).toEqual({ booked: 37, refused: { patient_double_booked: 3 } });
    expect(proofs.filter(({ contradictions }) => contradictions !== 0)).toEqual([]);
  } finally {
    await line.close();
  }
});

test('every claim about the tables is refuted when it is not true', async () => {
  const { hospitalId } = await replay({ day: dayAhead(11) });
  const prove = () =>
    proveTables({
      databaseUrl: database.databaseUrl,
      hospitalId,
      patientIds: new Map(),
      outcomes: [],
    });
  const before = await prove();
  // Nothing was answered as booked here, so what is stored already contradicts that.
  expect(before.map(({ contradictions }) => contradictions)).toEqual([0, 0, 0, 0, 0, 0, 37]);
  await damage(hospitalId);
  const after = await prove();
  expect(after.filter(({ contradictions }) => contradictions === 0)).toEqual([]);
});

/** Breaks everything that the constraints and triggers keep whole. */
async function damage(hospitalId: string): Promise<void> {
  const client = await database.ownerPool.connect();
  try {
    await client.query(`
      alter table app_public.appointment drop constraint a_patient_is_in_one_place_at_a_time;
      alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap;
      set session_replication_role = replica;`);
    await client.query(
      `insert into app_public.appointment (
         hospital_id, slot_id, doctor_id, patient_id, location_id, during, status, source, created_at, updated_at)
       select hospital_id, slot_id, doctor_id, patient_id, location_id, during, status, source, created_at, updated_at
       from app_public.appointment where hospital_id = $1 limit 1`,
      [hospitalId],
    );
    await client.query(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
       select hospital_id, doctor_id, location_id, during
       from app_public.slot where hospital_id = $1 limit 1`,
      [hospitalId],
    );
  } finally {
    await client.query('reset session_replication_role');
    client.release();
  }
}

/** A connection to the server that loses every fifth answer of GraphQL after the work was done. */
async function openBadLine(url: string) {
  const { hostname, port } = new URL(url);
  let answers = 0;
  let lost = 0;
  const line = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const onward = forward({ hostname, port, method, path, headers }, (answer) => {
      answers += path === '/graphql' ? 1 : 0;
      if (path === '/graphql' && answers % 5 === 0) {
        lost += 1;
        answer.resume().on('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await once(line.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(line.address() as AddressInfo).port}`,
    lost: () => lost,
    async close() {
      line.closeAllConnections();
      line.close();
      await once(line, 'close');
    },
  };
}
