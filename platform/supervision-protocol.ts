import type { DatabaseUrls } from './database-urls.ts';

/** What a supervised process tells its supervisor. */
export type ServiceMessage =
  | { kind: 'waiting' }
  | { kind: 'ready'; url?: string }
  | { kind: 'hopeless'; reason: string };

/** What the supervisor answers to `waiting`, once the database is migrated. */
export interface GoMessage {
  kind: 'go';
  urls: DatabaseUrls;
}

/** Exit code of a process that another start will not help (sysexits: EX_CONFIG). */
export const unrecoverable = 78;

/** Whether this process has a supervisor to talk to. */
export function isSupervised(): boolean {
  return process.send !== undefined && process.connected;
}

/**
 * Waits until the supervisor says that the database is migrated, and where it is. The supervisor
 * answers a question instead of announcing, so the word cannot come before anybody listens.
 */
export function awaitGo(): Promise<DatabaseUrls> {
  return new Promise((resolve) => {
    process.once('message', (message: GoMessage) => resolve(message.urls));
    process.send?.({ kind: 'waiting' } satisfies ServiceMessage);
  });
}
