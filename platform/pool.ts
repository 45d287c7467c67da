import pg from 'pg';
import type { Log } from './log.ts';

/** How a pool of connections is built. */
export interface PoolOptions {
  url: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  log: Log;
  /** Most connections at once; 10 unless told. */
  max?: number;
  /** How long a caller waits for a connection, in ms, before an error; 2,000 unless told. */
  waitMs?: number;
}

/**
 * Creates a pool. A connection that breaks while idle is logged and replaced, never thrown; a
 * caller who gets no connection within `waitMs` gets an error instead of standing in line forever.
 * Whoever creates a pool ends it.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.waitMs ?? 2_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  pool.on('error', (error) => {
    options.log.warn({ err: error }, 'an idle database connection broke');
  });
  // A connection that breaks while lent out rejects the query that runs; without this listener
  // the same news, told again between two queries, would end the process.
  pool.on('connect', (client) => {
    client.on('error', () => {});
  });
  return pool;
}

/** Settings of one transaction: `role` and the claims; undefined ones are left out. */
export type TransactionSettings = Readonly<Record<string, string | undefined>>;

/**
 * Runs `work` in a transaction whose settings (`role`, `claims.…`) hold until it ends; opening it
 * costs one round trip. Commits when `work` returns, rolls back when it throws. A connection that
 * cannot even roll back is thrown away, and so is its transaction.
 */
export async function withTransaction<T>(
  pool: pg.Pool,
  settings: TransactionSettings,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(openingOf(settings));
    const result = await work(client);
    const { command } = await client.query('commit');
    if (command === 'ROLLBACK')
      throw new Error('The transaction failed inside and was rolled back.');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

// Parameters are not possible with more than one statement, so the values are written as literals.
function openingOf(settings: TransactionSettings): string {
  const calls = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [`pg_catalog.set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`],
  );
  return calls.length === 0 ? 'begin' : `begin; select ${calls.join(', ')}`;
}
