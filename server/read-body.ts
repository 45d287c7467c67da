import type { IncomingMessage } from 'node:http';
import { Refusal } from './errors.ts';

/** How often a body may be larger than its limit and still be read to its end (and thrown away). */
const PATIENCE = 20;

/**
 * Reads the body of a request, at most `limit` bytes. A body that is a little larger is read on and
 * thrown away before this rejects, so that its sender gets to see the answer; one
 * that is much larger, or says so, rejects at once. Rejects, too, when the connection breaks.
 * All of these are refusals.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > PATIENCE * limit) return Promise.reject(tooLarge(limit, declared));
  if (request.readableEnded) return Promise.reject(new Error('The body has been read before.'));
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
    if (size > PATIENCE * limit) finish(() => reject(tooLarge(limit, size)));
  };
  const end = () =>
    finish(() => (size > limit ? reject(tooLarge(limit, size)) : resolve(Buffer.concat(chunks))));
  const fail = () => finish(() => reject(brokenOff()));
  const finish = (settle: () => void) => {
    request.off('data', take).off('end', end).off('error', fail).off('close', fail);
    request.on('error', () => {}); // a connection that breaks later has nobody left to tell
    request.pause();
    settle();
  };
  request.on('data', take).on('end', end).on('error', fail).on('close', fail);
  return promise;
}

function tooLarge(limit: number, actual: number): Refusal {
  return new Refusal({
    code: 'SK400',
    scenario: 'body_too_large',
    message: 'The request is too large.',
    details: { limit, actual },
    hint: 'Send fewer or smaller variables.',
    status: 413,
  });
}

/** Nobody is left to read it, but it ends the request like any other. */
function brokenOff(): Refusal {
  return new Refusal({
    code: 'SK400',
    scenario: 'invalid_request',
    message: 'The body did not arrive whole.',
    hint: 'Send the request again.',
  });
}
