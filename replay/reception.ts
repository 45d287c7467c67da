import { setTimeout as delay } from 'node:timers/promises';
import type { OfferedSlot } from './plan.ts';

/** The answer to one booking. */
export type Answer =
  | { kind: 'booked'; appointmentId: string }
  | { kind: 'refused'; scenario: string };

/** A logged-in receptionist, who works through HTTP and GraphQL like any other client. */
export interface Reception {
  /** All free slots at a location that start in [from, before). */
  freeSlots(locationId: string, from: Date, before: Date): Promise<OfferedSlot[]>;
  book(wish: { slotId: string; patientId: string; idempotencyKey: string }): Promise<Answer>;
}

export interface ReceptionOptions {
  url: string;
  hospital: string;
  email: string;
  password: string;
  /** How long a request that gets no answer is repeated, in ms; 60,000 unless told. */
  patienceMs?: number;
}

/** The server could not be reached for so long that reception gave up. */
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

/** Logs in as reception. Throws when the login is refused. */
export async function openReception(options: ReceptionOptions): Promise<Reception> {
  const { url, hospital, email, password, patienceMs = 60_000 } = options;
  const login = await post(`${url}/auth/login`, { hospital, email, password }, {});
  const { accessToken } = login as { accessToken?: string };
  if (accessToken === undefined)
    throw new Error(
      `Reception could not log in at ${url} (${scenarioOf(login) ?? 'no token'}). Does that server use the same database?`,
    );
  const authorization = `Bearer ${accessToken}`;
  const ask = (query: string, variables: unknown) =>
    patiently(patienceMs, () => post(`${url}/graphql`, { query, variables }, { authorization }));

  return {
    async freeSlots(locationId, from, before) {
      const slots: OfferedSlot[] = [];
      for (let after: string | null = null; ; ) {
        const answer = await ask(slotsQuery, { locationId, from, before, after });
        const page = (answer as { data?: { slots?: SlotPage } }).data?.slots;
        if (!page) throw new Error(`Slots could not be read: ${scenarioOf(answer)}.`);
        slots.push(...page.nodes.map(toSlot));
        if (!page.pageInfo.hasNextPage) return slots;
        after = page.pageInfo.endCursor;
      }
    },
    async book(wish) {
      const answer = await ask(bookMutation, { input: wish });
      const scenario = scenarioOf(answer);
      if (scenario !== undefined) return { kind: 'refused', scenario };
      return {
        kind: 'booked',
        appointmentId: (answer as Booked).data.bookAppointment.appointment.id,
      };
    },
  };
}

type Booked = { data: { bookAppointment: { appointment: { id: string } } } };
type SlotNode = { id: string; doctorId: string; startsAt: string; endsAt: string };
type SlotPage = {
  nodes: SlotNode[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
};

const bookMutation = `mutation ($input: BookAppointmentInput!) {
  bookAppointment(input: $input) { appointment { id status } }
}`;

const slotsQuery = `query ($locationId: UUID!, $from: Datetime!, $before: Datetime!, $after: Cursor) {
  slots(
    first: 100, after: $after, orderBy: [STARTS_AT_ASC, ID_ASC],
    filter: {
      locationId: { equalTo: $locationId }
      startsAt: { greaterThanOrEqualTo: $from, lessThan: $before }
      status: { equalTo: available }
    }
  ) { nodes { id doctorId startsAt endsAt } pageInfo { hasNextPage endCursor } }
}`;

function toSlot({ id, doctorId, startsAt, endsAt }: SlotNode): OfferedSlot {
  return { id, doctorId, startsAt: Date.parse(startsAt), endsAt: Date.parse(endsAt) };
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

function scenarioOf(answer: unknown): string | undefined {
  const { errors } = answer as ErrorBody;
  return errors?.[0] && (errors[0].extensions?.scenario ?? 'unknown');
}
