import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { findCluster, stopLeftOver } from '../../platform/cluster/open-cluster.ts';
import { chooseFreePort } from '../../platform/cluster/port.ts';
import { isInstanceRunning } from '../../platform/instance.ts';

const project = resolve(import.meta.dirname, '../..');

const server = `
import { createServer } from 'node:http';
import { createPool } from '../platform/pool.ts';
import { runService } from '../platform/service.ts';
await runService('server', async ({ config, urls, log }) => {
  const pool = createPool({ url: urls.authenticatorUrl, applicationName: 'server', log });
  const http = createServer(async (request, response) => {
    if (request.url === '/crash') process.exit(3);
    if (request.url === '/pid') return response.end(String(process.pid));
    await pool.query('select 1').then(() => response.end('ok'), () => response.writeHead(503).end());
  });
  await new Promise((done, fail) => http.once('error', fail).listen(config.port, config.host, done));
  const stop = async () => { http.close(); http.closeAllConnections(); await pool.end(); };
  return { url: 'http://' + config.host + ':' + config.port, stop };
});`;

const worker = `
import { runService } from '../platform/service.ts';
await runService('worker', async () => {
  const timer = setInterval(() => {}, 1000);
  return { stop: async () => clearInterval(timer) };
});`;

/** A copy of the project whose server and worker are as small as can be. */
async function ownProject(): Promise<{ folder: string; dataDir: string; port: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'slotkeeper-'));
  const dataDir = join(folder, '.data');
  onTestFinished(async () => {
    await stopLeftOver(dataDir);
    await rm(folder, { recursive: true, force: true });
  });
  for (const part of ['platform', 'migrations', 'sql', '.gmrc', 'package.json']) {
    await cp(join(project, part), join(folder, part), { recursive: true, verbatimSymlinks: true });
  }
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of Object.entries({ server, worker })) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'main.ts'), text);
  }
  return { folder, dataDir, port: await chooseFreePort() };
}

interface Started {
  process: ChildProcess;
  output(): string;
  exitCode: Promise<number | null>;
}

function start(folder: string, port: number): Started {
  const { DATABASE_URL: _, ...environment } = process.env;
  const child = spawn(process.execPath, ['platform/start.ts'], {
    cwd: folder,
    env: {
      ...environment,
      NODE_ENV: 'development',
      DATA_DIR: join(folder, '.data'),
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const exitCode = once(child, 'exit').then(([code]) => code as number | null);
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await exitCode;
  });
  return { process: child, output: () => text, exitCode };
}

async function answers(port: number, path = '/'): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: 'close' },
    });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await delay(20);
  }
}

async function untilListening({ output }: Started): Promise<void> {
  await until(async () => output().includes('Stop with Ctrl-C'));
}

test('starts, refuses a second instance, stops clean', async () => {
  const { folder, dataDir, port } = await ownProject();
  const first = start(folder, port);
  await untilListening(first);
  expect(first.output()).toContain(`http://127.0.0.1:${port}/graphql`);
  expect(await answers(port)).toBe('ok');
  const second = start(folder, port);
  expect(await second.exitCode).toBe(1);
  expect(second.output()).toContain('runs already');
  expect(await answers(port)).toBe('ok');
  first.process.kill('SIGINT');
  // One Ctrl-C arrives more than once.
  first.process.kill('SIGINT');
  expect(await first.exitCode).toBe(0);
  expect(first.output()).not.toContain('Hurrying');
  expect(await findCluster(dataDir)).toBeUndefined();
  expect(isInstanceRunning(dataDir)).toBe(false);
});

test('a database and a server that are killed come back', async () => {
  const { folder, dataDir, port } = await ownProject();
  const started = start(folder, port);
  await untilListening(started);
  const lockFile = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8');
  process.kill(Number(lockFile.split('\n')[0]), 'SIGKILL');
  await until(async () => started.output().includes('The database runs again'));
  await until(() => answers(port));
  const pid = await answers(port, '/pid');
  await answers(port, '/crash');
  const newPid = await until(() => answers(port, '/pid'));
  expect(newPid).not.toBe(pid);
  expect(started.output()).toContain('The server ended (exit code 3)');
  started.process.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
});

test('what a killed instance leaves behind ends or is taken over', async () => {
  const { folder, port } = await ownProject();
  const first = start(folder, port);
  await untilListening(first);
  const pid = Number(await answers(port, '/pid'));
  first.process.kill('SIGKILL');
  await first.exitCode;
  await until(async () => (await answers(port, '/pid')) !== String(pid));
  const second = start(folder, port);
  await untilListening(second);
  expect(await answers(port)).toBe('ok');
  second.process.kill('SIGTERM');
  expect(await second.exitCode).toBe(0);
});

test('a word to stop while everything is still starting is obeyed', async () => {
  const { folder, dataDir, port } = await ownProject();
  const started = start(folder, port);
  await until(
    async () => (await readFile(join(dataDir, 'instance.json')).catch(() => undefined)) && true,
  );
  started.process.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
  expect(await findCluster(dataDir)).toBeUndefined();
});

test('a word to stop while the server is still opening is obeyed', async () => {
  const { folder, dataDir, port } = await ownProject();
  const opening = `import { runService } from '../platform/service.ts';
    await runService('server', () => { console.log('opening'); return new Promise(() => {}); });`;
  await writeFile(join(folder, 'server', 'main.ts'), opening);
  const started = start(folder, port);
  const log = join(dataDir, 'log', 'server.log');
  await until(async () => (await readFile(log, 'utf8').catch(() => '')).includes('opening'));
  started.process.kill('SIGTERM');
  expect(await started.exitCode).toBe(0);
});

test('a taken port is named', async () => {
  const { folder, dataDir, port } = await ownProject();
  const intruder = createServer();
  await once(intruder.listen(port, '127.0.0.1'), 'listening');
  const started = start(folder, port);
  expect(await started.exitCode).toBe(1);
  expect(started.output()).toContain(`Port ${port} is taken`);
  expect(await findCluster(dataDir)).toBeUndefined();
  intruder.close();
});
