import { readFile } from 'node:fs/promises';
import type { ReplayArguments } from './arguments.ts';
import { bookDay, type Outcome } from './book-day.ts';
import { checkServer } from './client.ts';
import { planStops, planVisits } from './day-plan.ts';
import { type LoadedHospital, loadHospital } from './load-hospital.ts';
import { assignSlots, expectRefusals, type OfferedSlot } from './plan.ts';
import { type Proof, proveAnswers, proveTables } from './prove.ts';
import { proveDay } from './prove-day.ts';
import { readDay } from './read-day.ts';
import { openReception } from './reception.ts';
import { openRehearsal } from './rehearsal.ts';
import {
  describeDay,
  describeFile,
  describeHospital,
  describeLived,
  describeOutcomes,
  describeProofs,
} from './report.ts';
import { openStaff } from './staff.ts';
import { liveThroughDay } from './through-the-day.ts';

export interface ReplayOptions extends ReplayArguments {
  /** Of the role that owns the database which the server at `url` uses. */
  databaseUrl: string;
  say: (message: string) => void;
  /** Told once how many requests there are; returns what to call after each, and at the end. */
  showProgress: (total: number) => { step(): void; end(): void };
}

/** What a replay came to. */
export interface ReplayResult {
  hospitalId: string;
  booked: number;
  /** Count by scenario. */
  refused: Record<string, number>;
  proofs: Proof[];
}

/** Replays one day: reads, sets up, books as reception would, and proves what came of it. */
export async function replayDay(options: ReplayOptions): Promise<ReplayResult> {
  const { databaseUrl, day, inFlight, say, url } = options;
  const requests = readDay(await readFile(options.file, 'utf8'));
  say(`${options.file}: ${describeFile(requests)}`);
  await checkServer(url);
  const slug = options.hospital;
  const hospital = await loadHospital({ databaseUrl, requests, day, slug });
  say(describeHospital(hospital, day));

  const { logins } = hospital;
  const door = { url, hospital: hospital.slug };
  const reception = await openReception({
    ...door,
    email: logins.reception,
    password: logins.password,
  });
  const slots = new Map<string, OfferedSlot[]>();
  for (const [post, locationId] of hospital.locationIds) {
    slots.set(post, await reception.freeSlots(locationId, hospital.dayStart, hospital.dayEnd));
  }
  const wishes = assignSlots(requests, slots);
  const expected = expectRefusals(wishes);
  say(
    `Reception at ${url} books them in the order of request; ${expected.size} clash and must be refused.`,
  );

  const { patientIds } = hospital;
  const progress = options.showProgress(wishes.length);
  const startedAt = performance.now();
  const outcomes = await bookDay({
    reception,
    wishes,
    patientIds,
    inFlight,
    onAnswer: progress.step,
  }).finally(progress.end);
  say(`\n${describeOutcomes(outcomes, { elapsedMs: performance.now() - startedAt, inFlight })}`);

  const proofs = [
    ...proveAnswers(wishes, outcomes, expected),
    ...(await proveTables({ databaseUrl, hospitalId: hospital.id, patientIds, outcomes })),
  ];
  say(
    `\nProof, from the answers and from the tables read without an index:\n${describeProofs(proofs)}`,
  );
  const scenarios = outcomes.map(({ answer }) =>
    answer.kind === 'booked' ? 'booked' : answer.scenario,
  );
  const { booked = 0, ...refused } = countEach(scenarios);
  const ofTheDay = options.throughTheDay
    ? await liveDay({ options, door, hospital, outcomes })
    : [];
  return { hospitalId: hospital.id, booked, refused, proofs: [...proofs, ...ofTheDay] };
}

/** The second half: the day itself, with staff and jobs at work, and what came of it. */
async function liveDay(given: {
  options: ReplayOptions;
  door: { url: string; hospital: string };
  hospital: LoadedHospital;
  outcomes: readonly Outcome[];
}): Promise<Proof[]> {
  const { options, door, hospital, outcomes } = given;
  const { databaseUrl, inFlight, say } = options;
  const visits = planVisits(outcomes);
  say(`\n${describeDay(visits, outcomes)}`);
  const staff = await openStaff(door, hospital.logins);
  const rehearsal = await openRehearsal(databaseUrl);
  const progress = options.showProgress(planStops(visits).length);
  const startedAt = performance.now();
  try {
    const lived = await liveThroughDay({
      visits,
      staff,
      rehearsal,
      inFlight,
      onStop: progress.step,
    });
    say(`${describeLived(lived, performance.now() - startedAt)}`);
  } finally {
    progress.end();
    await rehearsal.close();
  }
  const proofs = await proveDay({ databaseUrl, hospitalId: hospital.id, visits });
  say(`\nProof, from the tables read without an index:\n${describeProofs(proofs)}`);
  return proofs;
}

function countEach(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
