import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import type { DatabaseUrls } from '../../platform/database-urls.ts';
import { dropDatabase } from '../../platform/migrate.ts';
import { withRetries } from '../../platform/migration/retry.ts';
import { type Template, urlsOf, useTemplate } from './template.ts';

/** A migrated database of a test file's own. */
export interface TestDatabase extends DatabaseUrls {
  name: string;
  /** URL of the role that migrated it, a superuser on the embedded server. */
  url: string;
  /** Connections of that role. */
  ownerPool: pg.Pool;
  /** Drops it; happens by itself after the file. Throws when somebody is still connected. */
  drop(): Promise<void>;
}

/**
 * Creates a database as a copy of the migrated template, in a few dozen ms. Call it at the top of a
 * test file (`const database = await createDatabase()`): it is dropped when the file is done, and
 * a connection that the tests forgot to close fails the file. Inside a hook or test it has to be
 * dropped by the caller: `createDatabase({ dropAfterFile: false })`.
 *
 * Tests speak of tomorrow, and a day that ends between two of their statements makes it another one. So no
 * file begins within a minute and a half before a midnight of UTC or of the hospitals of tests.
 */
export async function createDatabase({ dropAfterFile = true } = {}): Promise<TestDatabase> {
  const runFolder = inject('runFolder');
  let database: TestDatabase | undefined;
  if (dropAfterFile) {
    afterAll(() => database?.drop());
    await letMidnightPass();
  }
  const template = await useTemplate(runFolder, inject('serverUrl'));
  const name = `slotkeeper_test_${randomBytes(6).toString('hex')}`;
  await copyTemplate(template, name);
  const urls = await urlsOf(runFolder, template, name);
  const ownerPool = new pg.Pool({
    connectionString: urls.databaseUrl,
    application_name: 'test:owner',
  });
  ownerPool.on('error', () => {});
  let dropped: Promise<void> | undefined;
  database = {
    ...urls,
    name,
    url: urls.databaseUrl,
    ownerPool,
    drop() {
      dropped ??= ownerPool.end().then(() => dropUnused(template.serverUrl, name));
      return dropped;
    },
  };
  return database;
}

const clearMs = 90_000;

async function letMidnightPass(): Promise<void> {
  const hour = 3_600_000;
  for (const ahead of [0, 5.5 * hour]) {
    const left = 24 * hour - ((Date.now() + ahead) % (24 * hour));
    if (left < clearMs) await delay(left + 100);
  }
}

async function copyTemplate(template: Template, name: string): Promise<void> {
  await onServer(template.serverUrl, async (client) => {
    const [copy, original] = [name, template.name].map((each) => pg.escapeIdentifier(each));
    await withRetries(() => client.query(`create database ${copy} template ${original}`));
    // Rights on the database itself are not copied.
    const { rows } = await client.query<{ statement: string }>(rightsOf, [template.name, name]);
    await client.query(rows.map(({ statement }) => statement).join(';'));
  });
}

/**
 * For files whose tests create databases of their own, in a hook before them: makes what all copies come
 * from, and waits for a clear day as `createDatabase` does at the top of a file.
 */
export async function awaitServer(): Promise<void> {
  await letMidnightPass();
  await useTemplate(inject('runFolder'), inject('serverUrl'));
}

const rightsOf = `
  select format('revoke all on database %I from public', $2::text) as statement
    from pg_catalog.pg_database where datname = $1 and datacl is not null
  union all
  select format('grant %s on database %I to %s', acl.privilege_type, $2::text,
                case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end)
    from pg_catalog.pg_database, pg_catalog.aclexplode(datacl) as acl
   where datname = $1 and acl.grantee <> datdba`;

async function dropUnused(serverUrl: string, name: string): Promise<void> {
  const leaked = await connectionsTo(serverUrl, name);
  await dropDatabase(serverUrl, name);
  if (leaked.length > 0) {
    throw new Error(`Connections were left open: ${leaked.join('; ')}`);
  }
}

// A closed connection ends on the server a moment later than here.
async function connectionsTo(serverUrl: string, name: string): Promise<string[]> {
  return onServer(serverUrl, async (client) => {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const { rows } = await client.query<{ connection: string }>(
        `select format('%s as %s, %s, last: %s', application_name, usename, state, left(query, 80)) as connection
           from pg_catalog.pg_stat_activity
          where datname = $1 and backend_type = 'client backend'`,
        [name],
      );
      if (rows.length === 0 || Date.now() > deadline) return rows.map((row) => row.connection);
      await delay(20);
    }
  });
}

async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'test:server' });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
