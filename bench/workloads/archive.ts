import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { withTransaction } from '../../platform/pool.ts';
import { restAfter } from '../../worker/tasks/archive-past-years.ts';
import { latencyOf, median, whole } from '../harness/figures.ts';
import {
  type BenchHospital,
  createHospital,
  generateSlots,
  receptionSettings,
  slotsADay,
  type Wish,
  wishesFor,
} from '../harness/hospital.ts';
import { compareInTurns, type LoadRun, rateOf, runLoad, shuffled } from '../harness/load.ts';
import { connectAll, openPool } from '../harness/pool.ts';
import type { Measurement, Workload } from '../harness/workload.ts';
import { book } from './booking.ts';

const inFlight = 16;
const mustReach = 0.9;
const days = 14;

/**
 * Old appointments move to the archive beside bookings: what history costs before and after, what the
 * move costs whoever books meanwhile, and how fast it is.
 */
export const archive: Workload = {
  name: 'archive',
  title: 'bookings and free_slots with a history, while it is archived, and without it',
  async run({ owner, urls, isSmall, say }) {
    const history = isSmall ? 2_000 : 1_000_000;
    const rounds = isSmall ? 1 : 5;
    const bookings = isSmall ? 50 : 1_500;
    const doctors = isSmall ? 10 : 100;
    const hospital = await createHospital(owner, { doctors, days, patients: doctors * 20 });
    await generateSlots(owner, hospital);
    const wishes = shuffled(await wishesFor(owner, hospital));
    await addHistory(owner, hospital, history);
    say(`  ${whole(history)} old appointments stored`);

    const server = openPool(urls.authenticatorUrl, inFlight);
    const worker = openPool(urls.workerUrl, 1);
    try {
      await connectAll(server, inFlight);
      const bookSome = () =>
        runLoad(wishes.splice(0, bookings), inFlight, (wish: Wish) => book(server, hospital, wish));
      const bookRounds = async (count: number) => {
        const runs: LoadRun[] = [];
        for (let round = 0; round < count; round += 1) runs.push(await bookSome());
        return runs;
      };
      const measured = (what: string, runs: LoadRun[]): Measurement => ({
        what,
        rate: median(runs.map(rateOf)),
        latency: latencyOf(runs.flatMap(({ tookMs }) => tookMs)),
      });
      const askSome = () =>
        runLoad(hospital.doctorIds, 1, (doctorId) => freeSlots(server, hospital, doctorId));

      await bookRounds(1);
      await askSome();
      const before = measured('book_appointment, history stored', await bookRounds(rounds));
      const asked = measured('free_slots, history stored', [await askSome(), await askSome()]);

      const alone = await drain(worker, hospital, 'archive_appointments', 5_000, history / 2);
      // At the pace of the nightly job: batches with rests between.
      let moved = 0;
      const besideArchive = async () => {
        let isBooking = true;
        const nightly = (async () => {
          while (isBooking) {
            const startedAt = performance.now();
            moved += await step(worker, hospital, 'archive_appointments', 1_000);
            await delay(restAfter(performance.now() - startedAt));
          }
        })();
        const run = await bookSome();
        isBooking = false;
        await nightly;
        return run;
      };
      const compared = await compareInTurns(rounds, besideArchive, bookSome);
      const rest = await drain(worker, hospital, 'archive_appointments', 5_000);
      const slots = await drain(worker, hospital, 'remove_past_slots', 5_000);
      const none = await drain(worker, hospital, 'archive_appointments', 5_000);
      await owner.query('vacuum analyze');

      const after = measured('book_appointment, history archived', await bookRounds(rounds));
      const askedAfter = measured('free_slots, history archived', [
        await askSome(),
        await askSome(),
      ]);
      const archived = alone.count + moved + rest.count;
      return {
        size: `${whole(history)} old appointments, ${rounds} rounds of ${bookings} bookings, ${inFlight} in flight, ${doctors} doctors`,
        measurements: [
          before,
          {
            what: 'book_appointment, while it is archived',
            ...compared.ours,
            note: `${whole(moved)} moved meanwhile`,
          },
          { what: 'book_appointment, in turns with that', ...compared.yardstick },
          after,
          asked,
          askedAfter,
          {
            what: 'archive_appointments, rows; time of a batch',
            rate: alone.rate,
            latency: latencyOf(alone.tookMs),
          },
          {
            what: 'remove_past_slots, rows; time of a batch',
            rate: slots.rate,
            latency: latencyOf(slots.tookMs),
          },
          { what: 'archive_appointments, nothing due', latency: latencyOf(none.tookMs) },
        ],
        ratio: {
          value: compared.ratio,
          of: 'bookings with nothing else going on',
          mustReach: `≥ ${mustReach}`,
          isReached: compared.ratio >= mustReach,
        },
        faults: [
          ...(archived === history ? [] : [`${archived} archived instead of ${history}`]),
          ...(slots.count === history ? [] : [`${slots.count} slots removed, not ${history}`]),
        ],
      };
    } finally {
      await Promise.all([server.end(), worker.end()]);
    }
  },
};

/** Completed visits of past years, each in a slot of its own; written without their rules. */
async function addHistory(owner: pg.Pool, hospital: BenchHospital, count: number): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query("begin; set local session_replication_role = 'replica'");
    await client.query(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
       select $1, doctor.id, location.id, tstzrange(at, at + interval '15 minutes')
       from (
         select ($2::uuid[])[1 + number % $3] as id, number / $3 as turn from generate_series(0, $4 - 1) as number
       ) as doctor
       cross join lateral (
         select timestamptz '2020-01-01 00:00+00' + doctor.turn * interval '15 minutes' as at) as time
       join app_public.location on location.hospital_id = $1`,
      [hospital.id, hospital.doctorIds, hospital.doctorIds.length, count],
    );
    await client.query(
      `insert into app_public.appointment (
         hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, reason, completed_at,
         created_by, created_at, updated_at)
       select hospital_id, id, doctor_id, location_id, ($2::uuid[])[1 + row_number() over () % $3], during,
         'completed', 'staff', 'an old complaint', starts_at, $4, starts_at, starts_at
       from app_public.slot where hospital_id = $1 and starts_at < '2026-01-01' and booked_count = 0`,
      [hospital.id, hospital.patientIds, hospital.patientIds.length, hospital.accountId],
    );
    await client.query('commit');
    await client.query('vacuum analyze app_public.slot, app_public.appointment');
  } finally {
    client.release();
  }
}

type Step = 'archive_appointments' | 'remove_past_slots';

async function step(
  worker: pg.Pool,
  hospital: BenchHospital,
  name: Step,
  most: number,
): Promise<number> {
  const { rows } = await worker.query<{ count: number }>(
    `select app_private.${name}($1, $2) as count`,
    [hospital.id, most],
  );
  return rows[0]?.count ?? 0;
}

async function drain(
  worker: pg.Pool,
  hospital: BenchHospital,
  name: Step,
  most: number,
  enough = Number.POSITIVE_INFINITY,
) {
  const tookMs: number[] = [];
  let count = 0;
  for (;;) {
    const startedAt = performance.now();
    const moved = await step(worker, hospital, name, most);
    tookMs.push(performance.now() - startedAt);
    count += moved;
    if (moved === 0 || count >= enough) break;
  }
  return { count, rate: count / (tookMs.reduce((sum, took) => sum + took, 0) / 1000), tookMs };
}

async function freeSlots(server: pg.Pool, hospital: BenchHospital, doctorId: string) {
  await withTransaction(server, receptionSettings(hospital), (client) =>
    client.query({
      name: 'free',
      text: 'select slot_id, starts_at, ends_at from app_public.free_slots($1) limit $2',
      values: [doctorId, days * slotsADay],
    }),
  );
}
