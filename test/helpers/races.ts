import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { become } from './actors.ts';
import type { Actor } from './hospital.ts';
import { scenarioOf } from './refusals.ts';

/** A connection with a transaction of its own, in a race. */
export type Racer = {
  db: PoolClient;
  /** Process id of its backend. */
  pid: number;
  /** Commits, and gives the connection back. */
  commit(): Promise<void>;
  /** Rolls back, and gives the connection back; does nothing after a commit. */
  end(): Promise<void>;
};

/** Opens a transaction on a connection of its own: as this actor, or as the owner. */
export async function startRacer(pool: Pool, actor?: Actor): Promise<Racer> {
  const db = await pool.connect();
  await db.query('begin');
  const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
  if (actor) await become(db, actor);
  let isOver = false;
  const finish = async (statement: string) => {
    if (isOver) return;
    isOver = true;
    try {
      await db.query(statement);
    } finally {
      db.release();
    }
  };
  return {
    db,
    pid: rows[0]?.pid ?? 0,
    commit: () => finish('commit'),
    end: () => finish('rollback'),
  };
}

/** Runs `story` with as many racers as it starts; whatever it leaves open is rolled back. */
export async function race<T>(
  pool: Pool,
  story: (start: (actor?: Actor) => Promise<Racer>) => Promise<T>,
): Promise<T> {
  const racers: Racer[] = [];
  try {
    return await story(async (actor) => {
      const racer = await startRacer(pool, actor);
      racers.push(racer);
      return racer;
    });
  } finally {
    for (const racer of racers) await racer.end();
  }
}

/**
 * Waits until the backend waits for a lock, and returns the backends that it waits for. Fails after
 * half a minute, and at once when `attempt` ends without having waited.
 */
export async function untilBlocked(
  pool: Pool,
  pid: number,
  attempt?: Promise<unknown>,
): Promise<number[]> {
  let hasEnded = false;
  attempt?.then(
    () => {
      hasEnded = true;
    },
    () => {
      hasEnded = true;
    },
  );
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { rows } = await pool.query<{ blockers: number[] }>(
      `select pg_blocking_pids(pid) as blockers from pg_stat_activity
       where pid = $1 and wait_event_type = 'Lock'`,
      [pid],
    );
    if (rows[0] && rows[0].blockers.length > 0) return rows[0].blockers;
    if (hasEnded) throw new Error(`backend ${pid} ended without waiting for a lock`);
    if (Date.now() > deadline) throw new Error(`backend ${pid} never waited for a lock`);
    await delay(2);
  }
}

/** Waits until the backend is gone. */
export async function untilGone(pool: Pool, pid: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { rows } = await pool.query('select from pg_stat_activity where pid = $1', [pid]);
    if (rows.length === 0) return;
    if (Date.now() > deadline) throw new Error(`backend ${pid} never went away`);
    await delay(2);
  }
}

/** `done`, the scenario of the refusal, or the SQLSTATE of a raw error. */
export function outcomeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(() => 'done', scenarioOf);
}

/** A row that somebody may have locked: the table, and the columns that find it. */
export type LockableRow = { table: string; where: Readonly<Record<string, unknown>> };

/** Whether a transaction other than `pool`'s own holds this row, as an update of it would. */
export async function isLocked(pool: Pool, { table, where }: LockableRow): Promise<boolean> {
  const conditions = Object.keys(where).map((column, index) => `${column} = $${index + 1}`);
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rowCount } = await client.query(
      `select from app_public.${table} where ${conditions.join(' and ')} for no key update nowait`,
      Object.values(where),
    );
    if (rowCount !== 1) throw new Error(`${table} has ${rowCount} such rows`);
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') return true;
    throw error;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** Locks a row as an update of it would, until the racer's transaction ends. */
export async function lockRow(racer: Racer, { table, where }: LockableRow): Promise<void> {
  const conditions = Object.keys(where).map((column, index) => `${column} = $${index + 1}`);
  await racer.db.query(
    `select from app_public.${table} where ${conditions.join(' and ')} for no key update`,
    Object.values(where),
  );
}
