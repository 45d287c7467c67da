import type { ClientBase } from 'pg';
import type { Damage } from '../../damage.ts';
import { theSystem } from './machinery.ts';

/** So many runs of an operation, spread from then till then, of which so many failed. */
async function runs(
  db: ClientBase,
  hospitalId: string,
  { count, failed, from, till }: { count: number; failed: number; from: string; till: string },
): Promise<void> {
  await db.query(
    `insert into app_public.log_entry (hospital_id, kind, level, name, outcome, message, logged_at)
     select $1, 'operation', case when number <= $3 then 'error' else 'info' end::app_public.log_level,
       'freeSlots', case when number <= $3 then 'failed' else 'succeeded' end, 'freeSlots.',
       app_private.clock() - $4::interval + ($4::interval - $5::interval) * number / $2::integer
     from generate_series(1, $2::integer) as number`,
    [hospitalId, count, failed, from, till],
  );
}

const lastQuarter = { from: '10 minutes', till: '1 minute' };
const dayBefore = { from: '20 hours', till: '1 hour' };

export const errorSpike: Damage = {
  check: 'error_spike',
  story: 'Since a release one search fails for every fifth user, where it hardly ever failed.',
  ends: 'told',
  async inflict(db, { hospitalId }) {
    await runs(db, hospitalId, { count: 500, failed: 5, ...dayBefore });
    await runs(db, hospitalId, { count: 60, failed: 12, ...lastQuarter });
    return theSystem;
  },
  async nearMiss(db, { hospitalId }) {
    // Fails as often, but always did.
    await runs(db, hospitalId, { count: 500, failed: 60, ...dayBefore });
    await runs(db, hospitalId, { count: 60, failed: 12, ...lastQuarter });
  },
};
