import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { openCluster, stopLeftOver } from '../../platform/cluster/open-cluster.ts';
import { type DatabaseUrls, databaseUrlsOf, withDatabase } from '../../platform/database-urls.ts';
import { tryLock } from '../../platform/lock.ts';
import { dropDatabase, ensureDatabase, migrate } from '../../platform/migrate.ts';
import { loadSecrets } from '../../platform/secrets.ts';

/** A migrated database that is gone after the run. */
export interface BenchDatabase {
  urls: DatabaseUrls;
  owner: pg.Pool;
  /** Folder of this run. */
  dataDir: string;
  close(): Promise<void>;
}

const prefix = 'slotkeeper_bench_';

/**
 * Opens a database of the run's own: in an embedded Postgres that is made for it and writes to disk
 * like a real one, or on the server of `serverUrl`.
 */
export async function openBenchDatabase(
  home: string,
  serverUrl: string | undefined,
): Promise<BenchDatabase> {
  await mkdir(home, { recursive: true });
  await removeAbandoned(home);
  const name = `${prefix}${randomBytes(4).toString('hex')}`;
  const dataDir = join(home, name);
  await mkdir(dataDir);
  const lock = tryLock(join(dataDir, 'run.lock'));
  const cluster = serverUrl === undefined ? await openCluster({ dataDir }) : undefined;
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
    await migrate({ urls, withCurrent: true });
    const owner = new pg.Pool({ connectionString: urls.databaseUrl, max: 16 });
    owner.on('error', () => {});
    const closeAll = () => {
      // Not waited for: a statement that still runs ends with its database.
      void owner.end();
      return close();
    };
    return { urls, owner, dataDir, close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Stops and removes what a killed run left behind. */
async function removeAbandoned(home: string): Promise<void> {
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
