import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'postgraphile/graphql';
import { describeForLog, type ErrorLog, Refusal, refusalFrom, unexpectedError } from '../errors.ts';

const SUGGESTION = /\s*Did you mean [^?]*\?/g;

/** A message of graphql-js without its suggestions, which tell names that the client does not know. */
function withoutSuggestions(message: string): string {
  return message.replace(SUGGESTION, '');
}

/** Wraps a refusal as the GraphQL error a client sees. `at` lends it the place it came from. */
export function toGraphQLError(refusal: Refusal, at?: GraphQLError): GraphQLError {
  return new GraphQLError(refusal.message, {
    nodes: at?.nodes ?? null,
    source: at?.source ?? null,
    positions: at?.positions ?? null,
    path: at?.path ?? null,
    originalError: refusal,
    extensions: refusal.extensions,
  });
}

/** A request that GraphQL itself does not understand: syntax, validation, variables, cursors. */
export function invalidQuery(message: string, at?: GraphQLError): GraphQLError {
  return toGraphQLError(invalidQueryRefusal(message), at);
}

/** The refusal inside `invalidQuery`. */
export function invalidQueryRefusal(message: string): Refusal {
  return new Refusal({
    code: 'SK400',
    scenario: 'invalid_query',
    message: withoutSuggestions(message),
    hint: 'Check the request against the schema.',
  });
}

/** Messages of the paging steps that say what is wrong with an argument, and nothing else. */
const PAGING_MESSAGE =
  /^(Invalid ('(before|after)' )?cursor|Cannot use 'offset' with 'last'|Can only use '(before|after)' cursor)/;

/** The error at the bottom of the GraphQL errors that wrap it. */
export function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < 10; depth++) {
    if (!(root instanceof GraphQLError) || !root.originalError) return root;
    root = root.originalError;
  }
  return root;
}

/**
 * The last gate before an error leaves: makes of any error one in our form. Ours pass; what Postgres,
 * the pool or GraphQL say is translated; everything else is answered with an error id, under which the
 * log holds where it happened, and no value. Passing an error through twice changes nothing.
 */
export function createMaskError(log: ErrorLog): (error: GraphQLError) => GraphQLError {
  return (error) => {
    const root = rootOf(error);
    const refusal = refusalFrom(root);
    if (refusal !== null) {
      warnOfTranslated(log, refusal, root, error);
      return toGraphQLError(refusal, error);
    }
    if (isRequestError(error, root)) return invalidQuery(error.message, error);
    const errorId = randomUUID();
    log.error(
      { error_id: errorId, path: placeOf(error), error: describeForLog(root) },
      'unexpected error in a GraphQL request',
    );
    return toGraphQLError(unexpectedError(errorId), error);
  };
}

/** What the client is told of an error, as code and scenario. */
export function judgeError(error: GraphQLError): { code: string; scenario: string } {
  const root = rootOf(error);
  const refusal =
    refusalFrom(root) ??
    (isRequestError(error, root) ? invalidQueryRefusal(error.message) : unexpectedError(''));
  const { code, scenario } = refusal.extensions;
  return { code, scenario };
}

function isRequestError(error: GraphQLError, root: unknown): boolean {
  if (root instanceof Error && PAGING_MESSAGE.test(root.message)) return true;
  return root === error && error.path === undefined && (error.locations?.length ?? 0) > 0;
}

/** What the database or the network raised by itself is news for the operator, too. */
function warnOfTranslated(log: ErrorLog, refusal: Refusal, root: unknown, error: GraphQLError) {
  if (root === refusal || refusal.cause !== root || isRaisedBySql(root)) return;
  const { scenario } = refusal.extensions;
  log.warn({ scenario, path: placeOf(error), error: describeForLog(root) }, 'translated an error');
}

function isRaisedBySql(root: unknown): boolean {
  return (
    root instanceof Error &&
    'code' in root &&
    typeof root.code === 'string' &&
    root.code.startsWith('SK')
  );
}

/** Field names and indexes; shortened, because aliases are the client's own words. */
function placeOf(error: GraphQLError): string | null {
  return error.path === undefined ? null : error.path.join('.').slice(0, 120);
}
