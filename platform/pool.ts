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
  /** How long a caller waits for a connection, in ms, before an error; 30,000 unless told. */
  waitMs?: number;
}

/**
 * Creates a pool. Its connections pipeline: a query is sent without waiting for the answer to the one
 * before, and all are answered in their order. A connection that breaks while idle is logged and replaced, never thrown; a
 * caller who gets no connection within `waitMs` gets an error instead of standing in line forever.
 * Whoever creates a pool ends it.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.waitMs ?? 30_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    ...pipelining,
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

// Not yet among the types of pg 8.23.
const pipelining = { pipeline: true };

/** Settings of one transaction: `role` and the claims; undefined ones are left out. */
export type TransactionSettings = Readonly<Record<string, string | undefined>>;

/**
 * Runs `work` in a transaction whose settings (`role`, `claims.…`) hold until it ends. Commits when
 * `work` returns, rolls back when it throws. A connection that cannot even roll back is thrown away,
 * and so is its transaction.
 *
 * On a pipelining connection the opening and the first query of `work` share one round trip: should
 * the opening fail, the transaction is aborted, and what was sent behind it fails with it.
 */
export async function withTransaction<T>(
  pool: pg.Pool,
  settings: TransactionSettings,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const [opened, worked] = await Promise.allSettled([open(client, settings), work(client)]);
    if (opened.status === 'rejected') throw opened.reason;
    if (worked.status === 'rejected') throw worked.reason;
    const result = worked.value;
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

async function open(client: pg.PoolClient, settings: TransactionSettings): Promise<void> {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  const sent = [client.query('begin')];
  if (entries.length > 0) {
    const calls = entries.map(
      (_, index) => `pg_catalog.set_config($${index * 2 + 1}, $${index * 2 + 2}, true)`,
    );
    sent.push(
      client.query({
        name: `settings_${entries.length}`,
        text: `select ${calls.join(', ')}`,
        values: entries.flat(),
      }),
    );
  }
  await Promise.all(sent);
}
