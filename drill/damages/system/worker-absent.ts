import type { Damage } from '../../damage.ts';
import { beat, theSystem } from './machinery.ts';

export const workerAbsent: Damage = {
  check: 'worker_absent',
  story: 'The only worker was killed two minutes ago and did not come back.',
  ends: 'told',
  async inflict(db) {
    await db.query('delete from app_private.worker_heartbeat');
    await db.query("delete from app_private.process_heartbeat where kind = 'worker'");
    await beat(db, 'worker', { ago: '2 minutes' });
    return theSystem;
  },
  async nearMiss(db) {
    await beat(db, 'worker', { ago: '50 seconds' });
  },
};
