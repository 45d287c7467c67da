// Admins read the log: newest first, page by page, by what they look for.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../platform/password-hash.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const { authenticatorUrl, ownerPool } = await createDatabase();
const password = 'four green horses sing';
const appointmentId = '00000000-0000-4000-8000-00000000000a';
let server: TestServer;
let hospital: TestHospital;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  server = await startServer(authenticatorUrl, { operationsLog: { send: async () => {} } });
  hospital = await createHospital(ownerPool);
  const other = await createHospital(ownerPool);
  await ownerPool.query(
    `insert into app_private.account_secret (hospital_id, account_id, password_hash)
     select hospital_id, id, $1 from app_public.account`,
    [await hashPassword(password)],
  );
  for (const name of ['admin', 'reception']) {
    tokens[name] = await server.login(hospital.slug, `${name}@${hospital.slug}.test`, password);
  }
  // Every tenth is refused, every fiftieth failed; one in a hundred tells of a finding.
  await ownerPool.query(
    `insert into app_public.log_entry (
       hospital_id, kind, level, name, outcome, request_id, entity_type, entity_id, message, logged_at)
     select hospital.id, case when number % 100 = 0 then 'finding' else 'operation' end::app_public.log_kind,
       case when number % 50 = 0 then 'error' else 'info' end::app_public.log_level,
       case when number % 2 = 0 then 'bookAppointment' else 'freeSlots' end,
       case when number % 50 = 0 then 'failed' when number % 10 = 0 then 'refused' else 'succeeded' end,
       'request-' || number, case when number = 77 then 'appointment' end,
       case when number = 77 then $3::uuid end, 'It happened.',
       timestamptz '2026-01-01 00:00:00+00' + number * interval '1 minute'
     from generate_series(1, 500) as number
     cross join (values ($1::uuid), ($2::uuid), (app_private.machinery())) as hospital (id)`,
    [hospital.id, other.id, appointmentId],
  );
});
afterAll(() => server.close());

type Page = {
  totalCount: number;
  nodes: { requestId: string; kind: string; level: string; outcome: string; name: string }[];
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
};

const READ = `query ($first: Int, $after: Cursor, $filter: LogEntryFilter) {
  logEntries(first: $first, after: $after, filter: $filter) {
    totalCount
    nodes { requestId kind level outcome name message details loggedAt }
    pageInfo { endCursor hasNextPage }
  }
}`;

async function read(variables: Record<string, unknown>): Promise<Page> {
  const { data, errors } = await server.ask(tokens.admin ?? null, READ, variables);
  expect(errors).toEqual([]);
  return data?.logEntries as Page;
}

const numbersOf = ({ nodes }: Page) => nodes.map(({ requestId }) => Number(requestId.slice(8)));

describe('an admin', () => {
  test('reads the log of the own hospital, newest first, page by page', async () => {
    const seen: number[] = [];
    let after: string | null = null;
    for (;;) {
      const page: Page = await read({ first: 100, after });
      expect(page.totalCount).toBe(500);
      seen.push(...numbersOf(page));
      after = page.pageInfo.endCursor;
      if (!page.pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => 500 - index));
  });

  test('goes on where they were, whatever has happened meanwhile', async () => {
    const first = await read({ first: 2 });
    await ownerPool.query(
      `insert into app_public.log_entry (hospital_id, kind, level, name, outcome, request_id, message, logged_at)
       values ($1, 'job', 'info', 'generate_slots', 'succeeded', 'request-999', 'Later.', '2026-02-01')`,
      [hospital.id],
    );
    try {
      expect(numbersOf(await read({ first: 2, after: first.pageInfo.endCursor }))).toEqual([
        498, 497,
      ]);
    } finally {
      await ownerPool.query("delete from app_public.log_entry where request_id = 'request-999'");
    }
  });

  test.each([
    ['kinds', { kind: { in: ['finding', 'repair'] } }, [500, 400, 300, 200, 100]],
    ['a level at least', { level: { greaterThanOrEqualTo: 'warning' } }, [500, 450, 400]],
    ['a request', { requestId: { equalTo: 'request-42' } }, [42]],
    ['an entity', { entityId: { equalTo: appointmentId } }, [77]],
    [
      'a name and an outcome',
      { name: { equalTo: 'bookAppointment' }, outcome: { equalTo: 'refused' } },
      [490, 480, 470],
    ],
    [
      'a time',
      {
        loggedAt: {
          greaterThanOrEqualTo: '2026-01-01T00:10:00Z',
          lessThan: '2026-01-01T00:13:00Z',
        },
      },
      [12, 11, 10],
    ],
  ])('looks for %s', async (_what, filter, expected) => {
    expect(numbersOf(await read({ first: 100, filter })).slice(0, expected.length)).toEqual(
      expected,
    );
  });

  test('asks for a hundred at most', async () => {
    const { errors } = await server.ask(tokens.admin ?? null, READ, { first: 101 });
    expect(errors[0]?.extensions.scenario).toBe('page_too_large');
  });
});

test('nobody else reads it', async () => {
  for (const token of [tokens.reception ?? null, null]) {
    const { data, errors } = await server.ask(token, '{ logEntries { nodes { id } } }');
    expect(data?.logEntries ?? null).toBeNull();
    expect(errors[0]?.extensions.scenario).toBe('forbidden');
  }
});

test('an admin decides for how long it is kept', async () => {
  const change = (days: number) =>
    server.ask(
      tokens.admin ?? null,
      `mutation { updateHospitalSettings(input: { logKeptDays: ${days} }) { hospital { logKeptDays } } }`,
    );
  expect(await change(30)).toMatchObject({
    data: { updateHospitalSettings: { hospital: { logKeptDays: 30 } } },
  });
  expect((await change(0)).errors[0]?.extensions).toMatchObject({
    details: { log_kept_days: 'is not 1 to 3650' },
  });
});
