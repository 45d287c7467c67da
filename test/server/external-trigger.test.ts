// A scheduler outside starts a job over HTTP.
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { EXTERNAL_TRIGGERS } from '../../server/jobs/external-trigger.ts';
import { openServer } from '../../server/open-server.ts';
import { openWorker } from '../../worker/worker.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { TEST_CONFIG } from '../helpers/server.ts';
import { stopCrontab, surroundingsOf } from '../worker/workplace.ts';

const database = await createDatabase();
const { ownerPool } = database;
const oldKey = 'the-old-key-of-the-scheduler-outside-0001';
const newKey = 'the-new-key-of-the-scheduler-outside-0002';

const triggers = {
  '/no-show/external-trigger': 'sweep_lapsed_requests',
  '/waitlist/external-trigger': 'sweep_waitlist',
  '/nowhere/external-trigger': 'polish_the_floor',
};

const opened: { stop(): Promise<void> }[] = [];
afterAll(async () => {
  for (const each of opened) await each.stop();
});

type Settings = {
  waitMs?: number;
  trustProxy?: false | number;
  /** What can be started where: the triggers of this test unless told. */
  own?: { triggers?: Record<string, string> };
};

const servers = new Map<string, ReturnType<typeof open>>();

/** A server with these keys, the same one for all tests that ask for the same; its log is kept. */
function serve(cronApiKeys: string[], settings: Settings = {}) {
  const key = JSON.stringify([cronApiKeys, settings]);
  const server = servers.get(key) ?? open(cronApiKeys, settings);
  servers.set(key, server);
  return server;
}

async function open(
  cronApiKeys: string[],
  { waitMs = 50_000, trustProxy = false, own = { triggers } }: Settings,
) {
  const lines: string[] = [];
  const log = createLog({
    name: 'server',
    level: 'trace',
    destination: { write: (text: string) => void lines.push(text) },
  });
  const server = await openServer({
    config: { ...TEST_CONFIG, trustProxy, cronApiKeys },
    jwtSecrets: [{ kid: 'test', secret: 'a secret that is only used by tests' }],
    dataKeys: [{ kid: 'test', secret: 'a data key that is only used by tests' }],
    authenticatorUrl: database.authenticatorUrl,
    log,
    externalTrigger: {
      ...own,
      waitMs,
    },
  });
  opened.push(server);
  return {
    lines,
    async post(key: string | null, path = '/no-show/external-trigger', from?: string) {
      const response = await fetch(`${server.url}${path}`, {
        method: 'POST',
        headers: {
          ...(key === null ? null : { 'x-cron-api-key': key }),
          ...(from === undefined ? null : { 'x-forwarded-for': from }),
        },
      });
      // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by the tests
      const body = (await response.json()) as any;
      return {
        status: response.status,
        body,
        scenario: body.errors?.[0]?.extensions.scenario as string | undefined,
        retryAfter: response.headers.get('retry-after'),
      };
    },
  };
}

/** A worker whose crontab stands still: of a sweep of this very minute nothing would be left to do. */
async function work() {
  await stopCrontab(ownerPool);
  const worker = await openWorker({
    url: database.workerUrl,
    log: createLog({ name: 'worker', level: 'silent' }),
    surroundings: surroundingsOf(),
  });
  onTestFinished(() => worker.stop());
}

/** As if everything had ended long ago. */
async function forget(): Promise<void> {
  await ownerPool.query(
    `delete from app_public.job_run; delete from app_private.outbox; delete from app_private.rate_limit;
     delete from graphile_worker._private_jobs`,
  );
}

test('it runs now, and the answer says what was done in how many hospitals', async () => {
  const hospital = await createHospital(ownerPool);
  await ownerPool.query(
    `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     values ($1, $2, $3, tstzrange(now() + interval '1 minute', now() + interval '31 minutes'), 'requested')`,
    [hospital.id, hospital.doctorIds[0], hospital.patientIds[0]],
  );
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('1 hour')");
  onTestFinished(async () => void (await ownerPool.query('delete from app_private.clock_shift')));
  const server = await serve([oldKey]);
  await work();
  const answer = await server.post(oldKey);
  expect(answer).toMatchObject({
    status: 200,
    body: {
      jobRunId: expect.stringMatching(/^[\da-f-]{36}$/),
      job: 'sweep_lapsed_requests',
      outcome: 'succeeded',
      hospitals: 1,
      hospitalsDone: 1,
      items: 1,
    },
  });
  const { rows } = await ownerPool.query(
    'select started_by, outcome from app_public.job_run where id = $1',
    [answer.body.jobRunId],
  );
  expect(rows).toEqual([{ started_by: 'external', outcome: 'succeeded' }]);
});

test('without a good key: 401 in the one form, whatever is sent', async () => {
  await forget();
  const server = await serve([oldKey]);
  for (const key of [null, '', 'wrong', `${oldKey}x`, oldKey.slice(0, -1), oldKey.toUpperCase()]) {
    const { status, body } = await server.post(key);
    expect(status).toBe(401);
    expect(body.errors[0]).toMatchObject({
      message: 'The API key is missing or not valid.',
      extensions: { code: 'SK401', scenario: 'invalid_api_key', recoverable: false },
    });
  }
  const { rows } = await ownerPool.query('select from app_public.job_run');
  expect(rows).toEqual([]);
});

test('what may be started from outside is what the catalog of jobs says', async () => {
  const { rows } = await ownerPool.query<{ name: string }>(
    'select name from app_public.job where is_external',
  );
  const known = rows.map(({ name }) => name);
  for (const job of Object.values(EXTERNAL_TRIGGERS)) expect(known).toContain(job);
  await forget();
  const server = await serve([oldKey], { own: {} });
  await work();
  expect(await server.post(oldKey)).toMatchObject({
    status: 200,
    body: { job: 'sweep_no_shows', outcome: 'succeeded', hospitals: 0, items: 0 },
  });
});

test('without keys there is no such address', async () => {
  const none = await serve([]);
  expect(await none.post(oldKey)).toMatchObject({ status: 404, scenario: 'not_found' });
  expect(await none.post('')).toMatchObject({ status: 404, scenario: 'not_found' });
});

test('two keys are good at once; the one that was taken away is not', async () => {
  await forget();
  const both = await serve([newKey, oldKey], { waitMs: 0 });
  expect((await both.post(oldKey)).status).toBe(202);
  await forget();
  expect((await both.post(newKey)).status).toBe(202);
  await forget();
  const rotated = await serve([newKey], { waitMs: 0 });
  expect((await rotated.post(oldKey)).status).toBe(401);
  expect((await rotated.post(newKey)).status).toBe(202);
});

test('a job that nobody knows is not there', async () => {
  const server = await serve([oldKey]);
  const answer = await server.post(oldKey, '/nowhere/external-trigger');
  expect(answer).toMatchObject({ status: 404, scenario: 'job_not_found' });
});

test('of many at once one runs, the others are told which', async () => {
  await forget();
  const server = await serve([oldKey], { waitMs: 0 });
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.post(oldKey)));
  const [winner, ...more] = answers.filter(({ status }) => status === 202);
  expect(more).toEqual([]);
  expect(winner?.body).toMatchObject({ outcome: 'waiting' });
  for (const { status, scenario, body } of answers.filter((each) => each !== winner)) {
    expect([status, scenario]).toEqual([409, 'job_already_running']);
    expect(body.errors[0].extensions.details.job_run_id).toBe(winner?.body.jobRunId);
  }
  // Another job has nothing to do with it.
  expect((await server.post(oldKey, '/waitlist/external-trigger')).status).toBe(202);
});

test('while the clock runs it, it is not run again: the run is skipped and the answer says so', async () => {
  await forget();
  const client = await ownerPool.connect();
  try {
    await client.query(
      `select pg_advisory_lock(hashtextextended(concat('job', 'sweep_waitlist', app_private.machinery()), 0))`,
    );
    const server = await serve([oldKey]);
    await work();
    const answer = await server.post(oldKey, '/waitlist/external-trigger');
    expect(answer).toMatchObject({ status: 409, scenario: 'job_already_running' });
  } finally {
    await client.query('select pg_advisory_unlock_all()');
    client.release();
  }
});

test('a run that fails is answered as failed, without data', async () => {
  await forget();
  await ownerPool.query(
    'revoke execute on function app_private.doctors_waited_for(uuid[], uuid[]) from app_worker',
  );
  onTestFinished(async () => {
    await ownerPool.query(
      'grant execute on function app_private.doctors_waited_for(uuid[], uuid[]) to app_worker',
    );
  });
  const server = await serve([oldKey]);
  await work();
  const { status, body, scenario } = await server.post(oldKey, '/waitlist/external-trigger');
  expect([status, scenario]).toEqual([500, 'job_failed']);
  expect(body.errors[0].extensions.details).toMatchObject({
    job: 'sweep_waitlist',
    outcome: 'failed',
    error: 'The database refused it (42501).',
  });
});

test('ten wrong keys from one address make it wait; other addresses go on', async () => {
  await forget();
  const server = await serve([oldKey], { waitMs: 0, trustProxy: 1 });
  for (let tries = 1; tries <= 10; tries += 1) {
    expect((await server.post('wrong', undefined, '192.0.2.1')).status).toBe(401);
  }
  const refused = await server.post(oldKey, undefined, '192.0.2.1');
  expect(refused).toMatchObject({ status: 429, scenario: 'too_many_attempts' });
  expect(Number(refused.retryAfter)).toBeGreaterThan(0);
  expect((await server.post(oldKey, undefined, '192.0.2.2')).status).toBe(202);
});

test('the log knows of refusals and requests, and nothing of keys', async () => {
  await forget();
  const server = await serve([oldKey, newKey], { waitMs: 0 });
  const wrong = 'a-key-that-was-never-good-but-looks-like-one';
  await server.post(wrong);
  await server.post(oldKey);
  const text = server.lines.join('\n');
  expect(text).toContain('an API key was refused');
  expect(text).toContain('a job was asked for');
  for (const key of [wrong, oldKey, newKey]) expect(text).not.toContain(key);
  const { rows } = await ownerPool.query('select key from app_private.rate_limit');
  expect(JSON.stringify(rows)).not.toContain(wrong);
});
