import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import express, { type RequestHandler, type Response, type Router } from 'express';
import type { Pool } from 'pg';
import type { Log } from '../../platform/log.ts';
import { withTransaction } from '../../platform/pool.ts';
import { createKeyDoor } from '../api-keys/let-in.ts';
import { Refusal } from '../errors.ts';
import { note } from '../log/request-facts.ts';

/** Which job a scheduler outside starts where. */
export const EXTERNAL_TRIGGERS: Readonly<Record<string, string>> = {
  '/no-show/external-trigger': 'sweep_no_shows',
};

export type ExternalTriggerOptions = {
  /** Connections of app_authenticator; stays the caller's. */
  pool: Pool;
  log: Log;
  /** The keys that are good; without any the routes answer 404. */
  keys: readonly string[];
  /** What failures are hashed with; servers that share it share their counts. */
  secret: string;
  /** Paths and jobs; {@link EXTERNAL_TRIGGERS} unless told. */
  triggers?: Readonly<Record<string, string>>;
  /** How long an answer waits for the end of the run; 10 s unless told. */
  waitMs?: number;
};

export type ExternalTrigger = {
  router: Router;
  close(): Promise<void>;
};

/** A run as the database tells of it. */
type Run = {
  id: string;
  job: string;
  outcome: 'waiting' | 'running' | 'succeeded' | 'failed' | 'stuck' | 'skipped';
  hospitals: number;
  hospitals_done: number;
  hospitals_failed: number;
  items_done: number;
  scenario: string | null;
  error: string | null;
};

const POLL_MS = 150;

/**
 * `POST` to a path of the triggers with a good `x-cron-api-key` runs a job for all hospitals, now. The
 * answer waits for the end of the run and of what it added: 200 with what was done, 202 when that takes
 * longer, 409 while one runs already, 500 when it failed.
 */
export function createExternalTrigger(options: ExternalTriggerOptions): ExternalTrigger {
  const { triggers = EXTERNAL_TRIGGERS } = options;
  const door = createKeyDoor({ ...options, header: 'x-cron-api-key' });
  const router = express.Router();
  for (const [path, job] of Object.entries(triggers)) {
    router.post(path, door.letIn, runJob(options, job));
  }
  return { router, close: () => door.close() };
}

function runJob(
  { log, pool, waitMs = 10_000 }: ExternalTriggerOptions,
  job: string,
): RequestHandler {
  return async (request, response) => {
    const gone = new AbortController();
    once(response, 'close', { signal: gone.signal }).then(
      () => gone.abort(),
      () => {},
    );
    note(request, { actorRole: 'scheduler', details: { job } });
    try {
      const id = await requestJob(pool, job, request.requestId);
      log.info({ job, job_run_id: id, request_id: request.requestId }, 'a job was asked for');
      note(request, { entityType: 'job_run', entityId: id });
      const run = await endOf(pool, id, request.requestId, waitMs, gone.signal);
      answerRun(response, run);
    } finally {
      gone.abort();
    }
  };
}

async function requestJob(pool: Pool, job: string, requestId: string): Promise<string> {
  return asScheduler(pool, requestId, async (query) => {
    const { rows } = await query<{ id: string }>(
      'select app_private.request_job(job => $1::text) as id',
      [job],
    );
    return rows[0]?.id ?? '';
  });
}

/** How the run stands when it has ended, or when the time is up. */
async function endOf(
  pool: Pool,
  id: string,
  requestId: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<Run> {
  const until = performance.now() + waitMs;
  for (;;) {
    const run = await readRun(pool, id, requestId);
    if (isOver(run) || performance.now() >= until || signal.aborted) return run;
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

async function readRun(pool: Pool, id: string, requestId: string): Promise<Run> {
  return asScheduler(pool, requestId, async (query) => {
    const { rows } = await query<Run>(
      `select id, job, outcome, hospitals, hospitals_done, hospitals_failed, items_done, scenario, error
         from app_private.requested_job(run_id => $1::uuid)`,
      [id],
    );
    const [run] = rows;
    if (run === undefined) throw new Error('The run that was asked for is not there.');
    return run;
  });
}

type Query = <Row extends object>(text: string, values: unknown[]) => Promise<{ rows: Row[] }>;

function asScheduler<T>(
  pool: Pool,
  requestId: string,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  return withTransaction(
    pool,
    { role: 'app_scheduler', 'claims.request_id': requestId },
    (client) => work((text, values) => client.query(text, values)),
  );
}

function isOver({ outcome, hospitals, hospitals_done }: Run): boolean {
  if (outcome === 'waiting' || outcome === 'running') return false;
  return outcome !== 'succeeded' || hospitals_done >= hospitals;
}

function answerRun(response: Response, run: Run): void {
  if (run.outcome === 'skipped') {
    throw new Refusal({
      code: 'SK409',
      scenario: 'job_already_running',
      recoverable: true,
      message: 'This job is running already.',
      hint: 'Watch the run that details.job_run_id names, or try again when it has ended.',
      details: { job: run.job, job_run_id: run.id },
    });
  }
  if (run.outcome === 'failed' || run.outcome === 'stuck' || run.hospitals_failed > 0) {
    throw new Refusal({
      code: 'SK500',
      scenario: 'job_failed',
      recoverable: true,
      message: 'The job ran and failed.',
      hint: 'It is tried again by itself; cronHealth and the log of the worker tell more.',
      details: {
        job: run.job,
        job_run_id: run.id,
        outcome: run.outcome,
        scenario: run.scenario,
        error: run.error,
        hospitals: run.hospitals,
        hospitals_failed: run.hospitals_failed,
      },
    });
  }
  response.status(isOver(run) ? 200 : 202).json({
    jobRunId: run.id,
    job: run.job,
    outcome: isOver(run) ? 'succeeded' : run.outcome === 'waiting' ? 'waiting' : 'running',
    hospitals: run.hospitals,
    hospitalsDone: run.hospitals_done,
    items: run.items_done,
  });
}
