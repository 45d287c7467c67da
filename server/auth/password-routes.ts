import type { Request, RequestHandler } from 'express';
import { describeForLog } from '../errors.ts';
import { note } from '../log/request-facts.ts';
import { answerSession, challengeRefusal, logSession } from './answer-session.ts';
import { checkPassword } from './check-password.ts';
import type { LinkOwner } from './links.ts';
import { originOf } from './origin.ts';
import type { AuthParts } from './parts.ts';
import { faultOfPassword, PASSWORD_LENGTH } from './password-policy.ts';
import { createRefreshToken, readRefreshToken, type TokenReference } from './refresh-token.ts';
import { changeShape, forgottenShape, linkShape, readInput } from './requests.ts';

/** `POST /invite/accept`: a link and a password become an account, and its first session. */
export function handleAcceptance(parts: AuthParts): RequestHandler {
  return async (request, response) => {
    const { password, token } = await readInput(request, linkShape, parts.catalog);
    const accepted = await acceptInvitation(parts, request, token, password);
    const { account, refresh } = accepted;
    const entry = await parts.accounts.enter(originOf(request), account, refresh);
    if ('challenge' in entry) throw challengeRefusal(parts, entry.challenge);
    logSession(parts, request, entry.session, 'accepted an invitation');
    answerSession(parts, response.status(201), entry.session, refresh.text);
  };
}

/** Makes the account that a link invites to, with this password. */
export async function acceptInvitation(
  parts: AuthParts,
  request: Request,
  link: string,
  password: string,
) {
  const { passwordHash, token } = await checkLink(parts, request, 'invitation', link, password);
  const accountId = await parts.links.accept(originOf(request), token, passwordHash);
  const { hospitalId } = token;
  note(request, { entityType: 'account', entityId: accountId });
  return {
    account: { hospitalId, accountId, passwordHash, isLocked: false },
    refresh: createRefreshToken(hospitalId),
  };
}

/**
 * `POST /password/forgot`: 202 whatever comes of it. The answer is given before the database is asked
 * anything about the account, so neither its words nor its time tell whether there is one.
 */
export function handleForgotten({ catalog, limiter, links, log }: AuthParts): RequestHandler {
  return async (request, response) => {
    const { email, hospital } = await readInput(request, forgottenShape, catalog);
    note(request, { hospitalSlug: hospital });
    const origin = originOf(request);
    const subjects = [limiter.reset(hospital, email), limiter.address('resetAddress', request.ip)];
    await limiter.attempt(subjects, async () => {
      await Promise.all(subjects.map((subject) => limiter.fail(subject)));
    });
    response.status(202).json({ accepted: true });
    log.info({ request_id: origin.requestId }, 'a new password was asked for');
    try {
      await links.requestReset(origin, hospital, email);
    } catch (error) {
      const fields = { error: describeForLog(error), request_id: origin.requestId };
      log.error(fields, 'a link to a new password could not be made');
    }
  };
}

/** `POST /password/reset`: a link and a new password; every session of the account ends. */
export function handleReset(parts: AuthParts): RequestHandler {
  return async (request, response) => {
    const { password, token } = await readInput(request, linkShape, parts.catalog);
    await resetPassword(parts, request, token, password);
    response.status(204).end();
  };
}

/** Gives the account of a link this password and ends its sessions. */
export async function resetPassword(
  parts: AuthParts,
  request: Request,
  link: string,
  password: string,
): Promise<void> {
  const { endedSessions, limiter, links, log } = parts;
  const checked = await checkLink(parts, request, 'password_reset', link, password);
  const { owner, passwordHash, token } = checked;
  const { accountId, sessionIds } = await links.reset(originOf(request), token, passwordHash);
  note(request, { entityType: 'account', entityId: accountId });
  endedSessions.add(sessionIds);
  await limiter.forgive(limiter.account(owner.hospital, owner.email));
  log.info({ account_id: accountId, request_id: request.requestId }, 'password changed by link');
}

/** `POST /password/change`: by who is logged in; their other sessions end. */
export function handleChange(parts: AuthParts): RequestHandler {
  const { catalog, endedSessions, links, log, passwords } = parts;
  return async (request, response) => {
    const { currentPassword, newPassword } = await readInput(request, changeShape, catalog);
    const login = await checkPassword(parts, request, currentPassword);
    refuseWeak(parts, newPassword, login);
    const passwordHash = await passwords.hash(newPassword);
    const sessionId = request.claims?.sessionId ?? '';
    const account = { ...login, sessionId };
    const ended = await links.change(originOf(request), account, passwordHash);
    endedSessions.add(ended);
    log.info({ account_id: login.accountId, request_id: request.requestId }, 'password changed');
    response.status(204).end();
  };
}

/** What a link is for. */
export type LinkPurpose = 'invitation' | 'password_reset';

/** A link with the hash of its new password; nothing is hashed for a link that is not good. */
async function checkLink(
  parts: AuthParts,
  request: Request,
  purpose: LinkPurpose,
  link: string,
  password: string,
): Promise<{ owner: LinkOwner; token: TokenReference; passwordHash: string }> {
  const { owner, token } = await findLink(parts, request, purpose, link);
  refuseWeak(parts, password, owner);
  return { owner, token, passwordHash: await parts.passwords.hash(password) };
}

/** Whose link it is; refuses one that is not good, and an address that has tried too many. */
export async function findLink(
  { catalog, limiter, links }: AuthParts,
  request: Request,
  purpose: LinkPurpose,
  link: string,
): Promise<{ owner: LinkOwner; token: TokenReference }> {
  const address = limiter.address('link', request.ip);
  return limiter.attempt([address], async () => {
    const token = readRefreshToken(link);
    const owner = token && (await links.find(originOf(request), token, purpose));
    if (token === null || owner === null) {
      await limiter.fail(address);
      throw catalog.refusal('link_not_valid');
    }
    note(request, { hospitalId: token.hospitalId });
    return { owner, token };
  });
}

function refuseWeak({ catalog }: AuthParts, password: string, own: LinkOwner): void {
  const fault = faultOfPassword(password, own);
  if (fault === null) return;
  throw catalog.refusal('password_too_weak', { fault, length: PASSWORD_LENGTH });
}
