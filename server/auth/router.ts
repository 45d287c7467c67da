import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Router,
} from 'express';
import { Refusal } from '../errors.ts';
import { note } from '../log/request-facts.ts';
import type { Challenge, Credentials } from './accounts.ts';
import { answerSession, challengeRefusal, logSession } from './answer-session.ts';
import { BEARER_CHALLENGE } from './authenticate.ts';
import { fits, recordFailure } from './check-password.ts';
import type { ErrorCatalog } from './error-catalog.ts';
import { TooManyAttempts } from './limiter.ts';
import { originOf } from './origin.ts';
import type { AuthParts } from './parts.ts';
import { faultOfPassword, PASSWORD_LENGTH } from './password-policy.ts';
import { handleAcceptance, handleChange, handleForgotten, handleReset } from './password-routes.ts';
import { createRefreshToken, readRefreshToken } from './refresh-token.ts';
import { loginShape, readInput, registrationShape, tokenShape } from './requests.ts';
import {
  handleConfirmation,
  handleDisabling,
  handleEnrolment,
  handleSecondFactor,
} from './second-factor-routes.ts';
import { LineTooLong } from './turnstile.ts';

/**
 * The routes of the login, all of them POST, JSON in and out. Refusals and errors go on to
 * the error handler of the app; those of a 401 and a 429 have their headers already.
 */
export function createAuthRouter(parts: AuthParts): Router {
  const router = express.Router();
  router.use(neverStore);
  router.post('/login', handleLogin(parts));
  router.post('/refresh', handleRefresh(parts));
  router.post('/logout', handleLogout(parts));
  router.post('/register', handleRegistration(parts));
  router.post('/login/second-factor', handleSecondFactor(parts));
  router.post('/totp/enroll', parts.authenticate, handleEnrolment(parts));
  router.post('/totp/confirm', parts.authenticate, handleConfirmation(parts));
  router.post('/totp/disable', parts.authenticate, handleDisabling(parts));
  router.post('/invite/accept', handleAcceptance(parts));
  router.post('/password/forgot', handleForgotten(parts));
  router.post('/password/reset', handleReset(parts));
  router.post('/password/change', parts.authenticate, handleChange(parts));
  router.use(explainRefusal(parts.catalog));
  return router;
}

const neverStore: RequestHandler = (_request, response, next) => {
  response.setHeader('cache-control', 'no-store');
  next();
};

function handleLogin(parts: AuthParts): RequestHandler {
  const { accounts, catalog, limiter } = parts;
  return async (request, response, next) => {
    const origin = originOf(request);
    const input = await readInput(request, loginShape, catalog);
    note(request, { hospitalSlug: input.hospital });
    const account = limiter.account(input.hospital, input.email);
    const address = limiter.address('address', request.ip);
    let found: Credentials | null = null;
    let challenge: Challenge | null = null;
    const isRight = await limiter.attempt([account, address], async () => {
      found = await accounts.find(origin, input.hospital, input.email);
      if (found !== null) noteAccount(request, found);
      if (!(await fits(parts, found, input.password)) || found === null) {
        await Promise.all([limiter.fail(account), limiter.fail(address)]);
        return false;
      }
      const token = createRefreshToken(found.hospitalId);
      const entry = await accounts.enter(origin, found, token);
      if ('challenge' in entry) {
        challenge = entry.challenge;
        return true;
      }
      await limiter.forgive(account);
      logSession(parts, request, entry.session, 'logged in');
      answerSession(parts, response, entry.session, token.text);
      return true;
    });
    if (challenge !== null) next(challengeRefusal(parts, challenge));
    if (isRight) return;
    // Answered first: what is written now, for accounts that exist, does not show in the time it took.
    next(catalog.refusal('invalid_credentials'));
    await recordFailure(parts, found, input.hospital, origin);
  };
}

function handleRegistration(parts: AuthParts): RequestHandler {
  const { accounts, catalog, limiter, passwords } = parts;
  return async (request, response) => {
    const input = await readInput(request, registrationShape, catalog);
    note(request, { hospitalSlug: input.hospital });
    const fault = faultOfPassword(input.password, input);
    if (fault !== null) {
      throw catalog.refusal('password_too_weak', { fault, length: PASSWORD_LENGTH });
    }
    const address = limiter.address('registration', request.ip);
    await limiter.attempt([address], async () => {
      await limiter.fail(address);
      const { password, ...patient } = input;
      const passwordHash = await passwords.hash(password);
      let token = '';
      const session = await accounts.register(
        originOf(request),
        {
          ...patient,
          passwordHash,
          phone: patient.phone ?? null,
          dateOfBirth: patient.dateOfBirth ?? null,
        },
        (hospitalId) => {
          const { text, ...reference } = createRefreshToken(hospitalId);
          token = text;
          return reference;
        },
      );
      logSession(parts, request, session, 'registered');
      answerSession(parts, response.status(201), session, token);
    });
  };
}

function handleRefresh(parts: AuthParts): RequestHandler {
  const { accounts, catalog, endedSessions, log } = parts;
  return async (request, response) => {
    const { refreshToken } = await readInput(request, tokenShape, catalog);
    const old = readRefreshToken(refreshToken);
    if (old === null) throw catalog.refusal('invalid_refresh_token');
    const next = createRefreshToken(old.hospitalId);
    const rotation = await accounts.rotate(originOf(request), old, next);
    if (rotation !== null && 'session' in rotation) {
      const { accountId, hospitalId, role } = rotation.session;
      note(request, { hospitalId, actorAccountId: accountId, actorRole: role });
      answerSession(parts, response, rotation.session, next.text);
      return;
    }
    if (rotation !== null) {
      endedSessions.add([rotation.reusedSessionId]);
      note(request, { hospitalId: old.hospitalId });
      const fields = { session_id: rotation.reusedSessionId, request_id: request.requestId };
      log.warn(fields, 'a refresh token was used twice; its session has ended');
    }
    throw catalog.refusal('invalid_refresh_token');
  };
}

function handleLogout({ accounts, catalog, endedSessions, log }: AuthParts): RequestHandler {
  return async (request, response) => {
    const { refreshToken } = await readInput(request, tokenShape, catalog);
    const token = readRefreshToken(refreshToken);
    const ended = token && (await accounts.endSession(originOf(request), token));
    if (token !== null && ended !== null) note(request, { hospitalId: token.hospitalId });
    if (ended !== null) {
      endedSessions.add([ended]);
      log.info({ session_id: ended, request_id: request.requestId }, 'logged out');
    }
    response.status(204).end();
  };
}

/** Whose login was tried: nobody has acted yet. */
function noteAccount(request: Request, { accountId, hospitalId }: Credentials): void {
  note(request, { hospitalId, entityType: 'account', entityId: accountId });
}

/** Turns what login throws into refusals, and gives them the headers that belong to them. */
function explainRefusal(catalog: ErrorCatalog): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const error = refusalOf(thrown, catalog);
    if (thrown instanceof TooManyAttempts) {
      response.setHeader('retry-after', String(thrown.retryAfterSeconds));
    }
    if (error instanceof Refusal && error.status === 401) {
      response.setHeader('www-authenticate', BEARER_CHALLENGE);
    }
    if (!request.complete) response.setHeader('connection', 'close'); // the rest is not read
    next(error);
  };
}

function refusalOf(error: unknown, catalog: ErrorCatalog): unknown {
  if (error instanceof LineTooLong) return catalog.refusal('service_unavailable');
  if (!(error instanceof TooManyAttempts)) return error;
  return catalog.refusal('too_many_attempts', { retry_after_seconds: error.retryAfterSeconds });
}
