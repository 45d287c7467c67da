import type { JobHelpers } from 'graphile-worker';
import { DatabaseError } from 'pg';
import type { Log } from '../platform/log.ts';
import { isConnectionLoss } from './connection.ts';
import type { AskedRun, Queryable } from './jobs.ts';
import { PayloadError } from './payloads.ts';
import type { RunTally } from './run-tally.ts';

/** The hospital under which the database keeps what serves all hospitals. */
export const machinery = '00000000-0000-0000-0000-000000000000';

/** One job, as its recording needs to know it. */
export interface JobOnRecord {
  name: string;
  hospitalId: string;
  startedBy: 'cron' | 'event';
  /** The run that was asked for, which this job is. */
  runId: string | null;
  /** The run that was asked for, which added this job. */
  addedBy: string | null;
}

/** How the runs of a job are recorded, as app_public.job says. */
interface Manner {
  is_single: boolean;
  is_counted: boolean;
}

type Helpers = Pick<JobHelpers, 'job' | 'query' | 'withPgClient'>;
/** What a task gives back; nothing, where it counts nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a task that counts nothing need not say so
export type TaskResult = { items: number } | undefined | void;
type Work = (db: Queryable) => Promise<TaskResult>;

/** Leaves a record of every run of a job in the database. */
export interface Recorder {
  /** Does the work, with a record before and after it; a failure is recorded and thrown on. */
  record(job: JobOnRecord, helpers: Helpers, work: Work): Promise<void>;
}

/**
 * A recorder. A run shows a sign of life every `beatMs` while its queries come back or one is still on its
 * way (Postgres ends those by itself); one that only waits for something else shows none, and counts as
 * stuck in the end. Jobs that are counted by the hour have no row of their own until their first beat.
 */
export function createRecorder(log: Log, beatMs = 15_000, tally?: RunTally): Recorder {
  const manners = createManners();
  return {
    async record(job, helpers, work) {
      const manner = await manners(job.name, helpers);
      await new Run({ job, helpers, log, beatMs, manner, tally }).pass(work);
    },
  };
}

/** What the catalog says of each job, asked once: it changes with migrations only. */
function createManners(): (name: string, helpers: Helpers) => Promise<Manner> {
  let catalog: Promise<Map<string, Manner>> | undefined;
  return async (name, helpers) => {
    catalog ??= readCatalog(helpers).catch((error: unknown) => {
      catalog = undefined;
      throw error;
    });
    return (await catalog).get(name) ?? { is_single: false, is_counted: false };
  };
}

async function readCatalog({ query }: Helpers): Promise<Map<string, Manner>> {
  const { rows } = await query<Manner & { name: string }>(
    'select job.name, job.is_single, job.is_counted from app_public.job',
  );
  return new Map(rows.map((row) => [row.name, row]));
}

type Parts = {
  job: JobOnRecord;
  helpers: Helpers;
  log: Log;
  beatMs: number;
  manner: Manner;
  tally: RunTally | undefined;
};
type End = { error?: unknown; result?: TaskResult };

class Run {
  readonly #parts: Parts;
  readonly #asked: AskedRun | undefined;
  readonly #startedAt = performance.now();
  readonly #pulse = { queries: 0, hasMoved: false };
  #id: string | undefined;
  #beating: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#asked =
      parts.job.runId !== null && parts.job.hospitalId === machinery
        ? { id: parts.job.runId, jobs: 0 }
        : undefined;
  }

  async pass(work: Work): Promise<void> {
    const { helpers, job, manner } = this.#parts;
    const isCounted = manner.is_counted && job.runId === null;
    let end: End = {};
    let isSkipped = false;
    await helpers.withPgClient(async (db) => {
      const beats = setInterval(() => this.#keepAlive(), this.#parts.beatMs);
      try {
        if (!isCounted) isSkipped = !(await this.#begin(db));
        if (!isSkipped) end = { result: await work(this.#watched(db)) };
      } catch (error) {
        end = { error };
      } finally {
        clearInterval(beats);
        // Of this connection alone, whatever happened; a broken one has lost its locks already.
        if (manner.is_single) await db.query('select pg_advisory_unlock_all()').catch(() => {});
      }
    });
    await this.#beating;
    await this.#report(end, isSkipped);
    if ('error' in end) throw end.error;
  }

  /** Says whether the run may go on: false where another one runs. */
  async #begin(db: Queryable): Promise<boolean> {
    const { helpers, job } = this.#parts;
    const { rows } = await db.query<{ id: string; outcome: string }>(
      `select run.id, run.outcome
         from app_private.begin_job_run(
           hospital_id => $1::uuid, job => $2::text, started_by => $3::app_public.job_trigger,
           worker_id => $4::text, run_id => $5::uuid, since => make_interval(secs => $6::float8)) as run`,
      [
        job.hospitalId,
        job.name,
        job.startedBy,
        helpers.job.locked_by,
        job.runId,
        (performance.now() - this.#startedAt) / 1_000,
      ],
    );
    this.#id = rows[0]?.id;
    return rows[0]?.outcome === 'running';
  }

  #keepAlive(): void {
    const { helpers, job, log } = this.#parts;
    if (this.#pulse.queries === 0 && !this.#pulse.hasMoved) return;
    this.#pulse.hasMoved = false;
    this.#beating = this.#beating
      .then(async () => {
        if (this.#id === undefined) await this.#begin(helpers as unknown as Queryable);
        else {
          await helpers.query(
            'select app_private.beat_job_run(hospital_id => $1::uuid, run_id => $2::uuid)',
            [job.hospitalId, this.#id],
          );
        }
      })
      .catch((error: unknown) => log.debug({ err: error }, 'a sign of life was not noted'));
  }

  /** The connection, watched for signs of life. */
  #watched(db: Queryable): Queryable {
    const pulse = this.#pulse;
    const query = async (...given: unknown[]) => {
      pulse.queries += 1;
      try {
        return await (db.query as (...given: unknown[]) => Promise<unknown>).apply(db, given);
      } finally {
        pulse.queries -= 1;
        pulse.hasMoved = true;
      }
    };
    return { query: query as Queryable['query'], ...(this.#asked && { asked: this.#asked }) };
  }

  // What was done is done: that it could not be recorded must not make the queue do it again.
  async #report(end: End, isSkipped: boolean): Promise<void> {
    try {
      if (!isSkipped) await this.#end(end);
      await this.#answer(end);
    } catch (error) {
      // That the database went away is told elsewhere, and the run as stuck.
      const level = isConnectionLoss(error) ? 'debug' : 'warn';
      this.#parts.log[level]({ err: error }, 'how a job ended could not be recorded');
    }
  }

  async #end(end: End): Promise<void> {
    const { helpers, job } = this.#parts;
    const isSuccess = !('error' in end);
    const facts = [
      isSuccess,
      end.result?.items ?? null,
      Math.round(performance.now() - this.#startedAt),
    ];
    const fault = isSuccess ? [null, null, null] : describeError(end.error);
    if (this.#id !== undefined) {
      await helpers.query(
        `select app_private.end_job_run(
           hospital_id => $1::uuid, run_id => $2::uuid, is_success => $3::boolean, items => $4::integer,
           duration_ms => $5::integer, hospitals => $6::integer,
           error_code => $7::text, scenario => $8::text, error => $9::text)`,
        [job.hospitalId, this.#id, ...facts, this.#asked?.jobs ?? 0, ...fault],
      );
      return;
    }
    await helpers.query(
      `select app_private.count_job_run(
         hospital_id => $1::uuid, job => $2::text, worker_id => $3::text, is_success => $4::boolean,
         items => $5::integer, duration_ms => $6::integer,
         error_code => $7::text, scenario => $8::text, error => $9::text)`,
      [job.hospitalId, job.name, helpers.job.locked_by, ...facts, ...fault],
    );
    if (!isSuccess) return;
    const durationMs = Math.round(performance.now() - this.#startedAt);
    const items = end.result?.items ?? null;
    this.#parts.tally?.count({ hospitalId: job.hospitalId, job: job.name, durationMs, items });
  }

  /** Tells the run that added this job; of tries again it hears nothing. */
  async #answer(end: End): Promise<void> {
    const { helpers, job } = this.#parts;
    if (job.addedBy === null || helpers.job.attempts > 1) return;
    await helpers.query(
      `select app_private.report_to_run(
         run_id => $1::uuid, is_success => $2::boolean, items => $3::integer)`,
      [job.addedBy, !('error' in end), end.result?.items ?? null],
    );
  }
}

/**
 * Code, scenario and words of an error, as admins may read them: a refusal has words of the catalog, of
 * everything else only what cannot quote data is told.
 */
export function describeError(error: unknown): [string, string | null, string] {
  if (error instanceof DatabaseError && error.code) {
    const scenario = error.code.startsWith('SK') ? scenarioIn(error.detail) : null;
    if (scenario !== null) return [error.code, scenario, error.message];
    const place = [error.table, error.constraint].filter(Boolean).join(', ');
    return [
      error.code,
      null,
      `The database refused it (${[error.code, place].filter(Boolean).join(': ')}).`,
    ];
  }
  if (error instanceof PayloadError) return [error.name, null, error.message];
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const kind = typeof code === 'string' ? code : typeof name === 'string' ? name : typeof error;
  return [kind, null, `It failed (${kind}); the worker's log says more.`];
}

function scenarioIn(detail: string | undefined): string | null {
  try {
    const { scenario } = JSON.parse(detail ?? '') as { scenario?: unknown };
    return typeof scenario === 'string' ? scenario : null;
  } catch {
    return null;
  }
}
