import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, type Context, GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer } from 'graphql-ws';
import { type GrafservBase, makeGraphQLWSConfig } from 'postgraphile/grafserv';
import type {} from 'postgraphile/grafserv/node';
import { type WebSocket, WebSocketServer } from 'ws';
import { describeForLog, type ErrorLog, Refusal, refusalFrom } from '../errors.ts';
import { type Limits, limitRefusal } from './limits.ts';
import { toGraphQLError } from './mask-error.ts';

/** Who a token speaks for, and until when. */
export type Verified<Claims> = { claims: Claims; expiresAt?: Date | undefined };

/** Resolves to the claims of an access token; throws a Refusal for one that is not valid (any more). */
export type Verify<Claims> = (token: string) => Promise<Verified<Claims>>;

export type WebsocketOptions<Claims> = {
  limits: Limits;
  verify: Verify<Claims>;
  log: ErrorLog;
  /** The path that is upgraded. */
  path?: string;
  /** Milliseconds between pings; a socket that misses one is ended. */
  keepAlive?: number;
  /** Milliseconds a socket has to present its token. */
  initTimeout?: number;
};

type Session<Claims> = { token: string; claims: Claims };
type Extra = { socket: WebSocket; request: IncomingMessage };
type SocketContext = Context<Record<string, unknown> | undefined, Extra>;

/**
 * Subscriptions over websockets, in the graphql-transport-ws protocol. A socket is opened by an access
 * token in `connection_init` (`{authorization: 'Bearer …'}`); it is asked for again at each subscribe,
 * and the socket ends when the token does. The client comes back with a new one.
 * grafserv's own handler would take messages of 100 MiB and close with the raw text of an error.
 */
export function createWebsockets<Claims>(options: WebsocketOptions<Claims>) {
  const { limits, verify, log } = options;
  const sessions = new WeakMap<IncomingMessage, Session<Claims>>();
  const sockets = new Map<WebSocket, IncomingMessage>();

  async function authenticate({ connectionParams, extra }: SocketContext): Promise<boolean> {
    const token = bearerOf(connectionParams);
    const verified = token === null ? null : await attempt(() => verify(token), log);
    if (token === null || verified === null) return false;
    sessions.set(extra.request, { token, claims: verified.claims });
    endAt(verified.expiresAt, extra.socket);
    return true;
  }

  async function refuse(context: SocketContext): Promise<Refusal | null> {
    const count = Object.keys(context.subscriptions).length;
    if (count > limits.subscriptions) return tooManySubscriptions(limits.subscriptions, count);
    const session = sessions.get(context.extra.request);
    const verified = session && (await attempt(() => verify(session.token), log));
    return verified ? null : sessionEnded();
  }

  return {
    /** For the preset: asks at each subscribe, before the operation is looked at. */
    plugin: createSubscribePlugin(refuse),

    /** The claims of the socket that a request came over; undefined for other requests. */
    claimsOf(context: Partial<Grafast.RequestContext>): Claims | undefined {
      const request = context.ws?.request;
      return request && sessions.get(request)?.claims;
    },

    /** Ends the sockets whose claims fit, as when a session is revoked. */
    closeWhere(fits: (claims: Claims) => boolean): void {
      for (const [socket, request] of sockets) {
        const session = sessions.get(request);
        if (session && fits(session.claims)) socket.close(CloseCode.Forbidden, 'Forbidden');
      }
    },

    /**
     * Serves the upgrades of `server`; those of other paths are refused. Returns what ends it: every
     * socket is told to go, and those that stay are cut after a second.
     */
    attach(server: Server, grafserv: GrafservBase): { close(): Promise<void> } {
      const upgrades = new WebSocketServer({
        noServer: true,
        maxPayload: limits.bodyBytes,
        handleProtocols: (offered) =>
          offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
      });
      const protocol = makeServer<Record<string, unknown> | undefined, Extra>({
        ...makeGraphQLWSConfig(grafserv),
        connectionInitWaitTimeout: options.initTimeout ?? 3_000,
        onConnect: authenticate,
      });
      const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
        if (pathOf(request) !== (options.path ?? '/graphql'))
          return endUpgrade(stream, '404 Not Found');
        upgrades.handleUpgrade(request, stream, head, (socket) => {
          sockets.set(socket, request);
          socket.once('close', () => sockets.delete(socket));
          socket.on('error', () => socket.terminate()); // a message too large, a broken frame
          keepAlive(socket, options.keepAlive ?? 12_000);
          serve(protocol, socket, request, log);
        });
      };
      server.on('upgrade', upgrade);
      return {
        async close() {
          server.off('upgrade', upgrade);
          await Promise.all([...sockets.keys()].map(sendAway));
          upgrades.close();
        },
      };
    },
  };
}

function createSubscribePlugin(
  refuse: (context: SocketContext) => Promise<Refusal | null>,
): GraphileConfig.Plugin {
  return {
    name: 'SubscribeWallPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        async onSubscribe(next, { ctx }) {
          const refusal = await refuse(ctx as SocketContext);
          return refusal === null ? await next() : [toGraphQLError(refusal)];
        },
      },
    },
  };
}

/** null where it throws; a fault that is not the client's is left in the log. */
async function attempt<T>(run: () => Promise<T>, log: ErrorLog): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (refusalFrom(error) !== error) {
      log.error({ error: describeForLog(error) }, 'could not verify the token of a websocket');
    }
    return null;
  }
}

function bearerOf(params: Record<string, unknown> | undefined): string | null {
  const authorization = params?.authorization ?? params?.Authorization;
  if (typeof authorization !== 'string') return null;
  return /^Bearer ([\w.~+/=-]{1,4096})$/.exec(authorization)?.[1] ?? null;
}

function endAt(expiresAt: Date | undefined, socket: WebSocket): void {
  if (expiresAt === undefined) return;
  const left = Math.min(Math.max(0, expiresAt.getTime() - Date.now()), 2 ** 31 - 1);
  const timer = setTimeout(() => socket.close(CloseCode.Forbidden, 'Token expired'), left);
  socket.once('close', () => clearTimeout(timer));
}

function tooManySubscriptions(limit: number, actual: number): Refusal {
  return limitRefusal(
    'too_many_subscriptions',
    'The websocket has too many subscriptions.',
    limit,
    actual,
    'End one before you start another.',
  );
}

function sessionEnded(): Refusal {
  return new Refusal({
    code: 'SK401',
    scenario: 'session_ended',
    recoverable: true,
    message: 'Your session has ended.',
    hint: 'Log in again.',
  });
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function endUpgrade(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

type Protocol = ReturnType<typeof makeServer<Record<string, unknown> | undefined, Extra>>;

function serve(
  protocol: Protocol,
  socket: WebSocket,
  request: IncomingMessage,
  log: ErrorLog,
): void {
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) =>
        new Promise((resolve, reject) => {
          socket.send(data, (error) => (error ? reject(error) : resolve()));
        }),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (handle) => {
        socket.on('message', (data) => {
          handle(String(data)).catch((error: unknown) => {
            if (socket.readyState !== socket.OPEN) return;
            log.error({ error: describeForLog(error) }, 'a websocket message could not be handled');
            socket.close(CloseCode.InternalServerError, 'An unexpected error occurred');
          });
        });
      },
    },
    { socket, request },
  );
  socket.once('close', (code, reason) => {
    closed(code, String(reason)).catch((error: unknown) => {
      log.error({ error: describeForLog(error) }, 'a websocket could not be ended cleanly');
    });
  });
}

function keepAlive(socket: WebSocket, interval: number): void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, interval);
  socket.once('close', () => clearInterval(timer));
}

async function sendAway(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('close', () => resolve());
  const timer = setTimeout(() => socket.terminate(), 1_000);
  socket.close(1001, 'Going away');
  await promise;
  clearTimeout(timer);
}
