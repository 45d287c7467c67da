import { createLog } from '../../platform/log.ts';
import { hashPassword } from '../../platform/password-hash.ts';
import { openServer, type ServerOptions } from '../../server/open-server.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, createHospital } from '../helpers/hospital.ts';
import { TEST_CONFIG } from '../helpers/server.ts';

/** The keys of the test servers: the first signs. */
export const JWT_SECRETS = [
  { kid: 'new', secret: 'a-secret-for-tests-that-is-long-enough-1' },
  { kid: 'old', secret: 'a-secret-for-tests-that-is-long-enough-2' },
];

/** The keys that secrets are sealed with: the first seals. */
export const DATA_KEYS = [
  { kid: 'test', secret: 'a-data-key-for-tests-that-is-long-enough' },
  { kid: 'before', secret: 'an-older-data-key-for-tests-that-is-long' },
];

/** The password of every account in the tests. */
export const PASSWORD = 'four green horses sing';

/** What `/auth/login` answers. */
export type LoggedIn = {
  accessToken: string;
  expiresIn: number;
  refreshToken: string;
  account: Record<string, unknown>;
};

/** An answer in any form. */
export type Answer = {
  status: number;
  headers: Headers;
  body: unknown;
  /** What an error says in its extensions. */
  error: { scenario?: string; code?: string; details?: Record<string, unknown> };
};

/**
 * The whole server on a port of its own, over a database with one hospital whose accounts all have
 * {@link PASSWORD}. Every client of it chooses its own address.
 */
export async function openAuthServer(options: ServerOptions['auth'] = {}) {
  const database = await createDatabase({ dropAfterFile: false });
  const { ownerPool } = database;
  const hospital = await createHospital(ownerPool);
  const hash = await hashPassword(PASSWORD);
  await ownerPool.query(
    `insert into app_private.account_secret (hospital_id, account_id, password_hash)
     select hospital_id, id, $1 from app_public.account`,
    [hash],
  );

  const lines: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  });
  const { auth, stop, url } = await openServer({
    config: { ...TEST_CONFIG, introspection: false, trustProxy: 'loopback' },
    jwtSecrets: JWT_SECRETS,
    dataKeys: DATA_KEYS,
    authenticatorUrl: database.authenticatorUrl,
    log,
    auth: options,
  });
  let lastAddress = 0;

  return {
    url,
    hospital,
    ownerPool,
    auth,
    /** Everything logged so far. */
    lines,

    /** A client at an address that nobody had before. */
    newClient() {
      lastAddress += 1;
      return createClient(url, hospital.slug, `10.0.${lastAddress >> 8}.${lastAddress & 255}`);
    },

    async close() {
      await stop();
      await database.drop();
    },
  };
}

/** The server of a test. */
export type AuthServer = Awaited<ReturnType<typeof openAuthServer>>;

/** A client as the server sees it: an address, and what it knows. */
export type Client = ReturnType<typeof createClient>;

function createClient(url: string, slug: string, address: string) {
  async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return answerOf(response);
  }
  const login = (name: string, password = PASSWORD, hospital = slug) =>
    post('/auth/login', { hospital, email: `${name}@${slug}.test`, password });
  return {
    post,
    login,
    refresh: (refreshToken: string) => post('/auth/refresh', { refreshToken }),
    logout: (refreshToken: string) => post('/auth/logout', { refreshToken }),

    /** Logs in, which has to succeed. */
    async loggedIn(name: string): Promise<LoggedIn> {
      const answer = await login(name);
      if (answer.status !== 200) throw new Error(`login was refused: ${answer.error.scenario}`);
      return answer.body as LoggedIn;
    },

    /** Asks who is logged in, with this access token. */
    whoAmI: (accessToken?: string, scheme = 'Bearer') =>
      post(
        '/graphql',
        { query: '{ currentAccount { id role } }' },
        accessToken === undefined ? {} : { authorization: `${scheme} ${accessToken}` },
      ),
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  const { errors } = (body ?? {}) as { errors?: { extensions: Answer['error'] }[] };
  return {
    status: response.status,
    headers: response.headers,
    body,
    error: errors?.[0]?.extensions ?? {},
  };
}

/** The e-mail address of a login of the test hospital. */
export function emailOf(server: AuthServer, name: string): string {
  return `${name}@${server.hospital.slug}.test`;
}

/** What the claims of a token of this actor are. */
export function payloadOf(actor: Actor, sessionId: string): Record<string, unknown> {
  return {
    hospital_id: actor.hospitalId,
    role: actor.role,
    ...(actor.doctorId ? { doctor_id: actor.doctorId } : null),
    ...(actor.patientId ? { patient_id: actor.patientId } : null),
    session_id: sessionId,
  };
}
