import { type Cluster, findCluster, openCluster } from './cluster/open-cluster.ts';
import type { Config } from './config.ts';
import { type DatabaseUrls, databaseName, databaseUrlsOf, withDatabase } from './database-urls.ts';
import { isInstanceRunning } from './instance.ts';
import { loadSecrets } from './secrets.ts';

/** The database of a configuration, running. */
export interface OpenDatabase {
  urls: DatabaseUrls;
  /** The embedded Postgres; undefined with a DATABASE_URL. */
  cluster: Cluster | undefined;
  /** Stops what was started for this, unless an instance has come to use it. */
  close(): Promise<void>;
}

/** Opens the configured database, or starts the embedded one; it may still have to be migrated. */
export async function openDatabase(
  config: Config,
  say: (message: string) => void,
): Promise<OpenDatabase> {
  const { dataDir, databasePort: port } = config;
  const secrets = await loadSecrets(dataDir);
  if (config.databaseUrl !== undefined) {
    const urls = databaseUrlsOf(config.databaseUrl, config, secrets);
    return { urls, cluster: undefined, close: async () => {} };
  }
  const cluster = await openCluster({ dataDir, port, say });
  const urls = databaseUrlsOf(withDatabase(cluster.url, databaseName), config, secrets);
  const close = async () => {
    if (cluster.startedByUs) await cluster.stop({ unless: () => isInstanceRunning(dataDir) });
  };
  return { urls, cluster, close };
}

/** URLs of the configured database, or of the embedded one if it runs; starts nothing. */
export async function findDatabase(config: Config): Promise<DatabaseUrls | undefined> {
  const secrets = await loadSecrets(config.dataDir);
  if (config.databaseUrl !== undefined) return databaseUrlsOf(config.databaseUrl, config, secrets);
  const cluster = await findCluster(config.dataDir);
  if (!cluster) return undefined;
  return databaseUrlsOf(withDatabase(cluster.url, databaseName), config, secrets);
}
