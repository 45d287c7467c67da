// Writes docs/errors.md from the catalog of a database that is made for it and thrown away.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openCluster } from '../platform/cluster/open-cluster.ts';
import { databaseUrlsOf } from '../platform/database-urls.ts';
import { ensureDatabase, migrate } from '../platform/migrate.ts';
import { loadSecrets } from '../platform/secrets.ts';
import { type CatalogEntry, catalogQuery, errorsPage } from './errors-page.ts';

const dataDir = await mkdtemp(join(tmpdir(), 'slotkeeper-docs-'));
try {
  const cluster = await openCluster({ dataDir, durable: false });
  try {
    const url = await ensureDatabase(cluster.url, 'docs');
    const own = { authenticatorUrl: undefined, workerUrl: undefined };
    const urls = databaseUrlsOf(url, own, await loadSecrets(dataDir));
    await migrate({ urls, withCurrent: true });
    const page = errorsPage(await readCatalog(url));
    await writeFile(join(import.meta.dirname, 'errors.md'), page);
  } finally {
    await cluster.stop();
  }
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

async function readCatalog(url: string): Promise<CatalogEntry[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<CatalogEntry>(catalogQuery)).rows;
  } finally {
    await client.end();
  }
}
