import { join, resolve } from 'node:path';
import pg from 'pg';
import { type DatabaseUrls, withDatabase } from './database-urls.ts';
import { canLogIn, setPassword } from './migration/login-roles.ts';
import { lookAtGuards } from './migration/look-at-guards.ts';
import { withRetries } from './migration/retry.ts';
import { runMigrations } from './migration/runner.ts';
import {
  appliedMigrations,
  committedMigrations,
  hasCurrentMigration,
  refuseUnknown,
} from './migration/state.ts';
import { migrateWorkerSchema } from './migration/worker-schema.ts';

/** What to migrate, and how. */
export interface MigrateOptions {
  urls: DatabaseUrls;
  /** Whether `migrations/current` is applied too; for development and tests. */
  withCurrent: boolean;
  /** Login roles that have a password of their own making, which is left alone. */
  keepPasswordOf?: { authenticator?: boolean; worker?: boolean };
  say?: (message: string) => void;
}

/** What migrating did. */
export interface MigrateResult {
  /** Files of the committed migrations that ran now. */
  applied: string[];
  /** Whether `migrations/current` counts: it ran now, or had run before. */
  withCurrent: boolean;
  /** Login roles that got a password now. */
  passwordsSet: string[];
}

const projectFolder = resolve(import.meta.dirname, '..');

/**
 * Brings a database up to this code: committed migrations, in development the current one,
 * passwords of the two login roles, tables of the job queue. One migrator works at a time and the
 * others wait. Throws when the database is newer than the code, or a migration fails; then that
 * migration has changed nothing.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const client = await connect(options.urls.databaseUrl);
  try {
    await withRetries(() =>
      client.query('select pg_catalog.pg_advisory_lock($1)', [migratorsLock]),
    );
    return await migrateAlone(client, options);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Creates the database `name` on the server of `url` where it is missing; returns its URL. */
export async function ensureDatabase(url: string, name: string): Promise<string> {
  const client = await connect(url);
  try {
    const { rowCount } = await client.query(
      'select from pg_catalog.pg_database where datname = $1',
      [name],
    );
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    if ((error as { code?: string }).code !== '42P04') throw error;
  } finally {
    await client.end();
  }
  return withDatabase(url, name);
}

/** Drops the database `name` on the server of `url`, whoever is connected to it. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  const client = await connect(url);
  try {
    await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
  } finally {
    await client.end();
  }
}

// Arbitrary; it only has to differ from the keys that others use.
const migratorsLock = '7234881904417';

async function migrateAlone(client: pg.Client, options: MigrateOptions): Promise<MigrateResult> {
  const { urls, say = () => {} } = options;
  const folder = join(projectFolder, 'migrations');
  const before = await appliedMigrations(client);
  const committed = await committedMigrations(folder);
  refuseUnknown(before, committed);
  const withCurrent = options.withCurrent && (await hasCurrentMigration(folder));
  if (withCurrent || before.length < committed.length) {
    await withRetries(() => lookAtGuards(client));
  }
  const runner = { folder: projectFolder, databaseUrl: urls.databaseUrl, say };
  await withRetries(() => runMigrations(runner, withCurrent)).catch((error: Error) => {
    const hint = withCurrent ? '\nIn development, npm run db:reset builds the database anew.' : '';
    throw new Error(`The migration failed and changed nothing.\n${error.message}${hint}`, {
      cause: error,
    });
  });
  const after = await appliedMigrations(client);
  const passwordsSet = await withRetries(() => setPasswords(client, options));
  await migrateWorkerSchema(urls.workerUrl);
  const had = new Set(before.map(({ filename }) => filename));
  const applied = after.map(({ filename }) => filename).filter((name) => !had.has(name));
  return { applied, withCurrent, passwordsSet };
}

async function setPasswords(client: pg.Client, options: MigrateOptions): Promise<string[]> {
  const { urls, keepPasswordOf = {} } = options;
  const logins = [
    { url: urls.authenticatorUrl, role: 'app_authenticator', keep: keepPasswordOf.authenticator },
    { url: urls.workerUrl, role: 'app_worker', keep: keepPasswordOf.worker },
  ];
  const { rows } = await client.query<{ rolname: string }>(
    'select rolname from pg_catalog.pg_roles where rolname = any ($1)',
    [logins.map(({ role }) => role)],
  );
  const existing = new Set(rows.map(({ rolname }) => rolname));
  const set: string[] = [];
  for (const { url, role, keep } of logins) {
    if (keep || !existing.has(role) || (await canLogIn(url))) continue;
    await setPassword(client, url);
    set.push(role);
  }
  return set;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'slotkeeper:migrate',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {});
  await client.connect();
  await client.query(
    "select pg_catalog.set_config('search_path', '', false), pg_catalog.set_config('lock_timeout', '2s', false)",
  );
  return client;
}
