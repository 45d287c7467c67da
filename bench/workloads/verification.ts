import type pg from 'pg';
import { withTransaction } from '../../platform/pool.ts';
import { latencyOf, whole } from '../harness/figures.ts';
import {
  createHospital,
  generateSlots,
  receptionSettings,
  slotsADay,
  wishesFor,
} from '../harness/hospital.ts';
import { rateOf, runLoad, shuffled } from '../harness/load.ts';
import { connectAll, openPool } from '../harness/pool.ts';
import { storeBookings } from '../harness/stored-bookings.ts';
import type { Workload } from '../harness/workload.ts';
import { book } from './booking.ts';

const mustReachMs = 100;
const inFlight = 8;

/** One appointment verified at a time, by reception, while others book. */
export const verification: Workload = {
  name: 'verification',
  title: 'verify_appointment while others book',
  async run({ owner, urls, isSmall }) {
    const stored = isSmall ? 1_000 : 50_000;
    const bookings = isSmall ? 60 : 3_000;
    const days = isSmall ? 4 : 30;
    const doctors = Math.ceil((stored + bookings * 2) / (days * slotsADay));
    const hospital = await createHospital(owner, { doctors, days, patients: doctors * 20 });
    await generateSlots(owner, hospital);
    await storeBookings(owner, hospital, stored);
    const wishes = shuffled((await wishesFor(owner, hospital)).slice(stored));
    const { rows: visits } = await owner.query<{ id: string }>(
      'select id from app_public.appointment where hospital_id = $1 order by random() limit 2000',
      [hospital.id],
    );
    const ids = visits.map(({ id }) => id);
    const pool = openPool(urls.authenticatorUrl, inFlight + 1);
    const settings = receptionSettings(hospital);
    const invalid: string[] = [];
    const verify = async (id: string) => {
      const found = await withTransaction(pool, settings, (client) => verifyOne(client, id));
      if (!found.is_valid) invalid.push(found.reason ?? 'without a reason');
    };
    try {
      await connectAll(pool, inFlight + 1, settings);
      await runLoad(wishes.splice(0, bookings / 3), inFlight, (wish) => book(pool, hospital, wish));
      await runLoad(ids.slice(0, 20), 1, verify);
      const alone = await runLoad(ids.slice(20, 20 + bookings / 10), 1, verify);
      let isBooking = true;
      const tookMs: number[] = [];
      const verifying = (async () => {
        for (let number = 0; isBooking; number += 1) {
          const startedAt = performance.now();
          await verify(ids[number % ids.length] ?? '');
          tookMs.push(performance.now() - startedAt);
        }
      })();
      const booked = await runLoad(wishes.slice(0, bookings), inFlight, (wish) =>
        book(pool, hospital, wish),
      );
      isBooking = false;
      await verifying;
      const latency = latencyOf(tookMs);
      return {
        size: `${whole(stored)} appointments stored, ${whole(bookings)} bookings, ${inFlight} in flight`,
        measurements: [
          { what: 'verify_appointment, under booking load', latency },
          { what: 'verify_appointment, alone', latency: latencyOf(alone.tookMs) },
          { what: 'book_appointment meanwhile', rate: rateOf(booked) },
        ],
        ratio: {
          value: latency.p95 / mustReachMs,
          of: `${mustReachMs} ms, at the p95`,
          mustReach: '≤ 1',
          isReached: isSmall || latency.p95 <= mustReachMs,
        },
        faults: [...new Set(invalid)].map((reason) => `not valid: ${reason}`),
      };
    } finally {
      await pool.end();
    }
  },
};

async function verifyOne(client: pg.ClientBase, id: string) {
  const { rows } = await client.query<{ is_valid: boolean; reason: string | null }>({
    name: 'verify',
    text: 'select is_valid, reason from app_public.verify_appointment($1)',
    values: [id],
  });
  return rows[0] ?? { is_valid: false, reason: 'no answer' };
}
