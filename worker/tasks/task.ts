import type { Log } from '../../platform/log.ts';
import type { TaskResult } from '../job-run.ts';
import type { Queryable } from '../jobs.ts';
import type { Payload, TaskName } from '../payloads.ts';

/** What a task gets to work with. */
export interface TaskContext {
  /** Each query is a transaction of its own; the login is the worker's. */
  db: Queryable;
  log: Log;
  /** The ways to reach people outside. */
  transports?: MailTransports;
  /** Address of the console, which links in mails begin with. */
  publicUrl?: string;
}

/** What a mail of the login needs of the transports. */
export interface MailTransports {
  email:
    | {
        send(message: {
          id: string;
          to: string;
          subject: string;
          text: string;
        }): Promise<{ kind: 'sent' } | { kind: 'rejected' | 'failed'; reason: string }>;
      }
    | undefined;
  /** True the first time that it is asked of a channel. */
  isNewsThatMissing?(channel: 'email'): boolean;
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
