import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { grafserv } from 'postgraphile/grafserv/express/v4';
import { Refusal } from '../../server/errors.ts';
import { createGraphqlWalls, type WallOptions } from '../../server/graphql/walls.ts';
import { createSchema, type Hooks } from './schema.ts';

export type Claims = { account: string };

/** A line of the log. */
export type Line = { level: string; fields: Record<string, unknown>; message: string };

/** What a test's token says: `account`, or `account until <ms>`; 'broken' fails, others are refused. */
async function verify(token: string) {
  if (token === 'broken') throw new Error('the database of sessions is away');
  const [account, until] = token.split('.');
  if (!account?.startsWith('account')) throw sessionEnded();
  return {
    claims: { account },
    expiresAt: until ? new Date(Date.now() + Number(until)) : undefined,
  };
}

export function sessionEnded(): Refusal {
  return new Refusal({ code: 'SK401', scenario: 'session_ended', message: 'No.' });
}

type EndpointOptions = Partial<WallOptions<Claims>> & {
  hooks?: Hooks;
  context?: NonNullable<GraphileConfig.GrafastOptions['context']>;
};

/** The endpoint as the server builds it, around the test schema, on a port of its own. */
export async function openEndpoint({ hooks, context, ...options }: EndpointOptions = {}) {
  const lines: Line[] = [];
  const write = (level: string) => (fields: Record<string, unknown>, message: string) => {
    lines.push({ level, fields, message });
  };
  const log = { warn: write('warn'), error: write('error') };
  const walls = createGraphqlWalls<Claims>({ production: true, verify, log, ...options });
  const serv = grafserv({
    schema: createSchema(hooks),
    preset: { extends: [walls.preset], ...(context ? { grafast: { context } } : null) },
  });
  const app = express();
  app.use('/graphql', walls.transport);
  const server = createServer(app);
  await serv.addTo(app, server, false);
  await serv.ready();
  const sockets = walls.websockets.attach(server, serv);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/graphql`;
  return {
    url,
    port,
    lines,
    walls,
    ask: (query: string, variables?: unknown, headers?: Record<string, string>) =>
      send(url, JSON.stringify({ query, variables }), headers),
    send: (body: string, headers?: Record<string, string>) => send(url, body, headers),
    async close() {
      await sockets.close();
      server.closeAllConnections();
      server.close();
      await serv.release();
    },
  };
}

/** One POST, and its answer as it came. */
async function send(url: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return answerOf(response);
}

/** The status, headers and parsed body of a response. */
export async function answerOf(response: Response) {
  const text = await response.text();
  const body = JSON.parse(text) as { data?: unknown; errors?: Answered[] };
  return { status: response.status, headers: response.headers, body, error: body.errors?.[0] };
}

type Answered = { message: string; extensions: Record<string, unknown> };
