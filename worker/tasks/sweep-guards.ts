import type { Task } from './task.ts';

/** Looks whether everything that protects the data is there and enabled; counts what is not. */
export const sweepGuards: Task<'sweep_guards'> = async (_payload, { db, log }) => {
  const { rows } = await db.query<{ count: number }>('select app_private.check_guards() as count');
  const items = rows[0]?.count ?? 0;
  if (items > 0) log.error({ guards: items }, 'guards of the database are missing');
  return { items };
};
