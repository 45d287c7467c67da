import {
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'postgraphile/graphql';
import 'postgraphile';
import 'postgraphile/grafserv';
import { Refusal, tookTooLongError } from '../errors.ts';
import { type CheckedDocument, createDocumentCheck } from './check-document.ts';
import { checkRequest, type Limits } from './limits.ts';
import { toGraphQLError } from './mask-error.ts';

/** Milliseconds. A request is planned, then executed; `answer` bounds both, whatever hangs. */
export type Timeouts = { planning: number; execution: number; answer: number };

/** Execution ends after the database's own statement timeout (5 s), so that the database speaks first. */
export const DEFAULT_TIMEOUTS: Timeouts = { planning: 2_000, execution: 8_000, answer: 12_000 };

export type RequestWallOptions = {
  limits: Limits;
  timeouts: Timeouts;
  introspection: boolean;
  /** Told of every result before it is masked. */
  note(request: object | undefined, errors: readonly GraphQLError[] | undefined): void;
};

/**
 * The wall every operation passes, over HTTP and over websockets: its document is checked instead of
 * merely parsed, and the operation is measured with its variables before it is planned.
 */
export function createRequestPlugin(options: RequestWallOptions): GraphileConfig.Plugin {
  return {
    name: 'RequestWallPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        setPreset(next, event) {
          event.getExecutionConfig = checkingDocuments(event.getExecutionConfig, options);
          return next();
        },
        /** Refused here, a subscription ends with an error; refused later, with an empty result. */
        async onSubscribe(next) {
          const args = await next();
          if (!args || !('document' in args)) return args;
          const error = refusalOf(args, 'websocket', options.limits);
          return error === null ? args : [error];
        },
      },
    },
    grafast: { middleware: createExecutionWall(options) },
  };
}

type GetExecutionConfig = Parameters<
  GraphileConfig.GrafservMiddleware['setPreset']
>[0]['getExecutionConfig'];

/** grafserv's own way to a schema, with our way to a document. */
function checkingDocuments(
  inner: GetExecutionConfig,
  { limits, introspection }: RequestWallOptions,
): GetExecutionConfig {
  const checks = new WeakMap<GraphQLSchema, (text: string) => CheckedDocument>();
  return async function getExecutionConfig(context) {
    const config = await inner.call(this, context);
    const known = checks.get(config.schema);
    const check = known ?? createDocumentCheck(config.schema, { limits, introspection });
    if (known === undefined) checks.set(config.schema, check);
    return { ...config, parseAndValidate: check };
  };
}

type GrafastWall = NonNullable<NonNullable<GraphileConfig.Plugin['grafast']>['middleware']>;

function createExecutionWall({ limits, timeouts, note }: RequestWallOptions): GrafastWall {
  const failed = new WeakMap<object, unknown>();
  return {
    /** A context that cannot be made fails its request here; grafserv would print and show the error. */
    async prepareArgs(next, { args }) {
      try {
        return await next();
      } catch (error) {
        failed.set(args, error);
        return args;
      }
    },
    async execute(next, { args }) {
      const error = failureOf(failed, args) ?? refusalOf(args, 'http', limits);
      const result = error === null ? await within(timeouts.answer, next) : { errors: [error] };
      if ('errors' in result) note(args.requestContext?.http, result.errors);
      return result;
    },
    async subscribe(next, { args }) {
      const error = failureOf(failed, args) ?? refusalOf(args, 'websocket', limits);
      if (error !== null) return { errors: [error] };
      if (args.resolvedPreset) args.resolvedPreset = withoutExecutionTimeout(args.resolvedPreset);
      return await next();
    },
  };
}

/** What a request can be refused for once its variables are known. */
function refusalOf(
  args: ExecutionArgs,
  transport: 'http' | 'websocket',
  limits: Limits,
): GraphQLError | null {
  const operation = getOperationAST(args.document, args.operationName)?.operation;
  if (operation !== undefined && (operation === 'subscription') !== (transport === 'websocket')) {
    return toGraphQLError(wrongTransport(operation));
  }
  const refusal = checkRequest(args, limits);
  return refusal === null ? null : toGraphQLError(refusal);
}

/** Queries and mutations have HTTP, with its statuses, its limits and its log lines a request. */
function wrongTransport(operation: string): Refusal {
  const isSubscription = operation === 'subscription';
  return new Refusal({
    code: 'SK400',
    scenario: 'wrong_transport',
    message: isSubscription
      ? 'Subscriptions are served over websockets.'
      : 'Websockets serve subscriptions only.',
    details: { operation },
    hint: isSubscription
      ? 'Subscribe with the graphql-transport-ws protocol.'
      : 'Send queries and mutations with POST.',
  });
}

function failureOf(failed: WeakMap<object, unknown>, args: object): GraphQLError | null {
  if (!failed.has(args)) return null;
  const thrown = failed.get(args);
  const originalError = thrown instanceof Error ? thrown : new Error('not an error was thrown');
  return new GraphQLError('The request could not be prepared.', { originalError });
}

/** Ends the wait, not the work: what hangs in the database ends by the database's own timeouts. */
async function within<T>(milliseconds: number, run: () => T): Promise<Awaited<T> | TimedOut> {
  const { promise, resolve } = Promise.withResolvers<TimedOut>();
  const timer = setTimeout(
    () => resolve({ errors: [toGraphQLError(tookTooLongError())] }),
    milliseconds,
  );
  try {
    return await Promise.race([run(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

type TimedOut = { errors: GraphQLError[] };

type ResolvedPreset = GraphileConfig.ResolvedPreset;

/** Grafast counts a subscription's execution time from its start, and would fail every later event. */
function withoutExecutionTimeout(preset: ResolvedPreset): ResolvedPreset {
  const planning = preset.grafast?.timeouts?.planning;
  if (preset.grafast?.timeouts?.execution === undefined) return preset;
  const timeouts = planning === undefined ? {} : { planning };
  return { ...preset, grafast: { ...preset.grafast, timeouts } };
}
