/** Thrown to whoever finds the line too long. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/** Lets so many through at once, has so many wait in order, and turns the rest away. */
export class Turnstile {
  readonly #places: number;
  readonly #longestLine: number;
  readonly #line: (() => void)[] = [];
  #inside = 0;

  constructor(limits: { places: number; longestLine: number }) {
    this.#places = limits.places;
    this.#longestLine = limits.longestLine;
  }

  /** Whether nobody is inside or waiting. */
  get isIdle(): boolean {
    return this.#inside === 0;
  }

  /** Does `work` as soon as there is a place; rejects with {@link LineTooLong} when too many wait. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#places) this.#inside += 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      // The place is handed on, so nobody can slip in between.
      const next = this.#line.shift();
      if (next) next();
      else this.#inside -= 1;
    }
  }

  #wait(): Promise<void> {
    if (this.#line.length >= this.#longestLine) return Promise.reject(new LineTooLong());
    return new Promise((resolve) => this.#line.push(resolve));
  }
}

/** A turnstile for each key, for as long as somebody is at it: one at a time. */
export class KeyedTurnstiles {
  readonly #longestLine: number;
  readonly #turnstiles = new Map<string, Turnstile>();

  constructor(longestLine: number) {
    this.#longestLine = longestLine;
  }

  /** Does `work` when nobody else is at this key; rejects with {@link LineTooLong} as above. */
  async pass<T>(key: string, work: () => Promise<T>): Promise<T> {
    let turnstile = this.#turnstiles.get(key);
    if (!turnstile) {
      turnstile = new Turnstile({ places: 1, longestLine: this.#longestLine });
      this.#turnstiles.set(key, turnstile);
    }
    try {
      return await turnstile.pass(work);
    } finally {
      if (turnstile.isIdle) this.#turnstiles.delete(key);
    }
  }
}
