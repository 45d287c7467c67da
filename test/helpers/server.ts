import { EventEmitter, once } from 'node:events';
import { createLog } from '../../platform/log.ts';
import { openServer } from '../../server/open-server.ts';
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

/** The configuration of test servers: a free port, nothing shown but the schema. */
export const TEST_CONFIG = {
  environment: 'test' as const,
  host: '127.0.0.1',
  port: 0,
  graphiql: false,
  introspection: true,
  trustProxy: false as const,
  persistedOperations: undefined,
};

/** Starts the whole server against a database, as server/main.ts does. */
export async function startServer(authenticatorUrl: string): Promise<TestServer> {
  const slotChanges = new WatchedSlotChanges();
  const { url, stop } = await openServer({
    config: TEST_CONFIG,
    jwtSecrets: [{ kid: 'test', secret: 'a secret that is only used by tests' }],
    authenticatorUrl,
    log: createLog({ name: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
    slotChanges,
  });

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
    close: stop,
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
