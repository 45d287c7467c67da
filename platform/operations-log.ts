import { DatabaseError } from 'pg';
import type { Log } from './log.ts';

/** What an entry of the log tells; facts only, the database finds the words. */
export interface LogEntry {
  kind: 'operation' | 'login' | 'webhook' | 'job' | 'security' | 'sync';
  level: 'debug' | 'info' | 'warning' | 'error' | 'critical';
  /** A word of ours: the field of a schema, the name of a route or of a job; never a client's. */
  name: string;
  outcome: 'succeeded' | 'refused' | 'failed' | 'noted';
  /** Of the machinery when neither this nor the short name is known. */
  hospitalId?: string | null | undefined;
  hospitalSlug?: string | undefined;
  code?: string | null | undefined;
  scenario?: string | null | undefined;
  durationMs?: number | undefined;
  requestId?: string | undefined;
  actorAccountId?: string | null | undefined;
  actorRole?: string | null | undefined;
  entityType?: string | undefined;
  entityId?: string | undefined;
  /** Identifiers, counts and times. */
  details?: Readonly<Record<string, unknown>> | undefined;
}

/** A place to leave entries of the log in. Nobody waits for it, and it never fails anybody. */
export interface OperationsLog {
  write(entry: LogEntry): void;
  /** Writes what is left, as long as the database answers, and keeps nothing any more. */
  close(): Promise<void>;
}

export interface OperationsLogOptions {
  /** Writes one batch; `batch` is JSON for app_private.write_log. */
  send(batch: string): Promise<void>;
  log: Log;
  /** Most entries that wait; more are dropped and counted. */
  capacity?: number;
  /** As many are written at once. */
  batchSize?: number;
  /** No entry waits longer than this while the database answers. */
  flushMs?: number;
  /** How long an answer of the database is waited for. */
  patienceMs?: number;
}

type Waiting = { entry: LogEntry; at: number };

const longestPauseMs = 10_000;
const mostTries = 3;

/**
 * Collects entries in memory and writes them in batches, one batch at a time. While the database is away
 * they wait, as many as there is room for; a batch that the database refuses for itself is given up after
 * three tries. What was dropped is counted, and told in the log as soon as something can be written.
 */
export function openOperationsLog(options: OperationsLogOptions): OperationsLog {
  const writer = new Writer(options);
  return { write: (entry) => writer.write(entry), close: () => writer.close() };
}

class Writer {
  readonly #options: Required<OperationsLogOptions>;
  #waiting: Waiting[] = [];
  #dropped = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isTimerPause = false;
  #flushing: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: OperationsLogOptions) {
    this.#options = {
      capacity: 10_000,
      batchSize: 500,
      flushMs: 500,
      patienceMs: 8_000,
      ...options,
    };
  }

  write(entry: LogEntry): void {
    if (this.#isClosed || this.#waiting.length >= this.#options.capacity) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push({ entry, at: performance.now() });
    if (this.#flushing !== undefined || this.#isTimerPause) return;
    if (this.#waiting.length >= this.#options.batchSize) this.#flush();
    else this.#flushIn(this.#options.flushMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    clearTimeout(this.#timer);
    while (this.#waiting.length + this.#dropped > 0 && (await this.#writeBatch()));
    const lost = this.#waiting.length + this.#dropped;
    if (lost > 0) this.#options.log.warn({ entries: lost }, 'entries of the log were not written');
    this.#waiting = [];
    this.#dropped = 0;
  }

  #flushIn(ms: number, isPause = false): void {
    if (this.#timer !== undefined) return;
    this.#isTimerPause = isPause;
    this.#timer = setTimeout(() => this.#flush(), ms);
    // Whoever ends closes; entries alone keep nobody alive.
    this.#timer.unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isTimerPause = false;
    this.#flushing ??= this.#writeOn().finally(() => {
      this.#flushing = undefined;
    });
  }

  async #writeOn(): Promise<void> {
    const { batchSize, flushMs } = this.#options;
    do {
      if (!(await this.#writeBatch())) {
        this.#flushIn(Math.min(flushMs * 2 ** this.#failures, longestPauseMs), true);
        return;
      }
    } while (this.#waiting.length >= batchSize && !this.#isClosed);
    if (this.#waiting.length > 0 && !this.#isClosed) this.#flushIn(flushMs);
  }

  /** Says whether it was written, or given up; false where it has to be tried again later. */
  async #writeBatch(): Promise<boolean> {
    const { batchSize, log, patienceMs, send } = this.#options;
    const batch = this.#waiting.slice(0, batchSize);
    const dropped = this.#dropped;
    const now = performance.now();
    const rows = batch.map(({ entry, at }) => rowOf(entry, now - at));
    if (dropped > 0) rows.push(rowOf(tellOfDropped(dropped), 0));
    try {
      await within(patienceMs, send(JSON.stringify(rows)));
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === 1)
        log.warn({ err: error }, 'the log could not be written, trying again');
      if (isAway(error) || this.#failures < mostTries) return false;
      this.#dropped += batch.length;
      this.#waiting.splice(0, batch.length);
      log.error({ err: error, entries: batch.length }, 'a batch of the log was given up');
      // What remains is not tried at once: it may be refused for the same reason.
      return batch.length > 0 && this.#waiting.length > 0 && !this.#isClosed;
    }
    this.#waiting.splice(0, batch.length);
    this.#dropped -= dropped;
    this.#failures = 0;
    if (dropped > 0) log.warn({ entries: dropped }, 'entries of the log were dropped');
    return true;
  }
}

function tellOfDropped(count: number): LogEntry {
  return {
    kind: 'operation',
    level: 'warning',
    name: 'log_dropped',
    outcome: 'noted',
    details: { count },
  };
}

/** As app_private.write_log reads it; undefined ones are left out. */
function rowOf(entry: LogEntry, ageMs: number): Record<string, unknown> {
  return {
    hospital_id: entry.hospitalId,
    hospital_slug: entry.hospitalSlug,
    kind: entry.kind,
    level: entry.level,
    name: entry.name,
    outcome: entry.outcome,
    code: entry.code,
    scenario: entry.scenario,
    duration_ms: entry.durationMs === undefined ? undefined : Math.round(entry.durationMs),
    request_id: entry.requestId,
    actor_account_id: entry.actorAccountId,
    actor_role: entry.actorRole,
    entity_type: entry.entityType,
    entity_id: entry.entityId,
    details: entry.details,
    age_ms: ageMs,
  };
}

/** Whether the database is not there, rather than that it refuses what it is given. */
function isAway(error: unknown): boolean {
  return !(error instanceof DatabaseError) || /^(08|53|57)/.test(error.code ?? '');
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('The database has not answered.')), ms);
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}
