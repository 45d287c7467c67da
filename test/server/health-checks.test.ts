// Monitoring outside asks for the state of the checks over HTTP.
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { openServer } from '../../server/open-server.ts';
import { breakSamples, createSamples, runAll, SYSTEM } from '../health/samples.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { TEST_CONFIG } from '../helpers/server.ts';

const database = await createDatabase();
const { ownerPool } = database;
const hospital = await createHospital(ownerPool);
await createSamples(ownerPool);
const oldKey = 'the-old-key-of-the-monitor-outside-0001';
const newKey = 'the-new-key-of-the-monitor-outside-0002';

const opened: { stop(): Promise<void> }[] = [];
afterAll(async () => {
  for (const each of opened) await each.stop();
});

async function serve(monitorApiKeys: string[], runMs = 20_000) {
  const server = await openServer({
    config: {
      ...TEST_CONFIG,
      monitorApiKeys,
      cronApiKeys: ['a-key-of-the-scheduler-outside-000001'],
    },
    jwtSecrets: [{ kid: 'test', secret: 'a secret that is only used by tests' }],
    dataKeys: [{ kid: 'test', secret: 'a data key that is only used by tests' }],
    authenticatorUrl: database.authenticatorUrl,
    log: createLog({ name: 'server', level: 'silent' }),
    healthChecks: { runMs },
  });
  opened.push(server);
  return async (question = '', key: string | null = oldKey) => {
    const response = await fetch(`${server.url}/health/checks${question}`, {
      headers: key === null ? {} : { 'x-monitor-api-key': key },
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by the tests
    const body = JSON.parse(text) as any;
    return { status: response.status, headers: response.headers, text, body };
  };
}

const ask = await serve([oldKey, newKey]);

beforeEach(async () => {
  await ownerPool.query(`
    delete from app_private.sample; delete from app_private.rate_limit;
    delete from app_public.health_alert; delete from app_public.review_item;
    delete from app_public.finding; delete from app_public.check_run; delete from app_private.clock_shift`);
});

test('while all is well: healthy, by the last look of the clock', async () => {
  await runAll(ownerPool);
  const { status, body, headers } = await ask();
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body).toEqual({
    status: 'healthy',
    isStale: false,
    openFindings: { critical: 0, warning: 0, info: 0 },
    ignoredFindings: 0,
    oldestOpenAt: null,
    checks: [],
    lastRuns: { nightly: expect.any(String), hourly: null, event: null, manual: null },
  });
});

test('before the first night nobody is late', async () => {
  expect((await ask()).body).toMatchObject({ status: 'healthy', isStale: false });
});

test('nobody has looked, or not for a day: degraded', async () => {
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('27 hours')");
  expect((await ask()).body).toMatchObject({ status: 'degraded', isStale: true });
  await ownerPool.query('delete from app_private.clock_shift');
  await runAll(ownerPool);
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('27 hours')");
  const { status, body } = await ask();
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { status: 'degraded', isStale: true },
  });
});

test('warnings degrade; something critical answers 503, unless nothing shall fail', async () => {
  await breakSamples(ownerPool, SYSTEM, 'sample_of_system', 'a');
  await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'b', 'c');
  await runAll(ownerPool);
  expect(await ask()).toMatchObject({ status: 200, body: { status: 'degraded', isStale: false } });

  await breakSamples(ownerPool, hospital.id, 'sample', 'd', 'e', 'f');
  await runAll(ownerPool);
  const { status, body } = await ask();
  expect(status).toBe(503);
  expect(body).toMatchObject({
    status: 'critical',
    openFindings: { critical: 3, warning: 3, info: 0 },
    checks: [
      {
        check: 'sample',
        severity: 'critical',
        count: 3,
        hospitals: [{ slug: hospital.slug, id: hospital.id, count: 3 }],
      },
      { check: 'sample_for_people', severity: 'warning', count: 2 },
      {
        check: 'sample_of_system',
        severity: 'warning',
        count: 1,
        hospitals: [{ slug: null, id: null, count: 1 }],
      },
    ],
  });
  expect(body.oldestOpenAt).toBe(body.checks[1].oldestOpenAt);
  expect(await ask('?fail=never')).toMatchObject({ status: 200, body: { status: 'critical' } });
});

test('what is ignored is counted apart', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'a');
  await runAll(ownerPool);
  await ownerPool.query(
    "update app_public.finding set ignored_at = now(), ignore_reason = 'known'",
  );
  const { status, body } = await ask();
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { status: 'healthy', ignoredFindings: 1, checks: [] },
  });
});

test('nothing of a hospital is told but its name and counts', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'secret');
  await runAll(ownerPool);
  expect((await ask()).text).not.toContain('secret');
});

test('run=1 looks first, at everything or at the checks that are named', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'a');
  await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'b');
  const named = await ask('?run=1&checks=sample_for_people');
  expect(named).toMatchObject({
    status: 200,
    body: { openFindings: { critical: 0, warning: 1 }, lastRuns: { manual: expect.any(String) } },
  });
  expect(await ask('?run=1')).toMatchObject({
    status: 503,
    body: { openFindings: { critical: 1 } },
  });
  const { rows } = await ownerPool.query(
    'select hospital_id, check_names, requested_by from app_public.check_run order by started_at',
  );
  expect(rows).toMatchObject([
    { hospital_id: SYSTEM, check_names: ['sample_for_people'], requested_by: null },
    { hospital_id: SYSTEM, requested_by: null },
  ]);
});

test('what it does not understand it refuses', async () => {
  const unknown = await ask('?run=1&checks=sampel');
  expect(unknown.status).toBe(404);
  expect(unknown.body.errors[0].extensions).toMatchObject({
    scenario: 'unknown_check',
    details: { unknown: ['sampel'] },
  });
  for (const question of ['?run=yes', '?checks=sample', '?fail=always', '?run=1&checks=', '?x=1']) {
    const answer = await ask(question);
    expect([400, 404], question).toContain(answer.status);
  }
  expect((await ownerPool.query('select from app_public.check_run')).rows).toEqual([]);
});

test('one run at a time, and none for longer than it may take', async () => {
  // Long enough for the other to connect and be refused meanwhile.
  await ownerPool.query(`create or replace view checks.sample_of_system as
    select hospital_id, check_name, severity, entity_type, entity_id, detail, metadata, cache_key
    from checks.sample where (select pg_sleep(4)) is not null`);
  const askBriefly = await serve([oldKey], 400);
  const [one, other] = await Promise.all([ask('?run=1'), ask('?run=1')]);
  expect([one.status, other.status].toSorted()).toEqual([200, 409]);
  const late = one.status === 409 ? one : other;
  expect(late.body.errors[0].extensions).toMatchObject({ scenario: 'checks_already_running' });
  const slow = await askBriefly('?run=1');
  expect(slow.status).toBe(503);
  expect(slow.body.errors[0].extensions).toMatchObject({
    scenario: 'checks_took_too_long',
    recoverable: true,
  });
});

test('both keys open, others do not; without any there is nothing', async () => {
  expect((await ask('', newKey)).status).toBe(200);
  for (const key of [null, 'wrong', 'a-key-of-the-scheduler-outside-000001']) {
    const { status, body } = await ask('', key);
    expect(status).toBe(401);
    expect(body.errors[0].extensions.scenario).toBe('invalid_api_key');
  }
  const closed = await serve([]);
  expect(await closed()).toMatchObject({
    status: 404,
    body: { errors: [{ extensions: { scenario: 'not_found' } }] },
  });
});

test('whoever tries many keys waits, whichever door they try', async () => {
  for (let attempt = 1; attempt <= 10; attempt += 1) await ask('', `wrong ${attempt}`);
  const { status, headers } = await ask();
  expect(status).toBe(429);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
});
