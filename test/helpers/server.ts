import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { createLog } from '../../platform/log.ts';
import { createPool } from '../../platform/pool.ts';
import { createApp } from '../../server/app.ts';
import { createAuth } from '../../server/auth/auth.ts';
import { listen } from '../../server/listen.ts';
import { openListener } from '../../server/listener.ts';
import { type SlotChange, SlotChanges } from '../../server/slot-changes.ts';

/** What an answer of the GraphQL endpoint holds. */
export type Answer = {
  status: number;
  data: Record<string, unknown> | null;
  errors: { message: string; extensions: Record<string, unknown> }[];
};

/** A real server on a port of its own, in this process. */
export type TestServer = {
  url: string;
  /** Logs in over HTTP; resolves to the access token. */
  login(hospital: string, email: string, password: string): Promise<string>;
  /** Asks GraphQL over HTTP. */
  ask(token: string | null, query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Resolves once somebody is subscribed to the changes of `hospital/doctor`. */
  subscribed(topic: string): Promise<void>;
  close(): Promise<void>;
};

/** Starts the whole server against a database, as server/main.ts does. */
export async function startServer(authenticatorUrl: string): Promise<TestServer> {
  const log = createLog({ name: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent' });
  const pool = createPool({ url: authenticatorUrl, applicationName: 'test:server', log });
  const slotChanges = new WatchedSlotChanges();
  const jwtSecrets = [{ kid: 'test', secret: 'a secret that is only used by tests' }];
  const auth = await createAuth({ pool, jwtSecrets, log });
  const config = {
    environment: 'test' as const,
    graphiql: false,
    introspection: true,
    trustProxy: false as const,
    persistedOperations: undefined,
  };
  const draining = { isDraining: false };
  const app = createApp({ pool, config, log, auth, slotChanges, draining });
  const server = createServer(app.express);
  await app.attach(server);
  auth.endedSessions.whenEnded((sessionIds) => app.endSessions(sessionIds));
  const listener = await openListener({
    url: authenticatorUrl,
    log,
    slotChanges,
    endSessions: (sessionIds) => auth.endedSessions.add(sessionIds),
    onGap: () => {},
  });
  const url = await listen(server, 0, '127.0.0.1');

  return {
    url,
    async login(hospital, email, password) {
      const answer = await post(`${url}/auth/login`, null, { hospital, email, password });
      return String(answer.body.accessToken);
    },
    async ask(token, query, variables = {}) {
      const { status, body } = await post(`${url}/graphql`, token, { query, variables });
      return { status, data: body.data ?? null, errors: body.errors ?? [] };
    },
    subscribed: (topic) => slotChanges.subscribed(topic),
    async close() {
      slotChanges.close();
      server.closeAllConnections();
      await app.close();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([listener.close(), auth.close()]);
      await pool.end();
    },
  };
}

/** Lets a test wait until a subscription has reached the server. */
class WatchedSlotChanges extends SlotChanges {
  readonly #topics = new Set<string>();
  readonly #arrivals = new EventEmitter();

  override subscribe(topic: string | number): AsyncIterableIterator<SlotChange> {
    const changes = super.subscribe(topic);
    this.#topics.add(String(topic));
    this.#arrivals.emit(String(topic));
    return changes;
  }

  async subscribed(topic: string): Promise<void> {
    if (!this.#topics.has(topic)) await once(this.#arrivals, topic);
  }
}

async function post(url: string, token: string | null, body: unknown) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? null : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by the tests
  return { status: response.status, body: (await response.json()) as Record<string, any> };
}
