import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandAs, type Identity } from './identity.ts';
import { giveTo, settingsFile } from './initialise.ts';
import { ping } from './ping.ts';
import { isAlive, processesIn } from './processes.ts';
import { findRunning, lockFileOf, type Running } from './running.ts';
import { accessRules, clusterSettings } from './settings.ts';

/** Everything that is needed to start the Postgres of a folder. */
export interface PostmasterOptions {
  databaseFolder: string;
  startLog: string;
  postgres: string;
  identity: Identity;
  password: string;
  port: number;
  durable: boolean;
}

/** The port could not be had; another one may do. */
export class PortTaken extends Error {}

// Crash recovery replays what was written since the last checkpoint; it is slow, not stuck.
const patienceMs = 300_000;

/**
 * Starts Postgres and waits until it takes connections. It gets no pipe and no terminal of ours,
 * so it lives on when this process is killed; what it says before it has its own log goes to
 * `startLog`. Throws {@link PortTaken}, or an Error that quotes what Postgres said.
 */
export async function startPostmaster(options: PostmasterOptions): Promise<{ pid: number }> {
  await clearRemains(options.databaseFolder);
  await writeSettings(options);
  const child = await launch(options);
  try {
    await untilReady(child, options);
  } finally {
    child.removeAllListeners();
    child.unref();
  }
  return { pid: child.pid as number };
}

/** Waits until a Postgres that is starting, recovering or stopping is ready or gone. */
export async function untilSettled(
  databaseFolder: string,
  password: string,
): Promise<Exclude<Running, { state: 'busy' }>> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const running = await findRunning(databaseFolder, password);
    if (running.state !== 'busy') return running;
    if (running.answer === 'locked out') {
      throw new Error(
        `A Postgres runs in ${databaseFolder}, but it does not accept the password in secrets.json. ` +
          'Restore that file from a backup.',
      );
    }
    if (Date.now() > deadline) {
      throw new Error(`Postgres (process ${running.pid}) has not become ready for five minutes.`);
    }
    await delay(25);
  }
}

/** Stops Postgres and waits: it ends its sessions, writes everything down and goes. */
export async function stopPostmaster(pid: number): Promise<void> {
  const fastMs = 30_000;
  send(pid, 'SIGINT');
  if (await goneWithin(pid, fastMs)) return;
  // Nothing is lost by it: the next start replays the log.
  send(pid, 'SIGQUIT');
  if (await goneWithin(pid, fastMs)) return;
  throw new Error(`Postgres (process ${pid}) did not stop within a minute.`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function goneWithin(pid: number, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (await isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await delay(10);
  }
  return true;
}

// After a killed postmaster its other processes end by themselves when they notice, a busy one
// only after its statement. Its lock file is removed when none of them is left, never before: two
// postmasters on one folder would destroy it. The file must go, because the process id in it may
// by now belong to somebody else, whom Postgres would take for a running postmaster.
async function clearRemains(databaseFolder: string): Promise<void> {
  const started = Date.now();
  for (;;) {
    const remaining = await processesIn(databaseFolder);
    if (remaining.length === 0) break;
    const waited = Date.now() - started;
    if (waited > 20_000) {
      throw new Error(
        `Processes ${remaining.join(', ')} still work in ${databaseFolder} and do not end.`,
      );
    }
    if (waited > 3_000)
      for (const pid of remaining) send(pid, waited > 8_000 ? 'SIGKILL' : 'SIGQUIT');
    await delay(25);
  }
  try {
    await unlink(lockFileOf(databaseFolder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function writeSettings(options: PostmasterOptions): Promise<void> {
  const files = { [settingsFile]: clusterSettings(options), 'pg_hba.conf': accessRules };
  for (const [name, text] of Object.entries(files)) {
    const path = join(options.databaseFolder, name);
    const draft = `${path}.draft`;
    await writeFile(draft, text, { mode: 0o600 });
    await giveTo(options.identity, draft);
    await rename(draft, path);
  }
}

async function launch(options: PostmasterOptions): Promise<ChildProcess> {
  const log = await open(options.startLog, 'w', 0o600);
  try {
    const command = commandAs(options.identity, options.postgres, ['-D', options.databaseFolder]);
    const child = spawn(command.file, command.args, {
      ...command.options,
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    await once(child, 'spawn');
    return child;
  } finally {
    await log.close();
  }
}

async function untilReady(child: ChildProcess, options: PostmasterOptions): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw await failure(options);
    const answer = await ping(options.port, options.password, options.databaseFolder);
    if (answer === 'ready') return;
    if (answer === 'locked out' || Date.now() > deadline) {
      await stopPostmaster(child.pid as number);
      throw new Error(
        answer === 'locked out'
          ? `The database in ${options.databaseFolder} does not accept the password in secrets.json. ` +
              'Restore that file from a backup.'
          : 'Postgres has not become ready for five minutes.',
      );
    }
    await delay(10);
  }
}

async function failure(options: PostmasterOptions): Promise<Error> {
  const said = (await readFile(options.startLog, 'utf8')).trim();
  if (/could not bind|could not create any TCP\/IP sockets/i.test(said)) return new PortTaken(said);
  return new Error(`Postgres did not start. It said: ${said || '(nothing)'}`);
}
