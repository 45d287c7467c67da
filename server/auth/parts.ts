import type { RequestHandler } from 'express';
import type { Log } from '../../platform/log.ts';
import type { AccessTokens } from './access-token.ts';
import type { Accounts } from './accounts.ts';
import type { EndedSessions } from './ended-sessions.ts';
import type { ErrorCatalog } from './error-catalog.ts';
import type { LoginLimiter } from './limiter.ts';
import type { Links } from './links.ts';
import type { Passwords } from './passwords.ts';
import type { SecondFactors } from './second-factors.ts';

/** What the routes are made of. */
export type AuthParts = {
  log: Log;
  catalog: ErrorCatalog;
  accounts: Accounts;
  links: Links;
  secondFactors: SecondFactors;
  passwords: Passwords;
  limiter: LoginLimiter;
  tokens: AccessTokens;
  endedSessions: EndedSessions;
  /** Sets `request.claims`, as everywhere else. */
  authenticate: RequestHandler;
};
