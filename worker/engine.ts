import { setTimeout as delay } from 'node:timers/promises';
import { parseCrontab, type Runner, run, type WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Log } from '../platform/log.ts';
import { openOperationsLog } from '../platform/operations-log.ts';
import { createPool, withTransaction } from '../platform/pool.ts';
import { type ProcessHeartbeat, startProcessHeartbeat } from '../platform/process-heartbeat.ts';
import { answered } from './connection.ts';
import { crontab } from './crontab.ts';
import { type Heartbeat, startHeartbeat } from './heartbeat.ts';
import { createQueueEvents, createQueueLog } from './queue-log.ts';
import { type Relay, startRelay } from './relay.ts';
import { type RunTally, startRunTally } from './run-tally.ts';
import { createTaskList } from './task-list.ts';
import type { Surroundings } from './tasks/task.ts';

export interface EngineOptions {
  url: string;
  log: Log;
  surroundings: Surroundings;
  /** What the process runs in: production, development or test. */
  environment: string;
  /** Ids of engines before this one, which have stopped; what they held is unlocked. */
  former: readonly string[];
}

/** Everything that works as long as the database stays: jobs, crontab, relay, heartbeat. */
export interface Engine {
  /** The id under which it locks jobs. */
  workerId: string;
  /** Settles with the reason when it cannot go on, mostly because the database went away. */
  lost: Promise<unknown>;
  /**
   * Takes no job any more, finishes what runs, gives back what does not finish within `patienceMs`, and
   * closes everything. Never fails, and takes at most some seconds longer than that.
   */
  stop(patienceMs: number): Promise<void>;
}

const concurrency = 4;
// A job, its sign of life and the report of another one for each, and the crontab, the listener, the
// relay, both heartbeats and the log.
const connections = 3 * concurrency + 6;
const closeWithinMs = 3_000;

/** Starts to work. Resolves when the first heartbeat is noted; throws when that cannot be. */
export async function startEngine({
  url,
  log,
  surroundings,
  environment,
  former,
}: EngineOptions): Promise<Engine> {
  const pool = createPool({
    url,
    applicationName: 'slotkeeper-worker',
    // That connections break is told once, by whoever notices that the database went away.
    log: log.child({}, { level: 'error' }),
    max: connections,
    // Nobody waits at the other end; to begin anew on a busy machine would only make it busier.
    waitMs: 10_000,
  });
  const heartbeat = Promise.withResolvers<Heartbeat>();
  heartbeat.promise.catch(() => {});
  let runner: Runner | undefined;
  const record = startRecord(pool, log);
  try {
    const events = createQueueEvents(log);
    const id = idOfPool(events);
    const starved = firstFailedLook(events);
    runner = await run(
      runnerOptions({
        pool,
        log,
        surroundings,
        events,
        heartbeat: heartbeat.promise,
        tally: record.tally,
      }),
    );
    const workerId = await id;
    for (const each of former) await retire(pool, each);
    const heart = await startHeartbeat({ pool, log, workerId });
    heartbeat.resolve(heart);
    const relay = startRelay({ pool, log });
    const process = startWorkerHeartbeat({ pool, log, environment });
    return engineOf({ pool, log, runner, starved, heart, relay, workerId, record, process });
  } catch (error) {
    heartbeat.reject(error);
    await stopRunner(runner, 0);
    await record.stop();
    await endPool(pool);
    throw error;
  }
}

type Parts = {
  pool: Pool;
  log: Log;
  runner: Runner;
  starved: Promise<unknown>;
  heart: Heartbeat;
  relay: Relay;
  workerId: string;
  record: RunRecord;
  process: ProcessHeartbeat;
};

function engineOf(parts: Parts): Engine {
  const { pool, log, runner, starved, heart, relay, workerId, record, process } = parts;
  const queueEnded = runner.promise.then(
    () => new Error('The job queue stopped by itself.'),
    (error: unknown) => error,
  );
  return {
    workerId,
    lost: Promise.race([relay.lost, heart.lost, starved, queueEnded]),
    async stop(patienceMs) {
      const relayed = answered(relay.stop(), patienceMs).catch(() => {});
      const finished = stopRunner(runner, patienceMs);
      heart.letGo();
      if (!(await finished)) log.warn('jobs did not finish in time and are given back');
      await relayed;
      await answered(Promise.all([heart.stop(), process.stop()]), closeWithinMs).catch(() => {});
      await answered(record.stop(), closeWithinMs).catch(() => {});
      // While the database is away this fails, and whoever works next does it.
      await answered(retire(pool, workerId), closeWithinMs).catch(() => {});
      await endPool(pool);
    },
  };
}

type Work = Pick<Parts, 'pool' | 'log'> & {
  surroundings: Surroundings;
  events: WorkerEvents;
  heartbeat: Promise<Heartbeat>;
  tally: RunTally;
};

function runnerOptions({
  pool,
  log,
  surroundings,
  events,
  heartbeat,
  tally,
}: Work): Parameters<typeof run>[0] {
  return {
    pgPool: pool,
    taskList: createTaskList(log, surroundings, { tally }),
    parsedCronItems: parseCrontab(crontab),
    concurrency,
    pollInterval: 2_000,
    noHandleSignals: true,
    logger: createQueueLog(log),
    events,
    // Asked before every look for a job. Nothing is forbidden, but without a fresh heartbeat nothing is
    // locked: of a lock whose owner nobody knows to be dead nobody would be rid for four hours.
    forbiddenFlags: async () => {
      await (await heartbeat).fresh();
      return null;
    },
    // Without a batch, a job whose end cannot be reported is a rejection that nobody handles, and the
    // process ends.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  };
}

/** What is told in the log of runs that have no record of their own. */
type RunRecord = { tally: RunTally; stop(): Promise<void> };

function startRecord(pool: Pool, log: Log): RunRecord {
  const operations = openOperationsLog({
    log,
    send: (batch) =>
      withTransaction(pool, { synchronous_commit: 'off' }, async (client) => {
        await client.query('select app_private.write_log(entries => $1::jsonb)', [batch]);
      }),
  });
  const tally = startRunTally(operations);
  return {
    tally,
    async stop() {
      tally.stop();
      await operations.close();
    },
  };
}

type Beating = { pool: Pool; log: Log; environment: string };

/** Says how far this worker's clock is from the database's; the queue's own heartbeat is about its jobs. */
function startWorkerHeartbeat({ pool, log, environment }: Beating): ProcessHeartbeat {
  return startProcessHeartbeat({
    kind: 'worker',
    environment,
    log: log.child({}, { level: 'error' }),
    async tell({ driftMs, kind, processId, uncertaintyMs }) {
      const { rows } = await pool.query<{ at: Date }>(
        `select app_private.beat_process(
           process_id => $1::text, kind => $2::text, environment => $3::text,
           drift_ms => $4::integer, uncertainty_ms => $5::integer) as at`,
        [processId, kind, environment, driftMs, uncertaintyMs],
      );
      return rows[0]?.at ?? new Date();
    },
  });
}

// The queue gives itself an id when it starts, and locks jobs and queues under it.
function idOfPool(events: WorkerEvents): Promise<string> {
  return new Promise((resolve) => {
    events.once('pool:create', ({ workerPool }) => resolve(workerPool.id));
  });
}

// A failed look for a job is not mended by looking again: what the queue has once failed to learn about its
// tasks it never asks for again, and takes no job any more while everything else goes on.
function firstFailedLook(events: WorkerEvents): Promise<unknown> {
  return new Promise((resolve) => {
    events.once('worker:getJob:error', ({ error }) => resolve(error));
  });
}

async function retire(pool: Pool, workerId: string): Promise<void> {
  await pool.query('select app_private.retire_worker(worker_id => $1::text)', [workerId]);
}

/** Says whether everything that ran has finished. */
async function stopRunner(runner: Runner | undefined, patienceMs: number): Promise<boolean> {
  if (!runner) return true;
  // It says no when it is stopping already; what counts is that it has ended.
  runner.stop().catch(() => {});
  const ended = runner.promise.then(
    () => true,
    () => true,
  );
  if (await Promise.race([ended, delay(patienceMs, false)])) return true;
  await answered(runner.kill(), closeWithinMs).catch(() => {});
  return false;
}

async function endPool(pool: Pool): Promise<void> {
  await answered(pool.end(), closeWithinMs).catch(() => {});
}
