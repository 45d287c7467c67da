import express, { type Request, type RequestHandler, type Router } from 'express';
import type { Pool } from 'pg';
import type { Log } from '../../platform/log.ts';
import { withTransaction } from '../../platform/pool.ts';
import { createKeyDoor } from '../api-keys/let-in.ts';
import { Refusal } from '../errors.ts';
import { readHealthState } from './health-state.ts';

export type HealthChecksOptions = {
  /** Connections of app_authenticator; stays the caller's. */
  pool: Pool;
  log: Log;
  /** The keys that are good; without any the route answers 404. */
  keys: readonly string[];
  /** What failures are hashed with; servers that share it share their counts. */
  secret: string;
  /** How long a run that was asked for may take; 20 s unless told. */
  runMs?: number;
};

export type HealthChecks = {
  router: Router;
  close(): Promise<void>;
};

/**
 * `GET /health/checks` with a good `x-monitor-api-key`: how the checks of all hospitals stand, in counts.
 * 200 while nothing critical is open, else 503, which `?fail=never` turns into 200. `?run=1` runs the
 * checks first, all or those that `checks=a,b` names: one run at a time, and not for longer than `runMs`.
 */
export function createHealthChecks(options: HealthChecksOptions): HealthChecks {
  const door = createKeyDoor({ ...options, header: 'x-monitor-api-key' });
  const router = express.Router();
  router.get('/health/checks', door.letIn, answerState(options));
  return { router, close: () => door.close() };
}

function answerState({ pool, log, runMs = 20_000 }: HealthChecksOptions): RequestHandler {
  return async (request, response) => {
    const { isRun, checks, failsNever } = readQuestion(request);
    if (isRun) {
      log.info({ request_id: request.requestId, checks }, 'health checks were asked for');
      await runChecks(pool, checks, runMs, request.requestId);
    }
    const state = await readHealthState(pool, request.requestId);
    response.status(state.status === 'critical' && !failsNever ? 503 : 200).json(state);
  };
}

type Question = { isRun: boolean; checks: string[] | null; failsNever: boolean };

function readQuestion({ query }: Request): Question {
  const { run, checks, fail, ...others } = query;
  const faults: Record<string, string> = Object.fromEntries(
    Object.keys(others).map((name) => [name, 'is not known here']),
  );
  if (run !== undefined && run !== '1') faults.run = 'can only be 1';
  if (fail !== undefined && fail !== 'never') faults.fail = 'can only be never';
  if (checks !== undefined && typeof checks !== 'string') faults.checks = 'is a list: a,b';
  if (checks !== undefined && run === undefined) faults.checks = 'names what run=1 runs';
  if (Object.keys(faults).length > 0) {
    throw new Refusal({
      code: 'SK400',
      scenario: 'invalid_input',
      message: 'The input is not valid.',
      recoverable: true,
      hint: 'See details for each field at fault.',
      details: faults,
    });
  }
  return {
    isRun: run === '1',
    checks: typeof checks === 'string' ? checks.split(',').map((name) => name.trim()) : null,
    failsNever: fail === 'never',
  };
}

/** In a transaction of its own, so that what was found stays when the answer is read in another role. */
async function runChecks(
  pool: Pool,
  checks: string[] | null,
  runMs: number,
  requestId: string,
): Promise<void> {
  await withTransaction(
    pool,
    {
      role: 'app_scheduler',
      statement_timeout: `${runMs}ms`,
      'claims.request_id': requestId,
    },
    async (client) => {
      await client.query(
        'select app_private.run_wanted_checks(hospital_id => null, check_names => $1::text[])',
        [checks],
      );
    },
  );
}
