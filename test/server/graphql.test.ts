import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
let server: TestServer;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['reception', 'patient', 'doctor', 'admin']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
  tokens.north = await server.login('north', 'reception@north.test', DEMO_PASSWORD);
});
afterAll(() => server.close());

/** Asks as this login and expects data. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is that of each query
async function data(login: string, query: string, variables = {}): Promise<any> {
  const answer = await server.ask(tokens[login] ?? null, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

/** Asks as this login and expects one refusal. */
async function refusal(login: string, query: string, variables = {}) {
  const { errors } = await server.ask(tokens[login] ?? null, query, variables);
  expect(errors).toHaveLength(1);
  return errors[0]?.extensions;
}

const BOOK = `mutation ($input: BookAppointmentInput!) {
  bookAppointment(input: $input) {
    appointment { id status startsAt patient { id name } slot { id status doctor { id displayName } } }
  }
}`;

async function freeSlot(login = 'reception', skip = 0): Promise<{ id: string; doctorId: string }> {
  const { doctors } = await data(login, '{ doctors(first: 1) { nodes { id } } }');
  const doctorId = doctors.nodes[0].id;
  const { freeSlots } = await data(
    login,
    'query ($doctorId: UUID!, $skip: Int) { freeSlots(doctorId: $doctorId, first: 1, offset: $skip) { nodes { slotId } } }',
    { doctorId, skip: skip + 20 },
  );
  return { id: freeSlots.nodes[0].slotId, doctorId };
}

async function somePatient(login = 'reception', skip = 0): Promise<string> {
  const { patients } = await data(
    login,
    'query ($skip: Int) { patients(first: 1, offset: $skip) { nodes { id } } }',
    { skip },
  );
  return patients.nodes[0].id;
}

test('reception finds a slot, books it, moves it and cancels it', async () => {
  const slot = await freeSlot();
  const other = await freeSlot('reception', 3);
  const patientId = await somePatient();
  const input = { slotId: slot.id, patientId, idempotencyKey: randomUUID(), reason: 'cough' };

  const { bookAppointment } = await data('reception', BOOK, { input });
  const { appointment } = bookAppointment;
  expect(appointment).toMatchObject({
    status: 'scheduled',
    patient: { id: patientId },
    slot: { id: slot.id, status: 'booked', doctor: { id: slot.doctorId } },
  });
  const again = await data('reception', BOOK, { input });
  expect(again.bookAppointment.appointment.id).toBe(appointment.id);

  const { rescheduleAppointment } = await data(
    'reception',
    `mutation ($input: RescheduleAppointmentInput!) {
      rescheduleAppointment(input: $input) {
        appointment { id slot { id } previousSlot { id status } appointmentMoves { nodes { reason } } }
      }
    }`,
    {
      input: {
        appointmentId: appointment.id,
        newSlotId: other.id,
        idempotencyKey: randomUUID(),
        reason: 'train',
      },
    },
  );
  expect(rescheduleAppointment.appointment).toEqual({
    id: appointment.id,
    slot: { id: other.id },
    previousSlot: { id: slot.id, status: 'available' },
    appointmentMoves: { nodes: [{ reason: 'train' }] },
  });

  const { cancelAppointment } = await data(
    'reception',
    `mutation ($id: UUID!) {
      cancelAppointment(input: { appointmentId: $id, reason: "better" }) {
        appointment { status cancellationReason canceller { email } slot { status } }
      }
    }`,
    { id: appointment.id },
  );
  expect(cancelAppointment.appointment).toEqual({
    status: 'cancelled',
    cancellationReason: 'better',
    canceller: { email: 'reception@demo.test' },
    slot: { status: 'available' },
  });
});

test('a refusal says its scenario, what to do, and every rule that is broken', async () => {
  const slot = await freeSlot('reception', 5);
  const first = await somePatient();
  const second = await somePatient('reception', 1);
  const booking = (patientId: string) => ({
    input: { slotId: slot.id, patientId, idempotencyKey: randomUUID() },
  });
  await data('reception', BOOK, booking(first));

  expect(await refusal('reception', BOOK, booking(second))).toMatchObject({
    code: 'SK409',
    scenario: 'slot_booked',
    recoverable: true,
    hint: 'Choose another slot.',
    details: { violations: [{ rule: 13, scenario: 'slot_booked' }] },
  });
  expect(await refusal('reception', BOOK, booking(first))).toMatchObject({
    scenario: 'patient_double_booked',
    details: {
      violations: [
        { rule: 3, scenario: 'patient_double_booked' },
        { rule: 13, scenario: 'slot_booked' },
      ],
    },
  });
});

test('a hold becomes an appointment when it is confirmed', async () => {
  const slot = await freeSlot('patient', 8);
  const { currentAccount } = await data('patient', '{ currentAccount { role patientId email } }');
  expect(currentAccount).toMatchObject({ role: 'patient', email: 'patient@demo.test' });
  const { holdSlot } = await data(
    'patient',
    `mutation ($input: HoldSlotInput!) {
      holdSlot(input: $input) { appointment { id status heldUntil holdsSeat } }
    }`,
    {
      input: {
        slotId: slot.id,
        patientId: currentAccount.patientId,
        idempotencyKey: randomUUID(),
      },
    },
  );
  expect(holdSlot.appointment).toMatchObject({ status: 'held', holdsSeat: true });
  const { confirmHold } = await data(
    'patient',
    'mutation ($id: UUID!) { confirmHold(input: { appointmentId: $id }) { appointment { status } } }',
    { id: holdSlot.appointment.id },
  );
  expect(confirmHold.appointment.status).toBe('scheduled');
});

test('a patient sees and books for nobody else', async () => {
  const slot = await freeSlot('patient', 10);
  const stranger = await somePatient('reception', 7);
  const { patients, auditEntries } = await data(
    'patient',
    '{ patients { totalCount } auditEntries { totalCount } }',
  ).catch(() => ({ patients: null, auditEntries: null }));
  expect(patients).toBeNull(); // the audit is not theirs to ask for
  expect(auditEntries).toBeNull();
  expect((await data('patient', '{ patients { totalCount } }')).patients.totalCount).toBe(1);
  expect(
    await refusal('patient', BOOK, {
      input: { slotId: slot.id, patientId: stranger, idempotencyKey: randomUUID() },
    }),
  ).toMatchObject({ code: 'SK403', scenario: 'forbidden' });
  expect(
    (await data('patient', 'query ($id: UUID!) { patient(id: $id) { id } }', { id: stranger }))
      .patient,
  ).toBeNull();
});

test('to another hospital nothing of this one exists', async () => {
  const slot = await freeSlot();
  const patientId = await somePatient();
  const mine = await somePatient('north');
  expect(
    await data(
      'north',
      'query ($slot: UUID!, $patient: UUID!) { slot(id: $slot) { id } patient(id: $patient) { id } }',
      { slot: slot.id, patient: patientId },
    ),
  ).toEqual({ slot: null, patient: null });
  const booking = (slotId: string, patient: string) => ({
    input: { slotId, patientId: patient, idempotencyKey: randomUUID() },
  });
  expect(await refusal('north', BOOK, booking(slot.id, mine))).toMatchObject({
    scenario: 'slot_not_found',
  });
  expect(await refusal('north', BOOK, booking(randomUUID(), mine))).toMatchObject({
    scenario: 'slot_not_found',
  });
  expect(
    await refusal(
      'north',
      'query ($doctor: UUID!) { freeSlots(doctorId: $doctor) { totalCount } }',
      { doctor: slot.doctorId },
    ),
  ).toMatchObject({ scenario: 'doctor_not_found' });
});

test('without a login only the catalogs are open', async () => {
  const open = await server.ask(
    null,
    '{ errorCatalog(first: 1) { nodes { scenario message hint } } appointmentTransitions { totalCount } }',
  );
  expect(open.errors).toEqual([]);
  for (const query of ['{ slots { totalCount } }', '{ patients { totalCount } }']) {
    const { errors } = await server.ask(null, query);
    expect(errors[0]?.extensions).toMatchObject({ code: 'SK403', scenario: 'forbidden' });
  }
  const { errors } = await server.ask(null, '{ currentAccount { id } }');
  expect(errors[0]?.extensions).toMatchObject({ code: 'SK401', scenario: 'not_logged_in' });
});

test('lists are filtered, sorted and paged by cursor', async () => {
  const end = inDays(3);
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { slots }: { slots: SlotPage } = await data(
      'reception',
      `query ($after: Cursor) {
        slots(first: 100, after: $after, orderBy: STARTS_AT_ASC, filter: {
          status: { equalTo: available }, startsAt: { lessThan: "${end}" }
        }) { nodes { id startsAt status } pageInfo { hasNextPage endCursor } }
      }`,
      { after },
    );
    const starts = slots.nodes.map(({ startsAt }) => startsAt);
    expect(starts).toEqual(starts.toSorted());
    expect(slots.nodes.every(({ status }) => status === 'available')).toBe(true);
    seen.push(...slots.nodes.map(({ id }) => id));
    after = slots.pageInfo.hasNextPage ? slots.pageInfo.endCursor : null;
  } while (after !== null);
  const { rows } = await database.ownerPool.query(
    `select count(*)::int as count from app_public.slot
     join app_public.hospital on hospital.id = slot.hospital_id and hospital.slug = 'demo'
     where slot.status = 'available' and slot.starts_at < $1`,
    [end],
  );
  expect(seen).toHaveLength(rows[0].count);
  expect(new Set(seen).size).toBe(seen.length);
});

test('a page is 50 rows where nobody says otherwise, and never more than 100', async () => {
  const { slots } = await data('reception', '{ slots { nodes { id } } }');
  expect(slots.nodes).toHaveLength(50);
  expect(await refusal('reception', '{ slots(first: 101) { nodes { id } } }')).toMatchObject({
    scenario: 'page_too_large',
  });
});

test('a subscriber hears of a booked slot and reads it under their own rights', async () => {
  const slot = await freeSlot('patient', 12);
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tokens.patient}` },
  });
  const changes = client.iterate({
    query: `subscription ($doctorId: UUID!) {
      slotsChanged(doctorId: $doctorId) { doctorId slotIds isResync slots { id status } }
    }`,
    variables: { doctorId: slot.doctorId },
  });
  const heard = changes.next();
  await subscribed(slot.doctorId);
  // What the relay says after a commit; the relay itself is tested with the worker.
  const told = JSON.stringify([
    { hospital_id: await demoId(), doctor_id: slot.doctorId, slot_ids: [slot.id] },
  ]);
  await database.ownerPool.query('select pg_notify($1, $2)', ['slotkeeper_slots', told]);
  expect((await heard).value).toEqual({
    data: {
      slotsChanged: {
        doctorId: slot.doctorId,
        slotIds: [slot.id],
        isResync: false,
        slots: [{ id: slot.id, status: 'available' }],
      },
    },
  });
  await changes.return?.();
  await client.dispose();
});

type SlotPage = {
  nodes: { id: string; startsAt: string; status: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
};

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}

async function demoId(): Promise<string> {
  const { rows } = await database.ownerPool.query(
    `select id from app_public.hospital where slug = 'demo'`,
  );
  return rows[0].id;
}

/** Resolves when the server hands changes of this doctor to somebody. */
async function subscribed(doctorId: string): Promise<void> {
  await server.subscribed(`${await demoId()}/${doctorId}`);
}
