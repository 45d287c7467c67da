import type { Server } from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Router,
} from 'express';
import type { Pool } from 'pg';
import { postgraphile } from 'postgraphile';
import { grafserv } from 'postgraphile/grafserv/express/v4';
import type { Config } from '../platform/config.ts';
import type { Log } from '../platform/log.ts';
import type { OperationsLog } from '../platform/operations-log.ts';
import type { Auth } from './auth/auth.ts';
import type { Claims } from './auth/claims.ts';
import { claimsToSettings } from './auth/claims.ts';
import { originOf } from './auth/origin.ts';
import { describeForLog, Refusal, refusalFrom, unexpectedError } from './errors.ts';
import type { ToldOperation } from './graphql/operations.ts';
import { createPgService } from './graphql/pg-service.ts';
import { SchemaPreset } from './graphql/schema/preset.ts';
import { createGraphqlWalls } from './graphql/walls.ts';
import { createHealthRouter, type Draining } from './health.ts';
import { levelOf, recordRequests } from './log/record-requests.ts';
import { note, noteRefusal } from './log/request-facts.ts';
import { inboxOf, type NotificationChanges } from './notification-changes.ts';
import { identifyRequest } from './request-context.ts';
import type { SlotChanges } from './slot-changes.ts';
import { alertsOf, type StageAlertChanges } from './stage-alert-changes.ts';

export type AppOptions = {
  /** Connections of app_authenticator. */
  pool: Pool;
  config: Pick<
    Config,
    | 'environment'
    | 'graphiql'
    | 'introspection'
    | 'trustProxy'
    | 'persistedOperations'
    | 'publicUrl'
  >;
  log: Log;
  /** Where an entry of every request and operation is left. */
  operations: OperationsLog;
  auth: Auth;
  slotChanges: SlotChanges;
  notificationChanges: NotificationChanges;
  stageAlertChanges: StageAlertChanges;
  draining: Draining;
  /** Routes by which schedulers outside start jobs. */
  externalTrigger: { router: Router; paths: readonly string[] };
  /** What is served besides, before GraphQL. */
  pages: readonly RequestHandler[];
};

/** The server's HTTP side, without a socket of its own. */
export type App = {
  express: Express;
  /** Adds GraphQL to the server that serves `express`; resolves when its schema is built. */
  attach(server: Server): Promise<void>;
  /** Ends the sockets of sessions that have ended. */
  endSessions(sessionIds: readonly string[]): void;
  close(): Promise<void>;
};

/** Puts the rooms together: health, login, GraphQL. The pool stays the caller's. */
export function createApp(options: AppOptions): App {
  const { auth, config, draining, log, operations, pool } = options;
  const walls = createGraphqlWalls<Claims>({
    log,
    production: config.environment === 'production',
    introspection: config.introspection,
    graphiql: config.graphiql,
    persistedOperationsPath: config.persistedOperations,
    verify: auth.verify,
    tell(context, operation) {
      const http = context.expressv4?.req;
      if (http) note(http, operation);
      else tellOfSubscription(operations, walls.websockets.claimsOf(context), operation);
    },
  });
  const graphile = postgraphile({
    extends: [SchemaPreset, walls.preset],
    pgServices: [createPgService(pool, ['app_public'])],
    grafast: {
      context: (request) => {
        const http = request.expressv4?.req;
        const claims = http ? http.claims : walls.websockets.claimsOf(request);
        return {
          pgSettings: claimsToSettings(claims ?? null, http?.requestId, http && originOf(http)),
          hospitalId: claims?.hospitalId ?? null,
          slotChanges: options.slotChanges,
          notificationChanges: options.notificationChanges,
          inbox: inboxOf(claims ?? null),
          stageAlertChanges: options.stageAlertChanges,
          watchedAlerts: alertsOf(claims ?? null),
          publicUrl: config.publicUrl,
        };
      },
    },
  });
  const serv = graphile.createServ(grafserv);

  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.trustProxy);
  app.use(identifyRequest, closeWhenDraining(draining));
  app.use(createHealthRouter(pool, draining));
  app.use(recordRequests(operations, options.externalTrigger.paths));
  app.use(options.externalTrigger.router);
  app.use('/auth', auth.router);
  for (const page of options.pages) app.use(page);
  app.use('/graphql', auth.authenticate, walls.transport);

  let sockets: { close(): Promise<void> } | undefined;
  return {
    express: app,
    async attach(server) {
      await serv.addTo(app, server, false);
      app.use(notFound, answerError(log));
      await serv.ready();
      sockets = walls.websockets.attach(server, serv);
    },
    endSessions(sessionIds) {
      const ended = new Set(sessionIds);
      walls.websockets.closeWhere(({ sessionId }) => ended.has(sessionId));
    },
    async close() {
      await sockets?.close();
      await graphile.release();
    },
  };
}

/**
 * A client that keeps its connection would keep asking a server that is about to leave, or keep it from
 * leaving. Decided when the answer begins: the server may have been told to stop since the question came.
 */
function closeWhenDraining(state: Draining): RequestHandler {
  return (_request, response, next) => {
    const writeHead = response.writeHead.bind(response) as (...given: unknown[]) => typeof response;
    response.writeHead = (...given: unknown[]) => {
      if (state.isDraining && !response.headersSent) response.setHeader('connection', 'close');
      return writeHead(...given);
    };
    next();
  };
}

const notFound: RequestHandler = (_request, _response, next) => {
  next(
    new Refusal({
      code: 'SK404',
      scenario: 'not_found',
      message: 'There is nothing at this address.',
      hint: 'GraphQL is at /graphql, login at /auth/login.',
    }),
  );
};

/** A websocket has no request that ends; that a subscription began is all there is to tell. */
function tellOfSubscription(
  operations: OperationsLog,
  claims: Claims | undefined,
  operation: ToldOperation,
): void {
  operations.write({
    ...operation,
    kind: 'operation',
    level: levelOf('operation', operation.outcome),
    hospitalId: claims?.hospitalId,
    actorAccountId: claims?.accountId,
    actorRole: claims?.role ?? 'anonymous',
  });
}

/** Whatever a route throws leaves in the one form; what nobody foresaw leaves an id in the log. */
function answerError(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const refusal = refusalFrom(error) ?? unexpectedError(request.requestId);
    if (refusal.extensions.scenario === 'unexpected_error') {
      log.error({ error: describeForLog(error), error_id: request.requestId }, 'unexpected error');
    }
    noteRefusal(request, refusal);
    if (refusal.status === 503) response.setHeader('retry-after', '1');
    const { message, extensions } = refusal;
    response.status(refusal.status).json({ errors: [{ message, extensions }] });
  };
}
