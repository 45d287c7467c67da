import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

// Imports as a client meets them: rows of texts in, a report out.

const database = await createDatabase();
let server: TestServer;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['reception', 'admin']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
});
afterAll(() => server.close());

const IMPORT = `mutation ($rows: [PatientImportRowInput]!, $isDryRun: Boolean) {
  importPatients(input: { rows: $rows, isDryRun: $isDryRun }) {
    importReport { runId kind isAccepted isDryRun rowCount faultCount
      faults { rowNumber columnName scenario message value } }
  }
}`;

const row = (number: number) => ({
  medicalRecordNumber: `NEW-${number}`,
  name: `Somebody Newly Registered ${number}`,
  phone: '+91 22 1234 5678',
  email: `somebody.newly.registered.${number}@example.org`,
  dateOfBirth: '1970-01-01',
});

// biome-ignore lint/suspicious/noExplicitAny: the shape is that of the query
async function importPatients(rows: unknown[], isDryRun?: boolean): Promise<any> {
  const answer = await server.ask(tokens.admin ?? '', IMPORT, { rows, isDryRun });
  expect(answer.errors).toEqual([]);
  // biome-ignore lint/suspicious/noExplicitAny: the shape is that of the query
  return (answer.data as any).importPatients.importReport;
}

test('a dry run tells every fault, the import does it, and the run can be read with its rows', async () => {
  const faulty = [row(1), { name: 'Nobody', phone: 'x' }];
  expect(await importPatients(faulty, true)).toEqual({
    runId: null,
    kind: 'patients',
    isAccepted: false,
    isDryRun: true,
    rowCount: 2,
    faultCount: 2,
    faults: [
      {
        rowNumber: 2,
        columnName: 'medical_record_number',
        scenario: 'cell_missing',
        message: 'A value is needed here.',
        value: null,
      },
      expect.objectContaining({ rowNumber: 2, columnName: 'phone', value: 'x' }),
    ],
  });
  const { runId, ...report } = await importPatients([row(1), row(2)]);
  expect(report).toMatchObject({ isAccepted: true, isDryRun: false, rowCount: 2, faults: [] });
  const { data, errors } = await server.ask(
    tokens.admin ?? '',
    `query ($id: UUID!) { importRun(id: $id) { kind rowCount creator { role }
       rows { nodes { rowNumber recordId } } } }`,
    { id: runId },
  );
  expect(errors).toEqual([]);
  expect(data?.importRun).toEqual({
    kind: 'patients',
    rowCount: 2,
    creator: { role: 'admin' },
    rows: {
      nodes: [1, 2].map((rowNumber) => ({ rowNumber, recordId: expect.any(String) })),
    },
  });
});

test('some two hundred rows fit into a request, and more are told so', async () => {
  const rows = Array.from({ length: 200 }, (_, index) => row(1_000 + index));
  expect(await importPatients(rows)).toMatchObject({ isAccepted: true, rowCount: 200 });
  const { errors } = await server.ask(tokens.admin ?? '', IMPORT, { rows: [...rows, ...rows] });
  expect(errors[0]?.extensions).toMatchObject({ scenario: 'body_too_large' });
});

test('reception does not import', async () => {
  const { errors } = await server.ask(tokens.reception ?? '', IMPORT, { rows: [row(9)] });
  expect(errors[0]?.extensions).toMatchObject({ scenario: 'forbidden' });
});
