import { createHmac, hkdfSync } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Pool, QueryConfig } from 'pg';
import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Log } from '../../platform/log.ts';
import { withTransaction } from '../../platform/pool.ts';
import { describeForLog } from '../errors.ts';
import { KeyedTurnstiles } from './turnstile.ts';

/** How many failures are borne, and how long whoever has more waits. */
export type LoginLimits = {
  /** Failed logins of one account within the window. */
  account: number;
  /** Failed logins from one address within the window. */
  address: number;
  /** Registrations from one address within the window, made or refused. */
  registration: number;
  /** Wrong codes of the second factor of one account within the window. */
  secondFactor: number;
  /** Links that are not valid from one address within the window. */
  link: number;
  /** Mails with a link to a new password to one account within the window, whether it exists or not. */
  resetAccount: number;
  /** The same from one address. */
  resetAddress: number;
  windowSeconds: number;
  /** The wait doubles with each round within a day, from one window up to this. */
  longestWaitSeconds: number;
};

/** Five failures in a quarter of an hour; then 15 minutes of waiting, 30, and at most an hour. */
export const LOGIN_LIMITS: LoginLimits = {
  account: 5,
  address: 5,
  registration: 10,
  secondFactor: 5,
  link: 10,
  resetAccount: 3,
  resetAddress: 10,
  windowSeconds: 15 * 60,
  longestWaitSeconds: 60 * 60,
};

type SubjectKind = Exclude<keyof LoginLimits, 'windowSeconds' | 'longestWaitSeconds'>;

/** Whose failures are counted together; `key` does not tell who it is. */
export type Subject = { key: string; failures: number };

const ROUNDS_REMEMBERED_SECONDS = 24 * 60 * 60;
const SWEEP_EVERY_MS = 5 * 60_000;
const LONGEST_LINE = 64;

/** Thrown to whoever failed too often; the same for accounts that exist and that do not. */
export class TooManyAttempts extends Error {
  override readonly name = 'TooManyAttempts';
  /** How long to wait, in whole seconds. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('too many attempts');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export type LimiterOptions = {
  pool: Pool;
  log: Log;
  /** What keys are hashed with; servers that share it share their counts. */
  secret: string;
  limits?: Partial<LoginLimits>;
};

/**
 * Bears so many failures of one subject (an account, an address) and then makes it wait, ever longer
 * but never for good. The counts stand in the database, by hashed key, for all servers; while it cannot
 * be reached, each server counts for itself. Attempts of one subject stand in line, so that a burst
 * is counted one by one before the next is let in.
 */
export class LoginLimiter {
  readonly #limits: LoginLimits;
  readonly #failures: RateLimiterPostgres;
  readonly #rounds: RateLimiterPostgres;
  readonly #lines = new KeyedTurnstiles(LONGEST_LINE);
  readonly #key: Buffer;
  readonly #sweeper: NodeJS.Timeout;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: LimiterOptions) {
    this.#limits = { ...LOGIN_LIMITS, ...options.limits };
    const store = storeOf(options);
    this.#failures = counter(store, 'failures', this.#limits.windowSeconds);
    this.#rounds = counter(store, 'rounds', ROUNDS_REMEMBERED_SECONDS);
    this.#key = Buffer.from(hkdfSync('sha256', options.secret, '', 'slotkeeper limiter', 32));
    this.#sweeper = setInterval(() => {
      this.#sweeping = sweep(store);
    }, SWEEP_EVERY_MS);
    this.#sweeper.unref();
  }

  /** Everybody who logs in as this e-mail address in this hospital, whether it has an account or not. */
  account(hospital: string, email: string): Subject {
    return this.#subject('account', `${hospital}/${email}`);
  }

  /** Everybody who logs in, or registers, from this address; of IPv6 from this network. */
  address(
    purpose: 'address' | 'registration' | 'link' | 'resetAddress',
    ip: string | undefined,
  ): Subject {
    return this.#subject(purpose, networkOf(ip ?? 'unknown'));
  }

  /** Everybody who shows codes of this account's second factor. */
  secondFactor(hospitalId: string, accountId: string): Subject {
    return this.#subject('secondFactor', `${hospitalId}/${accountId}`);
  }

  /** Everybody who asks for a new password of this e-mail address, whether it has an account or not. */
  reset(hospital: string, email: string): Subject {
    return this.#subject('resetAccount', `${hospital}/${email}`);
  }

  /**
   * Makes an attempt of these subjects; always name them in the same order. Rejects with
   * {@link TooManyAttempts} without making it when one of them has failed too often, and with
   * LineTooLong when too many attempts of one of them wait.
   */
  attempt<T>(subjects: readonly Subject[], attempt: () => Promise<T>): Promise<T> {
    const [first, ...rest] = subjects;
    if (first === undefined) return attempt();
    return this.#lines.pass(first.key, async () => {
      await this.#refuseBlocked(first);
      return this.attempt(rest, attempt);
    });
  }

  /** Counts a failure. */
  async fail({ key, failures }: Subject): Promise<void> {
    const { longestWaitSeconds, windowSeconds } = this.#limits;
    const { consumedPoints } = await this.#failures.penalty(key);
    if (consumedPoints < failures) return;
    const { consumedPoints: rounds } = await this.#rounds.penalty(key);
    const wait = Math.min(windowSeconds * 2 ** Math.min(rounds - 1, 10), longestWaitSeconds);
    await this.#failures.set(key, failures, wait);
  }

  /** Forgets the failures of a subject. */
  async forgive({ key }: Subject): Promise<void> {
    await Promise.all([this.#failures.delete(key), this.#rounds.delete(key)]);
  }

  /** Stops sweeping away what has expired. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#sweeping;
  }

  async #refuseBlocked({ key, failures }: Subject): Promise<void> {
    const count = await this.#failures.get(key);
    if (count === null || count.consumedPoints < failures) return;
    throw new TooManyAttempts(Math.max(1, Math.ceil(count.msBeforeNext / 1_000)));
  }

  #subject(kind: SubjectKind, name: string): Subject {
    const hash = createHmac('sha256', this.#key).update(`${kind}\n${name}`).digest('base64url');
    return { key: `${kind}:${hash}`, failures: this.#limits[kind] };
  }
}

type Store = { query: (query: QueryConfig) => Promise<unknown> };

/** What the library takes for a pool: each query in a transaction of app_login. */
function storeOf({ pool, log }: LimiterOptions): Store {
  let isFailing = false;
  return {
    async query(query) {
      try {
        const result = await withTransaction(pool, { role: 'app_login' }, (client) =>
          client.query(query),
        );
        isFailing = false;
        return result;
      } catch (error) {
        if (!isFailing) {
          log.warn({ error: describeForLog(error) }, 'logins are counted in memory for now');
        }
        isFailing = true;
        throw error;
      }
    },
  };
}

/** What has expired is treated as gone anyway, so a failure is made good by the next sweep. */
async function sweep(store: Store): Promise<void> {
  const text = 'delete from app_private.rate_limit where expire < $1::bigint';
  await store.query({ text, values: [Date.now()] }).catch(() => {});
}

function counter(store: Store, name: string, duration: number) {
  // Of the library's points only the count is used; who is refused is decided here.
  const common = { keyPrefix: name, points: 1, duration };
  return new RateLimiterPostgres({
    ...common,
    storeClient: store,
    storeType: 'pool',
    schemaName: 'app_private',
    tableName: 'rate_limit',
    tableCreated: true,
    clearExpiredByTimeout: false,
    insuranceLimiter: new RateLimiterMemory(common),
  });
}

/** An IPv4 address as it is; of an IPv6 address its first 64 bits. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = (ip.split('%', 1)[0] ?? '').split('::');
  const groupsOf = (text: string | undefined) => (text ? text.split(':') : []);
  const first = groupsOf(head);
  const last = groupsOf(tail);
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<string>(Math.max(0, zeros)).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
