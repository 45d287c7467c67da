import { latencyOf, ms, whole } from '../bench/harness/figures.ts';
import type { Outcome } from './book-day.ts';
import type { Course, PlannedVisit } from './day-plan.ts';
import type { LoadedHospital } from './load-hospital.ts';
import type { Proof } from './prove.ts';
import type { DayRequest } from './read-day.ts';

/** What the file holds. */
export function describeFile(requests: readonly DayRequest[]): string {
  const patients = new Set(requests.map(({ patientNumber }) => patientNumber)).size;
  const posts = new Set(requests.map(({ healthPost }) => healthPost)).size;
  return `${whole(requests.length)} appointments, ${whole(patients)} patient numbers, ${posts} health posts`;
}

/** What was made from it. */
export function describeHospital(hospital: LoadedHospital, day: string): string {
  const { slug, timeZone, locationIds, doctorCount, slotCount } = hospital;
  return `Hospital ${slug} (${timeZone}): ${locationIds.size} locations, ${doctorCount} doctors, ${whole(slotCount)} slots on ${day}`;
}

/** What was answered, how fast. */
export function describeOutcomes(
  outcomes: readonly Outcome[],
  run: { elapsedMs: number; inFlight: number },
): string {
  const refusals = new Map<string, number>();
  for (const { answer } of outcomes) {
    if (answer.kind === 'refused')
      refusals.set(answer.scenario, (refusals.get(answer.scenario) ?? 0) + 1);
  }
  const refused = [...refusals.values()].reduce((sum, count) => sum + count, 0);
  const { p50, p95, p99, max } = latencyOf(outcomes.map(({ tookMs }) => tookMs));
  const seconds = run.elapsedMs / 1000;
  return [
    line('booked', whole(outcomes.length - refused)),
    line('refused', whole(refused)),
    ...[...refusals].map(([scenario, count]) => line('', `${whole(count)} ${scenario}`)),
    line(
      'rate',
      `${whole(outcomes.length / seconds)} requests/s (${seconds.toFixed(1)} s, ${run.inFlight} in flight)`,
    ),
    line('request', `p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, max ${ms(max)}`),
  ].join('\n');
}

function line(name: string, value: string): string {
  return `  ${name.padEnd(10)}${value}`;
}

/** How the day will go, before it does. */
export function describeDay(visits: readonly PlannedVisit[], outcomes: readonly Outcome[]): string {
  const count = (course: Course) => visits.filter((visit) => visit.course === course).length;
  const stayedAway = outcomes.filter(({ wish }) => !wish.request.showedUp).length;
  const missed = count('missed');
  return [
    `The day: the clock of the whole database moves through it, five minutes at a time.`,
    line(
      'missed',
      `${whole(missed)}, of ${whole(stayedAway)} who did not come; ${whole(stayedAway - missed)} had no booking`,
    ),
    line('come', whole(visits.length - missed)),
    line('', `${whole(count('left without vitals'))} of them are left waiting for vital signs`),
    line('', `${whole(count('left without doctor'))} are left waiting for the doctor`),
  ].join('\n');
}

/** That it went, and how fast. */
export function describeLived({ acts }: { acts: number }, elapsedMs: number): string {
  const seconds = elapsedMs / 1000;
  return line(
    'staff',
    `${whole(acts)} acts in ${seconds.toFixed(1)} s (${whole(acts / seconds)}/s), jobs included`,
  );
}

/** One line a claim. */
export function describeProofs(proofs: readonly Proof[]): string {
  return proofs
    .map(({ claim, contradictions }) =>
      contradictions === 0
        ? `  ✓ ${claim}`
        : `  ✗ ${claim}: ${whole(contradictions)} contradict it`,
    )
    .join('\n');
}
