import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

// The day of the visit as the generated schema offers it.

const database = await createDatabase();
let server: TestServer;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['admin', 'reception', 'nurse', 'doctor', 'patient']) {
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

async function refusal(login: string, query: string, variables = {}) {
  const { errors } = await server.ask(tokens[login] ?? null, query, variables);
  return errors[0]?.extensions;
}

/** A visit of the demo's patient with the demo's doctor, in a free slot of the doctor's that does not begin today. */
async function bookOne(): Promise<{ id: string; patientId: string; startsAt: string }> {
  const { currentAccount: patient } = await data('patient', '{ currentAccount { patientId } }');
  const { currentAccount: doctor } = await data('doctor', '{ currentAccount { doctorId } }');
  const { freeSlots } = await data(
    'reception',
    'query ($doctorId: UUID!) { freeSlots(doctorId: $doctorId, first: 1, offset: 40) { nodes { slotId } } }',
    { doctorId: doctor.doctorId },
  );
  const input = {
    slotId: freeSlots.nodes[0].slotId,
    patientId: patient.patientId,
    idempotencyKey: randomUUID(),
  };
  const { bookAppointment } = await data(
    'reception',
    `mutation ($input: BookAppointmentInput!) {
      bookAppointment(input: $input) { appointment { id patientId startsAt } }
    }`,
    { input },
  );
  return bookAppointment.appointment;
}

const MARK = `mutation ($input: MarkNoShowInput!) { markNoShow(input: $input) { appointment { status } } }`;
const UNDO = `mutation ($input: UndoNoShowInput!) { undoNoShow(input: $input) { appointment { status } } }`;

test('a visit is marked as missed, read in the log, counted, and undone', async () => {
  const { id, patientId } = await bookOne();
  expect(await refusal('patient', MARK, { input: { appointmentId: id } })).toMatchObject({
    scenario: 'forbidden',
  });
  expect(await refusal('reception', MARK, { input: { appointmentId: id } })).toMatchObject({
    scenario: 'no_show_too_early',
    recoverable: true,
  });
  const input = { appointmentId: id, reason: 'patient_called', comment: 'has a cold' };
  const { markNoShow } = await data('reception', MARK, { input });
  expect(markNoShow.appointment.status).toBe('no_show');

  const { noShowLogs, patient } = await data(
    'nurse',
    `query ($id: UUID!, $patientId: UUID!) {
      noShowLogs(filter: { appointmentId: { equalTo: $id } }) {
        nodes { reason comment isSlotReleased isPatientNotified marker { role } patient { id } }
      }
      patient(id: $patientId) { noShowCount status }
    }`,
    { id, patientId },
  );
  expect(noShowLogs.nodes).toEqual([
    {
      reason: 'patient_called',
      comment: 'has a cold',
      isSlotReleased: true,
      isPatientNotified: true,
      marker: null,
      patient: { id: patientId },
    },
  ]);
  expect(patient).toEqual({ noShowCount: 1, status: 'active' });

  const undo = { appointmentId: id, reason: 'feels better' };
  expect(await refusal('reception', UNDO, { input: undo })).toMatchObject({
    scenario: 'forbidden',
  });
  const { undoNoShow } = await data('admin', UNDO, { input: undo });
  expect(undoNoShow.appointment.status).toBe('scheduled');
});

test('who missed how much is for admins, and for doctors of their own', async () => {
  const query = `{ noShowStatistics(fromDay: "2026-01-01", toDay: "2026-12-31", groupBy: weekday) {
    nodes { groupName visits noShows rate } } }`;
  for (const login of ['admin', 'doctor']) {
    expect((await data(login, query)).noShowStatistics.nodes).toEqual([]);
  }
  expect(await refusal('nurse', query)).toMatchObject({ scenario: 'forbidden' });
});

test('a patient is blocked and unblocked with reasons, and each block can be read', async () => {
  const { currentAccount } = await data('patient', '{ currentAccount { patientId } }');
  const { patientId } = currentAccount;
  const block = `mutation ($input: BlockPatientInput!) { blockPatient(input: $input) { patient { status blockedReason } } }`;
  const unblock = `mutation ($input: UnblockPatientInput!) { unblockPatient(input: $input) { patient { status } } }`;
  const blocked = await data('reception', block, { input: { patientId, reason: 'shouted' } });
  expect(blocked.blockPatient.patient).toEqual({ status: 'blocked', blockedReason: 'shouted' });
  const again = await refusal('reception', block, { input: { patientId, reason: 'again' } });
  expect(again).toMatchObject({ scenario: 'patient_is_blocked' });
  const freed = await data('reception', unblock, { input: { patientId, reason: 'apologised' } });
  expect(freed.unblockPatient.patient).toEqual({ status: 'active' });
  const { patientBlocks } = await data(
    'admin',
    `query ($patientId: UUID!) { patientBlocks(filter: { patientId: { equalTo: $patientId } }) {
      nodes { reason isAutomatic unblockReason } } }`,
    { patientId },
  );
  expect(patientBlocks.nodes).toEqual([
    { reason: 'shouted', isAutomatic: false, unblockReason: 'apologised' },
  ]);
});

test('vital signs are for who has arrived', async () => {
  const { id } = await bookOne();
  const record = `mutation ($input: RecordVitalsInput!) { recordVitals(input: $input) { appointment { id } } }`;
  const input = { appointmentId: id, heartRate: 70 };
  expect(await refusal('nurse', record, { input })).toMatchObject({
    scenario: 'patient_not_checked_in',
  });
  expect(
    await refusal('nurse', record, { input: { appointmentId: id, systolic: 20, diastolic: 80 } }),
  ).toMatchObject({ scenario: 'invalid_input', details: { systolic: 'is not 30 to 300 mmHg' } });
  expect(await refusal('reception', record, { input })).toMatchObject({ scenario: 'forbidden' });
});
