import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

/** A lock that the operating system holds for this process and frees when the process dies. */
export interface Lock {
  /** Gives the lock back; calling it twice does no harm. */
  release(): void;
}

const busy = 5;

/**
 * Takes the lock in the file `path`, or returns undefined when another process holds it.
 *
 * The lock is SQLite's: byte-range locks of the kernel. A file with a process id in it would
 * outlive a killed process and be believed when the number is used again; this cannot.
 */
export function tryLock(path: string): Lock | undefined {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === busy) return undefined;
    throw error;
  }
  let held = true;
  return {
    release() {
      if (held) file.close();
      held = false;
    },
  };
}

/** Whether some process, this one included, holds the lock in `path`. */
export function isLocked(path: string): boolean {
  const lock = tryLock(path);
  lock?.release();
  return lock === undefined;
}

/** Takes the lock in `path`, waiting up to `waitMs`; throws `complaint` when it stays taken. */
export async function takeLock(path: string, waitMs: number, complaint: string): Promise<Lock> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const lock = tryLock(path);
    if (lock) return lock;
    if (Date.now() > deadline) throw new Error(complaint);
    await delay(25);
  }
}

/** Runs `work` while holding the lock in `path`; waiting as in {@link takeLock}. */
export async function withLock<T>(
  path: string,
  waitMs: number,
  complaint: string,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await takeLock(path, waitMs, complaint);
  try {
    return await work();
  } finally {
    lock.release();
  }
}
