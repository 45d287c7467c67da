import { readFile } from 'node:fs/promises';
import type { ReplayArguments } from './arguments.ts';
import { bookDay } from './book-day.ts';
import { loadHospital } from './load-hospital.ts';
import { assignSlots, expectRefusals, type OfferedSlot } from './plan.ts';
import { type Proof, proveAnswers, proveTables } from './prove.ts';
import { readDay } from './read-day.ts';
import { checkServer, openReception } from './reception.ts';
import { describeFile, describeHospital, describeOutcomes, describeProofs } from './report.ts';

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

  const { email, password } = hospital;
  const reception = await openReception({ url, hospital: hospital.slug, email, password });
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
  return { hospitalId: hospital.id, booked, refused, proofs };
}

function countEach(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
