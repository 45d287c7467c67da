import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../../platform/pool.ts';
import type { Origin } from './origin.ts';

/** Runs `work` in a transaction of app_login, which knows from where the request comes. */
export function loginTransaction<T>(
  pool: Pool,
  { device, ipPrefix, requestId }: Origin,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const settings = {
    role: 'app_login',
    'claims.role': 'anonymous',
    'claims.request_id': requestId,
    'claims.ip_prefix': ipPrefix,
    'claims.device': device,
  };
  return withTransaction(pool, settings, work);
}
