import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import { Refusal } from '../errors.ts';
import { noteRefusal } from '../log/request-facts.ts';
import { readBody } from '../read-body.ts';

export type TransportOptions = {
  /** Largest body in bytes. */
  bodyBytes: number;
  /** Whether a browser's GET is answered with GraphiQL. */
  graphiql: boolean;
};

/**
 * An Express router for the path of the GraphQL endpoint, to stand right before grafserv's own handler:
 * POST with one operation as `application/json` passes, as `req.body` with nothing but the fields that
 * are known; everything else is answered in the one error form. Bodies are not unpacked, and not kept
 * beyond `bodyBytes`; no other body parser may stand before it.
 */
export function createTransport(options: TransportOptions): Router {
  const router = express.Router();
  router.use(checkMethod(options.graphiql));
  router.use(parseBody(options.bodyBytes));
  router.use(answerRefusal);
  return router;
}

function checkMethod(graphiql: boolean): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'POST') {
      const { 'content-type': type, 'content-encoding': packing } = request.headers;
      next(isJson(type) && (packing ?? 'identity') === 'identity' ? undefined : unsupported());
      return;
    }
    if (graphiql && request.method === 'GET' && wantsPage(request.headers.accept)) {
      next('router');
      return;
    }
    response.setHeader('allow', 'POST');
    next(
      refused(
        405,
        'method_not_allowed',
        'GraphQL is asked with POST here.',
        'Send a POST request.',
      ),
    );
  };
}

function wantsPage(accept: string | undefined): boolean {
  return accept?.includes('text/html') === true;
}

const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && JSON_TYPE.test(contentType);
}

function parseBody(limit: number): RequestHandler {
  return async (request, _response, next) => {
    const text = await readBody(request, limit);
    request.body = operationIn(parseJson(text));
    next();
  };
}

function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch {
    throw refused(400, 'malformed_json', 'The body is not JSON.', 'Check quotes and brackets.');
  }
}

/** The one operation in a body, without fields that GraphQL over HTTP does not know. */
function operationIn(body: unknown): Record<string, unknown> {
  if (Array.isArray(body)) {
    throw refused(
      400,
      'batching_disabled',
      'A request carries one operation.',
      'Send each operation in a request of its own.',
    );
  }
  if (!isRecord(body) || !isWellFormed(body)) {
    throw refused(
      400,
      'invalid_request',
      'The body is not a GraphQL request.',
      'Send {"query": text, "variables": object, "operationName": text}.',
    );
  }
  const { query, variables, operationName, extensions, documentId, id } = body;
  return { query, variables, operationName, extensions, documentId, id };
}

function isWellFormed(body: Record<string, unknown>): boolean {
  const { query, variables, operationName, extensions, documentId, id } = body;
  const names = [query, operationName, documentId, id];
  return (
    names.every((name) => name == null || typeof name === 'string') &&
    [variables, extensions].every((value) => value == null || isRecord(value)) &&
    [query, documentId, id, extensions].some((value) => value != null)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Answers refusals; any other error goes on to the next error handler. */
const answerRefusal: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (!(error instanceof Refusal) || response.headersSent) {
    next(error);
    return;
  }
  noteRefusal(request, error);
  response.setHeader('connection', 'close'); // what is left of the body is not read
  response.status(error.status);
  response.json({ errors: [{ message: error.message, extensions: error.extensions }] });
};

function unsupported(): Refusal {
  return refused(
    415,
    'unsupported_media_type',
    'Only application/json in UTF-8, not packed, is understood.',
    'Set the header content-type: application/json.',
  );
}

function refused(status: number, scenario: string, message: string, hint: string): Refusal {
  return new Refusal({ code: 'SK400', scenario, message, hint, status });
}
