import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { withTransaction } from '../../platform/pool.ts';
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
import { openReception, startServer } from '../harness/server.ts';
import type { Workload } from '../harness/workload.ts';

const inFlight = 16;
const mustReach = 0.6;

/**
 * The whole way, HTTP, JWT, GraphQL and its limits, against the same bookings over pg with the very
 * statements that the server sends for one mutation, in as many round trips: begin, claims and the
 * function together, then commit.
 */
export const bookingOverGraphql: Workload = {
  name: 'booking-graphql',
  title: 'bookAppointment over HTTP with a JWT, against the same statements over pg',
  async run(bench) {
    const { owner, urls, isSmall } = bench;
    const rounds = isSmall ? 2 : 7;
    const bookings = isSmall ? 100 : 1_500;
    const doctors = isSmall ? 16 : 200;
    const hospital = await createHospital(owner, { doctors, days: 4, patients: doctors * 20 });
    await generateSlots(owner, hospital);
    const wishes = shuffled(await wishesFor(owner, hospital));
    const [warmUp, warmUpPg] = [wishes.splice(0, bookings), wishes.splice(0, bookings / 2)];
    const [half, otherHalf] = [wishes.splice(0, rounds * bookings), wishes];
    const ofRound = (items: readonly Wish[], round: number) =>
      items.slice(round * bookings, (round + 1) * bookings);

    const server = await startServer(bench);
    const pool = openPool(urls.authenticatorUrl, inFlight);
    const reception = await openReception(server.url, hospital, inFlight);
    const refusals: string[] = [];
    try {
      await connectAll(pool, inFlight);
      const overHttp = (items: readonly Wish[]) =>
        runLoad(items, inFlight, async (wish) => {
          const refusal = await reception.book(wish);
          if (refusal !== undefined) refusals.push(refusal);
        });
      const overPg = (items: readonly Wish[]) =>
        runLoad(items, inFlight, (wish) => bookOverPg(pool, hospital, wish));
      await overHttp(warmUp);
      await overPg(warmUpPg);
      await owner.query('vacuum analyze');
      const compared = await compareInTurns(
        rounds,
        (round) => overHttp(ofRound(half, round)),
        (round) => overPg(ofRound(otherHalf, round)),
      );
      const expected = warmUp.length + warmUpPg.length + 2 * rounds * bookings;
      return {
        size: `${rounds} rounds of ${bookings} bookings, ${inFlight} in flight, ${doctors} doctors`,
        measurements: [
          { what: 'GraphQL over HTTP', ...compared.ours, note: ratiosOf(compared.ratios) },
          { what: 'pg, the same two round trips', ...compared.yardstick },
        ],
        ratio: {
          value: compared.ratio,
          of: 'pg',
          mustReach: `≥ ${mustReach}`,
          isReached: compared.ratio >= mustReach,
        },
        faults: [
          ...refusals.map((scenario) => `a free slot was refused: ${scenario}`),
          ...(await faultsOfBookings(owner, hospital.id, expected - refusals.length)),
        ],
      };
    } finally {
      reception.close();
      await Promise.all([pool.end(), server.stop()]);
    }
  },
};

async function bookOverPg(pool: pg.Pool, hospital: BenchHospital, wish: Wish): Promise<void> {
  await withTransaction(pool, receptionSettings(hospital), (client) =>
    client.query({
      name: 'mutation',
      text: `select booked."id" as "0", booked."status"::text as "1"
       from "app_public"."book_appointment"($1::"uuid", $2::"uuid", $3::"uuid") as booked`,
      values: [wish.slotId, wish.patientId, randomUUID()],
    }),
  );
}

function ratiosOf(ratios: readonly number[]): string {
  return `ratios of the rounds ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`;
}
