import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { withTransaction } from '../../platform/pool.ts';
import { copySlotsToBare, createBareTables } from '../harness/bare.ts';
import { faultsOfBookings } from '../harness/counters.ts';
import {
  type BenchHospital,
  createHospital,
  generateSlots,
  receptionSettings,
  type Wish,
  wishesFor,
} from '../harness/hospital.ts';
import { compareInTurns, runLoad, shuffled } from '../harness/load.ts';
import { connectAll, openPool } from '../harness/pool.ts';
import type { Workload } from '../harness/workload.ts';

const inFlight = 16;
const mustReach = 0.5;

/**
 * Distinct free slots, straight to the function: all rules, row-level security, log, notification and
 * outbox. Two round trips on either side: begin (ours with the claims) and the function, then commit.
 */
export const booking: Workload = {
  name: 'booking',
  title: 'book_appointment over pg, against the bare pair update slot + insert appointment',
  async run({ owner, urls, isSmall }) {
    const rounds = isSmall ? 2 : 7;
    const bookings = isSmall ? 100 : 2_500;
    const doctors = isSmall ? 10 : 150;
    const hospital = await createHospital(owner, { doctors, days: 4, patients: doctors * 20 });
    await generateSlots(owner, hospital);
    await createBareTables(owner);
    await copySlotsToBare(owner, hospital.id);
    const wishes = shuffled(await wishesFor(owner, hospital));
    const warmUp = wishes.splice(0, Math.floor(bookings / 2));
    const ofRound = (round: number) => wishes.slice(round * bookings, (round + 1) * bookings);

    const server = openPool(urls.authenticatorUrl, inFlight);
    const bare = openPool(urls.databaseUrl, inFlight);
    try {
      await connectAll(server, inFlight);
      await connectAll(bare, inFlight);
      const ours = (items: readonly Wish[]) =>
        runLoad(items, inFlight, (wish) => book(server, hospital, wish));
      const pair = (items: readonly Wish[]) =>
        runLoad(items, inFlight, (wish) => bookBare(bare, hospital, wish));
      await ours(warmUp);
      await pair(warmUp);
      // A hospital that has been open for a while: the planner knows its tables.
      await owner.query('vacuum analyze');
      const compared = await compareInTurns(
        rounds,
        (round) => ours(ofRound(round)),
        (round) => pair(ofRound(round)),
      );
      const expected = warmUp.length + rounds * bookings;
      return {
        size: `${rounds} rounds of ${bookings} bookings, ${inFlight} in flight, ${doctors} doctors`,
        measurements: [
          { what: 'book_appointment', ...compared.ours, note: ratiosOf(compared.ratios) },
          { what: 'bare pair', ...compared.yardstick },
        ],
        ratio: {
          value: compared.ratio,
          of: 'the bare pair',
          mustReach: `≥ ${mustReach}`,
          isReached: compared.ratio >= mustReach,
        },
        faults: [
          ...(await faultsOfBookings(owner, hospital.id, expected)),
          ...(await faultsOfBare(owner, hospital.id, expected)),
        ],
      };
    } finally {
      await Promise.all([server.end(), bare.end()]);
    }
  },
};

/** Books as the server would, in three round trips. */
export async function book(pool: pg.Pool, hospital: BenchHospital, wish: Wish): Promise<void> {
  await withTransaction(pool, receptionSettings(hospital), (client) =>
    client.query({
      name: 'book',
      text: 'select id, status from app_public.book_appointment($1, $2, $3)',
      values: [wish.slotId, wish.patientId, randomUUID()],
    }),
  );
}

async function bookBare(pool: pg.Pool, hospital: BenchHospital, wish: Wish): Promise<void> {
  await withTransaction(pool, {}, (client) =>
    client.query({
      name: 'bare',
      text: 'select bare.book($1, $2, $3, $4, $5)',
      values: [hospital.id, wish.slotId, wish.patientId, hospital.accountId, randomUUID()],
    }),
  );
}

function ratiosOf(ratios: readonly number[]): string {
  return `ratios of the rounds ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`;
}

async function faultsOfBare(owner: pg.Pool, hospitalId: string, expected: number) {
  const { rows } = await owner.query<{ count: number }>(
    'select count(*)::integer as count from bare.appointment where hospital_id = $1',
    [hospitalId],
  );
  return rows[0]?.count === expected ? [] : [`bare pair: ${rows[0]?.count} instead of ${expected}`];
}
