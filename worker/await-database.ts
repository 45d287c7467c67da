import pg from 'pg';
import type { Log } from '../platform/log.ts';
import { pause } from './connection.ts';

/** What the worker needs, and what to say while it is not there. */
const needs = `
  select pg_catalog.to_regprocedure('app_private.claim_outbox(text[],integer)') is not null
     and pg_catalog.to_regprocedure('app_private.record_heartbeat(text)') is not null
     and pg_catalog.to_regclass('app_public.job_run') is not null
     and pg_catalog.to_regprocedure('app_private.write_log(jsonb)') is not null
     and pg_catalog.to_regclass('graphile_worker._private_jobs') is not null as is_migrated`;

const shortestPauseMs = 250;
const longestPauseMs = 5_000;

/**
 * Waits until the database is there and migrated, as long as it takes or until the signal comes. Says
 * what it waits for, once, and again when that changes.
 */
export async function awaitDatabase(url: string, log: Log, signal: AbortSignal): Promise<void> {
  let said: string | undefined;
  for (
    let pauseMs = shortestPauseMs;
    !signal.aborted;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  ) {
    const { obstacle, error } = await obstacleOf(url);
    if (obstacle === undefined) return;
    if (obstacle !== said) log.warn(error ? { err: error } : {}, obstacle);
    said = obstacle;
    await pause(pauseMs, signal);
  }
}

async function obstacleOf(url: string): Promise<{ obstacle?: string; error?: unknown }> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'slotkeeper-worker',
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ is_migrated: boolean }>(needs);
    if (rows[0]?.is_migrated) return {};
    return { obstacle: 'waiting for the migrations of the database: npm run migrate' };
  } catch (error) {
    return { obstacle: 'waiting for the database', error };
  } finally {
    await client.end().catch(() => {});
  }
}
