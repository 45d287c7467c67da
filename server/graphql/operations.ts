import type { DocumentNode } from 'postgraphile/graphql';
import {
  type FieldNode,
  type GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'postgraphile/graphql';
import 'postgraphile';
import 'postgraphile/grafserv';
import type { Outcome } from '../log/request-facts.ts';
import { judgeError } from './mask-error.ts';

/** An operation that was asked for, and what came of it. No word of it is the client's own. */
export type ToldOperation = {
  /** The field of the schema that it begins with. */
  name: string;
  outcome: Outcome;
  code?: string;
  scenario?: string;
  entityType?: string | undefined;
  entityId?: string | undefined;
  details?: Record<string, unknown>;
};

/** Is told of every operation, with the context in which it was asked. */
export type TellOperation = (
  context: Partial<Grafast.RequestContext>,
  operation: ToldOperation,
) => void;

type Asked = {
  document: DocumentNode;
  operationName?: string | null | undefined;
  variableValues?: Readonly<Record<string, unknown>> | null | undefined;
};

/** What is told of an operation that ended with these errors. */
export function tellOf(asked: Asked, errors: readonly GraphQLError[] | undefined): ToldOperation {
  const operation = getOperationAST(asked.document, asked.operationName);
  const fields = operation ? fieldsOf(operation.selectionSet, asked.document) : [];
  const [first] = fields;
  return {
    name: first?.name.value ?? 'graphql',
    ...endOf(errors),
    ...(operation && first ? entityOf(operation, first, asked.variableValues ?? {}) : null),
    details: {
      operation: operation?.operation ?? 'unknown',
      ...(fields.length > 1 ? { fields: fields.length } : null),
    },
  };
}

/** What came of something that ended with these errors: the worst of them counts. */
export function endOf(
  errors: readonly GraphQLError[] | undefined,
): Pick<ToldOperation, 'outcome' | 'code' | 'scenario'> {
  if (errors === undefined || errors.length === 0) return { outcome: 'succeeded' };
  const ends = errors.map((error) => {
    const { code, scenario } = judgeError(error);
    const isFault = code === 'SK500' || code === 'SK503';
    return { outcome: isFault ? ('failed' as const) : ('refused' as const), code, scenario };
  });
  return ends.find(({ outcome }) => outcome === 'failed') ?? ends[0] ?? { outcome: 'failed' };
}

/** The fields at the root, through fragments. */
function fieldsOf(
  { selections }: SelectionSetNode,
  document: DocumentNode,
  depth = 0,
): readonly FieldNode[] {
  if (depth > 10) return [];
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      return fieldsOf(selection.selectionSet, document, depth + 1);
    }
    const fragment = document.definitions.find(
      (definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION &&
        definition.name.value === selection.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION
      ? fieldsOf(fragment.selectionSet, document, depth + 1)
      : [];
  });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Of several identifiers, what a mutation is about. */
const FIRST_OF_ALL = ['appointmentId', 'slotId'];

/** The row that a mutation names in its input. */
function entityOf(
  { operation }: OperationDefinitionNode,
  field: FieldNode,
  variables: Readonly<Record<string, unknown>>,
): Pick<ToldOperation, 'entityType' | 'entityId'> | null {
  if (operation !== 'mutation') return null;
  const given = field.arguments?.find(({ name }) => name.value === 'input')?.value;
  const ids = Object.entries(inputOf(given, variables)).filter(
    (entry): entry is [string, string] =>
      /[a-z]Id$/.test(entry[0]) && typeof entry[1] === 'string' && UUID.test(entry[1]),
  );
  const preferred = ids.find(([name]) => FIRST_OF_ALL.includes(name)) ?? ids[0];
  if (preferred === undefined) return null;
  const [name, entityId] = preferred;
  const entityType = name.slice(0, -2).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return { entityType, entityId };
}

function inputOf(
  given: ValueNode | undefined,
  variables: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (given?.kind === Kind.VARIABLE) return Object(variables[given.name.value]);
  if (given?.kind !== Kind.OBJECT) return {};
  return Object.fromEntries(
    given.fields.map(({ name, value }) => [
      name.value,
      value.kind === Kind.VARIABLE
        ? variables[value.name.value]
        : value.kind === Kind.STRING
          ? value.value
          : undefined,
    ]),
  );
}

/**
 * Tells of every operation over HTTP and of the start of every subscription. Outermost, so that it sees
 * what the walls inside refuse.
 */
export function createOperationsPlugin(tell: TellOperation): GraphileConfig.Plugin {
  const told = new WeakSet<object>();
  return {
    name: 'OperationsPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        /** What was refused before it was executed: GraphQL that is not valid, not listed, not asked right. */
        async processRequest(next, { requestDigest }) {
          const result = await next();
          if (told.has(requestDigest)) return result;
          if (result?.type === 'buffer' && result.statusCode >= 400 && result.statusCode < 500) {
            const [error] = errorsIn(result.buffer);
            if (error) tell(requestDigest.requestContext, { name: 'graphql', ...error });
          }
          return result;
        },
        async onSubscribe(next, { ctx }) {
          const args = await next();
          const context = {
            ws: { request: Object(ctx.extra).request },
          } as Partial<Grafast.RequestContext>;
          if (args && 'document' in args) tell(context, tellOf(args, undefined));
          else if (Array.isArray(args)) {
            tell(context, { name: 'subscription', ...endOf(args as readonly GraphQLError[]) });
          }
          return args;
        },
      },
    },
    grafast: {
      middleware: {
        async execute(next, { args }) {
          const result = await next();
          const errors = 'errors' in result ? result.errors : undefined;
          const { requestContext: context } = args;
          if (context?.http) told.add(context.http);
          if (context) tell(context, tellOf(args, errors));
          return result;
        },
      },
    },
  };
}

function errorsIn(buffer: Buffer): Pick<ToldOperation, 'outcome' | 'code' | 'scenario'>[] {
  try {
    const { errors } = JSON.parse(buffer.toString('utf8')) as {
      errors?: { extensions?: { code?: string; scenario?: string } }[];
    };
    return (errors ?? []).map(({ extensions }) => ({
      outcome: 'refused',
      ...(extensions?.code === undefined ? null : { code: extensions.code }),
      ...(extensions?.scenario === undefined ? null : { scenario: extensions.scenario }),
    }));
  } catch {
    return [];
  }
}
