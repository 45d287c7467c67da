import { randomBytes, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { type Child, startChild } from './child.ts';
import type { BenchHospital, Wish } from './hospital.ts';
import { openHttpClient } from './http.ts';
import type { Bench } from './workload.ts';

const projectFolder = resolve(import.meta.dirname, '..', '..');

/** Starts the server as in production, in a process of its own, on this database. */
export function startServer({ urls, dataDir }: Bench): Promise<Child> {
  return startChild(join(projectFolder, 'server', 'main.ts'), {
    NODE_ENV: 'production',
    DATABASE_URL: urls.databaseUrl,
    AUTHENTICATOR_URL: urls.authenticatorUrl,
    WORKER_URL: urls.workerUrl,
    DATA_DIR: dataDir,
    JWT_SECRETS: `bench:${randomBytes(32).toString('base64url')}`,
    DATA_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
    PORT: '0',
  });
}

/** Reception, logged in over HTTP. */
export interface Reception {
  /** Books; resolves to undefined, or to the scenario of the refusal. */
  book(wish: Wish): Promise<string | undefined>;
  close(): void;
}

/** Logs in and keeps up to `connections` connections. */
export async function openReception(
  url: string,
  hospital: BenchHospital,
  connections: number,
): Promise<Reception> {
  const { slug, email, password } = hospital;
  const door = openHttpClient(url, 1);
  const { body } = await door.post('/auth/login', { hospital: slug, email, password });
  door.close();
  const { accessToken } = body as { accessToken?: string };
  if (accessToken === undefined)
    throw new Error(`Reception could not log in: ${JSON.stringify(body)}`);
  const client = openHttpClient(url, connections, { authorization: `Bearer ${accessToken}` });
  return {
    async book({ slotId, patientId }) {
      const input = { slotId, patientId, idempotencyKey: randomUUID() };
      const answer = await client.post('/graphql', { query: mutation, variables: { input } });
      const { data, errors } = answer.body as GraphqlAnswer;
      if (data?.bookAppointment?.appointment?.status === 'scheduled') return undefined;
      return errors?.[0]?.extensions?.scenario ?? `status ${answer.status}`;
    },
    close: client.close,
  };
}

const mutation = `mutation ($input: BookAppointmentInput!) {
  bookAppointment(input: $input) { appointment { id status } }
}`;

type GraphqlAnswer = {
  data?: { bookAppointment?: { appointment?: { status: string } } };
  errors?: { extensions?: { scenario?: string } }[];
};
