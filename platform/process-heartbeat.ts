import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './log.ts';

/** The heartbeat of a process, by which the database knows who lives and whose clock is wrong. */
export interface ProcessHeartbeat {
  stop(): Promise<void>;
}

/** What the database is told at a beat. */
export interface ProcessBeat {
  processId: string;
  kind: 'server' | 'worker';
  environment: string;
  driftMs: number | null;
  uncertaintyMs: number | null;
}

export interface ProcessHeartbeatOptions {
  kind: ProcessBeat['kind'];
  environment: string;
  /** Tells the database and resolves to the time that it answers. */
  tell(beat: ProcessBeat): Promise<Date>;
  log: Log;
  /** 10,000 ms unless told. */
  everyMs?: number;
  /** The clock that is compared. */
  now?: () => number;
}

/**
 * Beats until it is stopped. At each beat the clocks are compared, and at the next one the database is told
 * what came of it: by how much this one is ahead, and how far that may be wrong, which is half of the time
 * that the answer took. That a beat fails is told once; others notice that it is missing.
 */
export function startProcessHeartbeat(options: ProcessHeartbeatOptions): ProcessHeartbeat {
  const stopping = new AbortController();
  const done = keepBeating(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function keepBeating(options: ProcessHeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { environment, everyMs = 10_000, kind, log, now = Date.now, tell } = options;
  const processId = `${kind}-${randomUUID().slice(0, 8)}`;
  let compared: Pick<ProcessBeat, 'driftMs' | 'uncertaintyMs'> = {
    driftMs: null,
    uncertaintyMs: null,
  };
  let isFailing = false;
  while (!signal.aborted) {
    try {
      const askedAt = now();
      const answer = await tell({ processId, kind, environment, ...compared });
      compared = compare(askedAt, answer.getTime(), now());
      isFailing = false;
    } catch (error) {
      if (!isFailing && !signal.aborted) log.warn({ err: error }, 'a sign of life was not noted');
      isFailing = true;
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => {});
  }
}

/** A clock that jumps between question and answer makes the comparison worthless, not wrong. */
function compare(askedAt: number, answer: number, heardAt: number) {
  const half = Math.abs(heardAt - askedAt) / 2;
  const drift = (askedAt + heardAt) / 2 - answer;
  return { driftMs: bounded(drift), uncertaintyMs: bounded(Math.ceil(half)) };
}

/** As far as an integer of the database reaches: clocks may be wrong by years. */
function bounded(ms: number): number {
  return Math.round(Math.min(Math.max(ms, -2_000_000_000), 2_000_000_000));
}
