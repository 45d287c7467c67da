import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';

declare global {
  namespace Express {
    interface Request {
      /** Names this request in the log, in the audit and in the answer's header. */
      requestId: string;
    }
  }
}

/**
 * Gives every request its id: the one that a proxy in front has given it (`x-request-id`), when it
 * looks like one, or a new one. The answer carries it back.
 */
export const identifyRequest: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  request.requestId = given !== undefined && /^[\w-]{8,64}$/.test(given) ? given : randomUUID();
  response.setHeader('x-request-id', request.requestId);
  next();
};
