import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
let server: TestServer;
let token: string;

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  token = await server.login('demo', 'patient@demo.test', DEMO_PASSWORD);
});
afterAll(() => server.close());

type Row = { startsAt: string; doctorId: string; position: string };

// Of a later day, so that no slot begins between one search and the next.
const firstDay = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
const SEARCH = `query ($pageSize: Int, $beyond: String, $first: Int) {
  searchFreeSlots(pageSize: $pageSize, beyond: $beyond, first: $first, firstDay: "${firstDay}") {
    nodes { startsAt doctorId position }
  }
}`;

async function search(variables: Record<string, unknown>): Promise<Row[]> {
  const { data, errors } = await server.ask(token, SEARCH, variables);
  expect(errors).toEqual([]);
  return nodesOf<Row>(data?.searchFreeSlots);
}

test('a search says who and where, as far as the asker may see it', async () => {
  const { data, errors } = await server.ask(
    token,
    `{ searchFreeSlots(pageSize: 1) {
      nodes { slotId seatsLeft doctorId locationId doctor { id displayName } location { id name } slot { id startsAt } startsAt }
    } }`,
  );
  expect(errors).toEqual([]);
  const [row] = nodesOf<Record<string, { id: string }>>(data?.searchFreeSlots);
  expect(row?.doctor).toMatchObject({ id: row?.doctorId });
  expect(row?.location).toMatchObject({ id: row?.locationId });
  expect(row?.slot).toEqual({ id: row?.slotId, startsAt: row?.startsAt });
});

test('the search gives as many rows as pageSize says, and reads on beyond the last', async () => {
  expect(await search({})).toHaveLength(50);
  expect(await search({ first: 3 })).toHaveLength(3);
  const all = await search({ pageSize: 100 });
  expect(all).toHaveLength(100);
  const head = await search({ pageSize: 40 });
  const tail = await search({ pageSize: 60, beyond: head.at(-1)?.position });
  expect([...head, ...tail]).toEqual(all);
});

test.each([
  [{ pageSize: 101 }, 'page_too_large'],
  [{ pageSize: -1 }, 'negative_paging'],
  [{ beyond: 'here' }, 'invalid_input'],
])('%o is refused as %s', async (variables, scenario) => {
  const { errors } = await server.ask(token, SEARCH, variables);
  expect(errors[0]?.extensions).toMatchObject({ scenario });
});

test('a day without anything free is explained', async () => {
  const { data, errors } = await server.ask(
    token,
    `{ explainNoSlots(first: 100, firstDay: "2020-01-01", lastDay: "2020-01-02") {
      nodes { day reason details doctor { id } doctorId }
    } }`,
  );
  expect(errors).toEqual([]);
  const nodes = nodesOf<Record<string, unknown>>(data?.explainNoSlots);
  expect(nodes.length).toBeGreaterThan(0);
  for (const node of nodes) {
    expect(node).toMatchObject({ reason: 'past', doctor: { id: node.doctorId } });
  }
});

function nodesOf<T>(connection: unknown): T[] {
  return (connection as { nodes: T[] }).nodes;
}
