import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a process with this id runs; a zombie, dead but not yet collected, does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return !(await stateOf(pid)).startsWith('Z');
}

/**
 * Whether the process works in `folder`: it stands in it or names it on its command line.
 * Process ids are used again, so an id alone proves nothing.
 */
export async function worksIn(pid: number, folder: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  const [directory, command] = await Promise.all([directoryOf(pid), commandOf(pid)]);
  return directory === folder || command.includes(folder);
}

/** The ids of all processes that stand in `folder`, as every process of a Postgres does. */
export async function processesIn(folder: string): Promise<number[]> {
  if (process.platform !== 'linux') return openedBy(folder);
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const checks = ids.map(async (pid) => ((await directoryOf(pid)) === folder ? pid : undefined));
  const found = await Promise.all(checks);
  return found.filter((pid) => pid !== undefined);
}

async function stateOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return output('ps', ['-o', 'stat=', '-p', String(pid)]);
  const text = await quietly(readFile(`/proc/${pid}/stat`, 'utf8'));
  // The name of the program stands in parentheses and may hold anything; the state follows it.
  return text === undefined ? 'Z' : text.slice(text.lastIndexOf(')') + 2);
}

async function commandOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return output('ps', ['-o', 'command=', '-p', String(pid)]);
  return ((await quietly(readFile(`/proc/${pid}/cmdline`, 'utf8'))) ?? '').replaceAll('\0', ' ');
}

async function directoryOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  return quietly(readlink(`/proc/${pid}/cwd`));
}

async function openedBy(folder: string): Promise<number[]> {
  const list = await output('lsof', ['-a', '-d', 'cwd', '-t', '--', folder]);
  return list.split('\n').filter(Boolean).map(Number);
}

async function output(file: string, args: string[]): Promise<string> {
  return ((await quietly(run(file, args)))?.stdout ?? '').trim();
}

async function quietly<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}
