// Reviews, alerts, reports and key figures as admins meet them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD, demoEmail } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { breakOne, declareTrouble, look, mend } from '../health/trouble.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
const { ownerPool } = database;
const check = 'graphql_trouble';
let server: TestServer;
let admin: string;
let reception: string;
let hospitalId: string;

beforeAll(async () => {
  await loadDemo(database.url);
  await declareTrouble(ownerPool, { check, title: 'Seats that do not add up' });
  const { rows } = await ownerPool.query("select id from app_public.hospital where slug = 'demo'");
  hospitalId = rows[0].id;
  server = await startServer(database.authenticatorUrl);
  admin = await server.login('demo', demoEmail('admin', 'demo'), DEMO_PASSWORD);
  reception = await server.login('demo', demoEmail('reception', 'demo'), DEMO_PASSWORD);
});
afterAll(() => server.close());

interface Asked {
  data: unknown;
  errors: { extensions: { scenario?: string } }[];
}

const mutate = (name: string, input: string, fields: string): Promise<Asked> =>
  server.ask(admin, `mutation { ${name}(input: { ${input} }) { ${fields} } }`) as Promise<Asked>;

async function openOnes(): Promise<{ id: string; detail: string; priority: number }[]> {
  const { data, errors } = await server.ask(
    admin,
    `{ reviewItems(filter: { status: { in: [pending, in_review] }, priority: { lessThanOrEqualTo: 2 } },
         orderBy: [PRIORITY_ASC, CREATED_AT_ASC], first: 10) {
       totalCount pageInfo { hasNextPage } nodes { id detail priority status claimer { displayName } } } }`,
  );
  expect(errors).toEqual([]);
  return (data as { reviewItems: { nodes: never[] } }).reviewItems.nodes;
}

test('an admin works through the queue: lists it by priority, claims, gives back, resolves', async () => {
  const entity = await breakOne(ownerPool, check, hospitalId, { detail: 'Slot 7 is wrong.' });
  await look(ownerPool, check, hospitalId);
  const [item] = await openOnes();
  expect(item).toMatchObject({ detail: 'Slot 7 is wrong.', priority: 1, status: 'pending' });
  const id = `reviewItemId: "${item?.id}"`;

  const early = await mutate('resolveReviewItem', `${id}, note: "Done."`, 'clientMutationId');
  expect(early.errors[0]?.extensions).toMatchObject({ scenario: 'illegal_review_transition' });
  const claimed = await mutate('claimReviewItem', id, 'reviewItem { status claimer { email } }');
  expect(claimed.data).toMatchObject({
    claimReviewItem: {
      reviewItem: { status: 'in_review', claimer: { email: demoEmail('admin', 'demo') } },
    },
  });
  const back = await mutate('releaseReviewItem', id, 'reviewItem { status claimedAt }');
  expect(back.data).toMatchObject({
    releaseReviewItem: { reviewItem: { status: 'pending', claimedAt: null } },
  });
  await mutate('claimReviewItem', id, 'clientMutationId');
  await mend(ownerPool, check, entity);
  const done = await mutate(
    'resolveReviewItem',
    `${id}, note: "Recounted."`,
    'reviewItem { status note decider { email } isSettled }',
  );
  expect(done.data).toMatchObject({
    resolveReviewItem: { reviewItem: { status: 'resolved', note: 'Recounted.', isSettled: false } },
  });
  expect(await openOnes()).toEqual([]);
});

test('a dismissed one is a false positive and stays away', async () => {
  await breakOne(ownerPool, check, hospitalId);
  await look(ownerPool, check, hospitalId);
  const [item] = await openOnes();
  const id = `reviewItemId: "${item?.id}"`;
  await mutate('claimReviewItem', `${id}, takeOver: true`, 'clientMutationId');
  const { errors } = await mutate(
    'dismissReviewItem',
    `${id}, note: "It is meant to be so."`,
    'clientMutationId',
  );
  expect(errors).toEqual([]);
  await look(ownerPool, check, hospitalId);
  expect(await openOnes()).toEqual([]);
  const { data } = await server.ask(admin, '{ keyFigures { nodes { name value isMet } } }');
  const { nodes } = (data as { keyFigures: { nodes: { name: string }[] } }).keyFigures;
  expect(nodes.map(({ name }) => name)).toEqual([
    'consistency_rate',
    'verification_p95',
    'breaker_recovery',
    'auto_correction_rate',
    'review_queue_size',
    'false_positive_rate',
  ]);
  expect(nodes.at(-1)).toMatchObject({ isMet: false });
});

test('alerts are listed, acknowledged and resolved', async () => {
  await breakOne(ownerPool, check, hospitalId, { detail: 'Slot 8 is wrong.' });
  await look(ownerPool, check, hospitalId);
  const { data } = await server.ask(
    admin,
    '{ healthAlerts(filter: { status: { equalTo: active } }) { nodes { id title detail severity timesRaised } } }',
  );
  const { nodes } = (data as { healthAlerts: { nodes: { id: string }[] } }).healthAlerts;
  expect(nodes).toMatchObject([
    { title: 'Seats that do not add up', detail: 'Slot 8 is wrong.', severity: 'critical' },
  ]);
  const id = `healthAlertId: "${nodes[0]?.id}"`;
  await mutate('acknowledgeHealthAlert', id, 'clientMutationId');
  const { data: resolved } = await mutate(
    'resolveHealthAlert',
    `${id}, note: "Recounted."`,
    'healthAlert { status note acknowledger { email } resolver { email } }',
  );
  expect(resolved).toMatchObject({
    resolveHealthAlert: {
      healthAlert: {
        status: 'resolved',
        note: 'Recounted.',
        resolver: { email: demoEmail('admin', 'demo') },
      },
    },
  });
});

test('a report is read by its day, in words and in figures, and the days are listed', async () => {
  await ownerPool.query("select app_private.make_health_report($1, '2026-01-01')", [hospitalId]);
  const { data, errors } = await server.ask(
    admin,
    `{ healthReport(day: "2026-01-01") { day text figures } last: healthReport { day }
       healthReports(orderBy: DAY_DESC) { nodes { day } } missing: healthReport(day: "2025-01-01") { day } }`,
  );
  expect(errors).toEqual([]);
  expect(data).toMatchObject({
    healthReport: {
      day: '2026-01-01',
      text: expect.stringContaining('on 2026-01-01'),
      figures: { totals: { appointments: 0 } },
    },
    last: { day: '2026-01-01' },
    healthReports: { nodes: [{ day: '2026-01-01' }] },
    missing: null,
  });
});

test('settings change how admins are told', async () => {
  const { data } = await mutate(
    'updateHealthSettings',
    'healthAlertQuietPeriod: { minutes: 30 }, healthChatRoom: "ops"',
    'hospital { healthChatRoom healthAlertQuietPeriod { minutes } }',
  );
  expect(data).toMatchObject({
    updateHealthSettings: {
      hospital: { healthChatRoom: 'ops', healthAlertQuietPeriod: { minutes: 30 } },
    },
  });
});

test('nobody but admins sees or decides any of it', async () => {
  for (const query of [
    '{ reviewItems { nodes { id } } }',
    '{ healthAlerts { nodes { id } } }',
    '{ healthReports { nodes { day } } }',
    '{ healthReport { day } }',
    '{ keyFigures { nodes { name } } }',
    `mutation { claimReviewItem(input: { reviewItemId: "${hospitalId}" }) { clientMutationId } }`,
    `mutation { resolveHealthAlert(input: { healthAlertId: "${hospitalId}", note: "x" }) { clientMutationId } }`,
  ]) {
    const { errors } = await server.ask(reception, query);
    expect(errors[0]?.extensions.scenario, query).toBe('forbidden');
  }
});
