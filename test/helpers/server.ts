import { EventEmitter, once } from 'node:events';
import { createLog } from '../../platform/log.ts';
import type { Changes } from '../../server/changes.ts';
import { NotificationChanges } from '../../server/notification-changes.ts';
import { openServer, type ServerOptions } from '../../server/open-server.ts';
import { SlotChanges } from '../../server/slot-changes.ts';
import { StageAlertChanges } from '../../server/stage-alert-changes.ts';

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
  /** Resolves when somebody subscribes to the inbox `hospital/kind/reader` from now on. */
  nextReader(inbox: string): Promise<void>;
  /** Resolves when somebody subscribes to the alerts `hospital/doctor` or `hospital/all` from now on. */
  nextWatcher(alerts: string): Promise<void>;
  close(): Promise<void>;
};

/** The configuration of test servers: a free port, nothing shown but the schema. */
export const TEST_CONFIG = {
  environment: 'test' as const,
  host: '127.0.0.1',
  port: 0,
  // Busy machines take their time.
  databaseWaitMs: 30_000,
  graphiql: false,
  introspection: true,
  trustProxy: false as const,
  persistedOperations: undefined,
  cronApiKeys: [],
  monitorApiKeys: [],
  publicUrl: 'https://visits.example',
};

/** Starts the whole server against a database, as server/main.ts does. */
export async function startServer(
  authenticatorUrl: string,
  options: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const slotChanges = new SlotChanges();
  const notificationChanges = new NotificationChanges();
  const stageAlertChanges = new StageAlertChanges();
  const [slotWatch, inboxWatch] = [watch(slotChanges), watch(notificationChanges)];
  const alertWatch = watch(stageAlertChanges);
  const { url, stop } = await openServer({
    config: TEST_CONFIG,
    jwtSecrets: [{ kid: 'test', secret: 'a secret that is only used by tests' }],
    dataKeys: [{ kid: 'test', secret: 'a data key that is only used by tests' }],
    authenticatorUrl,
    log: createLog({ name: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
    slotChanges,
    notificationChanges,
    stageAlertChanges,
    ...options,
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
    subscribed: slotWatch.some,
    nextReader: inboxWatch.next,
    nextWatcher: alertWatch.next,
    close: stop,
  };
}

/** Lets a test wait until a subscription has reached the server. */
function watch<Event>(changes: Changes<Event>) {
  const topics = new Set<string>();
  const arrivals = new EventEmitter();
  const subscribe = changes.subscribe.bind(changes);
  changes.subscribe = (topic) => {
    const events = subscribe(topic);
    topics.add(String(topic));
    arrivals.emit(String(topic));
    return events;
  };
  const next = async (topic: string) => void (await once(arrivals, topic));
  return { next, some: async (topic: string) => (topics.has(topic) ? undefined : next(topic)) };
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
