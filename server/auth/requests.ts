import type { Request } from 'express';
import { z } from 'zod';
import { readBody } from '../read-body.ts';
import type { ErrorCatalog } from './error-catalog.ts';
import { PASSWORD_LENGTH } from './password-policy.ts';

/** Largest body in bytes. */
const BODY_BYTES = 10 * 1_024;

/** A text of a line, without the characters that nobody types and Postgres cannot store. */
function line(most: number) {
  return z
    .string('must be a text')
    .trim()
    .min(1, 'must not be empty')
    .max(most, `must have at most ${most} characters`)
    .regex(/^\P{C}*$/u, 'must not hold control characters');
}

const hospital = line(63)
  .toLowerCase()
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'must be the short name of a hospital');
const email = line(254)
  .toLowerCase()
  .regex(/^[^@\s]+@[^@\s]+$/, 'must be an e-mail address');
// Longer ones than any password are refused here, so that nothing long is ever hashed.
const password = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(4 * PASSWORD_LENGTH.most, 'is too long');
const refreshToken = z.string('must be a text').max(1_000, 'is too long');

/** POST /auth/login. */
export const loginShape = z.strictObject({ hospital, email, password });

/** POST /auth/refresh and /auth/logout. */
export const tokenShape = z.strictObject({ refreshToken });

/** POST /auth/register. */
export const registrationShape = z.strictObject({
  hospital,
  email,
  password,
  name: line(200),
  phone: line(31)
    .regex(/^\+?[0-9][0-9 ()/.-]{2,30}$/, 'must be a telephone number')
    .nullish(),
  dateOfBirth: z.iso
    .date('must be a day such as 1990-12-31')
    .refine((day) => day >= '1850-01-01', 'must not be before 1850')
    .nullish(),
});

const linkToken = z.string('must be a text').min(1, 'must not be empty').max(200, 'is too long');
const code = z.string('must be a text').regex(/^\d{6}$/, 'must be six digits');
const recoveryCode = z
  .string('must be a text')
  .regex(/^[a-z0-9 -]{16,30}$/i, 'must be a recovery code');
const oneOfTwo = 'must hold either code or recoveryCode';
const hasOne = (shown: { code?: string | undefined; recoveryCode?: string | undefined }) =>
  (shown.code === undefined) !== (shown.recoveryCode === undefined);

/** POST /auth/invite/accept and /auth/password/reset. */
export const linkShape = z.strictObject({ token: linkToken, password });

/** POST /auth/password/forgot. */
export const forgottenShape = z.strictObject({ hospital, email });

/** POST /auth/password/change. */
export const changeShape = z.strictObject({ currentPassword: password, newPassword: password });

/** POST /auth/login/second-factor. */
export const secondFactorShape = z
  .strictObject({
    challenge: linkToken,
    code: code.optional(),
    recoveryCode: recoveryCode.optional(),
  })
  .refine(hasOne, { error: oneOfTwo, path: ['code'] });

/** POST /auth/totp/enroll: the password of who is logged in, or the challenge of who must enrol. */
export const enrolmentShape = z.union([
  z.strictObject({ password }),
  z.strictObject({ challenge: linkToken }),
]);

/** POST /auth/totp/confirm. */
export const confirmationShape = z.strictObject({ code, challenge: linkToken.optional() });

/** POST /auth/totp/disable. */
export const disablingShape = z
  .strictObject({ password, code: code.optional(), recoveryCode: recoveryCode.optional() })
  .refine(hasOne, { error: oneOfTwo, path: ['code'] });

/**
 * The body of a request in this shape. Throws invalid_input with what is wrong with each field, and
 * never with what stood in it.
 */
export async function readInput<Shape extends z.ZodType>(
  request: Request,
  shape: Shape,
  catalog: ErrorCatalog,
): Promise<z.output<Shape>> {
  if (!isPlainJson(request)) {
    throw catalog.refusal('invalid_input', { body: 'must be application/json in UTF-8' });
  }
  const content = parseJson(await readBody(request, BODY_BYTES));
  if (content === undefined) throw catalog.refusal('invalid_input', { body: 'must be JSON' });
  const parsed = shape.safeParse(content);
  if (parsed.success) return parsed.data;
  throw catalog.refusal('invalid_input', faultsOf(parsed.error));
}

function isPlainJson({ headers }: Request): boolean {
  const isJson = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;
  return (
    isJson.test(headers['content-type'] ?? '') &&
    (headers['content-encoding'] ?? 'identity') === 'identity'
  );
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** By field, the first fault of each. */
function faultsOf(error: z.ZodError): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const { code, message, path } of error.issues) {
    const field = path.join('.') || 'body';
    if (code === 'unrecognized_keys') faults[field] ??= 'has fields that are not known here';
    else if (field === 'body') faults[field] ??= 'must be an object';
    else faults[field] ??= message;
  }
  return faults;
}
