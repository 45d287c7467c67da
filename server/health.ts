import { Router } from 'express';
import type { Pool } from 'pg';

/** Whether the server wants to be asked: false from the moment it is told to stop. */
export type Draining = { isDraining: boolean };

/**
 * `/healthz`: the process lives; it never asks the database. `/readyz`: requests can be served, that
 * is, a connection is to be had, the schema is there, and nobody has told the server to stop.
 */
export function createHealthRouter(pool: Pool, state: Draining): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const reason = state.isDraining ? 'draining' : await faultOf(pool);
    if (reason !== null) response.setHeader('retry-after', '1');
    response
      .status(reason === null ? 200 : 503)
      .json(reason === null ? { status: 'ready' } : { status: 'not ready', reason });
  });
  return router;
}

async function faultOf(pool: Pool): Promise<'database' | 'migrations' | null> {
  try {
    const { rows } = await pool.query<{ is_migrated: boolean }>(
      // The login itself may not even look into the schema; the catalog is open to everybody.
      `select exists (
         select from pg_catalog.pg_class as class
         join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
         where namespace.nspname = 'app_public' and class.relname = 'appointment') as is_migrated`,
    );
    return rows[0]?.is_migrated === true ? null : 'migrations';
  } catch {
    return 'database';
  }
}
