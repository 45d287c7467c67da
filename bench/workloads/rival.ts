import { join } from 'node:path';
import type pg from 'pg';
import { startChild } from '../harness/child.ts';
import { faultsOfBookings } from '../harness/counters.ts';
import { whole } from '../harness/figures.ts';
import { createHospital, generateSlots, type Wish, wishesFor } from '../harness/hospital.ts';
import { openHttpClient } from '../harness/http.ts';
import { compareInTurns, runLoad, shuffled } from '../harness/load.ts';
import { openReception, startServer } from '../harness/server.ts';
import type { Workload } from '../harness/workload.ts';

const inFlight = 16;
const rivalScript = join(import.meta.dirname, '..', 'rivals', 'serializable.ts');

/**
 * Ours through GraphQL with login, all rules and the log, against a server as the textbook writes it:
 * Express and pg, check then insert in a SERIALIZABLE transaction, five attempts, no other rule. Both
 * book distinct free slots, so every refusal is a false one.
 */
export const rival: Workload = {
  name: 'rival',
  title: 'bookAppointment over HTTP, against a SERIALIZABLE check-then-insert with retry over HTTP',
  async run(bench) {
    const { owner, isSmall } = bench;
    const rounds = isSmall ? 2 : 7;
    const bookings = isSmall ? 100 : 1_500;
    const doctors = isSmall ? 10 : 120;
    const hospital = await createHospital(owner, { doctors, days: 4, patients: doctors * 20 });
    await generateSlots(owner, hospital);
    await createRivalTables(owner, hospital.id);
    const wishes = shuffled(await wishesFor(owner, hospital));
    const warmUp = wishes.splice(0, bookings);
    const ofRound = (round: number) => wishes.slice(round * bookings, (round + 1) * bookings);

    const ours = await startServer(bench);
    const other = await startChild(rivalScript, {
      NODE_ENV: 'production',
      DATABASE_URL: bench.urls.databaseUrl,
    });
    const reception = await openReception(ours.url, hospital, inFlight);
    const client = openHttpClient(other.url, inFlight);
    const refusals: string[] = [];
    let rivalRefusals = 0;
    try {
      const bookOurs = (items: readonly Wish[]) =>
        runLoad(items, inFlight, async (wish) => {
          const refusal = await reception.book(wish);
          if (refusal !== undefined) refusals.push(refusal);
        });
      const bookTheirs = (items: readonly Wish[]) =>
        runLoad(items, inFlight, async (wish) => {
          const { status } = await client.post('/appointments', wish);
          if (status !== 201) rivalRefusals += 1;
        });
      await bookOurs(warmUp);
      await bookTheirs(warmUp);
      await owner.query('vacuum analyze');
      const compared = await compareInTurns(
        rounds,
        (round) => bookOurs(ofRound(round)),
        (round) => bookTheirs(ofRound(round)),
      );
      const total = warmUp.length + rounds * bookings;
      const retries = await countRetries(other.url);
      return {
        size: `${rounds} rounds of ${bookings} bookings, ${inFlight} in flight, ${doctors} doctors`,
        measurements: [
          { what: 'ours', ...compared.ours, note: `${refusals.length} false refusals` },
          {
            what: 'rival',
            ...compared.yardstick,
            note: `${whole(rivalRefusals)} false refusals of ${whole(total)}, ${whole(retries)} retries`,
          },
        ],
        ratio: {
          value: compared.ratio,
          of: 'the rival',
          mustReach: '≥ 1, no false refusal',
          isReached: compared.ratio >= 1 && refusals.length === 0,
        },
        faults: [
          ...refusals.map((scenario) => `a free slot was refused: ${scenario}`),
          ...(await faultsOfBookings(owner, hospital.id, total - refusals.length)),
        ],
      };
    } finally {
      reception.close();
      client.close();
      await Promise.all([ours.stop(), other.stop()]);
    }
  },
};

async function createRivalTables(owner: pg.Pool, hospitalId: string): Promise<void> {
  await owner.query(`
    drop schema if exists rival cascade;
    create schema rival;
    create table rival.slot (
      id uuid primary key,
      doctor_id uuid not null,
      starts_at timestamptz not null,
      ends_at timestamptz not null,
      capacity integer not null
    );
    create table rival.appointment (
      id uuid primary key default gen_random_uuid(),
      slot_id uuid not null references rival.slot (id),
      doctor_id uuid not null,
      patient_id uuid not null,
      starts_at timestamptz not null,
      ends_at timestamptz not null,
      status text not null,
      created_at timestamptz not null default now()
    );
    create index on rival.appointment (slot_id);
    create index on rival.appointment (patient_id, starts_at);`);
  await owner.query(
    `insert into rival.slot (id, doctor_id, starts_at, ends_at, capacity)
     select id, doctor_id, starts_at, ends_at, capacity from app_public.slot where hospital_id = $1`,
    [hospitalId],
  );
  await owner.query('vacuum analyze rival.slot');
}

async function countRetries(url: string): Promise<number> {
  const response = await fetch(`${url}/retries`);
  const { retries } = (await response.json()) as { retries: number };
  return retries;
}
