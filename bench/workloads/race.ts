import type pg from 'pg';
import { latencyOf } from '../harness/figures.ts';
import {
  type BenchHospital,
  createHospital,
  generateSlots,
  receptionSettings,
  type Wish,
} from '../harness/hospital.ts';
import { connectAll, openPool } from '../harness/pool.ts';
import { openReception, startServer } from '../harness/server.ts';
import type { Bench, Measurement, Workload } from '../harness/workload.ts';
import { book } from './booking.ts';

// As many as a pool in front of Postgres would sensibly have; more clients stand in line for one.
const mostConnections = 100;

/**
 * Many clients want one slot at the same instant: over pg, up to 100 of them with a connection of
 * their own, and through the server with its pool. Exactly as many win as the slot has room for, and every other client is told
 * slot_booked: nothing else, no deadlock (40P01), no serialization failure (40001), no timeout.
 */
export const race: Workload = {
  name: 'race',
  title: 'many clients on one slot: who wins, and what the others are told',
  async run(bench) {
    const rounds = bench.isSmall ? 1 : 5;
    const crowds = bench.isSmall ? [16, 64] : [64, 500];
    const server = await startServer(bench);
    const measurements: Measurement[] = [];
    const faults: string[] = [];
    try {
      for (const capacity of [1, 3]) {
        for (const clients of crowds) {
          const hospital = await createHospital(bench.owner, {
            doctors: 1,
            days: 1,
            patients: clients,
            capacity,
          });
          await generateSlots(bench.owner, hospital);
          for (const door of ['pg', 'GraphQL'] as const) {
            const open = door === 'pg' ? openPgDoor : openHttpDoor;
            const crowd = await open(bench, hospital, clients, server.url);
            try {
              const races = await runRaces(bench.owner, hospital, crowd.book, rounds);
              measurements.push(
                describe(`${clients} clients, room for ${capacity}, ${door}`, races),
              );
              faults.push(...(await faultsOf(bench.owner, hospital, races, capacity, clients)));
            } finally {
              await crowd.close();
            }
          }
        }
      }
    } finally {
      await server.stop();
    }
    return {
      size: `${rounds} races each; the time of a client from the start of the race to its answer`,
      measurements,
      faults,
    };
  },
};

/** Resolves to undefined when the wish was booked, else to the scenario or the SQLSTATE. */
type Book = (wish: Wish) => Promise<string | undefined>;

interface Crowd {
  book: Book;
  close(): Promise<void>;
}

// A new connection's first booking pays for loading the functions; the race is about the slot.
const warmUpQuery = `select from app_public.explain_booking(
  '00000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000')`;

async function openPgDoor(bench: Bench, hospital: BenchHospital, clients: number): Promise<Crowd> {
  const connections = Math.min(clients, mostConnections);
  const pool = openPool(bench.urls.authenticatorUrl, connections);
  await connectAll(pool, connections, receptionSettings(hospital), warmUpQuery);
  return {
    book: (wish) => book(pool, hospital, wish).then(() => undefined, scenarioOf),
    close: () => pool.end(),
  };
}

async function openHttpDoor(
  _bench: Bench,
  hospital: BenchHospital,
  clients: number,
  url: string,
): Promise<Crowd> {
  const reception = await openReception(url, hospital, clients);
  return { book: reception.book, close: async () => reception.close() };
}

function scenarioOf(error: unknown): string {
  const { code = 'unknown', detail = '{}' } = error as { code?: string; detail?: string };
  return code.startsWith('SK') ? (JSON.parse(detail) as { scenario: string }).scenario : code;
}

interface Race {
  slotId: string;
  answers: (string | undefined)[];
  tookMs: number[];
}

async function runRaces(
  owner: pg.Pool,
  hospital: BenchHospital,
  bookWish: Book,
  rounds: number,
): Promise<Race[]> {
  const { rows } = await owner.query<{ id: string }>(
    `select id from app_public.slot where hospital_id = $1 and booked_count = 0 order by starts_at limit $2`,
    [hospital.id, rounds],
  );
  const races: Race[] = [];
  for (const { id: slotId } of rows) {
    const race: Race = { slotId, answers: [], tookMs: [] };
    const startedAt = performance.now();
    await Promise.all(
      hospital.patientIds.map(async (patientId) => {
        race.answers.push(await bookWish({ slotId, patientId }));
        race.tookMs.push(performance.now() - startedAt);
      }),
    );
    races.push(race);
  }
  return races;
}

function describe(what: string, races: readonly Race[]): Measurement {
  const refusals = races.flatMap(({ tookMs, answers }) =>
    tookMs.filter((_, index) => answers[index] !== undefined),
  );
  const answers = races.flatMap((race) => race.answers);
  const kinds = [...new Set(answers.map((answer) => answer ?? 'booked'))].sort();
  const counts = kinds.map(
    (kind) => `${kind} ${answers.filter((answer) => (answer ?? 'booked') === kind).length}`,
  );
  return { what, latency: latencyOf(refusals), note: counts.join(', ') };
}

async function faultsOf(
  owner: pg.Pool,
  hospital: BenchHospital,
  races: readonly Race[],
  capacity: number,
  clients: number,
): Promise<string[]> {
  const { rows } = await owner.query<{
    slot_id: string;
    booked_count: number;
    appointments: number;
  }>(
    `select slot.id as slot_id, slot.booked_count, count(appointment.id)::integer as appointments
     from app_public.slot
     left join app_public.appointment
       on appointment.hospital_id = slot.hospital_id and appointment.slot_id = slot.id and appointment.holds_seat
     where slot.hospital_id = $1
     group by slot.id, slot.booked_count`,
    [hospital.id],
  );
  const stored = new Map(rows.map((row) => [row.slot_id, row]));
  return races.flatMap(({ answers, slotId }) => {
    const where = `${clients} clients, room for ${capacity}`;
    const winners = answers.filter((answer) => answer === undefined).length;
    const unclean = answers.filter((answer) => answer !== undefined && answer !== 'slot_booked');
    const { appointments, booked_count: counted } = stored.get(slotId) ?? {};
    return [
      ...(winners === capacity ? [] : [`${where}: ${winners} won`]),
      ...(unclean.length === 0 ? [] : [`${where}: ${unclean.length} were told ${unclean[0]}`]),
      ...(appointments === winners && counted === winners
        ? []
        : [`${where}: ${winners} won, ${appointments} are stored, ${counted} counted`]),
    ];
  });
}
