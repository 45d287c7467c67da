import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DatabaseUrls } from '../../platform/database-urls.ts';
import { type Line, until } from '../worker/workplace.ts';

const project = resolve(import.meta.dirname, '../..');

/** A process of the house, with its log. */
export interface Service {
  process: ChildProcess;
  lines: Line[];
  /** What it wrote besides the log. */
  noise(): string;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
}

export interface WorkerProcess extends Service {
  /** The id under which it locked jobs last. */
  id(): string;
  /** Lets its clock go on: a second later a minute of the crontab comes that nobody has run. */
  tick(): void;
}

export interface ServerProcess extends Service {
  url: string;
}

type Place = { urls: DatabaseUrls; dataDir: string; env?: Readonly<Record<string, string>> };

function start(
  script: string,
  { urls, dataDir, env }: Place,
  flags: readonly string[] = [],
): Service {
  const child = spawn(process.execPath, [...flags, resolve(project, script)], {
    env: {
      ...process.env,
      NODE_ENV: 'test',
      DATABASE_URL: urls.databaseUrl,
      AUTHENTICATOR_URL: urls.authenticatorUrl,
      WORKER_URL: urls.workerUrl,
      DATA_DIR: dataDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  let [noise, rest] = ['', ''];
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
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  return { process: child, lines, noise: () => noise, exited, kill };
}

/** The first line with this message, or an error with all that it said when it ends before. */
export async function untilSaid(service: Service, message: string): Promise<Line> {
  return until(() => {
    const line = service.lines.find(({ msg }) => msg === message);
    const { exitCode, signalCode } = service.process;
    if (!line && (exitCode !== null || signalCode !== null)) {
      const said = service.lines.map((each) => JSON.stringify(each)).join('\n');
      throw new Error(`It ended before it said "${message}":\n${said}\n${service.noise()}`);
    }
    return line;
  });
}

/** Minutes of the crontab, each once: multiples of five in an hour that is over. */
export function minutesOfCrontab(): () => number {
  const hour = 3_600_000;
  let next = Math.floor(Date.now() / hour) * hour - hour;
  return () => {
    next += 300_000;
    return next;
  };
}

/** Starts workers; resolves when one works. Its crontab stands still until `tick`. */
export function workersAt(place: Place, nextMinute = minutesOfCrontab()) {
  return async (minute = nextMinute()): Promise<WorkerProcess> => {
    const clock = resolve(import.meta.dirname, 'machine-clock.ts');
    const env = { ...place.env, MACHINE_CLOCK: String(minute - 1_000) };
    const service = start('worker/main.ts', { ...place, env }, ['--import', clock]);
    await untilSaid(service, 'working');
    return {
      ...service,
      id: () => String(service.lines.findLast(({ msg }) => msg === 'working')?.worker_id),
      tick: () => void service.process.kill('SIGUSR2'),
    };
  };
}

/** Starts a server; resolves when it listens. */
export async function startServerProcess(place: Place, port = 0): Promise<ServerProcess> {
  const env = { HOST: '127.0.0.1', PORT: String(port), ...place.env };
  const service = start('server/main.ts', { ...place, env });
  const { url } = await untilSaid(service, 'listening');
  return { ...service, url: String(url) };
}
