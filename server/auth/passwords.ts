import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hashPassword, verifyPassword } from '../../platform/password-hash.ts';
import type { Turnstile } from './turnstile.ts';

/**
 * Hashes at once that leave a core to everything else, and a thread of Node's pool of four.
 */
export const HASHES_AT_ONCE = Math.min(3, Math.max(1, availableParallelism() - 1));

/** Hashes and compares passwords with argon2id, a few at a time. */
export class Passwords {
  readonly #turnstile: Turnstile;
  readonly #nobodysHash: string;

  private constructor(turnstile: Turnstile, nobodysHash: string) {
    this.#turnstile = turnstile;
    this.#nobodysHash = nobodysHash;
  }

  /** Prepares the hash that stands in where there is no account. */
  static async open(turnstile: Turnstile): Promise<Passwords> {
    const nobodysHash = await hashPassword(randomBytes(32).toString('base64url'));
    return new Passwords(turnstile, nobodysHash);
  }

  /** The hash of a password. Rejects with LineTooLong when too many wait, like all here. */
  hash(password: string): Promise<string> {
    return this.#turnstile.pass(() => hashPassword(password));
  }

  /** Whether the password fits. Without a hash it never does, and takes as long. */
  matches(hash: string | null, password: string): Promise<boolean> {
    return this.#turnstile.pass(async () => {
      const fits = await verifyPassword(hash ?? this.#nobodysHash, password);
      return hash !== null && fits;
    });
  }
}
