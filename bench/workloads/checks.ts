import type pg from 'pg';
import { median, ms, whole } from '../harness/figures.ts';
import { createHospital, generateSlots, slotsADay } from '../harness/hospital.ts';
import { storeBookings, supposeToday } from '../harness/stored-bookings.ts';
import type { Workload } from '../harness/workload.ts';

const mustReach = 10;
const days = 56;
// Of which as many are over: most of what a hospital stores has happened.
const daysOver = 50;

/** Every health check over everything, against reading every table once. */
export const checks: Workload = {
  name: 'checks',
  title: 'all health checks over everything, against one sequential scan of all tables',
  async run({ owner, isSmall, say }) {
    const appointments = isSmall ? 10_000 : 1_000_000;
    const rounds = isSmall ? 1 : 3;
    const doctors = Math.ceil((appointments * 1.05) / (days * slotsADay));
    const hospital = await createHospital(owner, {
      doctors,
      days,
      patients: Math.max(doctors, appointments / 50),
    });
    // What is left of today, too: a day without its slots is a finding.
    await owner.query(
      "select app_private.cut_slots($1, today, today) from (select (app_private.clock() at time zone 'UTC')::date as today) as present",
      [hospital.id],
    );
    const slots = await generateSlots(owner, hospital);
    await storeBookings(owner, hospital, appointments);
    // Servers of other workloads are gone; with one of them alive a clock that is moved would be a finding.
    await owner.query('delete from app_private.process_heartbeat');
    const ahead = await supposeToday(owner, hospital, daysOver);
    say(
      `  ${whole(slots)} slots, ${whole(appointments)} appointments stored, ${whole(ahead)} of them ahead`,
    );

    await scanAll(owner);
    const runs: CheckTime[][] = [];
    const scans: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const scan = await scanAll(owner);
      const run = await runAll(owner);
      if (round > 0 || isSmall) {
        scans.push(scan);
        runs.push(run);
      }
    }
    const [first = []] = runs;
    const times = first.map(({ check_name }) => ({
      check_name,
      tookMs: median(
        runs.map((run) => run.find((each) => each.check_name === check_name)?.duration_ms ?? 0),
      ),
    }));
    times.sort((one, other) => other.tookMs - one.tookMs);
    const total = median(runs.map((run) => run.reduce((sum, each) => sum + each.duration_ms, 0)));
    const ratio = total / median(scans);
    // A small database is all fixed costs; there only what the checks say counts.
    const measured = { value: ratio, of: 'the time of the scan', mustReach: `≤ ${mustReach}` };
    const { rows: loud } = await owner.query<{ check_name: string; detail: string }>(
      `select distinct on (check_name) check_name, detail from app_public.finding
        where resolved_at is null and hospital_id in ($1, app_private.machinery())`,
      [hospital.id],
    );
    await owner.query('delete from app_private.clock_shift');
    return {
      size: `${whole(appointments)} appointments, ${whole(ahead)} of them ahead, ${whole(slots)} slots, ${rounds} runs of ${times.length} checks`,
      measurements: [
        { what: 'all checks', note: ms(total) },
        { what: 'sequential scan of every table', note: ms(median(scans)) },
        ...times.map(({ check_name, tookMs }) => ({ what: check_name, note: ms(tookMs) })),
      ],
      ratio: { ...measured, isReached: isSmall || ratio <= mustReach },
      faults: [
        ...loud.map(({ check_name, detail }) => `false alarm: ${check_name}: ${detail}`),
        ...runs
          .flat()
          .flatMap(({ check_name, error }) => (error === null ? [] : [`${check_name}: ${error}`])),
      ],
    };
  },
};

interface CheckTime {
  check_name: string;
  duration_ms: number;
  error: string | null;
}

async function runAll(owner: pg.Pool): Promise<CheckTime[]> {
  await owner.query("select app_private.run_checks(null, null, 'manual')");
  const { rows } = await owner.query<CheckTime>(
    `select check_name, duration_ms::float8, error from app_public.check_result
      where run_id = (select id from app_public.check_run order by started_at desc limit 1)`,
  );
  return rows;
}

/** Reads every table of ours from its first row to its last; returns the time in ms. */
async function scanAll(owner: pg.Pool): Promise<number> {
  const client = await owner.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_catalog.pg_tables
        where schemaname in ('app_public', 'app_private')`,
    );
    await client.query(
      'begin; set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off; set local max_parallel_workers_per_gather = 0',
    );
    const startedAt = performance.now();
    for (const { name } of tables) await client.query(`select count(*) from ${name}`);
    const took = performance.now() - startedAt;
    await client.query('commit');
    return took;
  } finally {
    client.release();
  }
}
