import type { ClientBase, Pool, PoolClient } from 'pg';
import { aside, rolledBack } from './actors.ts';
import type { OpenHospital } from './hospital.ts';
import { nth } from './nth.ts';

/**
 * Lets the clock of a file's own database stand at noon (UTC) tomorrow to begin with, and go on from
 * there: tests that count days from today never see a midnight between them and their hospital.
 */
export async function beginAtNoon(pool: Pool): Promise<void> {
  await pool.query(
    `insert into app_private.clock_shift (shift)
     select date_trunc('day', now(), 'UTC') + interval '36 hours' - now()`,
  );
}

/** Sets the clock of the system to this instant (ISO 8601) for the rest of the transaction. */
export async function setClock(db: ClientBase, instant: Date | string): Promise<void> {
  await aside(db, () =>
    db.query(
      `insert into app_private.clock_shift (shift) values ($1::timestamptz - now())
       on conflict (is_single) do update set shift = excluded.shift`,
      [instant],
    ),
  );
}

/** Moves the clock on (or back) by an interval such as `5 minutes`, for the rest of the transaction. */
export async function moveClock(db: ClientBase, interval: string): Promise<void> {
  await aside(db, () =>
    db.query(
      `insert into app_private.clock_shift (shift) values ($1)
       on conflict (is_single) do update set shift = clock_shift.shift + excluded.shift`,
      [interval],
    ),
  );
}

/** The present instant as every rule sees it. */
export async function clockOf(db: ClientBase): Promise<Date> {
  const { rows } = await aside(db, () =>
    db.query<{ instant: Date }>('select app_private.clock() as instant'),
  );
  return rows[0]?.instant ?? new Date(Number.NaN);
}

/** Moves the clock to the start of a slot, or so long after it, for the rest of the transaction. */
export async function moveClockTo(db: ClientBase, slotId: string, later = '0'): Promise<void> {
  const { rows } = await aside(db, () =>
    db.query<{ instant: Date }>(
      'select starts_at + $2::interval as instant from app_public.slot where id = $1',
      [slotId, later],
    ),
  );
  await setClock(db, rows[0]?.instant ?? '');
}

/**
 * Runs `story` as `rolledBack` does, on the evening before the hospital's first slots: they are those of
 * tomorrow, also when midnight has passed since they were made.
 */
export function onTheEve<T>(
  pool: Pool,
  { slotIds }: OpenHospital,
  story: (db: PoolClient) => Promise<T>,
): Promise<T> {
  return rolledBack(pool, async (db) => {
    await moveClockTo(db, nth(slotIds, 0), '-12 hours');
    return story(db);
  });
}
