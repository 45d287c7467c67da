import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { beat, startHeartbeat } from '../../worker/heartbeat.ts';
import { createDatabase } from '../helpers/database.ts';
import {
  jobsIn,
  keepLog,
  startAfresh,
  stopCrontab,
  until,
  untilLocked,
  workFor,
} from './workplace.ts';

const { ownerPool, workerUrl } = await createDatabase();

beforeEach(async () => {
  await startAfresh(ownerPool);
  await stopCrontab(ownerPool);
  await ownerPool.query('delete from app_private.worker_heartbeat');
});

async function workers(): Promise<string[]> {
  const { rows } = await ownerPool.query<{ worker_id: string }>(
    'select worker_id from app_private.worker_heartbeat order by worker_id',
  );
  return rows.map(({ worker_id }) => worker_id);
}

/** A worker that beat so long ago, with one job in a queue locked under its name. */
async function workerThatBeat(ago: string, workerId: string): Promise<void> {
  await ownerPool.query(
    `insert into app_private.worker_heartbeat values ($1, now() - interval '1 hour', now() - $2::interval)`,
    [workerId, ago],
  );
  await ownerPool.query(
    `select graphile_worker.add_job('report_unknown_topics', '{"_cron": {"ts": "2026-11-20T00:00:00Z"}}',
       queue_name => $1, job_key => $1)`,
    [workerId],
  );
  await ownerPool.query(
    `with queue as (
       update graphile_worker._private_job_queues set locked_at = now(), locked_by = $1 where queue_name = $1)
     update graphile_worker._private_jobs set locked_at = now(), locked_by = $1, attempts = 1 where key = $1`,
    [workerId],
  );
}

async function locks(): Promise<string[]> {
  const { rows } = await ownerPool.query<{ lock: string }>(
    `select 'job of ' || locked_by as lock from graphile_worker._private_jobs where locked_by is not null
     union all
     select 'queue of ' || locked_by from graphile_worker._private_job_queues where locked_by is not null
     order by 1`,
  );
  return rows.map(({ lock }) => lock);
}

function heart(workerId = 'living') {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-heart', log });
  onTestFinished(() => pool.end());
  return { pool, log, lines, workerId };
}

test('a beat buries the dead and unlocks what they held, and leaves the living alone', async () => {
  await workerThatBeat('61 seconds', 'dead');
  await workerThatBeat('50 seconds', 'slow');
  const living = heart();
  await beat(living);
  expect(await workers()).toEqual(['living', 'slow']);
  expect(await locks()).toEqual(['job of slow', 'queue of slow']);
  expect(living.lines).toMatchObject([{ level: 40, workers: ['dead'] }]);
});

test('the time that passes counts, not the clock that is rehearsed', async () => {
  await workerThatBeat('1 second', 'other');
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('1 day')");
  await beat(heart());
  await ownerPool.query('delete from app_private.clock_shift');
  expect(await workers()).toEqual(['living', 'other']);
});

test('the job of a dead worker is done by another one, right from its start', async () => {
  await workerThatBeat('5 minutes', 'dead');
  await workFor(workerUrl);
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect(await locks()).toEqual([]);
});

test('workers side by side bury the dead together', async () => {
  for (const number of [1, 2, 3, 4]) await workerThatBeat('5 minutes', `dead ${number}`);
  const hearts = ['one', 'other', 'third'].map((id) => heart(id));
  await Promise.all(hearts.map((each) => beat(each)));
  expect(await workers()).toEqual(['one', 'other', 'third']);
  expect(await locks()).toEqual([]);
  const buried = hearts.flatMap(({ lines }) => lines.flatMap((line) => line.workers as string[]));
  expect(buried.sort()).toEqual(['dead 1', 'dead 2', 'dead 3', 'dead 4']);
});

test('nobody takes a job on an old beat: after a sleep the next beat comes first', async () => {
  const beating = await startHeartbeat(heart());
  onTestFinished(() => beating.stop());
  await expect(beating.fresh()).resolves.toBeUndefined();
  const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 31_000);
  onTestFinished(() => void now.mockRestore());
  let isFresh = false;
  const fresh = beating.fresh().then(() => {
    isFresh = true;
  });
  await ownerPool.query('select 1');
  expect(isFresh).toBe(false);
  beating.letGo();
  await fresh;
});

test('a worker takes no job before its heartbeat is noted, and has no heartbeat when it has stopped', async () => {
  const blocker = await ownerPool.connect();
  await blocker.query('begin; lock table app_private.worker_heartbeat in access exclusive mode');
  const opening = workFor(workerUrl);
  await untilLocked(ownerPool, 'slotkeeper-worker');
  await ownerPool.query(
    `select graphile_worker.add_job('report_unknown_topics', '{"_cron": {"ts": "2026-11-20T00:00:00Z"}}')`,
  );
  for (let looks = 0; looks < 50; looks += 1) {
    expect(await jobsIn(ownerPool)).toMatchObject([{ locked_by: null, attempts: 0 }]);
  }
  await blocker.query('commit');
  blocker.release();
  const { worker } = await opening;
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect(await workers()).toHaveLength(1);
  await worker.stop();
  expect(await workers()).toEqual([]);
});
