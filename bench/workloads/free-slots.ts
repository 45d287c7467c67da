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

/** The free slots of one doctor for a month: the time must not grow with what else is stored. */
export const freeSlots: Workload = {
  name: 'free-slots',
  title: 'free_slots of one doctor for 30 days, with few and with many slots stored',
  async run({ owner, urls, isSmall, say }) {
    const sizes = isSmall ? [10_000, 50_000] : [10_000, 1_000_000];
    const queries = isSmall ? 50 : 300;
    const rounds = isSmall ? 1 : 5;
    const pool = openPool(urls.authenticatorUrl, 1);
    const measurements: Measurement[] = [];
    const faults: string[] = [];
    try {
      await connectAll(pool, 1);
      for (const size of sizes) {
        const doctors = Math.ceil(size / (days * slotsADay));
        const hospital = await createHospital(owner, { doctors, days, patients: 1 });
        const stored = await generateSlots(owner, hospital);
        say(`  ${whole(stored)} slots stored`);
        const asked = shuffled(
          Array.from(
            { length: queries },
            (_, number) => hospital.doctorIds[number % doctors] ?? '',
          ),
        );
        const runs: LoadRun[] = [];
        for (let round = 0; round <= rounds; round += 1) {
          runs.push(
            await runLoad(asked, 1, async (doctorId) => {
              const found = await countFree(pool, hospital, doctorId);
              if (found !== days * slotsADay)
                faults.push(`${found} free slots instead of ${days * slotsADay}`);
            }),
          );
        }
        const warm = runs.slice(1);
        measurements.push({
          what: `${whole(stored)} slots stored`,
          rate: median(warm.map(rateOf)),
          latency: latencyOf(warm.flatMap(({ tookMs }) => tookMs)),
        });
      }
    } finally {
      await pool.end();
    }
    const [few, many] = measurements;
    const ratio = (many?.latency?.p50 ?? Number.NaN) / (few?.latency?.p50 ?? Number.NaN);
    return {
      size: `${rounds} rounds of ${queries} queries, one at a time, ${days * slotsADay} slots each`,
      measurements,
      ratio: {
        value: ratio,
        of: 'the p50 with few slots',
        mustReach: `≤ ${mustReach}`,
        isReached: ratio <= mustReach,
      },
      faults: [...new Set(faults)],
    };
  },
};

async function countFree(
  pool: pg.Pool,
  hospital: BenchHospital,
  doctorId: string,
): Promise<number> {
  return withTransaction(pool, receptionSettings(hospital), async (client) => {
    const { rows } = await client.query({
      name: 'free',
      text: `select slot_id, starts_at, ends_at from app_public.free_slots(
               $1, $2::date::timestamp at time zone 'UTC', ($3::date + 1)::timestamp at time zone 'UTC')`,
      values: [doctorId, hospital.firstDay, hospital.lastDay],
    });
    return rows.length;
  });
}
