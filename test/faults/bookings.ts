import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { expect } from 'vitest';
import { hashPassword } from '../../platform/password-hash.ts';
import type { OpenHospital, Queryable } from '../helpers/hospital.ts';

const password = 'four green horses sing';

const bookOperation = `mutation ($input: BookAppointmentInput!) {
  bookAppointment(input: $input) { appointment { id } }
}`;

/** A booking that somebody wants, and what became of it. */
export interface Wish {
  slotId: string;
  patientId: string;
  idempotencyKey: string;
  /** Requests that were sent and never answered. */
  unanswered: number;
  /** Answers that the server cannot do it right now. */
  putOff: number;
  /** The appointment, once it was acknowledged. */
  appointmentId?: string;
  /** The scenario, once it was refused. */
  refusal?: string;
}

/** The receptionist's token, by a login over HTTP. */
export async function logIn(db: Queryable, hospital: OpenHospital, url: string): Promise<string> {
  const { accountId } = hospital.receptionist;
  await db.query(
    `insert into app_private.account_secret (hospital_id, account_id, password_hash) values ($1, $2, $3)`,
    [hospital.id, accountId, await hashPassword(password)],
  );
  const response = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      hospital: hospital.slug,
      email: `reception@${hospital.slug}.test`,
      password,
    }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { accessToken: string }).accessToken;
}

/** Every slot of the first doctor is wanted by two patients; one of them can have it. */
export function wishesFor(hospital: OpenHospital): Wish[] {
  return hospital.slotIds.flatMap((slotId, index) =>
    [0, 1].map((other) => ({
      slotId,
      patientId: hospital.patientIds[(2 * index + other) % hospital.patientIds.length] ?? '',
      idempotencyKey: randomUUID(),
      unanswered: 0,
      putOff: 0,
    })),
  );
}

/** Asks once; true when the answer is final. Whoever gets none does not know what became of it. */
export async function ask(url: string, token: string, wish: Wish): Promise<boolean> {
  const { slotId, patientId, idempotencyKey } = wish;
  let body: { data?: Answer | null; errors?: { extensions: Record<string, unknown> }[] };
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        query: bookOperation,
        variables: { input: { slotId, patientId, idempotencyKey } },
      }),
    });
    body = (await response.json()) as typeof body;
  } catch (error) {
    // A server that is not there was not asked.
    if ((error as { cause?: { code?: string } }).cause?.code !== 'ECONNREFUSED')
      wish.unanswered += 1;
    return false;
  }
  const appointment = body.data?.bookAppointment?.appointment;
  if (appointment) {
    wish.appointmentId = appointment.id;
    return true;
  }
  const { code, scenario } = body.errors?.[0]?.extensions ?? {};
  // 503: not now. 500: something broke, so nobody knows either.
  if (scenario === 'unexpected_error') wish.unanswered += 1;
  else if (String(code).startsWith('SK503') || scenario === 'try_again') wish.putOff += 1;
  else {
    wish.refusal = String(scenario);
    return true;
  }
  return false;
}

type Answer = { bookAppointment?: { appointment?: { id: string } } };

/** So many clients at once, each of which asks for its wish until it is told what became of it. */
export async function bookAll(
  url: () => string,
  token: string,
  wishes: readonly Wish[],
  { clients = 12, onAnswer }: { clients?: number; onAnswer?: () => void } = {},
): Promise<void> {
  const waiting = [...wishes];
  const client = async () => {
    for (let wish = waiting.shift(); wish; wish = waiting.shift()) {
      while (!(await ask(url(), token, wish))) await delay(50);
      onAnswer?.();
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** Who was told so has the appointment, once; who was refused has none. */
export async function expectAsAnswered(pool: pg.Pool, wishes: readonly Wish[]): Promise<void> {
  const { rows } = await pool.query<{ idempotency_key: string; ids: string[] }>(
    `select idempotency_key, array_agg(id) as ids from app_public.appointment
     where idempotency_key = any ($1) group by 1`,
    [wishes.map(({ idempotencyKey }) => idempotencyKey)],
  );
  const stored = new Map(rows.map(({ idempotency_key, ids }) => [idempotency_key, ids]));
  const wrong = wishes.filter(({ idempotencyKey, appointmentId }) => {
    const ids = stored.get(idempotencyKey) ?? [];
    return appointmentId ? ids.length !== 1 || ids[0] !== appointmentId : ids.length !== 0;
  });
  expect(wrong).toEqual([]);
  expect(wishes.filter((wish) => !wish.appointmentId && !wish.refusal)).toEqual([]);
}

/** What is stored under the keys of these wishes right now. */
export async function storedOf(
  pool: pg.Pool,
  wishes: readonly Wish[],
): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ key: string; id: string }>(
    'select idempotency_key as key, id from app_public.appointment where idempotency_key = any ($1)',
    [wishes.map(({ idempotencyKey }) => idempotencyKey)],
  );
  return new Map(rows.map(({ key, id }) => [key, id]));
}
