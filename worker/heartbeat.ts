import type { Pool } from 'pg';
import type { Log } from '../platform/log.ts';
import { answered, isConnectionLoss, pause } from './connection.ts';

/** The heartbeat of one worker. */
export interface Heartbeat {
  /** Resolves when the last beat is fresh: at once, or with the next one, or when let go. */
  fresh(): Promise<void>;
  /** Lets go whoever waits for a fresh beat, because no job is taken any more; the heart beats on. */
  letGo(): void;
  /** Settles with the reason when the database went away; the heart has stopped then. */
  lost: Promise<unknown>;
  /** Stops beating. */
  stop(): Promise<void>;
}

export interface HeartbeatOptions {
  pool: Pool;
  log: Log;
  /** The id under which the worker locks jobs. */
  workerId: string;
}

// Others take a worker for dead after 60 s. A beat counts as fresh for half of that, so that a job is
// locked well before.
const everyMs = 10_000;
const freshForMs = 30_000;
const silenceMs = 10_000;

/** Notes that a worker lives, and unlocks the jobs of those that do not any more. */
export async function beat({ pool, log, workerId }: HeartbeatOptions): Promise<void> {
  await pool.query('select app_private.record_heartbeat(worker_id => $1::text)', [workerId]);
  const { rows } = await pool.query<{ dead: string[] }>(
    'select app_private.unlock_dead_workers() as dead',
  );
  const dead = rows[0]?.dead ?? [];
  if (dead.length > 0) log.warn({ workers: dead }, 'unlocked the jobs of dead workers');
}

/** Starts to beat; resolves after the first beat. */
export async function startHeartbeat(options: HeartbeatOptions): Promise<Heartbeat> {
  const heart = new Heart(options);
  await heart.beatOnce();
  return heart.start();
}

class Heart {
  readonly #options: HeartbeatOptions;
  readonly #stopping = new AbortController();
  #beatenAt = 0;
  #next = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): Heartbeat {
    const lost = Promise.withResolvers<unknown>();
    const done = this.#keepBeating().catch(lost.resolve);
    return {
      lost: lost.promise,
      fresh: () => this.#fresh(),
      letGo: () => this.#released.resolve(),
      stop: async () => {
        this.#stopping.abort();
        await done;
      },
    };
  }

  async beatOnce(): Promise<void> {
    // Counted from before the question, because the database may note it at any moment until the answer.
    const askedAt = performance.now();
    await answered(beat(this.#options), silenceMs);
    this.#beatenAt = askedAt;
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  // By a clock that also counts while the process is suspended or starved.
  async #fresh(): Promise<void> {
    if (performance.now() - this.#beatenAt < freshForMs) return;
    await Promise.race([this.#next.promise, this.#released.promise]);
  }

  async #keepBeating(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    for (;;) {
      await pause(failures === 0 ? everyMs : everyMs / 10, signal);
      if (signal.aborted) return;
      try {
        await this.beatOnce();
        failures = 0;
      } catch (error) {
        if (isConnectionLoss(error)) throw error;
        failures += 1;
        if (failures === 1) this.#options.log.error({ err: error }, 'the heartbeat failed');
      }
    }
  }
}
