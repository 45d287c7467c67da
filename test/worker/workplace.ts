import { setTimeout as delay } from 'node:timers/promises';
import { parseCrontab } from 'graphile-worker';
import type { Pool } from 'pg';
import { onTestFinished } from 'vitest';
import { createLog, type Log } from '../../platform/log.ts';
import { crontab } from '../../worker/crontab.ts';
import type { Surroundings } from '../../worker/tasks/task.ts';
import { openTransports, type Transports } from '../../worker/transports/open-transports.ts';
import { openWorker, type Worker } from '../../worker/worker.ts';

/** A line of the log, as far as tests look at it. */
export interface Line {
  level: number;
  msg: string;
  err?: { message: string };
  [name: string]: unknown;
}

/** A log whose lines can be read. */
export function keepLog(level = 'info'): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const destination = { write: (text: string) => void lines.push(JSON.parse(text)) };
  return { log: createLog({ name: 'worker', level, destination }), lines };
}

/** Asks until there is an answer; the test's own timeout ends it. */
export async function until<T>(ask: () => Promise<T | undefined | false> | T | undefined | false) {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await delay(20);
  }
}

/** What tasks reach outside: nobody, unless told; links lead to an address that is not there. */
export function surroundingsOf(transports: Transports = openTransports({})): Surroundings {
  const linkSecrets = [{ kid: 'test', secret: 'a link secret that is only used by tests' }];
  return {
    transports,
    links: { publicUrl: 'https://visits.example', linkSecrets },
    webhooks: { allowPrivate: true },
  };
}

/** A worker of this test's own; stopped when the test is done. */
export async function workFor(
  workerUrl: string,
  transports: Transports = openTransports({}),
): Promise<{ worker: Worker; lines: Line[] }> {
  const { log, lines } = keepLog();
  const worker = await openWorker({
    url: workerUrl,
    log,
    surroundings: surroundingsOf(transports),
  });
  onTestFinished(() => worker.stop());
  return { worker, lines };
}

/** What stands in the outbox. */
export async function outboxOf(pool: Pool): Promise<{ topic: string; payload: unknown }[]> {
  const { rows } = await pool.query('select topic, payload from app_private.outbox order by id');
  return rows;
}

/** Jobs that are in the queue, in whatever state. */
export interface QueuedJob {
  id: string;
  task: string;
  key: string | null;
  payload: Record<string, unknown>;
  attempts: number;
  locked_by: string | null;
  last_error: string | null;
}

/** What stands in the job queue. */
export async function jobsIn(pool: Pool): Promise<QueuedJob[]> {
  const { rows } = await pool.query<QueuedJob>(
    `select job.id, task.identifier as task, job.key, job.payload, job.attempts, job.locked_by, job.last_error
       from graphile_worker._private_jobs as job
       join graphile_worker._private_tasks as task on task.id = job.task_id
      order by job.id`,
  );
  return rows;
}

/** Empties outbox and queue, so that a test meets only what it does itself. */
export async function startAfresh(pool: Pool): Promise<void> {
  await pool.query(
    `delete from app_private.outbox;
     delete from graphile_worker._private_jobs;
     delete from graphile_worker._private_job_queues`,
  );
}

/**
 * The crontab of workers adds nothing to this queue any more. At a full minute it would do what a test asks for
 * itself, or run the same sweep at that moment, so that the one of the test is skipped.
 */
export async function stopCrontab(pool: Pool): Promise<void> {
  await pool.query(
    `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
     select identifier, now(), '2100-01-01' from unnest($1::text[]) as identifier
     on conflict (identifier) do update set last_execution = excluded.last_execution`,
    [parseCrontab(crontab).map(({ identifier }) => identifier)],
  );
}

/** Waits until a connection of the worker waits for a lock; returns its process. */
export async function untilLocked(pool: Pool, applicationName: string): Promise<number> {
  const { pid } = await until(async () => {
    const { rows } = await pool.query<{ pid: number }>(
      `select pid from pg_catalog.pg_stat_activity
        where datname = current_database() and application_name = $1 and wait_event_type = 'Lock'`,
      [applicationName],
    );
    return rows[0];
  });
  return pid;
}
