import type { Request } from 'express';
import { describeForLog } from '../errors.ts';
import type { Credentials, Login } from './accounts.ts';
import { type Origin, originOf } from './origin.ts';
import type { AuthParts } from './parts.ts';

/** The answer for a locked account is that for a wrong password, and takes as long. */
export function fits({ passwords }: AuthParts, found: Credentials | null, password: string) {
  return passwords.matches(found === null || found.isLocked ? null : found.passwordHash, password);
}

/** Writes down a wrong password; what cannot be written is logged. */
export async function recordFailure(
  { accounts, log }: AuthParts,
  account: Credentials | null,
  hospital: string,
  origin: Origin,
): Promise<void> {
  log.info({ account_id: account?.accountId, request_id: origin.requestId }, 'login failed');
  try {
    if (account === null) await accounts.recordUnknown(origin, hospital);
    else await accounts.recordFailure(origin, account);
  } catch (error) {
    const fields = { error: describeForLog(error), request_id: origin.requestId };
    log.warn(fields, 'a failed login could not be recorded');
  }
}

/**
 * Asks who is logged in for their password again, before they change how they log in: an access token
 * alone, which may have been stolen, is not enough. Wrong ones count as those of a login.
 */
export async function checkPassword(
  parts: AuthParts,
  request: Request,
  password: string,
): Promise<Login> {
  const { accounts, catalog, limiter } = parts;
  const { claims } = request;
  if (claims === null) throw catalog.refusal('not_logged_in');
  const origin = originOf(request);
  const login = await accounts.findLogin(origin, claims.hospitalId, claims.accountId);
  if (login === null) throw catalog.refusal('invalid_credentials');
  const subjects = [
    limiter.account(login.hospital, login.email),
    limiter.address('address', request.ip),
  ];
  const isRight = await limiter.attempt(subjects, async () => {
    if (await fits(parts, login, password)) return true;
    await Promise.all(subjects.map((subject) => limiter.fail(subject)));
    return false;
  });
  if (isRight) return login;
  await recordFailure(parts, login, login.hospital, origin);
  throw catalog.refusal('invalid_credentials');
}
