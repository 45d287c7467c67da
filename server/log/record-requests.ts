import type { Request, RequestHandler } from 'express';
import type { LogEntry, OperationsLog } from '../../platform/operations-log.ts';
import { codeOfStatus, type Outcome, outcomeOfStatus } from './request-facts.ts';

type Kind = 'operation' | 'login' | 'security';

/** What leaves an entry, by method and path; addresses that are secrets stand as `*`. */
const ROUTES: Readonly<Record<string, readonly [Kind, string]>> = {
  'POST /graphql': ['operation', 'graphql'],
  'POST /auth/login': ['login', 'login'],
  'POST /auth/login/second-factor': ['login', 'login_second_factor'],
  'POST /auth/refresh': ['login', 'refresh'],
  'POST /auth/logout': ['login', 'logout'],
  'POST /auth/register': ['login', 'register'],
  'POST /auth/totp/enroll': ['security', 'second_factor_enrolment'],
  'POST /auth/totp/confirm': ['security', 'second_factor_confirmation'],
  'POST /auth/totp/disable': ['security', 'second_factor_disabling'],
  'POST /auth/invite/accept': ['security', 'invitation_acceptance'],
  'POST /auth/password/forgot': ['security', 'password_forgotten'],
  'POST /auth/password/reset': ['security', 'password_reset'],
  'POST /auth/password/change': ['security', 'password_change'],
  'GET /invitation/*': ['security', 'invitation_page'],
  'POST /invitation/*': ['security', 'invitation_acceptance'],
  'GET /password/*': ['security', 'password_page'],
  'POST /password/*': ['security', 'password_reset'],
  'GET /visit/*': ['operation', 'visit_link_page'],
  'POST /visit/*': ['operation', 'visit_link'],
  'GET /health/checks': ['operation', 'health_checks'],
  'GET /calendar/*': ['operation', 'calendar_feed'],
};

/** What is asked of the process itself, by balancers and monitors every few seconds. */
const SILENT = new Set(['/healthz', '/readyz']);

/**
 * Leaves an entry of the log for every request, once it is answered or its client has gone. What is not a
 * route of ours is no operation. The routes of `triggers` start jobs.
 */
export function recordRequests(
  operations: OperationsLog,
  triggers: readonly string[] = [],
): RequestHandler {
  const routes = new Map(Object.entries(ROUTES));
  for (const path of triggers) routes.set(`POST ${path}`, ['operation', 'external_trigger']);
  return (request, response, next) => {
    const route = SILENT.has(request.path) ? undefined : routes.get(patternOf(request));
    if (route !== undefined) {
      const startedAt = performance.now();
      request.facts = {};
      response.once('close', () => {
        const outcome = response.writableFinished ? outcomeOfStatus(response.statusCode) : 'noted';
        const durationMs = performance.now() - startedAt;
        operations.write(entryOf(request, route, outcome, response.statusCode, durationMs));
      });
    }
    next();
  };
}

function patternOf({ method, path }: Request): string {
  return `${method} ${path.replace(/^\/(invitation|password|visit|calendar)\/[^/]+$/, '/$1/*')}`;
}

function entryOf(
  request: Request,
  [kind, name]: readonly [Kind, string],
  ended: Outcome,
  status: number,
  durationMs: number,
): LogEntry {
  const { facts = {}, requestId } = request;
  // Absent until somebody has looked for a token.
  const claims = (request.claims as Request['claims'] | undefined) ?? null;
  const outcome = facts.outcome ?? ended;
  return {
    hospitalId: claims?.hospitalId,
    actorAccountId: claims?.accountId,
    actorRole: claims?.role ?? 'anonymous',
    requestId,
    name,
    code: outcome === 'succeeded' || outcome === 'noted' ? undefined : codeOfStatus(status),
    ...facts,
    kind,
    outcome,
    level: levelOf(kind, outcome),
    durationMs,
  };
}

/** A refused login is worth a look, a refused booking is daily business. */
export function levelOf(kind: LogEntry['kind'], outcome: Outcome): LogEntry['level'] {
  if (outcome === 'failed') return 'error';
  return outcome === 'refused' && (kind === 'login' || kind === 'security') ? 'warning' : 'info';
}
