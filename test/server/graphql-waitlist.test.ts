import { afterAll, beforeAll, expect, test } from 'vitest';
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
  for (const name of ['reception', 'patient', 'nurse']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
});
afterAll(() => server.close());

/** Asks as this login and expects data. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is that of each query
async function data(login: string, query: string, variables = {}): Promise<any> {
  const answer = await server.ask(tokens[login] ?? null, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

const JOIN = `mutation ($input: JoinWaitlistInput!) {
  joinWaitlist(input: $input) {
    waitlistEntry { id status firstDay lastDay earliestTime doctor { displayName } patient { id } creator { role } }
  }
}`;

test('a patient joins, is offered a seat, takes it, and each step can be read', async () => {
  const { doctors, patients } = await data(
    'patient',
    '{ doctors(first: 1) { nodes { id } } patients(first: 2) { nodes { id } } }',
  );
  const [{ id: doctorId }] = doctors.nodes;
  const [{ id: patientId }] = patients.nodes;
  const day = (ahead: number) =>
    new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
  const input = { patientId, doctorId, firstDay: day(3), lastDay: day(9), earliestTime: '08:00' };
  const { joinWaitlist } = await data('patient', JOIN, { input });
  const entry = joinWaitlist.waitlistEntry;
  expect(entry).toMatchObject({
    status: 'waiting',
    firstDay: day(3),
    creator: { role: 'patient' },
  });

  const again = await server.ask(tokens.patient ?? null, JOIN, { input });
  expect(again.errors[0]?.extensions).toMatchObject({
    code: 'SK409',
    scenario: 'already_waiting',
    recoverable: true,
    details: { waitlist_entry_id: entry.id },
  });
  const { waitlistPosition } = await data(
    'patient',
    'query ($id: UUID!) { waitlistPosition(entryId: $id) }',
    { id: entry.id },
  );
  expect(waitlistPosition).toBe(1);

  await database.ownerPool.query(
    'select app_private.offer_free_seats(hospital_id, id) from app_public.doctor where id = $1',
    [doctorId],
  );
  const OFFERS = `{ waitlistOffers(first: 5) { nodes {
    outcome entry { id status } slot { startsAt } appointment { id status heldUntil } } } }`;
  const { waitlistOffers } = await data('patient', OFFERS);
  expect(waitlistOffers.nodes).toMatchObject([
    {
      outcome: 'open',
      entry: { id: entry.id, status: 'offered' },
      appointment: { status: 'held' },
    },
  ]);
  await data(
    'patient',
    'mutation ($id: UUID!) { confirmHold(input: { appointmentId: $id }) { appointment { status } } }',
    { id: waitlistOffers.nodes[0].appointment.id },
  );
  const { waitlistEntries } = await data(
    'nurse',
    'query ($id: UUID!) { waitlistEntries(filter: { id: { equalTo: $id } }, first: 1) { nodes { status endedAt } } }',
    { id: entry.id },
  );
  expect(waitlistEntries.nodes).toMatchObject([{ status: 'booked', endedAt: expect.any(String) }]);
});

test('the staff see who waits, and end a wait', async () => {
  const { doctors, patients } = await data(
    'reception',
    '{ doctors(first: 1) { nodes { specialty } } patients(first: 1, offset: 3) { nodes { id } } }',
  );
  const input = {
    patientId: patients.nodes[0].id,
    specialty: doctors.nodes[0].specialty,
    firstDay: new Date(Date.now() + 86_400_000).toISOString().slice(0, 10),
    lastDay: new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10),
  };
  const { joinWaitlist } = await data('reception', JOIN, { input });
  const { waitlistEntries } = await data(
    'patient',
    '{ waitlistEntries(filter: { status: { equalTo: waiting } }, first: 10) { nodes { id } } }',
  );
  expect(waitlistEntries.nodes).toEqual([]);
  const { leaveWaitlist } = await data(
    'nurse',
    'mutation ($id: UUID!) { leaveWaitlist(input: { entryId: $id }) { waitlistEntry { status } } }',
    { id: joinWaitlist.waitlistEntry.id },
  );
  expect(leaveWaitlist.waitlistEntry.status).toBe('cancelled');
});
