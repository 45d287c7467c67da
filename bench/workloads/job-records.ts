import { Logger, runOnce, type TaskList } from 'graphile-worker';
import { createLog } from '../../platform/log.ts';
import { createRecorder, type JobOnRecord } from '../../worker/job-run.ts';
import { createHospital } from '../harness/hospital.ts';
import { type Comparison, compareInTurns, type LoadRun } from '../harness/load.ts';
import { openPool } from '../harness/pool.ts';
import type { Bench, Workload } from '../harness/workload.ts';

const concurrency = 4;

/**
 * What the record of a run costs: jobs of the queue that do nothing at all, in three manners. No real job
 * does nothing, so this is the dearest that a record can be.
 */
export const jobRecords: Workload = {
  name: 'job-records',
  title: 'jobs that do nothing, recorded, against the same jobs without a record',
  async run(bench) {
    const { isSmall, owner, urls } = bench;
    const rounds = isSmall ? 2 : 5;
    const jobs = isSmall ? 50 : 1_000;
    const { id } = await createHospital(owner, { doctors: 1, days: 1, patients: 1 });
    const pool = openPool(urls.workerUrl, 3 * concurrency + 4);
    const recorder = createRecorder(createLog({ name: 'bench', level: 'warn' }));
    const recorded =
      (name: string): TaskList[string] =>
      async (_payload, helpers) => {
        const job: JobOnRecord = {
          name,
          hospitalId: id,
          startedBy: 'event',
          runId: null,
          addedBy: null,
        };
        await recorder.record(job, helpers, async () => ({ items: 1 }));
      };
    const bare: TaskList[string] = (_payload, { withPgClient }) => withPgClient(async () => {});
    const run = (task: TaskList[string] | undefined) => runJobs(bench, pool, jobs, task ?? bare);
    try {
      await run(recorded('offer_seats'));
      const counted = await compareInTurns(
        rounds,
        () => run(recorded('offer_seats')),
        () => run(bare),
      );
      const listed = await compareInTurns(
        rounds,
        () => run(recorded('remove_old_sessions')),
        () => run(bare),
      );
      return {
        size: `${rounds} rounds of ${jobs} jobs, ${concurrency} at a time`,
        measurements: [
          { what: 'counted by the hour', rate: counted.ours.rate, note: noteOf(counted) },
          { what: 'a row each', rate: listed.ours.rate, note: noteOf(listed) },
          { what: 'without a record', rate: counted.yardstick.rate },
        ],
        faults: await faultsOf(bench, id, (rounds + 1) * jobs, rounds * jobs),
      };
    } finally {
      await pool.end();
    }
  },
};

async function runJobs(
  { owner }: Bench,
  pool: ReturnType<typeof openPool>,
  jobs: number,
  task: NonNullable<TaskList[string]>,
): Promise<LoadRun> {
  await owner.query(
    "select graphile_worker.add_job('nothing') from pg_catalog.generate_series(1, $1::integer)",
    [jobs],
  );
  const startedAt = performance.now();
  await runOnce({
    pgPool: pool,
    concurrency,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: { nothing: task },
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  });
  const elapsedMs = performance.now() - startedAt;
  return { elapsedMs, tookMs: Array.from({ length: jobs }, () => elapsedMs / jobs) };
}

function noteOf({ ours, yardstick, ratio }: Comparison): string {
  const added = 1_000 / ours.rate - 1_000 / yardstick.rate;
  return `${added.toFixed(2)} ms more a job; ${ratio.toFixed(2)} × those without`;
}

async function faultsOf({ owner }: Bench, id: string, counted: number, listed: number) {
  const { rows } = await owner.query<{ counted: number; listed: number; rows: number }>(
    `select
       (select sum(runs)::integer from app_private.job_hour where hospital_id = $1 and job = 'offer_seats') as counted,
       (select sum(runs)::integer from app_private.job_hour where hospital_id = $1 and job = 'remove_old_sessions') as listed,
       (select count(*)::integer from app_public.job_run where hospital_id = $1) as rows`,
    [id],
  );
  const [found] = rows;
  if (found?.counted === counted && found.listed === listed && found.rows === listed) return [];
  return [`runs were lost: ${JSON.stringify(found)} of ${counted} and ${listed}`];
}
