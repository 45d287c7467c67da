import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openCluster, stopLeftOver } from './cluster/open-cluster.ts';
import { type DatabaseUrls, databaseUrlsOf, withDatabase } from './database-urls.ts';
import { tryLock } from './lock.ts';
import { dropDatabase, ensureDatabase, migrate } from './migrate.ts';
import { loadSecrets } from './secrets.ts';

/** A migrated database that is gone after the run. */
export interface ThrowAwayDatabase {
  urls: DatabaseUrls;
  /** Folder of this run. */
  dataDir: string;
  close(): Promise<void>;
}

export interface ThrowAwayOptions {
  /** Folder that holds a folder for each run. */
  home: string;
  /** What names of folders and databases begin with. */
  prefix: string;
  /** The server to make it on; without one an embedded Postgres is made for it. */
  serverUrl: string | undefined;
  /** Whether the embedded Postgres writes to disk like a real one. */
  durable: boolean;
  /** Whether login roles of `serverUrl` keep their passwords; otherwise they get those of this run. */
  keepsPasswords: boolean;
}

/** Makes a database of the run's own; stops and removes first what a killed run left behind. */
export async function openThrowAwayDatabase(options: ThrowAwayOptions): Promise<ThrowAwayDatabase> {
  const { durable, home, keepsPasswords, prefix, serverUrl } = options;
  await mkdir(home, { recursive: true });
  await removeAbandoned(home, prefix);
  const name = `${prefix}${randomBytes(4).toString('hex')}`;
  const dataDir = join(home, name);
  await mkdir(dataDir);
  const lock = tryLock(join(dataDir, 'run.lock'));
  const cluster = serverUrl === undefined ? await openCluster({ dataDir, durable }) : undefined;
  const server = serverUrl ?? cluster?.url ?? '';
  const close = async () => {
    if (cluster) await cluster.stop();
    else await dropDatabase(server, name);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
    lock?.release();
  };
  try {
    await ensureDatabase(server, name);
    const own = { authenticatorUrl: undefined, workerUrl: undefined };
    const urls = databaseUrlsOf(withDatabase(server, name), own, await loadSecrets(dataDir));
    const keeps = keepsPasswords && serverUrl !== undefined;
    await migrate({
      urls,
      withCurrent: true,
      keepPasswordOf: { authenticator: keeps, worker: keeps },
    });
    return { urls, dataDir, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function removeAbandoned(home: string, prefix: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(home, name);
    const lock = tryLock(join(folder, 'run.lock'));
    if (!lock) continue;
    await stopLeftOver(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    lock.release();
  }
}
