import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { openCluster } from '../../platform/cluster/open-cluster.ts';
import { type DatabaseUrls, databaseUrlsOf, withDatabase } from '../../platform/database-urls.ts';
import { withLock } from '../../platform/lock.ts';
import { ensureDatabase, migrate } from '../../platform/migrate.ts';
import { loadSecrets } from '../../platform/secrets.ts';

/** A migrated database that the databases of tests are copies of. */
export interface Template {
  name: string;
  /** URL of the migrating role to the maintenance database of the server. */
  serverUrl: string;
}

/** The template of this run, made by whoever asks first. */
export async function useTemplate(
  runFolder: string,
  serverUrl: string | undefined,
): Promise<Template> {
  const complaint = 'The template database has not been made within two minutes.';
  return withLock(join(runFolder, 'template.lock'), 120_000, complaint, async () => {
    const known = await readTemplate(runFolder);
    if (known) return known;
    const url = serverUrl ?? (await openQuietCluster(runFolder));
    const made = await makeTemplate(runFolder, url);
    const draft = `${templateFile(runFolder)}.draft`;
    await writeFile(draft, JSON.stringify(made), { mode: 0o600 });
    await rename(draft, templateFile(runFolder));
    return made;
  });
}

/** The template of a run, if it was made. */
export async function readTemplate(runFolder: string): Promise<Template | undefined> {
  try {
    return JSON.parse(await readFile(templateFile(runFolder), 'utf8')) as Template;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** URLs of the database `name` for all callers. */
export async function urlsOf(
  runFolder: string,
  template: Template,
  name: string,
): Promise<DatabaseUrls> {
  const own = { authenticatorUrl: undefined, workerUrl: undefined };
  return databaseUrlsOf(withDatabase(template.serverUrl, name), own, await loadSecrets(runFolder));
}

/**
 * The embedded server of a run, without autovacuum: it comes when it likes, so a test would meet other plans,
 * or rows frozen under its eyes, once in a hundred runs. Tests that look at plans analyze what they fill.
 */
async function openQuietCluster(runFolder: string): Promise<string> {
  const { url } = await openCluster({ dataDir: runFolder, durable: false });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('alter system set autovacuum = off');
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
  return url;
}

async function makeTemplate(runFolder: string, serverUrl: string): Promise<Template> {
  const name = `slotkeeper_template_${randomBytes(4).toString('hex')}`;
  await ensureDatabase(serverUrl, name);
  const template = { name, serverUrl };
  await migrate({ urls: await urlsOf(runFolder, template, name), withCurrent: true });
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    // Nobody can come between a copy and its template any more.
    await client.query(`alter database ${pg.escapeIdentifier(name)} allow_connections false`);
  } finally {
    await client.end();
  }
  return template;
}

function templateFile(runFolder: string): string {
  return join(runFolder, 'template.json');
}
