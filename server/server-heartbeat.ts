import type { Pool } from 'pg';
import type { Log } from '../platform/log.ts';
import { withTransaction } from '../platform/pool.ts';
import { type ProcessHeartbeat, startProcessHeartbeat } from '../platform/process-heartbeat.ts';

/** Notes every ten seconds that this server lives, and how far its clock is from the database's. */
export function startServerHeartbeat(options: {
  pool: Pool;
  log: Log;
  environment: string;
}): ProcessHeartbeat {
  const { environment, log, pool } = options;
  return startProcessHeartbeat({
    kind: 'server',
    environment,
    log,
    tell: ({ driftMs, kind, processId, uncertaintyMs }) =>
      withTransaction(pool, { role: 'app_login' }, async (client) => {
        const { rows } = await client.query<{ at: Date }>(
          `select app_private.beat_process(
             process_id => $1::text, kind => $2::text, environment => $3::text,
             drift_ms => $4::integer, uncertainty_ms => $5::integer) as at`,
          [processId, kind, environment, driftMs, uncertaintyMs],
        );
        return rows[0]?.at ?? new Date();
      }),
  });
}
