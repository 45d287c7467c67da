import { createHash, timingSafeEqual } from 'node:crypto';

/** Keys of schedulers outside; of two, both are good, so that one can follow the other. */
export class ApiKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digestOf);
  }

  /** Whether there are any. */
  get isEmpty(): boolean {
    return this.#digests.length === 0;
  }

  /** Takes as long for every key that it is given, good or not: digests are compared, all of them. */
  has(given: string | undefined): boolean {
    const digest = digestOf(given ?? '');
    let isGood = false;
    for (const each of this.#digests) isGood = timingSafeEqual(each, digest) || isGood;
    return isGood && given !== undefined;
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
