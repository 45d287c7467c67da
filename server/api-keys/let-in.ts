import type { RequestHandler, Response } from 'express';
import type { Pool } from 'pg';
import type { Log } from '../../platform/log.ts';
import { LoginLimiter, TooManyAttempts } from '../auth/limiter.ts';
import { LineTooLong } from '../auth/turnstile.ts';
import { Refusal, serviceUnavailableError } from '../errors.ts';
import { ApiKeys } from './api-keys.ts';

export type KeyDoorOptions = {
  /** Connections of app_authenticator; stays the caller's. */
  pool: Pool;
  log: Log;
  /** The header that carries a key. */
  header: string;
  /** The keys that are good; without any the routes behind the door are not there. */
  keys: readonly string[];
  /** What failures are hashed with; servers and doors that share it share their counts. */
  secret: string;
};

/** A door for machines that carry a key. */
export type KeyDoor = {
  /** Passes on whoever has a good key; the others are counted, by address. */
  letIn: RequestHandler;
  close(): Promise<void>;
};

// Failed keys from one address within a quarter of an hour.
const FAILURES = 10;

/** A door that opens to a good key in a header, and slows down whoever tries many. */
export function createKeyDoor({ pool, log, header, keys, secret }: KeyDoorOptions): KeyDoor {
  const good = new ApiKeys(keys);
  const limiter = new LoginLimiter({
    pool,
    log,
    secret: `api keys ${secret}`,
    limits: { address: FAILURES },
  });
  return { letIn: guard(header, good, limiter, log), close: () => limiter.close() };
}

function guard(header: string, keys: ApiKeys, limiter: LoginLimiter, log: Log): RequestHandler {
  return async (request, response, next) => {
    if (keys.isEmpty) {
      next('router');
      return;
    }
    response.setHeader('cache-control', 'no-store');
    request.resume(); // nothing in a body counts
    const address = limiter.address('address', request.ip);
    try {
      await limiter.attempt([address], async () => {
        if (keys.has(request.get(header))) return;
        await limiter.fail(address);
        log.warn({ request_id: request.requestId, header }, 'an API key was refused');
        throw invalidKey();
      });
    } catch (error) {
      throw explained(error, response);
    }
    next();
  };
}

function explained(error: unknown, response: Response): unknown {
  if (error instanceof LineTooLong) return serviceUnavailableError();
  if (!(error instanceof TooManyAttempts)) return error;
  response.setHeader('retry-after', String(error.retryAfterSeconds));
  return new Refusal({
    code: 'SK429',
    scenario: 'too_many_attempts',
    recoverable: true,
    message: 'Too many attempts.',
    hint: 'Wait for the time given in Retry-After, then try again.',
    details: { retry_after_seconds: error.retryAfterSeconds },
  });
}

function invalidKey(): Refusal {
  return new Refusal({
    code: 'SK401',
    scenario: 'invalid_api_key',
    message: 'The API key is missing or not valid.',
    hint: 'Send one of the keys that the operator has set, in the header that this address asks for.',
  });
}
