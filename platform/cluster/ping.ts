import { Client } from 'pg';
import { address } from './port.ts';

/**
 * What answers on a port.
 * - `ready`: our Postgres, taking connections.
 * - `starting`: a Postgres that does not take connections yet, or no more.
 * - `locked out`: our folder's Postgres or another, refusing our password.
 * - `absent`: nobody, or somebody else.
 */
export type Answer = 'ready' | 'starting' | 'locked out' | 'absent';

/** Asks the Postgres on `port` whether it is the one of `databaseFolder`. */
export async function ping(
  port: number,
  password: string,
  databaseFolder: string,
): Promise<Answer> {
  const client = new Client({
    host: address,
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    application_name: 'slotkeeper:ping',
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string }>(
      "select pg_catalog.current_setting('data_directory') as folder",
    );
    return rows[0]?.folder === databaseFolder ? 'ready' : 'absent';
  } catch (error) {
    return answerOf((error as { code?: string }).code);
  } finally {
    await client.end().catch(() => {});
  }
}

function answerOf(code: string | undefined): Answer {
  if (code === '57P03' || code === '57P01' || code === '53300') return 'starting';
  if (code === '28P01' || code === '28000') return 'locked out';
  return 'absent';
}
