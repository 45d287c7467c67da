import type { RequestHandler, Router } from 'express';
import type { Pool } from 'pg';
import type { Log } from '../../platform/log.ts';
import type { DataKey } from '../../platform/sealed.ts';
import type { JwtSecret } from '../../platform/secrets.ts';
import { AccessTokens, type VerifiedToken } from './access-token.ts';
import { Accounts } from './accounts.ts';
import { createAuthenticate } from './authenticate.ts';
import { EndedSessions } from './ended-sessions.ts';
import { type ErrorCatalog, readErrorCatalog } from './error-catalog.ts';
import { LoginLimiter, type LoginLimits } from './limiter.ts';
import { createLinkPages } from './link-pages.ts';
import { Links } from './links.ts';
import { HASHES_AT_ONCE, Passwords } from './passwords.ts';
import { createAuthRouter } from './router.ts';
import { SecondFactors } from './second-factors.ts';
import { Turnstile } from './turnstile.ts';

/** Hashes that may wait: two or three seconds of work. */
const LONGEST_LINE_OF_HASHES = 64 * HASHES_AT_ONCE;

export type AuthOptions = {
  /** Connections of app_authenticator; stays the caller's. */
  pool: Pool;
  /** The first signs, all verify. */
  jwtSecrets: readonly JwtSecret[];
  log: Log;
  /** The first seals secrets of second factors, all open. */
  dataKeys: readonly DataKey[];
  limits?: Partial<LoginLimits>;
  /** Unless told, 5,000 ms. */
  pollSessionsEveryMs?: number;
};

/** Everything about who somebody is. */
export type Auth = {
  /** The routes, to stand at /auth. */
  router: Router;
  /** The pages that links in mails of the login lead to, to stand at the root. */
  pages: Router;
  /** Sets `request.claims`; refuses an access token that is not good. */
  authenticate: RequestHandler;
  /** The claims of an access token; rejects with token_expired, invalid_token or session_ended. */
  verify(token: string): Promise<VerifiedToken>;
  endedSessions: EndedSessions;
  close(): Promise<void>;
};

/** Opens login. Rejects when the database cannot be asked. */
export async function createAuth(options: AuthOptions): Promise<Auth> {
  const { dataKeys, jwtSecrets, log, pool } = options;
  const catalog = await readErrorCatalog(pool);
  const tokens = new AccessTokens(jwtSecrets, catalog);
  const hashing = new Turnstile({ places: HASHES_AT_ONCE, longestLine: LONGEST_LINE_OF_HASHES });
  const passwords = await Passwords.open(hashing);
  const endedSessions = new EndedSessions({
    pool,
    log,
    ...(options.pollSessionsEveryMs === undefined
      ? null
      : { pollEveryMs: options.pollSessionsEveryMs }),
  });
  await endedSessions.start();
  const limiter = new LoginLimiter({
    pool,
    log,
    secret: jwtSecrets[0]?.secret ?? '',
    ...(options.limits ? { limits: options.limits } : null),
  });
  const verify = createVerify(tokens, endedSessions, catalog);
  const authenticate = createAuthenticate(verify, catalog);
  const parts = {
    log,
    catalog,
    accounts: new Accounts(pool),
    links: new Links(pool),
    secondFactors: new SecondFactors(pool, dataKeys),
    passwords,
    limiter,
    tokens,
    endedSessions,
    authenticate,
  };
  return {
    router: createAuthRouter(parts),
    pages: createLinkPages(parts),
    authenticate,
    verify,
    endedSessions,
    async close() {
      await Promise.all([endedSessions.close(), limiter.close()]);
    },
  };
}

function createVerify(tokens: AccessTokens, ended: EndedSessions, catalog: ErrorCatalog) {
  return async (token: string): Promise<VerifiedToken> => {
    const verified = tokens.verify(token);
    if (ended.has(verified.claims.sessionId)) throw catalog.refusal('session_ended');
    return verified;
  };
}
