import { createHash, randomBytes } from 'node:crypto';

/** What a refresh token is to the database: the hospital that its session is of, and its hash. */
export type TokenReference = { hospitalId: string; hash: Buffer };

const FORM = /^([\w-]{22})\.([\w-]{43})$/;

/**
 * A new refresh token: the hospital and 256 random bits. The client keeps the text, the database the
 * hash of it; with that much chance in it, it needs no salt and no slow hash.
 */
export function createRefreshToken(hospitalId: string): TokenReference & { text: string } {
  const hospital = Buffer.from(hospitalId.replaceAll('-', ''), 'hex').toString('base64url');
  const text = `${hospital}.${randomBytes(32).toString('base64url')}`;
  return { text, hospitalId, hash: hashOf(text) };
}

/** The reference of a token that a client sent, or null when it cannot be one of ours. */
export function readRefreshToken(text: string): TokenReference | null {
  const [, hospital] = FORM.exec(text) ?? [];
  if (hospital === undefined) return null;
  const digits = Buffer.from(hospital, 'base64url').toString('hex');
  const hospitalId = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { hospitalId, hash: hashOf(text) };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
