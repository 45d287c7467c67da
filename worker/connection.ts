import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseError } from 'pg';

/**
 * Whether an error means that the database went away, rather than that it said no: Postgres is shutting
 * down, starting up or cut the connection, or there is no connection at all.
 */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof DatabaseError ? /^(08|57P0[1-3])/.test(error.code ?? '') : true;
}

/** Waits for an answer of the database, at most `ms`: a cut line may never say that it is cut. */
export async function answered<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`The database has not answered for ${ms / 1000} s.`)),
    ms,
  );
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits, or less when the signal comes. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
