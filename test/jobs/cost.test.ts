// Looking after jobs costs as much as is open or due, however many runs are stored.
import { expect, test } from 'vitest';
import { tasks } from '../../worker/task-list.ts';
import { rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { readingOf, watchPlans } from '../performance/plans.ts';
import { keepLog, surroundingsOf } from '../worker/workplace.ts';
import { begin, machinery } from './recording.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const jobs = ['sweep_lapsed_holds', 'sweep_waitlist', 'plan_night', 'report_unknown_topics'];
const runs = 40_000;

test('a sweep, a night and a look at the health read no table of runs as a whole', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('alter table app_public.job_run disable trigger user');
    await db.query(
      `insert into app_public.job_run (hospital_id, job, started_by, outcome, created_at, started_at, finished_at)
       select $1, ($2::text[])[mod_of.number % 4 + 1], 'cron', 'succeeded', at.at, at.at, at.at
         from generate_series(1, $3::integer) as mod_of (number)
        cross join lateral (select now() - make_interval(mins => mod_of.number) as at) as at`,
      [machinery, jobs, runs],
    );
    await db.query('alter table app_public.job_run enable trigger user');
    await db.query(
      `insert into app_private.job_state (hospital_id, job, consecutive_failures, last_started_at, last_finished_at, last_outcome)
       select $1, job, 0, now(), now(), 'succeeded' from unnest($2::text[]) as job`,
      [machinery, jobs],
    );
    await db.query(
      `insert into app_private.job_hour (hospital_id, job, hour, runs, failures, items, total_ms, longest_ms)
       select $1, job, date_trunc('hour', now()) - make_interval(hours => number), 60, 0, 0, 0, 0
         from unnest($2::text[]) as job, generate_series(0, 719) as number`,
      [machinery, jobs],
    );
    const stuck = await begin(db, machinery, 'plan_night', '1 hour');
    await db.query('analyze app_public.job_run; analyze app_private.job_hour');
    await watchPlans(db);
    const { log } = keepLog();
    const reading = await readingOf(db, async () => {
      expect(
        await tasks.sweep_stuck_jobs({ _cron: { ts: '' } }, { ...surroundingsOf(), db, log }),
      ).toEqual({
        items: 1,
      });
      await db.query('select * from app_private.job_health($1)', [machinery]);
      await db.query('select * from app_private.job_health($1)', [hospital.id]);
      const { rows } = await db.query('select app_private.remove_old_job_runs($1) as removed', [
        machinery,
      ]);
      // 43,200 minutes are 30 days: nothing is due.
      expect(rows).toEqual([{ removed: 0 }]);
    });
    const whole = reading.wholeTables.map(({ table }) => table);
    expect(whole.filter((table) => table === 'job_run' || table === 'job_hour')).toEqual([]);
    expect(reading.most.get('job_run')?.rows).toBeLessThanOrEqual(100);
    expect(reading.most.get('job_hour')?.rows).toBeLessThanOrEqual(4 * 169);
    const { rows } = await db.query('select outcome from app_public.job_run where id = $1', [
      stuck,
    ]);
    expect(rows).toEqual([{ outcome: 'stuck' }]);
  }));
