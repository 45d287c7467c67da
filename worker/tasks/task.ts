import type { Log } from '../../platform/log.ts';
import type { Queryable } from '../jobs.ts';
import type { Payload, TaskName } from '../payloads.ts';
import type { Transports } from '../transports/open-transports.ts';

/** What a task gets to work with. */
export interface TaskContext {
  /** Each query is a transaction of its own; the login is the worker's. */
  db: Queryable;
  log: Log;
  /** The ways to reach people outside. */
  transports: Transports;
}

/**
 * Does one job. It may be done twice, because a worker can die after the work and before it could say
 * so; whoever writes one makes sure that the second time changes nothing. An error makes the queue try
 * again later, and later still.
 */
export type Task<Name extends TaskName> = (
  payload: Payload<Name>,
  context: TaskContext,
) => Promise<void>;
