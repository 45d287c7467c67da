import { EventEmitter } from 'node:events';
import { Logger, type WorkerEvents } from 'graphile-worker';
import type { Log } from '../platform/log.ts';
import { isConnectionLoss } from './connection.ts';

/**
 * The log of the job queue: its errors are ours, unless they only tell that the database went away,
 * which is told once and elsewhere, or that a job failed, which {@link createQueueEvents} tells. The
 * rest is for a close look. Its details stay out: they hold whole jobs.
 */
export function createQueueLog(log: Log): Logger {
  return new Logger(() => (level, message, meta) => {
    const { error, failure } = (meta ?? {}) as { error?: unknown; failure?: boolean };
    const isNews = level === 'error' && !failure && error !== undefined && !isConnectionLoss(error);
    if (isNews) log.error({ err: error }, 'the job queue complains');
    else log.debug(message);
  });
}

/** Tells of every job that failed: a warning while it will be tried again, else an error. */
export function createQueueEvents(log: Log): WorkerEvents {
  const events: WorkerEvents = new EventEmitter();
  events.on('job:error', ({ job, error }) => {
    const facts = { err: error, task: job.task_identifier, job_id: job.id, attempt: job.attempts };
    if (job.attempts < job.max_attempts) log.warn(facts, 'a job failed and will be tried again');
    else log.error(facts, 'a job failed for good');
  });
  return events;
}
