import type { RequestHandler } from 'express';
import type { VerifiedToken } from './access-token.ts';
import type { Claims } from './claims.ts';
import type { ErrorCatalog } from './error-catalog.ts';

declare global {
  namespace Express {
    interface Request {
      /** Who is asking; null for somebody who is not logged in. Set by the authenticate middleware. */
      claims: Claims | null;
    }
  }
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i;

/** The challenge that goes with every 401 (RFC 6750). */
export const BEARER_CHALLENGE = 'Bearer realm="slotkeeper"';

/**
 * Sets `request.claims`: those of the access token in `Authorization: Bearer …`, or null without
 * that header. A header that is there but not good ends the request with 401 in the one error form.
 */
export function createAuthenticate(
  verify: (token: string) => Promise<VerifiedToken>,
  catalog: ErrorCatalog,
): RequestHandler {
  return async (request, response, next) => {
    request.claims = null;
    const header = request.headers.authorization;
    if (header === undefined) {
      next();
      return;
    }
    try {
      const token = BEARER.exec(header)?.[1];
      if (token === undefined) throw catalog.refusal('invalid_token');
      request.claims = (await verify(token)).claims;
    } catch (error) {
      response.setHeader('www-authenticate', `${BEARER_CHALLENGE}, error="invalid_token"`);
      throw error;
    }
    next();
  };
}
