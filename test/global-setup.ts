import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stopLeftOver } from '../platform/cluster/open-cluster.ts';
import { type Lock, tryLock } from '../platform/lock.ts';
import { dropDatabase } from '../platform/migrate.ts';
import { startContainer } from './helpers/container.ts';
import { readTemplate } from './helpers/template.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of this run. */
    runFolder: string;
    /** URL of a server that was there before, or of the container; undefined: the embedded one. */
    serverUrl: string | undefined;
  }
}

/**
 * Prepares a run: a folder, and a server where DATABASE_URL or Docker gives one. The embedded
 * server and the migrated template come about when the first test asks for a database, so that
 * tests without one do not wait. Afterwards everything is gone, also what a killed run left.
 */
export default async function prepareRun(project: TestProject): Promise<() => Promise<void>> {
  const home = resolve(import.meta.dirname, '..', '.data', 'test');
  await mkdir(home, { recursive: true });
  await removeAbandoned(home);
  const runFolder = join(home, `run-${randomBytes(4).toString('hex')}`);
  await mkdir(runFolder);
  const lock = lockRun(runFolder);
  const container = process.env.DATABASE_URL ? undefined : await startContainer();
  const serverUrl = process.env.DATABASE_URL || container?.url;
  project.provide('runFolder', runFolder);
  project.provide('serverUrl', serverUrl);
  return async () => {
    if (serverUrl) await dropTemplate(runFolder, serverUrl);
    await container?.stop();
    await removeRun(runFolder);
    lock?.release();
  };
}

function lockRun(runFolder: string): Lock | undefined {
  return tryLock(join(runFolder, 'run.lock'));
}

async function removeAbandoned(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith('run-')) continue;
    const folder = join(home, name);
    const lock = lockRun(folder);
    if (!lock) continue;
    await removeRun(folder);
    lock.release();
  }
}

async function removeRun(runFolder: string): Promise<void> {
  await stopLeftOver(runFolder);
  await rm(runFolder, { recursive: true, force: true, maxRetries: 3 });
}

async function dropTemplate(runFolder: string, serverUrl: string): Promise<void> {
  const template = await readTemplate(runFolder);
  if (template) await dropDatabase(serverUrl, template.name);
}
