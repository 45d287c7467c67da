import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A log is put aside once it has grown to this many bytes; one older log is kept. */
const longestLog = 20 * 1024 * 1024;

/** Folder of the logs of an instance. */
export function logFolder(dataDir: string): string {
  return join(dataDir, 'log');
}

/**
 * Opens `<data folder>/log/<name>.log` for a process to write to, and calls `use` with its file
 * descriptor, which is closed here afterwards: the process has its own copy.
 */
export function withLogFile<T>(dataDir: string, name: string, use: (descriptor: number) => T): T {
  const folder = logFolder(dataDir);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.log`);
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > longestLog) {
    renameSync(file, `${file}.1`);
  }
  const descriptor = openSync(file, 'a', 0o600);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
