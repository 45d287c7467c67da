import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { findCluster, openCluster } from '../../platform/cluster/open-cluster.ts';
import { isAlive, processesIn } from '../../platform/cluster/processes.ts';
import { ownFolder } from './folder.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const openClusterFile = resolve(import.meta.dirname, '../../platform/cluster/open-cluster.ts');

async function ask(url: string, query: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(query)).rows;
  } finally {
    await client.end();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}

function openElsewhere(dataDir: string) {
  const script = `const { openCluster } = await import(${JSON.stringify(openClusterFile)});
    const { port, startedByUs } = await openCluster({ dataDir: ${JSON.stringify(dataDir)}, durable: false });
    console.log(JSON.stringify({ port, startedByUs }));`;
  return [process.execPath, '--input-type=module', '-e', script] as const;
}

describe('the embedded cluster', () => {
  test('is created, attached to, stopped and started again on its port', async () => {
    const dataDir = await ownFolder();
    const first = await openCluster({ dataDir, durable: false });
    expect(first.startedByUs).toBe(true);
    await ask(first.url, 'create table kept (id int)');
    const second = await openCluster({ dataDir });
    expect(second).toMatchObject({ startedByUs: false, port: first.port, pid: first.pid });
    await first.stop();
    expect(await first.isAlive()).toBe(false);
    expect(await findCluster(dataDir)).toBeUndefined();
    const third = await openCluster({ dataDir });
    expect(third).toMatchObject({ startedByUs: true, port: first.port });
    expect(await ask(third.url, 'select * from kept')).toEqual([]);
  });

  test('listens on the loopback address alone, with passwords, UTF-8 and UTC', async () => {
    const { url } = await openCluster({ dataDir: await ownFolder(), durable: false });
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(ask(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const settings = `select name, setting from pg_settings where name in ('listen_addresses',
      'unix_socket_directories', 'TimeZone', 'server_encoding', 'password_encryption') order by name`;
    expect(await ask(url, settings)).toEqual([
      { name: 'TimeZone', setting: 'UTC' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'password_encryption', setting: 'scram-sha-256' },
      { name: 'server_encoding', setting: 'UTF8' },
      { name: 'unix_socket_directories', setting: '' },
    ]);
  });

  test('forces to disk what it acknowledges, unless it is thrown away', async () => {
    const dataDir = await ownFolder();
    const first = await openCluster({ dataDir, durable: false });
    expect(await ask(first.url, 'show fsync')).toEqual([{ fsync: 'off' }]);
    await first.stop();
    const second = await openCluster({ dataDir });
    expect(await ask(second.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
  });

  test('writes no statement and no value of a failed one into its log', async () => {
    const dataDir = await ownFolder();
    const cluster = await openCluster({ dataDir, durable: false });
    await ask(cluster.url, 'create table person (email text primary key)');
    await ask(cluster.url, "insert into person values ('ann@example.org')");
    for (const text of [
      "insert into person values ('ann@example.org')",
      "select 'ann@example.org'::uuid",
      'select ann@example.org broken',
    ]) {
      await expect(ask(cluster.url, text)).rejects.toThrow();
    }
    await cluster.stop();
    const folder = join(dataDir, 'postgres', 'log');
    const logs = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
    );
    expect(logs.join()).toContain('ready to accept connections');
    expect(logs.join()).not.toContain('ann@');
  });

  test('comes back after a kill of its main process with everything committed', async () => {
    const dataDir = await ownFolder();
    const first = await openCluster({ dataDir });
    await ask(first.url, 'create table kept as select 42 as answer');
    process.kill(first.pid, 'SIGKILL');
    const second = await openCluster({ dataDir });
    expect(second.startedByUs).toBe(true);
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('waits for what a killed main process left working', async () => {
    const dataDir = await ownFolder();
    const first = await openCluster({ dataDir, durable: false });
    // A loop does not notice that the main process is gone.
    const busy = ask(first.url, 'do $$ begin loop perform 1; end loop; end $$').catch(() => {});
    const working = "select 1 from pg_stat_activity where state = 'active' and query like 'do %'";
    await until(async () => (await ask(first.url, working)).length > 0);
    process.kill(first.pid, 'SIGKILL');
    const second = await openCluster({ dataDir });
    await busy;
    const inFolder = await processesIn(join(dataDir, 'postgres'));
    expect(inFolder).toContain(second.pid);
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('does not believe a process id that somebody else has now', async () => {
    const dataDir = await ownFolder();
    const first = await openCluster({ dataDir, durable: false });
    const lockFile = join(dataDir, 'postgres', 'postmaster.pid');
    const lines = (await readFile(lockFile, 'utf8')).split('\n');
    await first.stop();
    await writeFile(lockFile, [String(process.pid), ...lines.slice(1)].join('\n'));
    const second = await openCluster({ dataDir });
    expect(second.startedByUs).toBe(true);
    expect(second.pid).not.toBe(process.pid);
  });

  test('takes another port when somebody has taken its own', async () => {
    const dataDir = await ownFolder();
    const first = await openCluster({ dataDir, durable: false });
    await first.stop();
    const intruder = createServer();
    await once(intruder.listen(first.port, '127.0.0.1'), 'listening');
    try {
      const second = await openCluster({ dataDir });
      expect(second.port).not.toBe(first.port);
      await second.stop();
      await expect(openCluster({ dataDir, port: first.port })).rejects.toThrow(/DB_PORT/);
    } finally {
      intruder.close();
    }
  });

  test('is made once by many who open it at the same time', async () => {
    const dataDir = await ownFolder();
    const [node, ...args] = openElsewhere(dataDir);
    const all = await Promise.all(Array.from({ length: 4 }, () => run(node, args)));
    const answers = all.map(
      ({ stdout }) => JSON.parse(stdout) as { port: number; startedByUs: boolean },
    );
    expect(answers.filter(({ startedByUs }) => startedByUs)).toHaveLength(1);
    expect(new Set(answers.map(({ port }) => port)).size).toBe(1);
  });

  test('is made anew when its making was killed', async () => {
    const dataDir = await ownFolder();
    const [node, ...args] = openElsewhere(dataDir);
    const maker = spawn(node, args, { stdio: 'ignore' });
    await until(async () => (await readdir(dataDir)).some((name) => name.includes('.draft-')));
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    expect(await readdir(dataDir)).not.toContain('postgres');
    const cluster = await openCluster({ dataDir, durable: false });
    expect(await ask(cluster.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('half a cluster is put aside, not deleted, and made anew', async () => {
    const dataDir = await ownFolder();
    await mkdir(join(dataDir, 'postgres', 'base'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '18\n');
    const told: string[] = [];
    const cluster = await openCluster({ dataDir, durable: false, say: (text) => told.push(text) });
    expect(cluster.startedByUs).toBe(true);
    expect(told).toEqual([expect.stringContaining('half created')]);
    expect((await readdir(dataDir)).filter((name) => name.includes('unfinished'))).toHaveLength(1);
  });

  test('says what is wrong when its password is lost', async () => {
    const dataDir = await ownFolder();
    const cluster = await openCluster({ dataDir, durable: false });
    const file = join(dataDir, 'secrets.json');
    const secrets = await readFile(file, 'utf8');
    await rm(file);
    await expect(openCluster({ dataDir })).rejects.toThrow(/secrets\.json/);
    expect(await cluster.isAlive()).toBe(true);
    await writeFile(file, secrets);
  });

  test('keeps no pipe of the process that started it', async () => {
    const [node, ...args] = openElsewhere(await ownFolder());
    // Resolves only when everybody who holds the pipes is gone; the test's own timeout ends it.
    const { stdout } = await run(node, args);
    expect(JSON.parse(stdout)).toMatchObject({ startedByUs: true });
  });
});

describe.runIf(isRoot)('as root', () => {
  test('the cluster belongs to another user who can enter the folder', async () => {
    const dataDir = await ownFolder();
    await chmod(dataDir, 0o755);
    const cluster = await openCluster({ dataDir, durable: false });
    const { uid } = await stat(join(dataDir, 'postgres'));
    expect(uid).not.toBe(0);
    expect((await stat(`/proc/${cluster.pid}`)).uid).toBe(uid);
  });

  test('a folder that nobody else can enter still works, and after a kill too', async () => {
    const dataDir = await ownFolder();
    const first = await openCluster({ dataDir, durable: false });
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(0);
    process.kill(first.pid, 'SIGKILL');
    const second = await openCluster({ dataDir });
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
    expect(await isAlive(second.pid)).toBe(false);
  });

  test('a folder of an ordinary user is served as that user', async () => {
    const dataDir = await ownFolder();
    const { stdout } = await run('id', ['-u', 'nobody']);
    await chown(dataDir, Number(stdout), 0);
    await openCluster({ dataDir, durable: false });
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(Number(stdout));
  });

  test('a folder whose owner has no name goes to one who has', async () => {
    const dataDir = await ownFolder();
    await chown(dataDir, 424242, 424242);
    await chmod(dataDir, 0o755);
    await openCluster({ dataDir, durable: false });
    expect((await stat(join(dataDir, 'postgres'))).uid).not.toBe(424242);
  });
});
