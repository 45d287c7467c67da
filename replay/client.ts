import { setTimeout as delay } from 'node:timers/promises';

/** Somebody who is logged in and asks the server through HTTP and GraphQL like any other client. */
export interface Client {
  /** The whole answer to a GraphQL request. */
  ask(query: string, variables: unknown): Promise<unknown>;
}

export interface LoginOptions {
  url: string;
  hospital: string;
  email: string;
  password: string;
  /** How long a request that gets no answer is repeated, in ms; 60,000 unless told. */
  patienceMs?: number;
}

/** The server could not be reached for so long that the client gave up. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Throws unless a server at this address is ready to serve. */
export async function checkServer(url: string): Promise<void> {
  const response = await fetch(`${url}/readyz`).catch(() => undefined);
  await response?.body?.cancel();
  if (!response) throw new Error(`Nobody answers at ${url}. Start the server with: npm start`);
  if (!response.ok) throw new Error(`The server at ${url} is not ready yet.`);
}

/** Logs somebody in. Throws when the login is refused. */
export async function logIn(options: LoginOptions): Promise<Client> {
  const { url, hospital, email, password, patienceMs = 60_000 } = options;
  const login = await patiently(patienceMs, () =>
    post(`${url}/auth/login`, { hospital, email, password }, {}),
  );
  const { accessToken } = login as { accessToken?: string };
  if (accessToken === undefined)
    throw new Error(
      `${email} could not log in at ${url} (${scenarioOf(login) ?? 'no token'}). Does that server use the same database?`,
    );
  const authorization = `Bearer ${accessToken}`;
  return {
    ask: (query, variables) =>
      patiently(patienceMs, () => post(`${url}/graphql`, { query, variables }, { authorization })),
  };
}

/** Repeats what got no answer, unchanged: its idempotency key makes that safe. */
async function patiently(patienceMs: number, attempt: () => Promise<unknown>): Promise<unknown> {
  const deadline = Date.now() + patienceMs;
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (Date.now() + waitMs > deadline)
        throw new NoAnswer(`The server has not answered for ${patienceMs / 1000} s.`, {
          cause: error,
        });
      await delay(waitMs);
    }
  }
}

class Unanswered extends Error {}

async function post(
  address: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  let text: string;
  let status: number;
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw new Unanswered('The connection failed.', { cause });
  }
  const answer = parseJson(text);
  const code = (answer as ErrorBody | undefined)?.errors?.[0]?.extensions?.code;
  if (status >= 502 || code === 'SK503') throw new Unanswered(`The server answered ${status}.`);
  if (answer === undefined) throw new Error(`${address} answered ${status} without JSON.`);
  return answer;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type ErrorBody = { errors?: { extensions?: { code?: string; scenario?: string } }[] };

/** The scenario of the first error of an answer, or undefined. */
export function scenarioOf(answer: unknown): string | undefined {
  const { errors } = answer as ErrorBody;
  return errors?.[0] && (errors[0].extensions?.scenario ?? 'unknown');
}
