import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, ping } from './ping.ts';
import { worksIn } from './processes.ts';

/** What is known about the Postgres of a folder. */
export type Running =
  | { state: 'ready'; pid: number; port: number }
  | { state: 'busy'; pid: number; answer: Answer }
  | { state: 'absent' };

/**
 * Finds out whether a Postgres runs in `databaseFolder`. It is asked first, over its port; only
 * when it does not answer is the id in its lock file looked at, and believed only when that
 * process works in this folder.
 */
export async function findRunning(databaseFolder: string, password: string): Promise<Running> {
  const noted = await readLockFile(databaseFolder);
  if (!noted) return { state: 'absent' };
  const answer = noted.port ? await ping(noted.port, password, databaseFolder) : 'absent';
  if (answer === 'ready' && noted.port) return { state: 'ready', pid: noted.pid, port: noted.port };
  if (await worksIn(noted.pid, databaseFolder)) return { state: 'busy', pid: noted.pid, answer };
  return { state: 'absent' };
}

/** The lock file of a Postgres, which names its process and its port. */
export function lockFileOf(databaseFolder: string): string {
  return join(databaseFolder, 'postmaster.pid');
}

async function readLockFile(folder: string): Promise<{ pid: number; port?: number } | undefined> {
  let text: string;
  try {
    text = await readFile(lockFileOf(folder), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!(pid > 0)) return undefined;
  return port > 0 ? { pid, port } : { pid };
}
