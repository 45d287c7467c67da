import type { Request } from 'express';
import { type ErrorCode, HTTP_STATUS, type Refusal } from '../errors.ts';

/** What is learned of a request while it is served, for its entry of the log. */
export type RequestFacts = {
  /** What was asked for, where the route does not say. */
  name?: string;
  hospitalId?: string | null;
  /** The short name of the hospital, where no more is known yet. */
  hospitalSlug?: string;
  actorAccountId?: string | null;
  actorRole?: string | null;
  entityType?: string | undefined;
  entityId?: string | undefined;
  requestId?: string;
  outcome?: Outcome;
  code?: string;
  scenario?: string;
  details?: Record<string, unknown>;
};

/** How something ended. */
export type Outcome = 'succeeded' | 'refused' | 'failed' | 'noted';

declare global {
  namespace Express {
    interface Request {
      /** Set by recordRequests; absent where nothing is recorded. */
      facts?: RequestFacts;
    }
  }
}

/** Adds to what is known of a request. */
export function note(request: Request, facts: RequestFacts): void {
  if (request.facts) Object.assign(request.facts, facts);
}

/** Notes with what a request was refused, or that it failed. */
export function noteRefusal(request: Request, { extensions, status }: Refusal): void {
  const { code, scenario } = extensions;
  note(request, { outcome: outcomeOfStatus(status), code, scenario });
}

/** How a request ended that was answered with this status. */
export function outcomeOfStatus(status: number): Outcome {
  return status < 400 ? 'succeeded' : status < 500 ? 'refused' : 'failed';
}

/** The code that fits a status, where there is one. */
export function codeOfStatus(status: number): ErrorCode | undefined {
  const code = `SK${status}`;
  return Object.hasOwn(HTTP_STATUS, code) ? (code as ErrorCode) : undefined;
}
