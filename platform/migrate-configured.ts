import type { Config } from './config.ts';
import { databaseName } from './database-urls.ts';
import { ensureDatabase, type MigrateResult, migrate } from './migrate.ts';
import type { OpenDatabase } from './open-database.ts';

/** Migrates the database of a configuration, creating it first where it is the embedded one. */
export async function migrateConfigured(
  config: Config,
  database: OpenDatabase,
  say: (message: string) => void,
): Promise<MigrateResult> {
  if (database.cluster) await ensureDatabase(database.cluster.url, databaseName);
  return migrate({
    urls: database.urls,
    withCurrent: config.environment !== 'production',
    keepPasswordOf: {
      authenticator: config.authenticatorUrl !== undefined,
      worker: config.workerUrl !== undefined,
    },
    say,
  });
}

/** Says in a sentence or two what migrating did. */
export function describeResult(result: MigrateResult): string {
  const { applied, withCurrent, passwordsSet } = result;
  const parts = [
    applied.length === 0 ? 'No committed migration was missing.' : `Applied ${applied.join(', ')}.`,
    withCurrent ? 'migrations/current is applied.' : '',
    passwordsSet.length === 0 ? '' : `Set the password of ${passwordsSet.join(' and ')}.`,
  ];
  return parts.filter(Boolean).join(' ');
}
