import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD, demoEmail } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { nth } from '../helpers/nth.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

// Requests, their answers, histories and series, as a client sees them.

const database = await createDatabase();
const tokens: Record<string, string> = {};
let server: TestServer;
let patientId: string;
let doctorId: string;
/** Starts of free slots of the doctor of the demo's login, on days after tomorrow, a week apart. */
let starts: Date[];

beforeAll(async () => {
  await loadDemo(database.url);
  const { rows } = await database.ownerPool.query<{
    patient_id: string;
    doctor_id: string;
    starts: Date[];
  }>(
    `select patient.patient_id, doctor.doctor_id, array(
       select slot.starts_at from app_public.slot
       where slot.hospital_id = hospital.id and slot.doctor_id = doctor.doctor_id
         and slot.status = 'available' and slot.booked_count = 0
         and slot.starts_at > now() + interval '2 days'
         and exists (
           select from app_public.slot as later
           where later.hospital_id = hospital.id and later.doctor_id = doctor.doctor_id
             and later.starts_at = slot.starts_at + interval '7 days' and later.booked_count = 0)
       order by slot.starts_at limit 5) as starts
     from app_public.hospital
     join app_public.account as patient on patient.hospital_id = hospital.id and patient.email = $2
     join app_public.account as doctor on doctor.hospital_id = hospital.id and doctor.email = $3
     where hospital.slug = $1`,
    ['demo', demoEmail('patient', 'demo'), demoEmail('doctor', 'demo')],
  );
  ({ patient_id: patientId, doctor_id: doctorId, starts } = nth(rows, 0));
  server = await startServer(database.authenticatorUrl);
  for (const name of ['patient', 'doctor', 'reception']) {
    tokens[name] = await server.login('demo', demoEmail(name, 'demo'), DEMO_PASSWORD);
  }
});
afterAll(() => server.close());

async function ask<T>(name: string, query: string, variables: Record<string, unknown>): Promise<T> {
  const { data, errors } = await server.ask(tokens[name] ?? '', query, variables);
  expect(errors).toEqual([]);
  return data as T;
}

const requestMutation = `mutation ($input: RequestAppointmentInput!) {
  requestAppointment(input: $input) { appointment { id status slotId startsAt } } }`;

type Requested = {
  requestAppointment: { appointment: { id: string; status: string; slotId: string | null } };
};

test('a request is left, found in the inbox, declined, and its history tells so', async () => {
  const startsAt = new Date(nth(starts, 0).getTime() + 60_000).toISOString();
  const input = { doctorId, startsAt, patientId, idempotencyKey: randomUUID() };
  const { requestAppointment } = await ask<Requested>('patient', requestMutation, { input });
  expect(requestAppointment.appointment).toMatchObject({ status: 'requested', slotId: null });
  const { id } = requestAppointment.appointment;

  const inbox = await ask<{ requestsToAnswer: { nodes: { id: string }[] } }>(
    'doctor',
    '{ requestsToAnswer(first: 10) { nodes { id patient { name } startsAt } } }',
    {},
  );
  expect(inbox.requestsToAnswer.nodes.map((node) => node.id)).toContain(id);

  await ask(
    'doctor',
    'mutation ($id: UUID!) { declineAppointment(input: { appointmentId: $id, reason: "on tour" }) { appointment { status cancellationCause } } }',
    { id },
  );
  const history = await ask<{ appointmentHistory: { nodes: Record<string, unknown>[] } }>(
    'patient',
    'query ($id: UUID!) { appointmentHistory(appointmentId: $id, first: 10) { nodes { event fromStatus toStatus reason actorRole actorName } } }',
    { id },
  );
  expect(history.appointmentHistory.nodes).toEqual([
    {
      event: 'requested',
      fromStatus: null,
      toStatus: 'requested',
      reason: null,
      actorRole: 'patient',
      actorName: null,
    },
    {
      event: 'declined',
      fromStatus: 'requested',
      toStatus: 'cancelled',
      reason: 'on tour',
      actorRole: 'doctor',
      actorName: null,
    },
  ]);
  const { errors } = await server.ask(
    tokens.patient ?? '',
    '{ requestsToAnswer { nodes { id } } }',
  );
  expect(errors[0]?.extensions.scenario).toBe('forbidden');
});

test('a series is booked with what became of each occurrence, and cancelled as one', async () => {
  const input = {
    doctorId,
    firstStartsAt: nth(starts, 1).toISOString(),
    everyDays: 7,
    occurrenceCount: 2,
    patientId,
  };
  const preview = await ask<{ explainSeries: { nodes: unknown[] } }>(
    'patient',
    `query ($doctorId: UUID!, $firstStartsAt: Datetime!, $everyDays: Int!, $occurrenceCount: Int!, $patientId: UUID!) {
       explainSeries(doctorId: $doctorId, firstStartsAt: $firstStartsAt, everyDays: $everyDays,
         occurrenceCount: $occurrenceCount, patientId: $patientId, first: 52) { nodes { number scenario } } }`,
    input,
  );
  expect(preview.explainSeries.nodes).toEqual([
    { number: 1, scenario: null },
    { number: 2, scenario: null },
  ]);

  const mutation = `mutation ($input: BookSeriesInput!) { bookSeries(input: $input) {
    appointmentSeries { id occurrences(first: 52) { nodes { number scenario appointment { status } } } } } }`;
  const { bookSeries } = await ask<{
    bookSeries: { appointmentSeries: { id: string; occurrences: { nodes: unknown[] } } };
  }>('patient', mutation, { input: { ...input, idempotencyKey: randomUUID() } });
  expect(bookSeries.appointmentSeries.occurrences.nodes).toEqual([
    { number: 1, scenario: null, appointment: { status: 'scheduled' } },
    { number: 2, scenario: null, appointment: { status: 'scheduled' } },
  ]);

  const { errors } = await server.ask(tokens.patient ?? '', mutation, {
    input: { ...input, idempotencyKey: randomUUID() },
  });
  expect(errors[0]?.extensions).toMatchObject({
    scenario: 'series_refused',
    details: {
      occurrences: [
        { number: 1, scenario: 'patient_double_booked' },
        { number: 2, scenario: 'patient_double_booked' },
      ],
    },
  });

  const { cancelSeries } = await ask<{ cancelSeries: { appointments: unknown[] } }>(
    'reception',
    'mutation ($id: UUID!) { cancelSeries(input: { seriesId: $id, reason: "better" }) { appointments { status } } }',
    { id: bookSeries.appointmentSeries.id },
  );
  expect(cancelSeries.appointments).toEqual([{ status: 'cancelled' }, { status: 'cancelled' }]);
});
