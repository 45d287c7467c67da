import { createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { JwtSecret } from '../../platform/secrets.ts';
import { type Claims, ROLES } from './claims.ts';
import type { ErrorCatalog } from './error-catalog.ts';

/** How long an access token is good, in seconds. */
export const ACCESS_TOKEN_SECONDS = 15 * 60;

const ISSUER = 'slotkeeper';
const AUDIENCE = 'slotkeeper-api';
const ALGORITHM = 'HS256';

/** Ours have about 600 characters; longer ones are not even looked at. */
const MOST_CHARACTERS = 2_048;

/** What a token must say, all of it, whoever signed it. */
const payloadShape = z
  .object({
    sub: z.guid(),
    iat: z.int(),
    exp: z.int(),
    hospital_id: z.guid(),
    role: z.enum(ROLES),
    doctor_id: z.guid().optional(),
    patient_id: z.guid().optional(),
    session_id: z.guid(),
  })
  .refine(({ role, doctor_id }) => (role === 'doctor') === (doctor_id !== undefined))
  .refine(({ role, patient_id }) => (role === 'patient') === (patient_id !== undefined))
  .refine(({ iat, exp }) => exp - iat <= ACCESS_TOKEN_SECONDS);

/** A token's claims, and the instant at which it expires. */
export type VerifiedToken = { claims: Claims; expiresAt: Date };

/** Signs access tokens with the first secret and verifies them with the one they name. */
export class AccessTokens {
  readonly #signing: Key;
  readonly #keys: ReadonlyMap<string, Key>;
  readonly #catalog: ErrorCatalog;

  constructor(secrets: readonly JwtSecret[], catalog: ErrorCatalog) {
    const keys = secrets.map(({ kid, secret }) => ({ kid, key: createSecretKey(secret, 'utf8') }));
    const [signing] = keys;
    if (!signing) throw new Error('There is no secret to sign access tokens with.');
    this.#signing = signing;
    this.#keys = new Map(keys.map((key) => [key.kid, key]));
    this.#catalog = catalog;
  }

  /** A token that is good for {@link ACCESS_TOKEN_SECONDS} from now. */
  sign(claims: Claims): string {
    const payload = {
      hospital_id: claims.hospitalId,
      role: claims.role,
      ...(claims.doctorId === null ? null : { doctor_id: claims.doctorId }),
      ...(claims.patientId === null ? null : { patient_id: claims.patientId }),
      session_id: claims.sessionId,
    };
    return jwt.sign(payload, this.#signing.key, {
      algorithm: ALGORITHM,
      keyid: this.#signing.kid,
      issuer: ISSUER,
      audience: AUDIENCE,
      subject: claims.accountId,
      expiresIn: ACCESS_TOKEN_SECONDS,
    });
  }

  /** Throws the refusal `token_expired` or `invalid_token`; why it is invalid stays here. */
  verify(token: string): VerifiedToken {
    const payload = payloadShape.safeParse(this.#payloadOf(token));
    if (!payload.success) throw this.#catalog.refusal('invalid_token');
    const { sub, exp, hospital_id, role, doctor_id, patient_id, session_id } = payload.data;
    return {
      claims: {
        hospitalId: hospital_id,
        accountId: sub,
        role,
        doctorId: doctor_id ?? null,
        patientId: patient_id ?? null,
        sessionId: session_id,
      },
      expiresAt: new Date(exp * 1_000),
    };
  }

  #payloadOf(token: string): unknown {
    const key = token.length <= MOST_CHARACTERS ? this.#keys.get(kidOf(token)) : undefined;
    if (key === undefined) throw this.#catalog.refusal('invalid_token');
    try {
      return jwt.verify(token, key.key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
      });
    } catch (error) {
      const scenario = error instanceof jwt.TokenExpiredError ? 'token_expired' : 'invalid_token';
      throw this.#catalog.refusal(scenario);
    }
  }
}

type Key = { kid: string; key: KeyObject };

/** The key that a token names, or '', which is no key's name. */
function kidOf(token: string): string {
  try {
    const header = Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString();
    const { kid }: { kid?: unknown } = JSON.parse(header) ?? {};
    return typeof kid === 'string' ? kid : '';
  } catch {
    return '';
  }
}
