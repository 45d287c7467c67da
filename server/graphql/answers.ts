import type { GraphQLError } from 'postgraphile/graphql';
import 'postgraphile';
import 'postgraphile/grafserv';
import {
  describeForLog,
  type ErrorExtensions,
  type ErrorLog,
  HTTP_STATUS,
  Refusal,
  refusalFrom,
  serviceUnavailableError,
} from '../errors.ts';
import { rootOf } from './mask-error.ts';

/** A buffered answer of grafserv. */
type Answer = { statusCode: number; headers: Record<string, string>; buffer: Buffer };

/**
 * The last look at what grafserv sends over HTTP. Two things are put right: an answer whose database was
 * out of reach gets 503 and Retry-After, so that proxies and clients wait; and an error that grafserv
 * wrote itself (a header it does not accept, a schema that is not built yet) gets the one form.
 */
export function createAnswers(log: ErrorLog) {
  const unavailable = new WeakSet<object>();
  return {
    /** Remembers of a request that its result holds an error that time will heal. */
    note(request: object | undefined, errors: readonly GraphQLError[] | undefined): void {
      if (request !== undefined && errors?.some(isUnavailable)) unavailable.add(request);
    },
    plugin: createPlugin((request) => unavailable.has(request), log),
  };
}

function isUnavailable(error: GraphQLError): boolean {
  return refusalFrom(rootOf(error))?.extensions.code === 'SK503';
}

function createPlugin(
  isUnavailableFor: (request: object) => boolean,
  log: ErrorLog,
): GraphileConfig.Plugin {
  return {
    name: 'AnswersPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        async processRequest(next, { requestDigest }) {
          const result = await next();
          if (result?.type === 'error') {
            log.error({ error: describeForLog(result.error) }, 'grafserv could not answer');
            const answer = ownAnswer(result.statusCode);
            return result.statusCode >= 500 ? retryLater(answer) : answer;
          }
          if (result?.type !== 'buffer') return result;
          const answer = result.statusCode >= 400 ? inOneForm(result) : result;
          const isLater = result.statusCode >= 500 || isUnavailableFor(requestDigest);
          return isLater ? retryLater(answer) : answer;
        },
      },
    },
  };
}

function retryLater<T extends Answer>(answer: T): T {
  const headers = { ...answer.headers, 'retry-after': '1' };
  return { ...answer, statusCode: HTTP_STATUS.SK503, headers };
}

function inOneForm<T extends Answer>(answer: T): T {
  if (!answer.headers['content-type']?.includes('json')) return answer;
  const payload: { errors?: FormattedError[] } = JSON.parse(answer.buffer.toString('utf8'));
  if (!payload.errors) return answer;
  const errors = payload.errors.map((error) => formed(error, answer.statusCode));
  const buffer = Buffer.from(JSON.stringify({ ...payload, errors }), 'utf8');
  const headers = { ...answer.headers, 'content-length': String(buffer.length) };
  return { ...answer, headers, buffer };
}

type FormattedError = {
  message: string;
  extensions?: Partial<ErrorExtensions> & { statusCode?: number };
};

function formed(error: FormattedError, status: number): FormattedError {
  if (error.extensions?.scenario === undefined) {
    const { message, extensions } = refusalOf(status);
    return { message, extensions };
  }
  const { statusCode: _ofGrafserv, ...extensions } = error.extensions;
  return { ...error, extensions };
}

function ownAnswer(status: number) {
  const { message, extensions } = refusalOf(status);
  const buffer = Buffer.from(JSON.stringify({ errors: [{ message, extensions }] }), 'utf8');
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(buffer.length),
  };
  return { type: 'buffer' as const, statusCode: status, headers, buffer };
}

function refusalOf(status: number): Refusal {
  if (status < 500) {
    return new Refusal({
      code: 'SK400',
      scenario: 'invalid_request',
      message: 'This is not a request that the GraphQL endpoint understands.',
      hint: 'Send a POST request that accepts application/json.',
    });
  }
  return serviceUnavailableError();
}
