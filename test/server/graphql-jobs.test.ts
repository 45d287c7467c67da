// Background jobs as an admin sees them.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DEMO_PASSWORD, demoEmail } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createLog } from '../../platform/log.ts';
import { openWorker } from '../../worker/worker.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { surroundingsOf, until } from '../worker/workplace.ts';

const database = await createDatabase();
let server: TestServer;
let admin: string;
let reception: string;

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  admin = await server.login('demo', demoEmail('admin', 'demo'), DEMO_PASSWORD);
  reception = await server.login('demo', demoEmail('reception', 'demo'), DEMO_PASSWORD);
});
afterAll(() => server.close());

const runJob = `mutation ($job: String!) {
  runJob(input: { job: $job }) { jobRun { id job outcome requester { role } } } }`;

test('an admin asks for a run, watches it to its end, and finds it in the health of the job', async () => {
  const { data, errors } = await server.ask(admin, runJob, { job: 'expire_waits' });
  expect(errors).toEqual([]);
  const { jobRun } = (data as { runJob: { jobRun: { id: string } } }).runJob;
  expect(jobRun).toMatchObject({ outcome: 'waiting', requester: { role: 'admin' } });

  const again = await server.ask(admin, runJob, { job: 'expire_waits' });
  expect(again.errors[0]?.extensions).toMatchObject({
    code: 'SK409',
    scenario: 'job_already_running',
    details: { job_run_id: jobRun.id },
  });

  const worker = await openWorker({
    url: database.workerUrl,
    log: createLog({ name: 'worker', level: 'silent' }),
    surroundings: surroundingsOf(),
  });
  onTestFinished(() => worker.stop());
  const watched = await until(async () => {
    const answer = await server.ask(
      admin,
      'query ($id: UUID!) { jobRun(id: $id) { outcome items durationMs error } }',
      { id: jobRun.id },
    );
    expect(answer.errors).toEqual([]);
    const run = answer.data?.jobRun as { outcome: string };
    return run.outcome === 'succeeded' && run;
  });
  expect(watched).toMatchObject({ items: 0, error: null });

  const health = await server.ask(
    admin,
    `{ cronHealth { nodes { job isHealthy message isOfHospital isManual expectedInterval { minutes hours }
       nextExpectedAt lastSuccessAt runsOfDay successRateOfDay
       recentRuns { id outcome startedBy items } } } }`,
  );
  expect(health.errors).toEqual([]);
  const { nodes } = (health.data as { cronHealth: { nodes: Record<string, unknown>[] } })
    .cronHealth;
  expect(nodes.find(({ job }) => job === 'expire_waits')).toMatchObject({
    isHealthy: true,
    isOfHospital: true,
    isManual: true,
    runsOfDay: 1,
    recentRuns: [{ id: jobRun.id, outcome: 'succeeded', startedBy: 'manual', items: 0 }],
  });
  expect(nodes.find(({ job }) => job === 'sweep_waitlist')).toMatchObject({
    isOfHospital: false,
    expectedInterval: { minutes: 5 },
  });

  const soon = await server.ask(admin, runJob, { job: 'expire_waits' });
  expect(soon.errors[0]?.extensions).toMatchObject({
    code: 'SK429',
    scenario: 'job_requested_too_often',
  });
});

test('others neither ask nor see', async () => {
  const asked = await server.ask(reception, runJob, { job: 'expire_waits' });
  expect(asked.errors[0]?.extensions).toMatchObject({ code: 'SK403', scenario: 'forbidden' });
  const health = await server.ask(reception, '{ cronHealth { nodes { job } } }');
  expect(health.errors[0]?.extensions).toMatchObject({ scenario: 'forbidden' });
  const runs = await server.ask(reception, '{ jobRuns { nodes { id } } }');
  expect(runs.data?.jobRuns ?? null).toBeNull();
});
