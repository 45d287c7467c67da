import type pg from 'pg';
import { withTransaction } from '../../platform/pool.ts';
import { latencyOf, median, whole } from '../harness/figures.ts';
import {
  type BenchHospital,
  createHospital,
  generateSlots,
  receptionSettings,
  slotsADay,
} from '../harness/hospital.ts';
import { type LoadRun, rateOf, runLoad, shuffled } from '../harness/load.ts';
import { connectAll, openPool } from '../harness/pool.ts';
import type { Measurement, Workload } from '../harness/workload.ts';

const mustReach = 1.5;
const days = 30;
const doctorsOfSpecialty = 10;
const page = 100;

/** What is asked: a statement, its values for the doctor with this number, and how many rows must come. */
type Question = {
  what: string;
  text: string;
  values: (hospital: BenchHospital, number: number) => unknown[];
  rows: number;
};

const questions: readonly Question[] = [
  {
    what: `free_slots, one doctor × ${days} days`,
    text: `select slot_id, starts_at, ends_at from app_public.free_slots(
             $1, $2::date::timestamp at time zone 'UTC', ($3::date + 1)::timestamp at time zone 'UTC')`,
    values: (hospital, number) => [
      hospital.doctorIds[number % hospital.doctorIds.length],
      hospital.firstDay,
      hospital.lastDay,
    ],
    rows: days * slotsADay,
  },
  {
    what: 'search_free_slots, one specialty × 7 days',
    text: `select slot_id, starts_at, position from app_public.search_free_slots(
             specialty => $1, first_day => $2, last_day => $2::date + 6, page_size => ${page})`,
    values: (hospital, number) => [
      specialtyOf(number % Math.floor(hospital.doctorIds.length / doctorsOfSpecialty)),
      hospital.firstDay,
    ],
    rows: page,
  },
];

/** What can be booked, with one doctor and in a specialty: the time must not grow with what else is stored. */
export const freeSlots: Workload = {
  name: 'free-slots',
  title: 'free slots of a doctor and of a specialty, with few and with many slots stored',
  async run({ owner, urls, isSmall, isHuge, say }) {
    const sizes = isSmall ? [10_000, 50_000] : [10_000, 1_000_000, ...(isHuge ? [10_000_000] : [])];
    const asks = isSmall ? 50 : 300;
    const rounds = isSmall ? 1 : 5;
    const pool = openPool(urls.authenticatorUrl, 1);
    const measurements: Measurement[] = [];
    const p50s: number[][] = questions.map(() => []);
    const faults: string[] = [];
    try {
      await connectAll(pool, 1);
      for (const size of sizes) {
        const doctors = Math.ceil(size / (days * slotsADay));
        const hospital = await createHospital(owner, { doctors, days, patients: 1 });
        await giveSpecialties(owner, hospital);
        const stored = await generateSlots(owner, hospital);
        say(`  ${whole(stored)} slots stored`);
        const asked = shuffled(Array.from({ length: asks }, (_, number) => number));
        for (const [index, question] of questions.entries()) {
          const runs: LoadRun[] = [];
          for (let round = 0; round <= rounds; round += 1) {
            runs.push(
              await runLoad(asked, 1, async (number) => {
                const found = await ask(pool, hospital, question, number);
                if (found !== question.rows)
                  faults.push(`${question.what}: ${found} rows instead of ${question.rows}`);
              }),
            );
          }
          const warm = runs.slice(1);
          const latency = latencyOf(warm.flatMap(({ tookMs }) => tookMs));
          p50s[index]?.push(latency.p50);
          measurements.push({
            what: `${question.what}, ${whole(stored)} slots stored`,
            rate: median(warm.map(rateOf)),
            latency,
          });
        }
      }
    } finally {
      await pool.end();
    }
    const ratios = p50s.map((each) => (each.at(-1) ?? Number.NaN) / (each[0] ?? Number.NaN));
    const ratio = Math.max(...ratios);
    return {
      size: `${rounds} rounds of ${asks} queries of each kind, one at a time; ${days * slotsADay} and ${page} rows each`,
      measurements,
      ratio: {
        value: ratio,
        of: 'the p50 with few slots, of the query that grew more',
        mustReach: `≤ ${mustReach}`,
        isReached: ratio <= mustReach,
      },
      faults: [...new Set(faults)],
    };
  },
};

const specialtyOf = (number: number) => `specialty ${number}`;

/** Ten doctors of each specialty; those left over have none. */
async function giveSpecialties(owner: pg.Pool, { id, doctorIds }: BenchHospital): Promise<void> {
  await owner.query(
    `update app_public.doctor
     set specialty = 'specialty ' || (asked.number - 1) / $3::integer
     from unnest($2::uuid[]) with ordinality as asked (id, number)
     where doctor.hospital_id = $1 and doctor.id = asked.id
       and asked.number <= cardinality($2::uuid[]) / $3::integer * $3::integer`,
    [id, doctorIds, doctorsOfSpecialty],
  );
}

async function ask(
  pool: pg.Pool,
  hospital: BenchHospital,
  { what, text, values }: Question,
  number: number,
): Promise<number> {
  return withTransaction(pool, receptionSettings(hospital), async (client) => {
    const { rows } = await client.query({ name: what, text, values: values(hospital, number) });
    return rows.length;
  });
}
