import type { Pool } from 'pg';
import type { Log } from '../../platform/log.ts';
import { withTransaction } from '../../platform/pool.ts';
import { describeForLog } from '../errors.ts';

/** How often the database is asked, in ms: what stands in for a message that never came. */
const POLL_EVERY_MS = 5_000;

/** How long an end is remembered: longer than any access token of the session is good. */
const REMEMBER_SECONDS = 16 * 60;

/** A transaction may be this old when it commits the end of a session. */
const SLOWEST_TRANSACTION = '1 minute';

export type EndedSessionsOptions = {
  pool: Pool;
  log: Log;
  /** Unless told, 5,000 ms. */
  pollEveryMs?: number;
  /** Unless told, 960 s. */
  rememberSeconds?: number;
};

/**
 * The sessions that have ended while access tokens of theirs may still be good. It is told of them
 * (`add`) and asks for them every few seconds. What can be forgotten is forgotten, so it stays as
 * small as the number of sessions ended in a quarter of an hour.
 */
export class EndedSessions {
  readonly #pool: Pool;
  readonly #log: Log;
  readonly #rememberSeconds: number;
  /** Id, and the instant in ms after which nobody asks for it. In order of that instant. */
  readonly #forgetAt = new Map<string, number>();
  readonly #pollEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners: ((sessionIds: readonly string[]) => void)[] = [];
  /** Instant of the database at the last poll. */
  #seenUntil: Date | null = null;
  #polling: Promise<void> | null = null;
  #isFailing = false;

  constructor(options: EndedSessionsOptions) {
    this.#pool = options.pool;
    this.#log = options.log;
    this.#rememberSeconds = options.rememberSeconds ?? REMEMBER_SECONDS;
    this.#pollEveryMs = options.pollEveryMs ?? POLL_EVERY_MS;
  }

  /** Reads what has ended so far, and asks again and again from now on. Rejects when it cannot read. */
  async start(): Promise<void> {
    await this.#read();
    this.#timer = setInterval(() => void this.poll(), this.#pollEveryMs);
    this.#timer.unref();
  }

  /** How many are remembered. */
  get size(): number {
    return this.#forgetAt.size;
  }

  /** Whether access tokens of this session must be refused. */
  has(sessionId: string): boolean {
    return this.#forgetAt.has(sessionId);
  }

  /** From now on these sessions have ended; those already known stay so. */
  add(sessionIds: readonly string[]): void {
    const unknown = sessionIds.filter((id) => !this.#forgetAt.has(id));
    const forgetAt = performance.now() + this.#rememberSeconds * 1_000;
    for (const id of sessionIds) {
      this.#forgetAt.delete(id);
      this.#forgetAt.set(id, forgetAt);
    }
    if (unknown.length === 0) return;
    for (const listener of this.#listeners) listener(unknown);
  }

  /** Calls the listener with every session that ends from now on, however this is heard of, once. */
  whenEnded(listener: (sessionIds: readonly string[]) => void): void {
    this.#listeners.push(listener);
  }

  /** Asks the database what has ended. A failure is logged and made good by the next poll. */
  poll(): Promise<void> {
    this.#polling ??= this.#pollOnce().finally(() => {
      this.#polling = null;
    });
    return this.#polling;
  }

  /** Stops asking; resolves when the last question is answered. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#polling;
  }

  async #pollOnce(): Promise<void> {
    this.#forget();
    try {
      await this.#read();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        this.#log.warn({ error: describeForLog(error) }, 'ended sessions could not be read');
      }
      this.#isFailing = true;
    }
  }

  async #read(): Promise<void> {
    const { instant, ids } = await this.#ask();
    this.add(ids);
    this.#seenUntil = instant;
  }

  async #ask(): Promise<{ instant: Date; ids: string[] }> {
    const { rows } = await withTransaction(this.#pool, { role: 'app_login' }, (client) =>
      client.query<{ instant: Date; ids: string[] }>(
        `select app_private.clock() as instant, array(
           select session_id from app_private.ended_sessions(coalesce(
             least($1::timestamptz, app_private.clock()) - $2::interval,
             app_private.clock() - make_interval(secs => $3)))) as ids`,
        [this.#seenUntil, SLOWEST_TRANSACTION, this.#rememberSeconds],
      ),
    );
    return rows[0] as { instant: Date; ids: string[] };
  }

  #forget(): void {
    const now = performance.now();
    for (const [id, forgetAt] of this.#forgetAt) {
      if (forgetAt > now) return;
      this.#forgetAt.delete(id);
    }
  }
}
