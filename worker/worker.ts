import type { Log } from '../platform/log.ts';
import { awaitDatabase } from './await-database.ts';
import { pause } from './connection.ts';
import { type Engine, startEngine } from './engine.ts';
import type { Surroundings } from './tasks/task.ts';

export interface WorkerOptions {
  /** URL of the worker's login. */
  url: string;
  log: Log;
  /** What tasks reach outside; whoever opened it closes it. */
  surroundings: Surroundings;
  /** What the process runs in; development unless told. */
  environment?: string;
}

/** A worker that works. */
export interface Worker {
  /** Settles when it has stopped, which it does not by itself. */
  ended: Promise<void>;
  /** Finishes what runs and closes everything; what takes too long is given back to the queue. */
  stop(): Promise<void>;
}

const shortestPauseMs = 100;
const longestPauseMs = 5_000;
const soundAfterMs = 30_000;
// The process has 25 s to leave.
const patienceAtEndMs = 12_000;
const patienceAtLossMs = 3_000;

/**
 * Works until it is stopped, whatever happens to the database: while that is away the worker waits, and
 * builds everything anew when it is back. Resolves when it works for the first time.
 */
export async function openWorker(options: WorkerOptions): Promise<Worker> {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  const done = keepWorking(options, stopping.signal, ready.resolve);
  await Promise.race([ready.promise, done]);
  return {
    ended: done,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function keepWorking(
  options: WorkerOptions,
  signal: AbortSignal,
  onWork: () => void,
): Promise<void> {
  const { log } = options;
  const aborted = new Promise<'stop'>((resolve) => {
    signal.addEventListener('abort', () => resolve('stop'), { once: true });
  });
  let former: readonly string[] = [];
  let pauseMs = shortestPauseMs;
  while (!signal.aborted) {
    const engine = await startWhenPossible(options, former, signal);
    if (!engine) return;
    log.info({ worker_id: engine.workerId }, 'working');
    onWork();
    const startedAt = performance.now();
    const reason = await Promise.race([engine.lost, aborted]);
    if (reason !== 'stop') log.warn({ err: reason }, 'cannot go on, starting anew');
    await engine.stop(reason === 'stop' ? patienceAtEndMs : patienceAtLossMs);
    former = [engine.workerId];
    if (performance.now() - startedAt > soundAfterMs) pauseMs = shortestPauseMs;
    if (reason !== 'stop') await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

async function startWhenPossible(
  { url, log, surroundings, environment = 'development' }: WorkerOptions,
  former: readonly string[],
  signal: AbortSignal,
): Promise<Engine | undefined> {
  let said: string | undefined;
  let pauseMs = shortestPauseMs;
  while (!signal.aborted) {
    await awaitDatabase(url, log, signal);
    if (signal.aborted) return undefined;
    try {
      return await startEngine({ url, log, surroundings, environment, former });
    } catch (error) {
      const { message } = error as Error;
      if (message !== said) log.warn({ err: error }, 'cannot start yet, trying again');
      said = message;
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
  return undefined;
}
