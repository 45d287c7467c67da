import type { Damage } from '../../damage.ts';
import { aJob, letWorkerLive } from './machinery.ts';

const lastBegan = `
  update app_private.job_state set last_started_at = now() - $1::interval
  where hospital_id = app_private.machinery() and job = 'sweep_lapsed_holds'`;

export const overdueJob: Damage = {
  check: 'overdue_job',
  story: 'A worker lives, but its crontab was broken by a release: holds are swept no more.',
  ends: 'told',
  async inflict(db) {
    await letWorkerLive(db);
    await db.query(lastBegan, ['5 minutes']);
    return aJob;
  },
  async nearMiss(db) {
    await letWorkerLive(db);
    await db.query(lastBegan, ['2 minutes']);
  },
};
