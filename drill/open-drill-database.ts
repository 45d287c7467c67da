import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { openCluster, stopLeftOver } from '../platform/cluster/open-cluster.ts';
import { databaseUrlsOf, withDatabase } from '../platform/database-urls.ts';
import { tryLock } from '../platform/lock.ts';
import { dropDatabase, ensureDatabase, migrate } from '../platform/migrate.ts';
import { loadSecrets } from '../platform/secrets.ts';

/** A migrated database that is gone after the drill. */
export interface DrillDatabase {
  /** URL of the role that migrates, a superuser. */
  url: string;
  close(): Promise<void>;
}

const prefix = 'slotkeeper_drill_';

/**
 * Makes a database of the drill's own: in an embedded Postgres that is made for it, or on the server of
 * `serverUrl`, whose login roles keep their passwords.
 */
export async function openDrillDatabase(
  home: string,
  serverUrl: string | undefined,
): Promise<DrillDatabase> {
  if (serverUrl !== undefined) await demandSuperuser(serverUrl);
  await mkdir(home, { recursive: true });
  await removeAbandoned(home);
  const name = `${prefix}${randomBytes(4).toString('hex')}`;
  const dataDir = join(home, name);
  await mkdir(dataDir);
  const lock = tryLock(join(dataDir, 'run.lock'));
  const cluster =
    serverUrl === undefined ? await openCluster({ dataDir, durable: false }) : undefined;
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
    const isForeign = serverUrl !== undefined;
    await migrate({
      urls,
      withCurrent: true,
      keepPasswordOf: { authenticator: isForeign, worker: isForeign },
    });
    return { url: urls.databaseUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Damages put the guards to sleep, which only a superuser may. */
async function demandSuperuser(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ is_superuser: boolean }>(
      "select current_setting('is_superuser') = 'on' as is_superuser",
    );
    if (rows[0]?.is_superuser) return;
  } finally {
    await client.end();
  }
  throw new Error(
    'The drill makes a database of its own and damages it, which takes a superuser. Run it without DATABASE_URL, or as one.',
  );
}

/** Stops and removes what a killed drill left behind. */
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
