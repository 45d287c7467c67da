// Checks, runs and findings as an admin's client sees them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD, demoEmail } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { breakSamples, createSamples, runAll, SYSTEM } from '../health/samples.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
const { ownerPool } = database;
let server: TestServer;
let admin: string;
let reception: string;
let north: string;

beforeAll(async () => {
  await loadDemo(database.url);
  await createSamples(ownerPool);
  server = await startServer(database.authenticatorUrl);
  admin = await server.login('demo', demoEmail('admin', 'demo'), DEMO_PASSWORD);
  reception = await server.login('demo', demoEmail('reception', 'demo'), DEMO_PASSWORD);
  const { rows } = await ownerPool.query<{ slug: string; id: string }>(
    'select slug, id from app_public.hospital order by slug',
  );
  const idOf = (wanted: (slug: string) => boolean) =>
    rows.find(({ slug }) => wanted(slug))?.id ?? '';
  north = idOf((slug) => slug !== 'demo');
  const demo = idOf((slug) => slug === 'demo');
  await breakSamples(ownerPool, demo, 'sample', 'a', 'b', 'c');
  await breakSamples(ownerPool, demo, 'sample_for_people', 'd');
  await breakSamples(ownerPool, north, 'sample', 'theirs');
  await breakSamples(ownerPool, SYSTEM, 'sample_of_system', 'everywhere');
  await runAll(ownerPool);
});
afterAll(() => server.close());

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at by the tests
type Data = Record<string, any>;

async function ask(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const { data, errors } = await server.ask(admin, query, variables);
  expect(errors).toEqual([]);
  return data as Data;
}

test('the catalog says what each check means and what becomes of its findings', async () => {
  const { healthChecks } = await ask(
    '{ healthChecks(orderBy: NAME_ASC) { nodes { name domain severity entityType title meaning importance resolution remedy repair isEventDriven } } }',
  );
  expect(healthChecks.nodes.map(({ name }: Data) => name)).toEqual([
    'sample',
    'sample_for_people',
    'sample_of_system',
  ]);
  expect(healthChecks.nodes[0]).toMatchObject({ remedy: 'repair', repair: 'repair_sample' });
  const people = await ask(
    '{ healthChecks(filter: { domain: { equalTo: "people" } }) { totalCount } }',
  );
  expect(people.healthChecks.totalCount).toBe(1);
});

test('an admin runs checks, and finds the run with its results', async () => {
  const { runHealthChecks } = await ask(
    `mutation { runHealthChecks(input: { checkNames: ["sample"] }) {
       checkRun { id trigger requester { role } findingCount newCount durationMs
         results { nodes { checkName rowCount error check { title } } } } } }`,
  );
  expect(runHealthChecks.checkRun).toMatchObject({
    trigger: 'manual',
    requester: { role: 'admin' },
    findingCount: 3,
    newCount: 0,
    results: {
      nodes: [{ checkName: 'sample', rowCount: 3, error: null, check: { title: 'Sample' } }],
    },
  });
  const { checkRun, checkRuns } = await ask(
    'query ($id: UUID!) { checkRun(id: $id) { id } checkRuns(first: 1) { nodes { id } } }',
    { id: runHealthChecks.checkRun.id },
  );
  expect(checkRuns.nodes).toEqual([{ id: checkRun.id }]);
});

test('a name that no check has is refused with those that there are', async () => {
  const { errors } = await server.ask(
    admin,
    'mutation { runHealthChecks(input: { checkNames: ["sampel"] }) { clientMutationId } }',
  );
  expect(errors[0]?.extensions).toMatchObject({
    code: 'SK404',
    scenario: 'unknown_check',
    details: { unknown: ['sampel'], checks: ['sample', 'sample_for_people', 'sample_of_system'] },
  });
});

test('findings are filtered by check, severity, domain, entity and state, and read page by page', async () => {
  const { findings } = await ask(
    `{ findings(first: 2, orderBy: [SEVERITY_DESC, FIRST_SEEN_AT_DESC]) {
         totalCount pageInfo { hasNextPage endCursor }
         nodes { id checkName severity domain detail metadata entityId check { meaning } } } }`,
  );
  expect(findings.totalCount).toBe(4);
  expect(findings.nodes[0]).toMatchObject({
    severity: 'critical',
    domain: 'samples',
    check: { meaning: 'A word.' },
  });
  const rest = await ask(
    `query ($after: Cursor) { findings(first: 2, after: $after, orderBy: [SEVERITY_DESC, FIRST_SEEN_AT_DESC]) {
       nodes { id checkName } pageInfo { hasNextPage } } }`,
    { after: findings.pageInfo.endCursor },
  );
  expect(rest.findings.pageInfo.hasNextPage).toBe(false);
  expect(rest.findings.nodes[1].checkName).toBe('sample_for_people');

  const countOf = async (filter: string) =>
    (await ask(`{ findings(filter: { ${filter} }) { totalCount } }`)).findings.totalCount;
  expect(await countOf('checkName: { in: ["sample"] }')).toBe(3);
  expect(await countOf('severity: { equalTo: warning }')).toBe(1);
  expect(await countOf('domain: { equalTo: "samples" }')).toBe(3);
  expect(await countOf(`entityId: { equalTo: "${findings.nodes[0].entityId}" }`)).toBe(1);
  expect(await countOf('resolvedAt: { isNull: true }')).toBe(4);
  expect(await countOf('ignoredAt: { isNull: false }')).toBe(0);
  expect(await countOf(`hospitalId: { equalTo: "${north}" }`).catch(() => 0)).toBe(0);
});

test('open findings come worst first; those of the system have a list of their own', async () => {
  const { openFindings, systemFindings } = await ask(
    `{ openFindings(first: 10) { totalCount nodes { severity detail } }
       systemFindings { nodes { id checkName detail } } }`,
  );
  expect(openFindings.nodes.map(({ severity }: Data) => severity)).toEqual([
    'critical',
    'critical',
    'critical',
    'warning',
  ]);
  expect(systemFindings.nodes).toMatchObject([
    { checkName: 'sample_of_system', detail: 'The sample says everywhere.' },
  ]);
  const { errors } = await server.ask(
    admin,
    `mutation { ignoreFinding(input: { findingId: "${systemFindings.nodes[0].id}", reason: "x" }) { clientMutationId } }`,
  );
  expect(errors[0]?.extensions).toMatchObject({ code: 'SK403', scenario: 'finding_of_the_system' });
  const byId = await ask(`{ finding(id: "${systemFindings.nodes[0].id}") { id } }`);
  expect(byId.finding).toBeNull();
});

test('a finding is ignored, counts again, is repaired; then the rest at once', async () => {
  const { openFindings } = await ask(
    '{ openFindings(filter: { checkName: { equalTo: "sample" } }) { nodes { id } } }',
  );
  const [first] = openFindings.nodes;
  const ignored = await ask(
    `mutation ($id: UUID!, $until: Datetime) { ignoreFinding(input: { findingId: $id, reason: "known", until: $until }) {
       finding { id ignoreReason ignoredUntil ignorer { role } } } }`,
    { id: first.id, until: '2100-01-01T00:00:00Z' },
  );
  expect(ignored.ignoreFinding.finding).toMatchObject({
    id: first.id,
    ignoreReason: 'known',
    ignorer: { role: 'admin' },
  });
  const repairOne = `mutation ($id: UUID!) { repairFinding(input: { findingId: $id }) {
    findingRepair { outcome message finding { isAutoCorrected resolvedAt } check { title } } } }`;
  const refused = await server.ask(admin, repairOne, { id: first.id });
  expect(refused.errors[0]?.extensions).toMatchObject({ scenario: 'finding_is_ignored' });
  await ask(
    `mutation ($id: UUID!) { unignoreFinding(input: { findingId: $id }) { finding { ignoredAt } } }`,
    { id: first.id },
  );
  const repaired = await ask(repairOne, { id: first.id });
  expect(repaired.repairFinding.findingRepair).toMatchObject({
    outcome: 'repaired',
    message: 'It was forgotten.',
    finding: { isAutoCorrected: true, resolvedAt: expect.any(String) },
    check: { title: 'Sample' },
  });
  const { repairAllSafe } = await ask(
    `mutation { repairAllSafe(input: {}) {
       repairReport { repairedCount remainingCount forPeopleCount repairs { findingId outcome message } } } }`,
  );
  expect(repairAllSafe.repairReport).toMatchObject({
    repairedCount: 2,
    remainingCount: 0,
    forPeopleCount: 1,
  });
  expect(repairAllSafe.repairReport.repairs).toHaveLength(2);
});

test('reception sees and does none of it', async () => {
  for (const list of [
    'findings',
    'openFindings',
    'systemFindings',
    'checkRuns',
    'checkResults',
    'healthChecks',
  ]) {
    const { data, errors } = await server.ask(reception, `{ ${list} { totalCount } }`);
    expect(data?.[list] ?? null, list).toBeNull();
    expect(errors[0]?.extensions.scenario, list).toBe('forbidden');
  }
  const { errors } = await server.ask(
    reception,
    'mutation { runHealthChecks(input: {}) { clientMutationId } }',
  );
  expect(errors[0]?.extensions.scenario).toBe('forbidden');
});
