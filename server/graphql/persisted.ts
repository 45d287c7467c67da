import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PersistedPlugin } from '@grafserv/persisted';
import { SafeError } from 'postgraphile/grafast';
import { parse } from 'postgraphile/graphql';
import { Refusal } from '../errors.ts';

/**
 * Reads an allow-list: a json object of operation texts by id, the id being the SHA-256 of the text
 * in hex or any other name. Throws when the file is missing, is not such an object, or holds a text
 * that is not GraphQL.
 */
export function readPersistedOperations(path: string): Record<string, string> {
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Error('The list of persisted operations must be a json object of texts by id.');
  }
  const operations: Record<string, string> = Object.create(null);
  for (const [id, text] of Object.entries(parsed)) {
    if (typeof text !== 'string') throw new Error(`The persisted operation ${id} is not a text.`);
    parse(text);
    operations[id] = text;
  }
  return operations;
}

/** The part of a request body that may name a persisted operation. */
type NamingBody = { id: unknown; documentId: unknown; query: unknown; extensions: unknown };

/**
 * Lets only listed operations run. A request names one by `documentId`, `id` or
 * `extensions.persistedQuery.sha256Hash`, or sends a text that is itself listed.
 */
export function createPersistedPreset(operations: Record<string, string>): GraphileConfig.Preset {
  const idByHash = new Map(Object.entries(operations).map(([id, text]) => [sha256(text), id]));
  const idOf = (body: NamingBody): string | undefined => {
    const named = nameIn(body);
    if (typeof named === 'string') return named;
    return typeof body.query === 'string' ? idByHash.get(sha256(body.query)) : undefined;
  };
  return {
    plugins: [
      createGuardPlugin((body) => Object.hasOwn(operations, idOf(body) ?? '')),
      PersistedPlugin,
    ],
    grafserv: { persistedOperations: operations, hashFromPayload: idOf },
  };
}

/**
 * Refuses what is not listed before the plugin of the package sees it: that one would write the
 * whole request, variables and all, to the console.
 */
function createGuardPlugin(isListed: (body: NamingBody) => boolean): GraphileConfig.Plugin {
  return {
    name: 'PersistedGuardPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        processGraphQLRequestBody: {
          before: ['PersistedPlugin'],
          callback(next, { body }) {
            if (!isListed(body)) throw asSafeError(notAllowed());
            return next();
          },
        },
      },
    },
  };
}

function notAllowed(): Refusal {
  return new Refusal({
    code: 'SK400',
    scenario: 'operation_not_allowed',
    message: 'This server runs listed operations only.',
    hint: 'Name a listed operation by its documentId.',
  });
}

/** The only error that grafserv answers itself without writing it to the console. */
function asSafeError(refusal: Refusal): SafeError {
  const extensions = { ...refusal.extensions, statusCode: refusal.status };
  return new SafeError(refusal.message, extensions, { cause: refusal });
}

function nameIn({ id, documentId, extensions }: NamingBody): unknown {
  const query =
    typeof extensions === 'object' && extensions !== null && 'persistedQuery' in extensions
      ? extensions.persistedQuery
      : null;
  const hash =
    typeof query === 'object' && query !== null && 'sha256Hash' in query ? query.sha256Hash : null;
  return hash ?? documentId ?? id;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
