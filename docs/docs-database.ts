import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCluster } from '../platform/cluster/open-cluster.ts';
import { databaseUrlsOf } from '../platform/database-urls.ts';
import { ensureDatabase, migrate } from '../platform/migrate.ts';
import { loadSecrets } from '../platform/secrets.ts';

/** Lends `work` the URL of a migrated database that is made for it and thrown away. */
export async function withDocsDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'slotkeeper-docs-'));
  try {
    const cluster = await openCluster({ dataDir, durable: false });
    try {
      const url = await ensureDatabase(cluster.url, 'docs');
      const own = { authenticatorUrl: undefined, workerUrl: undefined };
      const urls = databaseUrlsOf(url, own, await loadSecrets(dataDir));
      await migrate({ urls, withCurrent: true });
      await work(url);
    } finally {
      await cluster.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
