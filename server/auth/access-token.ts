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
  readonly #signing: JwtSecret;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #catalog: ErrorCatalog;

  constructor(secrets: readonly JwtSecret[], catalog: ErrorCatalog) {
    const [signing] = secrets;
    if (!signing) throw new Error('There is no secret to sign access tokens with.');
    this.#signing = signing;
    this.#secrets = new Map(secrets.map(({ kid, secret }) => [kid, secret]));
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
    return jwt.sign(payload, this.#signing.secret, {
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
    const secret = token.length <= MOST_CHARACTERS ? this.#secretNamedBy(token) : undefined;
    if (secret === undefined) throw this.#catalog.refusal('invalid_token');
    try {
      return jwt.verify(token, secret, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
      });
    } catch (error) {
      const scenario = error instanceof jwt.TokenExpiredError ? 'token_expired' : 'invalid_token';
      throw this.#catalog.refusal(scenario);
    }
  }

  #secretNamedBy(token: string): string | undefined {
    try {
      const kid = jwt.decode(token, { complete: true })?.header.kid;
      return typeof kid === 'string' ? this.#secrets.get(kid) : undefined;
    } catch {
      return undefined; // a payload that is not JSON
    }
  }
}
