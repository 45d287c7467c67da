import type pg from 'pg';
import { createBareTables } from '../harness/bare.ts';
import { latencyOf } from '../harness/figures.ts';
import { createHospital } from '../harness/hospital.ts';
import type { Workload } from '../harness/workload.ts';

const mustReach = 0.7;
const slotMinutes = 30;
const slotsADay = 16;

/**
 * The slots of many doctors for a month in one call, against the bare insert of the same rows in the
 * same order into a copy of the table with the same constraints, indexes and foreign keys, from a
 * temporary table that stands ready.
 */
export const generateManySlots: Workload = {
  name: 'generate-slots',
  title: 'generate_slots, against the bare insert of the same rows with the same constraints',
  async run({ owner, isSmall }) {
    const doctors = isSmall ? 50 : 1_000;
    const days = isSmall ? 5 : 30;
    const rounds = isSmall ? 1 : 2;
    const rows = doctors * days * slotsADay;
    const faults: string[] = [];
    const oursMs: number[] = [];
    const bareMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await createBareTables(owner);
      const hospital = await createHospital(owner, { doctors, days, patients: 1, slotMinutes });
      const client = await owner.connect();
      try {
        await client.query('analyze; checkpoint');
        const ours = await timed(client, 'select app_private.cut_slots($1, $2, $3) as count', [
          hospital.id,
          hospital.firstDay,
          hospital.lastDay,
        ]);
        await client.query({ text: 'drop table if exists ready' });
        await client.query(
          `create temporary table ready as
           select hospital_id, doctor_id, location_id, schedule_id, during, capacity
           from app_public.slot where hospital_id = '${hospital.id}' order by doctor_id, during`,
        );
        await client.query('analyze ready; checkpoint');
        const bare = await timed(
          client,
          `with inserted as (
             insert into bare.slot (hospital_id, doctor_id, location_id, schedule_id, during, capacity)
             select hospital_id, doctor_id, location_id, schedule_id, during, capacity from ready
             returning 1)
           select count(*)::integer as count from inserted`,
        );
        oursMs.push(ours.tookMs);
        bareMs.push(bare.tookMs);
        if (ours.count !== rows)
          faults.push(`generate_slots made ${ours.count} slots instead of ${rows}`);
        if (bare.count !== rows)
          faults.push(`the bare insert made ${bare.count} slots instead of ${rows}`);
        const again = await timed(client, 'select app_private.cut_slots($1, $2, $3) as count', [
          hospital.id,
          hospital.firstDay,
          hospital.lastDay,
        ]);
        if (again.count !== 0) faults.push(`repeating it made ${again.count} slots more`);
      } finally {
        client.release();
      }
    }
    const [fastest, bareFastest] = [Math.min(...oursMs), Math.min(...bareMs)];
    const ratio = bareFastest / fastest;
    return {
      size: `${doctors} doctors × ${days} days × ${slotsADay} slots, the better of ${rounds}`,
      measurements: [
        { what: 'generate_slots', rate: rows / (fastest / 1000), latency: latencyOf([fastest]) },
        {
          what: 'bare insert',
          rate: rows / (bareFastest / 1000),
          latency: latencyOf([bareFastest]),
        },
      ],
      ratio: {
        value: ratio,
        of: 'the bare insert',
        mustReach: `≥ ${mustReach}`,
        isReached: ratio >= mustReach,
      },
      faults,
    };
  },
};

async function timed(client: pg.PoolClient, query: string, values: unknown[] = []) {
  const startedAt = performance.now();
  const { rows } = await client.query<{ count: number }>(query, values);
  return { tookMs: performance.now() - startedAt, count: rows[0]?.count };
}
