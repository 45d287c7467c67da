import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { createLog } from '../../platform/log.ts';
import { openTransports } from '../../worker/transports/open-transports.ts';
import { openWorker, type Worker } from '../../worker/worker.ts';
import { faultsOfBookings } from '../harness/counters.ts';
import { latencyOf, ms } from '../harness/figures.ts';
import { createHospital, generateSlots, wishesFor } from '../harness/hospital.ts';
import { compareInTurns, runLoad, shuffled } from '../harness/load.ts';
import { connectAll, openPool } from '../harness/pool.ts';
import type { Bench, Workload } from '../harness/workload.ts';
import { book } from './booking.ts';

const mustReach = 0.9;
const mostLateMs = 5_000;
const inFlight = 16;

/**
 * Bookings while relay and worker do all that follows from them, against bookings alone. What is left when
 * a round of bookings ends is done before the next one begins, so that the rounds alone are alone. A worker
 * has worked a little before its round begins: its connections plan their queries once.
 */
export const bookingBesideJobs: Workload = {
  name: 'booking-beside-jobs',
  title: 'book_appointment while relay and jobs run, against the same alone',
  async run(bench) {
    const { owner, urls, isSmall } = bench;
    const rounds = isSmall ? 2 : 5;
    const bookings = isSmall ? 60 : 3_000;
    const warmingUp = isSmall ? 20 : 1_000;
    const doctors = isSmall ? 10 : 120;
    const hospital = await createHospital(owner, { doctors, days: 12, patients: doctors * 20 });
    await generateSlots(owner, hospital);
    const wishes = shuffled(await wishesFor(owner, hospital));
    let booked = 0;
    const server = openPool(urls.authenticatorUrl, inFlight);
    const bookSome = (count = bookings) => {
      const items = wishes.slice(booked, booked + count);
      booked += count;
      return runLoad(items, inFlight, (wish) => book(server, hospital, wish));
    };
    const late: number[] = [];
    const besideJobs = async () => {
      const worker = await startWorker(bench, late);
      try {
        await bookSome(warmingUp);
        await untilDone(owner);
        const run = await bookSome();
        await untilDone(owner);
        return run;
      } finally {
        await worker.stop();
      }
    };
    try {
      await connectAll(server, inFlight);
      await bookSome();
      await owner.query('delete from app_private.outbox');
      await owner.query('vacuum analyze');
      const compared = await compareInTurns(rounds, besideJobs, async () => {
        const run = await bookSome();
        // For nobody to carry: what was booked alone is verified by no job.
        await owner.query('delete from app_private.outbox');
        return run;
      });
      const latency = latencyOf(late);
      const { rows } = await owner.query<{ verified: number }>(
        `select coalesce(sum(verified), 0)::integer as verified
           from app_private.verification_hour where hospital_id = $1`,
        [hospital.id],
      );
      const verified = rows[0]?.verified ?? 0;
      // Each booking is an appointment and its slot.
      const expected = 2 * rounds * (warmingUp + bookings);
      return {
        size: `${rounds} rounds of ${bookings} bookings, ${inFlight} in flight, ${doctors} doctors`,
        measurements: [
          { what: 'book_appointment, beside jobs', ...compared.ours },
          { what: 'book_appointment, alone', ...compared.yardstick },
          {
            what: 'from the change until it was verified',
            latency,
            note: `oldest of each of ${late.length} batches; ${verified} entities`,
          },
        ],
        ratio: {
          value: compared.ratio,
          of: 'bookings alone',
          mustReach: `≥ ${mustReach}`,
          isReached: compared.ratio >= mustReach,
        },
        faults: [
          ...(await faultsOfBookings(owner, hospital.id, booked)),
          ...(verified >= expected ? [] : [`${verified} verified instead of ${expected}`]),
          ...(latency.p95 <= mostLateMs || isSmall
            ? []
            : [`verified ${ms(latency.p95)} after the change, at the p95`]),
        ],
      };
    } finally {
      await server.end();
    }
  },
};

/** A worker with everything that it does; `late` gets how late each verification was. */
function startWorker({ urls }: Bench, late: number[]): Promise<Worker> {
  const write = (text: string) => {
    const { late_ms } = JSON.parse(text) as { late_ms?: number };
    if (late_ms !== undefined) late.push(late_ms);
  };
  return openWorker({
    url: urls.workerUrl,
    log: createLog({ name: 'bench', level: 'debug', destination: { write } }),
    environment: 'test',
    surroundings: {
      transports: openTransports({}),
      links: {
        publicUrl: 'https://bench.example',
        linkSecrets: [{ kid: 'bench', secret: 'a link secret that only the bench uses' }],
      },
      webhooks: { allowPrivate: true },
    },
  });
}

/** Waits until the outbox is carried and no job is left that is due. */
async function untilDone(owner: pg.Pool): Promise<void> {
  for (;;) {
    const { rows } = await owner.query<{ left: number }>(
      `select (select count(*) from app_private.outbox)::integer
         + (select count(*) from graphile_worker._private_jobs
             where run_at <= now() + interval '2 seconds')::integer as left`,
    );
    if (rows[0]?.left === 0) return;
    await delay(50);
  }
}
