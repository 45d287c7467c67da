import pg from 'pg';
import {
  openThrowAwayDatabase,
  type ThrowAwayDatabase,
} from '../../platform/throw-away-database.ts';

/** A migrated database that is gone after the run, with connections of its owner. */
export interface BenchDatabase extends ThrowAwayDatabase {
  owner: pg.Pool;
}

/**
 * Opens a database of the run's own: in an embedded Postgres that is made for it and writes to disk
 * like a real one, or on the server of `serverUrl`.
 */
export async function openBenchDatabase(
  home: string,
  serverUrl: string | undefined,
): Promise<BenchDatabase> {
  const database = await openThrowAwayDatabase({
    home,
    prefix: 'slotkeeper_bench_',
    serverUrl,
    durable: true,
    keepsPasswords: false,
  });
  const owner = new pg.Pool({ connectionString: database.urls.databaseUrl, max: 16 });
  owner.on('error', () => {});
  return {
    ...database,
    owner,
    close() {
      // Not waited for: a statement that still runs ends with its database.
      void owner.end();
      return database.close();
    },
  };
}
