import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { openCluster } from '../../platform/cluster/open-cluster.ts';
import { type DatabaseUrls, databaseUrlsOf, withDatabase } from '../../platform/database-urls.ts';
import { dropDatabase, ensureDatabase, migrate } from '../../platform/migrate.ts';
import { createPool } from '../../platform/pool.ts';
import { loadSecrets } from '../../platform/secrets.ts';
import { createDatabase, type TestDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { ownFolder } from '../platform/folder.ts';
import {
  jobsIn,
  keepLog,
  type Line,
  startAfresh,
  stopCrontab,
  until,
  untilLocked,
} from './workplace.ts';

const main = resolve(import.meta.dirname, '../../worker/main.ts');

interface Started {
  process: ChildProcess;
  /** Lines of the log so far. */
  lines: Line[];
  /** What it wrote besides the log. */
  noise(): string;
  exitCode: Promise<number | null>;
}

/** The worker's process, alone, as `npm run worker` starts it. */
function start(urls: DatabaseUrls, dataDir: string): Started {
  const child = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      NODE_ENV: 'test',
      DATABASE_URL: urls.databaseUrl,
      WORKER_URL: urls.workerUrl,
      DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  let noise = '';
  let rest = '';
  child.stdout.on('data', (part) => {
    const texts = (rest + part).split('\n');
    rest = texts.pop() ?? '';
    for (const text of texts) {
      if (text.startsWith('{')) lines.push(JSON.parse(text));
      else noise += `${text}\n`;
    }
  });
  child.stderr.on('data', (part) => {
    noise += part;
  });
  const exitCode = once(child, 'exit').then(([code]) => code as number | null);
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await exitCode;
  });
  return { process: child, lines, noise: () => noise, exitCode };
}

function said({ lines }: Started, message: string): number {
  return lines.filter(({ msg }) => msg === message).length;
}

async function ownDatabase(): Promise<TestDatabase> {
  const database = await createDatabase({ dropAfterFile: false });
  onTestFinished(() => database.drop());
  await stopCrontab(database.ownerPool);
  return database;
}

async function workers(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ worker_id: string }>(
    'select worker_id from app_private.worker_heartbeat',
  );
  return rows.map(({ worker_id }) => worker_id);
}

async function untilItWorks(pool: pg.Pool): Promise<void> {
  const hospital = await createHospital(pool);
  await until(async () => {
    const { rowCount } = await pool.query(
      'select from app_public.slot where slot.hospital_id = $1 limit 1',
      [hospital.id],
    );
    return (rowCount ?? 0) > 0;
  });
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: it exits with 0 and leaves nothing',
  async (signal) => {
    const database = await ownDatabase();
    const started = start(database, await ownFolder());
    await untilItWorks(database.ownerPool);
    expect(await workers(database.ownerPool)).toHaveLength(1);
    started.process.kill(signal);
    expect(await started.exitCode).toBe(0);
    expect(await workers(database.ownerPool)).toEqual([]);
    expect((await jobsIn(database.ownerPool)).filter(({ locked_by }) => locked_by)).toEqual([]);
    expect(started.noise()).toBe('');
  },
);

test('a job that runs when it is told to stop is finished', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const hospital = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  const blocker = await ownerPool.connect();
  await blocker.query('begin; lock table app_public.slot in access exclusive mode');
  const started = start(database, await ownFolder());
  await until(() => said(started, 'working') > 0);
  await jobWaitsForLock(ownerPool, hospital.id);
  // The connection that listens for jobs does nothing else.
  const listens = async () => {
    const { rowCount } = await ownerPool.query(
      `select from pg_catalog.pg_stat_activity where datname = current_database()
          and application_name = 'slotkeeper-worker' and query ilike 'listen%'`,
    );
    return (rowCount ?? 0) > 0;
  };
  await until(listens);
  started.process.kill('SIGTERM');
  // It is stopping as soon as it no longer listens.
  await until(async () => !(await listens()));
  expect(started.process.exitCode).toBeNull();
  await blocker.query('commit');
  blocker.release();
  expect(await started.exitCode).toBe(0);
  expect(await jobsIn(ownerPool)).toEqual([]);
  const { rowCount } = await ownerPool.query(
    'select from app_public.slot where slot.hospital_id = $1',
    [hospital.id],
  );
  expect(rowCount).toBeGreaterThan(700);
});

test('it waits for the database and for the migrations, and says so once each', async () => {
  const database = await ownDatabase();
  const secrets = await loadSecrets(await ownFolder());
  const name = `${database.name}_later`;
  const own = { authenticatorUrl: database.authenticatorUrl, workerUrl: database.workerUrl };
  const urls = {
    ...databaseUrlsOf(
      withDatabase(database.databaseUrl, name),
      {
        authenticatorUrl: withDatabase(own.authenticatorUrl, name),
        workerUrl: withDatabase(own.workerUrl, name),
      },
      secrets,
    ),
  };
  onTestFinished(() => dropDatabase(database.databaseUrl, name));
  const started = start(urls, await ownFolder());
  await until(() => said(started, 'waiting for the database') > 0);
  await ensureDatabase(database.databaseUrl, name);
  await until(
    () => said(started, 'waiting for the migrations of the database: npm run migrate') > 0,
  );
  await migrate({ urls, withCurrent: true });
  await until(() => said(started, 'working') > 0);
  expect(started.lines.map(({ msg }) => msg)).toEqual([
    'waiting for the database',
    'waiting for the migrations of the database: npm run migrate',
    'working',
  ]);
  started.process.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
});

const cutAll = `
  select pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
   where datname = current_database() and usename = 'app_worker'`;

async function jobWaitsForLock(pool: pg.Pool, hospitalId: string): Promise<void> {
  await pool.query(
    `select graphile_worker.add_job('generate_slots', json_build_object('hospital_id', $1::uuid, 'doctor_id', null))`,
    [hospitalId],
  );
  await untilLocked(pool, 'slotkeeper-worker');
}

test('all its connections are cut, and it works on', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const started = start(database, await ownFolder());
  await until(() => said(started, 'working') > 0);
  for (const _time of [1, 2, 3]) {
    const { rowCount } = await ownerPool.query(cutAll);
    expect(rowCount).toBeGreaterThan(0);
    await untilItWorks(ownerPool);
  }
  // Between two beginnings there is none.
  await until(async () => (await workers(ownerPool)).length === 1);
  started.process.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
  expect(await workers(ownerPool)).toEqual([]);
});

test('a job whose connection is cut is done again', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const hospital = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  const blocker = await ownerPool.connect();
  await blocker.query('begin; lock table app_public.slot in access exclusive mode');
  const started = start(database, await ownFolder());
  await until(() => said(started, 'working') > 0);
  await jobWaitsForLock(ownerPool, hospital.id);
  await ownerPool.query(cutAll);
  await until(() => said(started, 'a job failed and will be tried again') > 0);
  await blocker.query('commit');
  blocker.release();
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect(said(started, 'a job failed and will be tried again')).toBe(1);
  started.process.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
});

test('the database is restarted in the middle of a job, and it works on without a flood of words', async () => {
  const dataDir = await ownFolder();
  const cluster = await openCluster({ dataDir, durable: false });
  const none = { authenticatorUrl: undefined, workerUrl: undefined };
  const url = await ensureDatabase(cluster.url, 'slotkeeper');
  const urls = databaseUrlsOf(url, none, await loadSecrets(dataDir));
  await migrate({ urls, withCurrent: true });
  const pool = createPool({ url, applicationName: 'test', log: keepLog().log });
  onTestFinished(() => pool.end());
  const hospital = await createHospital(pool);
  await startAfresh(pool);
  await stopCrontab(pool);
  const started = start(urls, dataDir);
  await until(() => said(started, 'working') > 0);
  const blocker = await pool.connect();
  await blocker.query('begin; lock table app_public.slot in access exclusive mode');
  await jobWaitsForLock(pool, hospital.id);

  await cluster.stop();
  await until(() => said(started, 'waiting for the database') > 0);
  blocker.release(true);
  await openCluster({ dataDir, durable: false });
  await until(() => said(started, 'working') > 1);
  // Nobody waits until the worker that it was is taken for dead.
  await until(async () => (await jobsIn(pool)).length === 0);
  await untilItWorks(pool);
  expect(await workers(pool)).toHaveLength(1);
  started.process.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
  expect(said(started, 'working')).toBe(2);
  expect(said(started, 'cannot go on, starting anew')).toBe(1);
  expect(said(started, 'waiting for the database')).toBe(1);
  expect(started.lines.length).toBeLessThan(12);
});
