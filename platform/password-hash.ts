import argon2 from 'argon2';

/** OWASP's first choice: 19 MiB, two passes, one lane. About 40 ms of one core. */
const COST = {
  type: argon2.argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const;

/** The argon2id hash of a password, as account_secret keeps it. */
export function hashPassword(password: string): Promise<string> {
  return argon2.hash(normal(password), COST);
}

/** Whether a password is the one that was hashed. */
export function verifyPassword(hash: string, password: string): Promise<boolean> {
  return argon2.verify(hash, normal(password));
}

/** Keyboards write the same letter in different ways. */
function normal(password: string): string {
  return password.normalize('NFKC');
}
