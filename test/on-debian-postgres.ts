// npm run test:debian: the walls and the booking tests on Debian's own Postgres 15, with plpgsql_check:
// the oldest server that is supported, and a check that the embedded one does not have. Installs the
// two packages where they are missing, so it wants root. What follows is passed on to vitest.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chooseFreePort } from '../platform/cluster/port.ts';

const run = promisify(execFile);
const binaries = '/usr/lib/postgresql/15/bin';
const plpgsqlCheck = '/usr/share/postgresql/15/extension/plpgsql_check.control';
const project = resolve(import.meta.dirname, '..');

if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
  process.stderr.write(
    'These tests want root on Debian: they install and start its Postgres 15.\n',
  );
  process.exit(1);
}

// Ctrl-C reaches the tests as well; this process stays to clean up after them.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

await installMissing();
const folder = await mkdtemp(join(tmpdir(), 'slotkeeper-debian-'));
try {
  const server = await startServer(folder);
  try {
    process.exitCode = await runTests(server.url);
  } finally {
    await server.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function installMissing(): Promise<void> {
  if (existsSync(join(binaries, 'postgres')) && existsSync(plpgsqlCheck)) return;
  // Run level 1: the server that the package brings is not started.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const packages = ['postgresql-15', 'postgresql-15-plpgsql-check'];
  await run('apt-get', ['update'], { env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], {
    env,
    maxBuffer: 2 ** 26,
  });
}

/** A throw-away cluster of the user postgres on a free port. */
async function startServer(folder: string): Promise<{ url: string; stop(): Promise<void> }> {
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(folder, 'password');
  const data = join(folder, 'data');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await run('chown', ['-R', 'postgres:', folder]);
  await asPostgres('initdb', [
    ...['--pgdata', data, '--username', 'postgres', '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'],
  ]);
  const port = await chooseFreePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: folder,
    max_connections: 200,
    fsync: 'off',
    full_page_writes: 'off',
    autovacuum: 'off',
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const log = join(folder, 'log');
  await asPostgres('pg_ctl', ['start', '-w', '-D', data, '-l', log, '-o', options.join(' ')]);
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    stop: () => asPostgres('pg_ctl', ['stop', '-D', data, '-m', 'fast']),
  };
}

/** Runs a program of Postgres; nothing is piped, because the server would keep the pipes open. */
function asPostgres(program: string, args: readonly string[]): Promise<void> {
  return finished('runuser', ['-u', 'postgres', '--', join(binaries, program), ...args], {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'inherit'],
  }).then((code) => {
    if (code !== 0) throw new Error(`${program} of Postgres 15 failed with ${code}.`);
  });
}

function runTests(url: string): Promise<number> {
  const vitest = join(project, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', 'test/schema', 'test/booking', ...process.argv.slice(2)];
  return finished(process.execPath, args, {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, DATABASE_URL: url, REQUIRE_PLPGSQL_CHECK: '1' },
  });
}

function finished(
  command: string,
  args: readonly string[],
  options: Parameters<typeof spawn>[2],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
