import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import type { Log } from '../../platform/log.ts';
import { describeForLog, Refusal } from '../errors.ts';
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from './access-token.ts';
import type { Accounts, Credentials, Session } from './accounts.ts';
import { BEARER_CHALLENGE } from './authenticate.ts';
import type { EndedSessions } from './ended-sessions.ts';
import type { ErrorCatalog } from './error-catalog.ts';
import { type LoginLimiter, TooManyAttempts } from './limiter.ts';
import { faultOfPassword, PASSWORD_LENGTH } from './password-policy.ts';
import type { Passwords } from './passwords.ts';
import { createRefreshToken, readRefreshToken } from './refresh-token.ts';
import { loginShape, readInput, registrationShape, tokenShape } from './requests.ts';
import { LineTooLong } from './turnstile.ts';

/** What the routes are made of. */
export type AuthParts = {
  log: Log;
  catalog: ErrorCatalog;
  accounts: Accounts;
  passwords: Passwords;
  limiter: LoginLimiter;
  tokens: AccessTokens;
  endedSessions: EndedSessions;
};

/**
 * `POST /login`, `/refresh`, `/logout` and `/register`, JSON in and out. Refusals and errors go on to
 * the error handler of the app; those of a 401 and a 429 have their headers already.
 */
export function createAuthRouter(parts: AuthParts): Router {
  const router = express.Router();
  router.use(neverStore);
  router.post('/login', handleLogin(parts));
  router.post('/refresh', handleRefresh(parts));
  router.post('/logout', handleLogout(parts));
  router.post('/register', handleRegistration(parts));
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
    const { requestId } = request;
    const input = await readInput(request, loginShape, catalog);
    const account = limiter.account(input.hospital, input.email);
    const address = limiter.address('address', request.ip);
    let found: Credentials | null = null;
    const isIn = await limiter.attempt([account, address], async () => {
      found = await accounts.find(requestId, input.hospital, input.email);
      if (!(await fits(parts, found, input.password)) || found === null) {
        await Promise.all([limiter.fail(account), limiter.fail(address)]);
        return false;
      }
      const token = createRefreshToken(found.hospitalId);
      const session = await accounts.openSession(requestId, found.accountId, token);
      await limiter.forgive(account);
      logSession(parts, request, session, 'logged in');
      answerSession(parts, response, session, token.text);
      return true;
    });
    if (isIn) return;
    // Answered first: what is written now, for accounts that exist, does not show in the time it took.
    next(catalog.refusal('invalid_credentials'));
    await recordFailure(parts, found, requestId);
  };
}

async function recordFailure(
  { accounts, log }: AuthParts,
  account: Credentials | null,
  requestId: string,
): Promise<void> {
  log.info({ account_id: account?.accountId, request_id: requestId }, 'login failed');
  if (account === null) return;
  try {
    await accounts.recordFailure(requestId, account);
  } catch (error) {
    const fields = { error: describeForLog(error), request_id: requestId };
    log.warn(fields, 'a failed login could not be recorded');
  }
}

/** The answer for a locked account is that for a wrong password, and takes as long. */
function fits({ passwords }: AuthParts, found: Credentials | null, password: string) {
  return passwords.matches(found === null || found.isLocked ? null : found.passwordHash, password);
}

function handleRegistration(parts: AuthParts): RequestHandler {
  const { accounts, catalog, limiter, passwords } = parts;
  return async (request, response) => {
    const input = await readInput(request, registrationShape, catalog);
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
        request.requestId,
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
    const rotation = await accounts.rotate(request.requestId, old, next);
    if (rotation !== null && 'session' in rotation) {
      answerSession(parts, response, rotation.session, next.text);
      return;
    }
    if (rotation !== null) {
      endedSessions.add([rotation.reusedSessionId]);
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
    const ended = token && (await accounts.endSession(request.requestId, token));
    if (ended !== null) {
      endedSessions.add([ended]);
      log.info({ session_id: ended, request_id: request.requestId }, 'logged out');
    }
    response.status(204).end();
  };
}

function logSession(parts: AuthParts, request: Request, session: Session, event: string): void {
  const { accountId, hospitalId, role, sessionId } = session;
  parts.log.info(
    {
      account_id: accountId,
      hospital_id: hospitalId,
      role,
      session_id: sessionId,
      request_id: request.requestId,
    },
    event,
  );
}

function answerSession(
  { tokens }: AuthParts,
  response: Response,
  session: Session,
  refreshToken: string,
): void {
  const { accountId, displayName, doctorId, email, hospitalId, patientId, role } = session;
  response.json({
    accessToken: tokens.sign(session),
    tokenType: 'Bearer',
    expiresIn: ACCESS_TOKEN_SECONDS,
    refreshToken,
    account: { id: accountId, hospitalId, email, displayName, role, doctorId, patientId },
  });
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
