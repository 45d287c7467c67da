// Every run of a job leaves its record, whatever becomes of it.
import { randomUUID } from 'node:crypto';
import { type Runner, run } from 'graphile-worker';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import {
  createRecorder,
  describeError,
  type JobOnRecord,
  machinery,
} from '../../worker/job-run.ts';
import { addJobs, type NewJob, type Queryable } from '../../worker/jobs.ts';
import { deliveryOf } from '../../worker/outbox.ts';
import { PayloadError } from '../../worker/payloads.ts';
import { createTaskList } from '../../worker/task-list.ts';
import { committedAs } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import {
  jobsIn,
  keepLog,
  startAfresh,
  stopCrontab,
  surroundingsOf,
  until,
  workFor,
} from './workplace.ts';

const database = await createDatabase();
const { ownerPool, workerUrl } = database;

beforeEach(async () => {
  await startAfresh(ownerPool);
  await stopCrontab(ownerPool);
  await ownerPool.query(
    `delete from app_public.job_run; delete from app_private.job_state; delete from app_private.job_hour;
     delete from app_public.notification where event like 'job%'`,
  );
});

const cron = (ts = new Date().toISOString()) => ({ _cron: { ts } });

type RunRow = {
  hospital_id: string;
  job: string;
  outcome: string;
  started_by: string;
  items: number | null;
  hospitals: number;
  hospitals_done: number;
  items_done: number;
  error_code: string | null;
  error: string | null;
  worker_id: string | null;
};

async function runsOf(job: string): Promise<RunRow[]> {
  const { rows } = await ownerPool.query<RunRow>(
    'select * from app_public.job_run where job = $1 order by id',
    [job],
  );
  return rows;
}

/** A connection and a recorder as a job gets them; the same connection for each. */
async function recording(beatMs?: number) {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-recorder', log });
  onTestFinished(() => pool.end());
  const recorder = createRecorder(log, beatMs);
  const helpers = {
    job: { locked_by: 'this worker', attempts: 1 },
    query: (text: string, values?: unknown[]) => pool.query(text, values),
    async withPgClient<T>(work: (db: Queryable) => Promise<T>) {
      const client = await pool.connect();
      try {
        return await work(client);
      } finally {
        client.release();
      }
    },
  } as unknown as Parameters<typeof recorder.record>[1];
  const job = (name: string, more: Partial<JobOnRecord> = {}): JobOnRecord => ({
    name,
    hospitalId: machinery,
    startedBy: 'cron',
    runId: null,
    addedBy: null,
    ...more,
  });
  return { recorder, helpers, job, lines };
}

test('a run by the clock leaves who ran it, how it ended and what it did', async () => {
  await workFor(workerUrl);
  await addJobs(ownerPool, [{ task: 'sweep_lapsed_holds', payload: cron(), key: 'sweep' }]);
  const run = await until(async () =>
    (await runsOf('sweep_lapsed_holds')).find(({ outcome }) => outcome === 'succeeded'),
  );
  expect(run).toMatchObject({ hospital_id: machinery, started_by: 'cron', items: 0, error: null });
  expect(run.worker_id).toMatch(/\w{6}/);
});

test('a run is there while it works, and its failure stays though its work is undone', async () => {
  const { recorder, helpers, job } = await recording();
  const attempt = recorder.record(job('plan_night'), helpers, async (db) => {
    expect(await runsOf('plan_night')).toMatchObject([{ outcome: 'running' }]);
    await db.query('select 1 / 0');
    return undefined;
  });
  await expect(attempt).rejects.toMatchObject({ code: '22012' });
  expect(await runsOf('plan_night')).toMatchObject([
    { outcome: 'failed', error_code: '22012', error: 'The database refused it (22012).' },
  ]);
});

test('a failure is recorded though the connection of the work is gone', async () => {
  const { recorder, helpers, job } = await recording();
  const attempt = recorder.record(job('sweep_waitlist'), helpers, async (db) => {
    await db.query('select pg_terminate_backend(pg_backend_pid())');
    return undefined;
  });
  await expect(attempt).rejects.toThrow();
  expect(await runsOf('sweep_waitlist')).toMatchObject([{ outcome: 'failed' }]);
});

test('a payload that is not valid is a run that failed', async () => {
  await workFor(workerUrl);
  await ownerPool.query(
    `select graphile_worker.add_job('archive_past_years', '{"hospital_id": "nonsense"}')`,
  );
  const [run] = await until(async () => {
    const runs = await runsOf('archive_past_years');
    return runs[0]?.outcome === 'failed' && runs;
  });
  expect(run).toMatchObject({ hospital_id: machinery, error_code: 'PayloadError' });
});

test('jobs of a hospital that are frequent are counted, not listed', async () => {
  const hospital = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  const { recorder, helpers, job } = await recording();
  const mine = { hospitalId: hospital.id, startedBy: 'event' as const };
  for (const items of [2, 3]) {
    await recorder.record(job('offer_seats', mine), helpers, async () => ({ items }));
  }
  expect(await runsOf('offer_seats')).toEqual([]);
  const { rows } = await ownerPool.query(
    'select hospital_id, job, runs, items::integer from app_private.job_hour',
  );
  expect(rows).toEqual([{ hospital_id: hospital.id, job: 'offer_seats', runs: 2, items: 5 }]);
});

test('one that takes long gets a row of its own, and beats while its queries come back', async () => {
  const hospital = await createHospital(ownerPool);
  const { recorder, helpers, job } = await recording(20);
  const mine = { hospitalId: hospital.id, startedBy: 'event' as const };
  const beaten = async () => {
    const { rows } = await ownerPool.query<{ is_beating: boolean }>(
      'select heartbeat_at > started_at as is_beating from app_public.job_run',
    );
    return rows[0]?.is_beating;
  };
  await recorder.record(job('generate_slots', mine), helpers, async (db) => {
    await until(async () => {
      await db.query('select 1');
      return beaten();
    });
    return { items: 1 };
  });
  expect(await runsOf('generate_slots')).toMatchObject([{ outcome: 'succeeded', items: 1 }]);
});

test('one that waits for nothing in the database shows no sign of life', async () => {
  const { recorder, helpers, job } = await recording(10);
  const silent = recorder.record(job('plan_night'), helpers, async () => {
    // Ten beats would have passed; that none came is what counts.
    const { rows: before } = await ownerPool.query('select heartbeat_at from app_public.job_run');
    let ticks = 0;
    await until(() => {
      ticks += 1;
      return ticks > 5;
    });
    const { rows: after } = await ownerPool.query('select heartbeat_at from app_public.job_run');
    expect(after).toEqual(before);
    return undefined;
  });
  await silent;
});

test('what never runs twice at once is skipped while it runs, and runs again when its worker is gone', async () => {
  const { recorder, helpers, job } = await recording();
  const done: string[] = [];
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const first = recorder.record(job('sweep_waitlist'), helpers, async () => {
    begun.resolve();
    await go.promise;
    done.push('first');
    return undefined;
  });
  await begun.promise;
  await recorder.record(job('sweep_waitlist'), helpers, async () => {
    done.push('second');
    return undefined;
  });
  go.resolve();
  await first;
  await recorder.record(job('sweep_waitlist'), helpers, async () => {
    done.push('third');
    return undefined;
  });
  expect(done).toEqual(['first', 'third']);
  expect((await runsOf('sweep_waitlist')).map(({ outcome }) => outcome)).toEqual([
    'succeeded',
    'skipped',
    'succeeded',
  ]);
  const { rows } = await ownerPool.query(
    "select count(*)::int as locks from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
  );
  expect(rows).toEqual([{ locks: 0 }]);
});

test('a run that hangs and holds its lock is told, though no run after it can begin', async () => {
  await createHospital(ownerPool);
  const { recorder, helpers, job } = await recording();
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const hanging = recorder.record(job('sweep_waitlist'), helpers, async () => {
    begun.resolve();
    await go.promise;
    return undefined;
  });
  await begun.promise;
  await ownerPool.query(
    "update app_public.job_run set heartbeat_at = now() - interval '6 minutes'",
  );
  await ownerPool.query(
    'select app_private.settle_stuck_run(hospital_id, id) from app_public.job_run',
  );
  const never = async () => {
    throw new Error('it began');
  };
  for (let times = 1; times <= 2; times += 1) {
    await recorder.record(job('sweep_waitlist'), helpers, never);
  }
  expect((await runsOf('sweep_waitlist')).map(({ outcome }) => outcome)).toEqual(
    Array(3).fill('stuck'),
  );
  const { rows } = await ownerPool.query(
    "select distinct event from app_public.notification where event like 'job%'",
  );
  expect(rows).toEqual([{ event: 'job_failing' }]);
  go.resolve();
  await hanging;
  const { rows: after } = await ownerPool.query(
    "select event from app_public.notification where event = 'job_recovered'",
  );
  expect(after.length).toBeGreaterThan(0);
});

async function asked(hospital: TestHospital, job: string): Promise<string> {
  return committedAs(ownerPool, hospital.admin, async (db) => {
    const { rows } = await db.query('select (app_public.run_job(job => $1)).id', [job]);
    return rows[0].id;
  });
}

test('a run that cannot begin leaves no lock behind', async () => {
  const { recorder, helpers, job } = await recording();
  await ownerPool.query(
    'alter table app_public.job_run add constraint nobody_begins_now check (false) not valid',
  );
  onTestFinished(async () => {
    await ownerPool.query(
      'alter table app_public.job_run drop constraint if exists nobody_begins_now',
    );
  });
  const work = async () => ({ items: 1 });
  await expect(recorder.record(job('sweep_waitlist'), helpers, work)).rejects.toMatchObject({
    code: '23514',
  });
  await ownerPool.query('alter table app_public.job_run drop constraint nobody_begins_now');
  const other = await recording();
  await other.recorder.record(other.job('sweep_waitlist'), other.helpers, work);
  expect((await runsOf('sweep_waitlist')).map(({ outcome }) => outcome)).toEqual(['succeeded']);
});

test('the nights remove old runs of hospitals and, in that of UTC, of the machinery', async () => {
  const { recorder, helpers, job } = await recording();
  const run = async (hospitalId: string, name: string) => {
    await recorder.record(job(name, { hospitalId }), helpers, async () => ({ items: 1 }));
  };
  await run(machinery, 'sweep_waitlist');
  await ownerPool.query(
    `alter table app_public.job_run disable trigger user;
     update app_public.job_run set created_at = now() - interval '31 days';
     alter table app_public.job_run enable trigger user`,
  );
  await workFor(workerUrl);
  await addJobs(ownerPool, [
    { task: 'plan_night', payload: cron('2026-11-21T02:00:00Z'), key: 'night' },
  ]);
  await until(async () => {
    const { rows } = await ownerPool.query(
      "select from app_public.job_run where job = 'sweep_waitlist' and created_at < now() - interval '30 days'",
    );
    return rows.length === 0;
  });
});

test('a run that an admin asked for runs, and can be watched to its end', async () => {
  const hospital = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  await workFor(workerUrl);
  const id = await asked(hospital, 'generate_slots');
  const run = await until(async () => {
    const { rows } = await ownerPool.query('select * from app_public.job_run where id = $1', [id]);
    return rows[0]?.outcome === 'succeeded' && rows[0];
  });
  expect(run).toMatchObject({ started_by: 'manual', requested_by: hospital.admin.accountId });
  expect(run.items).toBeGreaterThan(100);
});

test('a run that no worker takes is told as stuck; so is one of a worker that died', async () => {
  const hospital = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  const id = await asked(hospital, 'expire_waits');
  await ownerPool.query('delete from app_private.outbox');
  await ownerPool.query(
    `insert into app_public.job_run (hospital_id, job, started_by, outcome, started_at, heartbeat_at, worker_id)
     values ($1, 'archive_past_years', 'event', 'running', now() - interval '1 hour', now() - interval '6 minutes', 'dead')`,
    [hospital.id],
  );
  await ownerPool.query(
    `alter table app_public.job_run disable trigger user;
     update app_public.job_run set created_at = now() - interval '6 minutes';
     alter table app_public.job_run enable trigger user`,
  );
  await workFor(workerUrl);
  await addJobs(ownerPool, [{ task: 'sweep_stuck_jobs', payload: cron(), key: 'sweep' }]);
  // They are settled one after the other; the sweep has ended when both are.
  await until(async () =>
    (await runsOf('sweep_stuck_jobs')).some(
      ({ outcome, items }) => outcome === 'succeeded' && items === 2,
    ),
  );
  expect(await runsOf('archive_past_years')).toMatchObject([{ outcome: 'stuck' }]);
  const { rows } = await ownerPool.query(
    'select outcome, error from app_public.job_run where id = $1',
    [id],
  );
  expect(rows).toEqual([{ outcome: 'stuck', error: 'No worker has taken it.' }]);
});

test('three failures by the queue are told while it goes on trying', async () => {
  const hospital = await createHospital(ownerPool);
  await ownerPool.query(`
    create function app_private.break_sessions() returns trigger language plpgsql as
      $$ begin raise exception 'secret of a patient'; end $$;
    create trigger sessions_are_broken before delete on app_private.session
      for each row execute function app_private.break_sessions()`);
  onTestFinished(async () => {
    await ownerPool.query('drop function app_private.break_sessions() cascade');
  });
  await ownerPool.query(
    `insert into app_private.session (hospital_id, account_id, expires_at)
     values ($1, $2, now() - interval '1 year')`,
    [hospital.id, hospital.admin.accountId],
  );
  const { lines } = await workFor(workerUrl);
  const again = async () => {
    await addJobs(ownerPool, [
      {
        task: 'remove_old_sessions',
        payload: { hospital_id: hospital.id },
        key: 'again',
      } satisfies NewJob,
    ]);
  };
  for (let times = 1; times <= 3; times += 1) {
    await again();
    await until(async () => (await runsOf('remove_old_sessions')).length >= times);
  }
  const notification = await until(async () => {
    const { rows } = await ownerPool.query(
      "select account_id, body from app_public.notification where event = 'job_failing'",
    );
    return rows[0];
  });
  expect(notification.account_id).toBe(hospital.admin.accountId);
  const text = JSON.stringify([await runsOf('remove_old_sessions'), notification]);
  expect(text).not.toContain('secret');
  expect(lines.length).toBeGreaterThan(0);
});

test('two workers of one crontab: each minute is run once', async () => {
  const { log } = keepLog('silent');
  const ran: string[] = [];
  const runners: Runner[] = [];
  onTestFinished(async () => {
    for (const runner of runners) await runner.stop();
  });
  const options = {
    connectionString: workerUrl,
    concurrency: 1,
    pollInterval: 50,
    noHandleSignals: true,
    taskList: {
      ...createTaskList(log, surroundingsOf()),
      sweep_waitlist: async (payload: unknown) =>
        void ran.push((payload as { _cron: { ts: string } })._cron.ts),
    },
    // Backfilled: the minutes that have just passed, which both of them find missing.
    crontab: '* * * * * sweep_waitlist ?fill=3m',
  };
  await ownerPool.query(
    `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
     values ('sweep_waitlist', now() - interval '1 hour', date_trunc('minute', now()) - interval '3 minutes')
     on conflict (identifier) do update set last_execution = excluded.last_execution, known_since = excluded.known_since`,
  );
  runners.push(await run(options), await run(options));
  await until(() => ran.length >= 2);
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect(ran.length).toBe(new Set(ran).size);
});

test('what a run that was asked for adds reports back to it', async () => {
  const hospitals = [await createHospital(ownerPool), await createHospital(ownerPool)];
  await startAfresh(ownerPool);
  for (const hospital of hospitals) {
    await ownerPool.query(
      `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
       values ($1, $2, $3, tstzrange(now() + interval '1 minute', now() + interval '31 minutes'), 'requested')`,
      [hospital.id, hospital.doctorIds[0], hospital.patientIds[0]],
    );
  }
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('1 hour')");
  onTestFinished(async () => void (await ownerPool.query('delete from app_private.clock_shift')));
  await workFor(workerUrl);
  await ownerPool.query("select app_private.request_job('sweep_lapsed_requests')");
  const run = await until(async () =>
    (await runsOf('sweep_lapsed_requests')).find(
      ({ outcome, hospitals_done }) => outcome === 'succeeded' && hospitals_done === 2,
    ),
  );
  expect(run).toMatchObject({ started_by: 'external', hospitals: 2, items: 2, items_done: 2 });
});

test('the relay makes a job of what was asked for, and leaves out what it does not know', () => {
  const message = (job: string, hospital_id: string) => ({
    hospital_id,
    topic: 'job',
    payload: { job, run_id: randomUUID() },
  });
  const hospitalId = randomUUID();
  const { jobs } = deliveryOf([
    message('expire_waits', hospitalId),
    message('generate_slots', hospitalId),
    message('sweep_waitlist', machinery),
    message('polish_the_floor', hospitalId),
    { ...message('expire_waits', hospitalId), payload: { job: 'expire_waits', run_id: 'x' } },
  ]);
  expect(jobs.map(({ task, payload }) => [task, payload])).toEqual([
    ['expire_waits', { hospital_id: hospitalId }],
    ['generate_slots', { hospital_id: hospitalId, doctor_id: null }],
    ['sweep_waitlist', { _cron: { ts: expect.any(String) } }],
  ]);
});

test('errors are told without data', () => {
  expect(
    describeError(new PayloadError('expire_waits', ['hospital_id must be a uuid']))[2],
  ).toContain('hospital_id must be a uuid');
  const own = Object.assign(new Error('Meera Pillai'), { code: 'ECONNREFUSED' });
  expect(describeError(own)).toEqual([
    'ECONNREFUSED',
    null,
    "It failed (ECONNREFUSED); the worker's log says more.",
  ]);
  expect(JSON.stringify(describeError('Meera Pillai'))).not.toContain('Meera');
});
