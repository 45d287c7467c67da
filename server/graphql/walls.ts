import type { Router } from 'express';
import 'postgraphile';
import type { ErrorLog } from '../errors.ts';
import { createAnswers } from './answers.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { createMaskError } from './mask-error.ts';
import { createOperationsPlugin, type TellOperation } from './operations.ts';
import { createPageSizePlugin } from './page-size.ts';
import { createPersistedPreset, readPersistedOperations } from './persisted.ts';
import { createRequestPlugin, DEFAULT_TIMEOUTS, type Timeouts } from './requests.ts';
import { createTransport } from './transport.ts';
import { createWebsockets, type Verify } from './websocket.ts';

export type WallOptions<Claims> = {
  log: ErrorLog;
  /** Turns the access token of a websocket into claims. */
  verify: Verify<Claims>;
  /** In production nothing is shown of the schema unless switched on. */
  production: boolean;
  introspection?: boolean | undefined;
  graphiql?: boolean | undefined;
  /** The file of an allow-list; without it every operation within the limits may run. */
  persistedOperationsPath?: string | undefined;
  limits?: Partial<Limits>;
  timeouts?: Partial<Timeouts>;
  /** Is told of every operation. */
  tell?: TellOperation;
};

/** Everything that stands between the network and the schema. */
export type GraphqlWalls<Claims> = {
  /** To be extended by the server's preset, after those of PostGraphile. */
  preset: GraphileConfig.Preset;
  /** To be used on the path of the endpoint, before grafserv is added. */
  transport: Router;
  /** To be attached once the HTTP server exists, instead of grafserv's own websockets. */
  websockets: Omit<ReturnType<typeof createWebsockets<Claims>>, 'plugin'>;
};

/**
 * Builds the walls of the GraphQL endpoint: limits, timeouts, transports, masking, allow-list.
 * Throws when the allow-list cannot be read.
 */
export function createGraphqlWalls<Claims>(options: WallOptions<Claims>): GraphqlWalls<Claims> {
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const timeouts: Timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const introspection = options.introspection ?? !options.production;
  const graphiql = options.graphiql ?? !options.production;
  const answers = createAnswers(options.log);
  const { plugin, ...websockets } = createWebsockets({ ...options, limits });
  const persisted = options.persistedOperationsPath;
  return {
    transport: createTransport({ bodyBytes: limits.bodyBytes, graphiql }),
    websockets,
    preset: {
      extends:
        persisted === undefined ? [] : [createPersistedPreset(readPersistedOperations(persisted))],
      plugins: [
        ...(options.tell ? [createOperationsPlugin(options.tell)] : []),
        createPageSizePlugin(limits.defaultPage),
        createRequestPlugin({ limits, timeouts, introspection, note: answers.note }),
        answers.plugin,
        plugin,
      ],
      grafast: {
        explain: false,
        timeouts: { planning: timeouts.planning, execution: timeouts.execution },
      },
      grafserv: {
        graphqlOverGET: false,
        graphiql,
        graphiqlOnGraphQLGET: graphiql,
        watch: false,
        websockets: false,
        allowedRequestContentTypes: ['application/json'],
        maxRequestLength: limits.bodyBytes,
        maskError: createMaskError(options.log),
      },
    },
  };
}
