import type { Log } from '../../platform/log.ts';
import type { TaskResult } from '../job-run.ts';
import type { Queryable } from '../jobs.ts';
import type { Payload, TaskName } from '../payloads.ts';
import type { LinkOptions } from '../transports/attachments.ts';
import type { Transports } from '../transports/open-transports.ts';

/** What lies outside the database, as far as tasks reach it. */
export interface Surroundings {
  /** The ways to reach people outside. */
  transports: Transports;
  /** What links in messages are made of. */
  links: LinkOptions;
  /** Where webhooks may go. */
  webhooks: { allowPrivate: boolean };
}

/** What a task gets to work with. */
export interface TaskContext extends Surroundings {
  /** Each query is a transaction of its own; the login is the worker's. */
  db: Queryable;
  log: Log;
}

/**
 * Does one job. It may be done twice, because a worker can die after the work and before it could say
 * so; whoever writes one makes sure that the second time changes nothing. An error makes the queue try
 * again later, and later still. Who counts what was done says so at the end: `{ items }` is what people
 * see in the record of the run.
 */
export type Task<Name extends TaskName> = (
  payload: Payload<Name>,
  context: TaskContext,
) => Promise<TaskResult>;
