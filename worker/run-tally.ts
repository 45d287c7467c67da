import type { OperationsLog } from '../platform/operations-log.ts';

/** Counts short successful runs of jobs, which have no record of their own, and tells of them together. */
export interface RunTally {
  count(run: { hospitalId: string; job: string; durationMs: number; items: number | null }): void;
  /** Tells what is left. */
  stop(): void;
}

type Sum = { count: number; total_ms: number; longest_ms: number; items: number };

/** Starts a tally that tells every ten seconds what ran, one entry a job and hospital. */
export function startRunTally(operations: OperationsLog, everyMs = 10_000): RunTally {
  let sums = new Map<string, Sum>();
  const tell = () => {
    for (const [key, sum] of sums) {
      const [hospitalId, name = ''] = key.split('/');
      operations.write({
        kind: 'job',
        level: 'info',
        name,
        outcome: 'succeeded',
        hospitalId,
        actorRole: 'worker',
        details: { ...sum },
      });
    }
    sums = new Map();
  };
  const timer = setInterval(tell, everyMs);
  timer.unref();
  return {
    count({ durationMs, hospitalId, items, job }) {
      const key = `${hospitalId}/${job}`;
      const sum = sums.get(key) ?? { count: 0, total_ms: 0, longest_ms: 0, items: 0 };
      sums.set(key, {
        count: sum.count + 1,
        total_ms: sum.total_ms + durationMs,
        longest_ms: Math.max(sum.longest_ms, durationMs),
        items: sum.items + (items ?? 0),
      });
    },
    stop() {
      clearInterval(timer);
      tell();
    },
  };
}
