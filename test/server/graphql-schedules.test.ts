import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

// Schedules as a client meets them: rows in, counts and affected appointments out, faults by row.

const database = await createDatabase();
let server: TestServer;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['reception', 'admin']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
});
afterAll(() => server.close());

// biome-ignore lint/suspicious/noExplicitAny: the shape is that of each query
async function data(login: string, query: string, variables = {}): Promise<any> {
  const answer = await server.ask(tokens[login] ?? null, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

const CHANGE = `deletedSlots withdrawnSlots keptSlots generatedSlots notifiedPatients
  affectedAppointments { appointmentId patientId startsAt status alternatives { doctorName startsAt } }`;
const PREVIEW = `query ($doctorId: UUID!, $from: Date!, $rows: [ScheduleRowInput]!) {
  previewSchedule(doctorId: $doctorId, effectiveFrom: $from, rows: $rows) { ${CHANGE} }
}`;
const REPLACE = `mutation ($input: ReplaceScheduleInput!) {
  replaceSchedule(input: $input) { calendarChange { ${CHANGE} } }
}`;

test('reception previews a week, replaces it, and hears of each appointment that it touches', async () => {
  const { doctors, locations, patients } = await data(
    'reception',
    '{ doctors(first: 1) { nodes { id } } locations(first: 1) { nodes { id } } patients(first: 1) { nodes { id } } }',
  );
  const doctorId = doctors.nodes[0].id;
  const { freeSlots } = await data(
    'reception',
    'query ($doctorId: UUID!) { freeSlots(doctorId: $doctorId, first: 1, offset: 30) { nodes { slotId startsAt } } }',
    { doctorId },
  );
  const [slot] = freeSlots.nodes;
  const patientId = patients.nodes[0].id;
  const { bookAppointment } = await data(
    'reception',
    'mutation ($input: BookAppointmentInput!) { bookAppointment(input: $input) { appointment { id } } }',
    { input: { slotId: slot.slotId, patientId, idempotencyKey: randomUUID() } },
  );
  const from = slot.startsAt.slice(0, 10);
  const rows = [
    {
      locationId: locations.nodes[0].id,
      weekday: 7,
      startTime: '03:00',
      endTime: '03:30',
      slotCapacity: 2,
    },
  ];
  const { previewSchedule } = await data('reception', PREVIEW, { doctorId, from, rows });
  expect(previewSchedule.affectedAppointments).toContainEqual({
    appointmentId: bookAppointment.appointment.id,
    patientId,
    startsAt: slot.startsAt,
    status: 'scheduled',
    alternatives: expect.any(Array),
  });
  const { replaceSchedule } = await data('reception', REPLACE, {
    input: { doctorId, effectiveFrom: from, rows },
  });
  expect(replaceSchedule.calendarChange).toEqual(previewSchedule);
  expect(previewSchedule.deletedSlots).toBeGreaterThan(0);

  const { errors } = await server.ask(tokens.reception ?? null, REPLACE, {
    input: { doctorId, effectiveFrom: from, rows: [{ weekday: 9 }] },
  });
  expect(errors[0]?.extensions).toMatchObject({
    scenario: 'schedule_invalid',
    details: {
      rows: [
        { row: 1, field: 'location_id', problem: 'missing' },
        { row: 1, field: 'weekday', problem: 'out_of_range' },
        { row: 1, field: 'start_time', problem: 'missing' },
        { row: 1, field: 'end_time', problem: 'missing' },
      ],
    },
  });
});

test('an admin changes one thing and leaves the others', async () => {
  const { createService } = await data(
    'admin',
    `mutation { createService(input: { name: "Check-up", duration: { minutes: 20 }, externalEventType: "checkup" }) {
       service { id name duration { minutes } bufferAfter { minutes } externalEventType } } }`,
  );
  const { updateService } = await data(
    'admin',
    `mutation ($id: UUID!) { updateService(input: { serviceId: $id, bufferAfter: { minutes: 5 }, clear: ["external_event_type"] }) {
       service { id name duration { minutes } bufferAfter { minutes } externalEventType } } }`,
    { id: createService.service.id },
  );
  expect(updateService.service).toEqual({
    ...createService.service,
    bufferAfter: { minutes: 5 },
    externalEventType: null,
  });
  const { updateHospitalSettings } = await data(
    'admin',
    'mutation { updateHospitalSettings(input: { keptYears: 3 }) { hospital { keptYears bookingHorizonDays } } }',
  );
  expect(updateHospitalSettings.hospital).toMatchObject({ keptYears: 3 });
});
