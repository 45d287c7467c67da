import { type Latency, latencyOf, median } from './figures.ts';

/** How a load ran. */
export interface LoadRun {
  /** Of each item, in ms. */
  tookMs: number[];
  elapsedMs: number;
}

/** Does `work` on every item, `inFlight` at a time, in their order; the first error ends it. */
export async function runLoad<T>(
  items: readonly T[],
  inFlight: number,
  work: (item: T) => Promise<void>,
): Promise<LoadRun> {
  const tookMs: number[] = [];
  const waiting = items.values();
  const startedAt = performance.now();
  const lane = async () => {
    for (const item of waiting) {
      const itemStartedAt = performance.now();
      await work(item);
      tookMs.push(performance.now() - itemStartedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { tookMs, elapsedMs: performance.now() - startedAt };
}

/** Two things measured in turns. */
export interface Comparison {
  ours: { rate: number; latency: Latency };
  yardstick: { rate: number; latency: Latency };
  /** Rate of ours over that of the yardstick: the middle one of the rounds. */
  ratio: number;
  /** The ratios of all rounds, smallest first. */
  ratios: number[];
}

/**
 * Runs ours and the yardstick in turns, so that a machine that slows down slows both. Rates and the
 * ratio are those of the middle round, latencies those of all rounds together.
 */
export async function compareInTurns(
  rounds: number,
  runOurs: (round: number) => Promise<LoadRun>,
  runYardstick: (round: number) => Promise<LoadRun>,
): Promise<Comparison> {
  const ours: LoadRun[] = [];
  const yardstick: LoadRun[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const order = [
      async () => ours.push(await runOurs(round)),
      async () => yardstick.push(await runYardstick(round)),
    ];
    for (const run of round % 2 === 0 ? order : order.reverse()) await run();
  }
  const ratios = ours.map((run, round) => rateOf(run) / rateOf(yardstick[round] ?? run));
  ratios.sort((a, b) => a - b);
  return { ours: summarise(ours), yardstick: summarise(yardstick), ratio: median(ratios), ratios };
}

/** Items a second. */
export function rateOf(run: LoadRun): number {
  return run.tookMs.length / (run.elapsedMs / 1000);
}

function summarise(runs: readonly LoadRun[]): { rate: number; latency: Latency } {
  return {
    rate: median(runs.map(rateOf)),
    latency: latencyOf(runs.flatMap(({ tookMs }) => tookMs)),
  };
}

/** The same order at every run, but no order of the database's. */
export function shuffled<T>(items: readonly T[], seed = 1): T[] {
  const result = [...items];
  let state = seed;
  for (let last = result.length - 1; last > 0; last -= 1) {
    // A linear congruential generator (Numerical Recipes) is random enough to shuffle with.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
