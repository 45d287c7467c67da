import { createHash } from 'node:crypto';
import {
  BREAK,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  Lexer,
  parse,
  Source,
  specifiedRules,
  TokenKind,
  validate,
  visit,
} from 'postgraphile/graphql';
import { Refusal } from '../errors.ts';
import { checkShape, type Limits, limitRefusal } from './limits.ts';
import { invalidQuery, toGraphQLError } from './mask-error.ts';

/** A document that may be run, or why not. */
export type CheckedDocument =
  | { document: DocumentNode; errors?: undefined }
  | { document?: undefined; errors: readonly GraphQLError[] };

export type DocumentCheckOptions = {
  limits: Limits;
  /** Whether `__schema` and `__type` may be asked for. */
  introspection: boolean;
  /** How many checked documents are remembered. */
  cacheSize?: number;
};

const MAX_ERRORS = 5;

/**
 * Makes the function that turns the text of a request into a document: counts its tokens, parses it,
 * judges its shape and only then validates it. Good documents are remembered and come back as the same
 * object, which the plan cache goes by; bad ones are not, so that they cannot push out the good.
 */
export function createDocumentCheck(
  schema: GraphQLSchema,
  options: DocumentCheckOptions,
): (text: string) => CheckedDocument {
  const good = new Map<string, { document: DocumentNode }>();
  const cacheSize = options.cacheSize ?? 500;
  return (text) => {
    const key = keyOf(text);
    const known = good.get(key);
    if (known !== undefined) {
      good.delete(key);
      good.set(key, known);
      return known;
    }
    const checked = checkText(schema, text, options);
    if (checked.document === undefined) return checked;
    good.set(key, checked);
    const oldest = good.size > cacheSize ? good.keys().next().value : undefined;
    if (oldest !== undefined) good.delete(oldest);
    return checked;
  };
}

function keyOf(text: string): string {
  return text.length <= 500 ? text : createHash('sha256').update(text).digest('base64');
}

function checkText(
  schema: GraphQLSchema,
  text: string,
  { limits, introspection }: DocumentCheckOptions,
): CheckedDocument {
  const source = new Source(text, 'request');
  try {
    const refused = checkTokens(source, limits);
    if (refused !== null) return { errors: [toGraphQLError(refused)] };
    const document = parse(source);
    const refusal =
      checkIntrospection(document, introspection) ?? checkShape(schema, document, limits);
    if (refusal !== null) return { errors: [toGraphQLError(refusal)] };
    const errors = validate(schema, document, specifiedRules, {
      maxErrors: MAX_ERRORS,
      hideSuggestions: true,
    });
    if (errors.length === 0) return { document };
    return { errors: errors.map((error) => invalidQuery(error.message, error)) };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [invalidQuery(error.message, error)] };
    throw error;
  }
}

/** Reads no further than one token beyond the limit. */
function checkTokens(source: Source, { tokens: limit }: Limits): Refusal | null {
  const lexer = new Lexer(source);
  for (let actual = 1; lexer.advance().kind !== TokenKind.EOF; actual++) {
    if (actual <= limit) continue;
    return limitRefusal(
      'too_many_tokens',
      'The query is too long.',
      limit,
      actual,
      'Leave fields out, or ask in several requests.',
    );
  }
  return null;
}

function checkIntrospection(document: DocumentNode, allowed: boolean): Refusal | null {
  if (allowed) return null;
  let found = false;
  visit(document, {
    [Kind.FIELD](node) {
      found = node.name.value === '__schema' || node.name.value === '__type';
      return found ? BREAK : undefined;
    },
  });
  if (!found) return null;
  return new Refusal({
    code: 'SK400',
    scenario: 'introspection_disabled',
    message: 'This server does not describe its schema.',
    hint: 'The schema is part of the documentation.',
  });
}
