import type pg from 'pg';
import { latencyOf, whole } from '../harness/figures.ts';
import { type BenchHospital, createHospital } from '../harness/hospital.ts';
import { connectAll, openPool } from '../harness/pool.ts';
import type { Measurement, Workload } from '../harness/workload.ts';

const mustReach = 1.5;
/** Visits that are due in each round, one of each doctor. */
const due = 100;

/** The sweep for no-shows: what is due costs, whatever else is stored. */
export const noShow: Workload = {
  name: 'no-show',
  title: `mark_no_shows, ${due} visits due, with few and with many appointments stored`,
  async run({ owner, urls, isSmall, isHuge, say }) {
    const sizes = isSmall ? [1_000, 4_000] : [10_000, 1_000_000, ...(isHuge ? [10_000_000] : [])];
    const rounds = isSmall ? 2 : 12;
    const pool = openPool(urls.workerUrl, 1);
    const measurements: Measurement[] = [];
    const p50s: number[] = [];
    const faults: string[] = [];
    try {
      await connectAll(pool, 1);
      for (const size of sizes) {
        const hospital = await createHospital(owner, { doctors: due, days: 1, patients: 1_000 });
        // Blocks are another matter: nobody reaches the threshold here.
        await owner.query(
          'update app_public.hospital set no_show_block_threshold = 1000 where id = $1',
          [hospital.id],
        );
        await storeVisits(owner, hospital, size);
        say(`  ${whole(size)} appointments stored`);
        const sweeps: number[] = [];
        const looks: number[] = [];
        for (let round = 0; round <= rounds; round += 1) {
          await letDue(owner, hospital, round);
          const marked = await timed(() => sweep(pool, hospital));
          const none = await timed(() => sweep(pool, hospital));
          if (marked.value !== due) faults.push(`${marked.value} marked instead of ${due}`);
          if (none.value !== 0) faults.push(`${none.value} marked twice`);
          if (round === 0) continue;
          sweeps.push(marked.tookMs);
          looks.push(none.tookMs);
        }
        const latency = latencyOf(sweeps);
        p50s.push(latency.p50);
        measurements.push(
          {
            what: `${due} due, ${whole(size)} appointments stored`,
            rate: (due * 1_000) / latency.p50,
            latency,
            note: 'visits a second',
          },
          {
            what: `nothing due, ${whole(size)} appointments stored`,
            latency: latencyOf(looks),
          },
        );
        faults.push(...(await disagreements(owner, hospital, due * (rounds + 1))));
      }
    } finally {
      await pool.end();
    }
    const ratio = (p50s.at(-1) ?? Number.NaN) / (p50s[0] ?? Number.NaN);
    return {
      size: `${rounds} sweeps of ${due} visits each, one at a time`,
      measurements,
      ratio: {
        value: ratio,
        of: 'the p50 with few appointments',
        mustReach: `≤ ${mustReach}`,
        isReached: ratio <= mustReach,
      },
      faults: [...new Set(faults)],
    };
  },
};

/** Visits of the years before that are over, and every tenth one ahead; written without their rules. */
async function storeVisits(owner: pg.Pool, hospital: BenchHospital, count: number): Promise<void> {
  const client = await owner.connect();
  const values = [hospital.id, hospital.doctorIds, hospital.patientIds, hospital.accountId];
  try {
    await client.query("begin; set local session_replication_role = 'replica'");
    await client.query(
      `insert into app_public.appointment (
         hospital_id, doctor_id, location_id, patient_id, during, status, source, completed_at, created_by, created_at, updated_at)
       select $1, ($2::uuid[])[1 + number % cardinality($2::uuid[])], location.id,
         ($3::uuid[])[1 + number % cardinality($3::uuid[])], tstzrange(at, at + interval '15 minutes'),
         'completed', 'staff', at, $4, at, at
       from generate_series(0, $5::integer - 1) as number
       cross join lateral (
         select date_trunc('day', now()) - interval '3 days' - number / cardinality($2::uuid[]) * interval '15 minutes' as at) as time
       join app_public.location on location.hospital_id = $1`,
      [...values, count - Math.floor(count / 10)],
    );
    await client.query(
      `with ahead as (
         insert into app_public.slot (hospital_id, doctor_id, location_id, during, booked_count)
         select $1, ($2::uuid[])[1 + number % cardinality($2::uuid[])], location.id,
           tstzrange(at, at + interval '15 minutes'), 1
         from generate_series(0, $5::integer - 1) as number
         cross join lateral (
           select date_trunc('day', now()) + interval '2 days' + number / cardinality($2::uuid[]) * interval '15 minutes' as at) as time
         join app_public.location on location.hospital_id = $1
         returning hospital_id, id, doctor_id, location_id, during)
       insert into app_public.appointment (
         hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_by, created_at, updated_at)
       select hospital_id, id, doctor_id, location_id,
         ($3::uuid[])[1 + (row_number() over (order by during))::integer % cardinality($3::uuid[])],
         during, 'scheduled', 'staff', $4, now(), now()
       from ahead`,
      [...values, Math.floor(count / 10)],
    );
    await client.query('commit');
    await client.query('vacuum analyze app_public.slot, app_public.appointment');
  } finally {
    client.release();
  }
}

/** A visit of each doctor that has just come due, each round a quarter of an hour before the last. */
async function letDue(owner: pg.Pool, hospital: BenchHospital, round: number): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query("begin; set local session_replication_role = 'replica'");
    await client.query(
      `with slot as (
         insert into app_public.slot (hospital_id, doctor_id, location_id, during, booked_count)
         select $1, doctor_id, location.id, tstzrange(at, at + interval '15 minutes'), 1
         from unnest($2::uuid[]) as doctor_id
         cross join (
           select date_trunc('hour', now()) - interval '1 hour' - $5::integer * interval '15 minutes' as at) as time
         join app_public.location on location.hospital_id = $1
         returning hospital_id, id, doctor_id, location_id, during, starts_at),
       day as (
         insert into app_public.doctor_day as today (hospital_id, doctor_id, day, booked_count, max_patients)
         select hospital_id, doctor_id, (starts_at at time zone 'UTC')::date, 1, 500 from slot
         on conflict on constraint doctor_day_pkey do update set booked_count = today.booked_count + 1)
       insert into app_public.appointment (
         hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_by, created_at, updated_at)
       select hospital_id, id, doctor_id, location_id, ($3::uuid[])[row_number() over (order by doctor_id)],
         during, 'scheduled', 'staff', $4, now(), now()
       from slot`,
      [hospital.id, hospital.doctorIds, hospital.patientIds, hospital.accountId, round],
    );
    await client.query('commit');
  } finally {
    client.release();
  }
}

async function sweep(pool: pg.Pool, hospital: BenchHospital): Promise<number> {
  const { rows } = await pool.query<{ count: number }>({
    name: 'sweep',
    text: 'select app_private.mark_no_shows(hospital_id => $1::uuid, most => 200) as count',
    values: [hospital.id],
  });
  return rows[0]?.count ?? 0;
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; tookMs: number }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, tookMs: performance.now() - startedAt };
}

/** What the tables say of the sweeps: every visit logged and counted once, every seat given back. */
async function disagreements(
  owner: pg.Pool,
  { id }: BenchHospital,
  expected: number,
): Promise<string[]> {
  const { rows } = await owner.query<{
    missed: number;
    logged: number;
    counted: number;
    seats: number;
  }>(
    `select
       (select count(*)::integer from app_public.appointment where hospital_id = $1 and status = 'no_show') as missed,
       (select count(*)::integer from app_public.no_show_log where hospital_id = $1) as logged,
       (select sum(no_show_count)::integer from app_public.patient where hospital_id = $1) as counted,
       (select sum(booked_count)::integer from app_public.slot where hospital_id = $1 and starts_at < now()) as seats`,
    [id],
  );
  const [{ missed, logged, counted, seats } = { missed: 0, logged: 0, counted: 0, seats: 0 }] =
    rows;
  if (missed === expected && logged === expected && counted === expected && seats === 0) return [];
  return [
    `${missed} missed, ${logged} logged, ${counted} counted of ${expected}, ${seats} seats held`,
  ];
}
