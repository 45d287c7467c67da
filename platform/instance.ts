import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLocked, type Lock, tryLock } from './lock.ts';

/** What a running instance (`npm start`) tells others about itself. */
export interface Instance {
  pid: number;
  url: string;
}

/** Whether an instance runs on this data folder. */
export function isInstanceRunning(dataDir: string): boolean {
  return isLocked(lockFile(dataDir));
}

/** The instance that runs on this data folder, if one does. */
export async function findInstance(dataDir: string): Promise<Instance | undefined> {
  if (!isInstanceRunning(dataDir)) return undefined;
  try {
    return JSON.parse(await readFile(noteFile(dataDir), 'utf8')) as Instance;
  } catch {
    return undefined;
  }
}

/**
 * Makes this process the instance of the data folder; undefined when another one is. The lock is
 * the truth; the note beside it only says who holds it, and is believed only while it is held.
 */
export async function becomeInstance(dataDir: string, url: string): Promise<Lock | undefined> {
  const lock = tryLock(lockFile(dataDir));
  if (!lock) return undefined;
  const draft = `${noteFile(dataDir)}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify({ pid: process.pid, url } satisfies Instance)}\n`);
  await rename(draft, noteFile(dataDir));
  return lock;
}

/** Removes the note of this process, before it gives its lock back. */
export async function forgetInstance(dataDir: string): Promise<void> {
  await rm(noteFile(dataDir), { force: true });
}

function lockFile(dataDir: string): string {
  return join(dataDir, 'instance.lock');
}

function noteFile(dataDir: string): string {
  return join(dataDir, 'instance.json');
}
