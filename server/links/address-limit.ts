import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from '../auth/limiter.ts';

/**
 * How often one address (of IPv6 its network) may ask within a minute. Counted in memory, by each server
 * for itself: what it guards are secrets of 256 bits, which cannot be guessed at any rate, so that it only
 * has to keep somebody from keeping the database busy.
 */
export class AddressLimit {
  readonly #counter: RateLimiterAbstract;
  readonly #most: number;

  constructor(mostInAMinute: number) {
    this.#most = mostInAMinute;
    this.#counter = new RateLimiterMemory({ points: mostInAMinute, duration: 60 });
  }

  /** Counts one; the seconds to wait when that is too many, else null. */
  async count(ip: string | undefined): Promise<number | null> {
    try {
      await this.#counter.consume(networkOf(ip ?? 'unknown'));
      return null;
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return secondsOf(refused);
      throw refused;
    }
  }

  /** Counts nothing; the seconds to wait when there have been too many, else null. */
  async waitOf(ip: string | undefined): Promise<number | null> {
    const counted = await this.#counter.get(networkOf(ip ?? 'unknown'));
    return counted === null || counted.consumedPoints < this.#most ? null : secondsOf(counted);
  }
}

function secondsOf({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1_000));
}
