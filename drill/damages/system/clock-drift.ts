import type { Damage } from '../../damage.ts';
import { beat, theSystem } from './machinery.ts';

export const clockDrift: Damage = {
  check: 'clock_drift',
  story: 'The machine of a server has lost its time server, and its clock runs five seconds ahead.',
  ends: 'told',
  async inflict(db) {
    await beat(db, 'server', { driftMs: 5_000 });
    return theSystem;
  },
  async nearMiss(db) {
    // As far away, but as far as a slow answer leaves room for; and one that is dead.
    await beat(db, 'server', { driftMs: 5_000, uncertaintyMs: 4_000 });
    await beat(db, 'worker', { driftMs: 1_900 });
    await db.query(
      `update app_private.process_heartbeat set drift_ms = 90000, beaten_at = now() - interval '2 minutes'
       where kind = 'server'`,
    );
  },
};

export const forgottenShift: Damage = {
  check: 'clock_drift',
  story: 'A day was rehearsed in the database of production, and its clock was not put back.',
  ends: 'told',
  async inflict(db) {
    await beat(db, 'server', { environment: 'production' });
    await db.query(
      `insert into app_private.clock_shift (shift) values ('3 minutes')
       on conflict (is_single) do update set shift = excluded.shift`,
    );
    return theSystem;
  },
  async nearMiss(db) {
    await beat(db, 'server', { environment: 'development' });
    await db.query(
      `insert into app_private.clock_shift (shift) values ('3 minutes')
       on conflict (is_single) do update set shift = excluded.shift`,
    );
  },
};
