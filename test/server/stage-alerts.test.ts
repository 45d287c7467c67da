import { randomUUID } from 'node:crypto';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createLog } from '../../platform/log.ts';
import { createPool } from '../../platform/pool.ts';
import { type Relay, startRelay } from '../../worker/relay.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
const { ownerPool } = database;
const log = createLog({ name: 'test', level: 'silent' });
const relayPool = createPool({
  url: database.workerUrl,
  applicationName: 'test-relay',
  log,
});
const tokens: Record<string, string> = {};
let server: TestServer;
let relay: Relay;
let hospitalId: string;
let doctorId: string;
let otherDoctorId: string;
/** Midnight before the days of the visits. */
let midnight: Date;

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['reception', 'nurse', 'patient', 'doctor', 'admin']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
  tokens.north = await server.login('north', 'patient@north.test', DEMO_PASSWORD);
  const { rows } = await ownerPool.query(
    `select account.hospital_id, account.doctor_id,
       (select doctor.id from app_public.doctor
        where doctor.hospital_id = account.hospital_id and doctor.id <> account.doctor_id and doctor.is_active
        order by doctor.id limit 1) as other_doctor_id,
       (date_trunc('day', now() at time zone hospital.time_zone) + interval '2 days')
         at time zone hospital.time_zone as midnight
     from app_public.account
     join app_public.hospital on hospital.id = account.hospital_id
     where account.email = 'doctor@demo.test'`,
  );
  hospitalId = rows[0].hospital_id;
  doctorId = rows[0].doctor_id;
  otherDoctorId = rows[0].other_doctor_id;
  midnight = rows[0].midnight;
  relay = startRelay({ pool: relayPool, log });
});
afterAll(async () => {
  await relay.stop();
  await relayPool.end();
  await server.close();
});

/** Asks as this login and expects data. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is that of each query
async function data(login: string, query: string, variables = {}): Promise<any> {
  const answer = await server.ask(tokens[login] ?? null, query, variables);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

/**
 * A patient of this doctor arrives, on a clock that stands where the visit starts. All come in one morning,
 * whatever time it is now: alerts end with their day, so over a night there would be more to hear.
 */
async function arrive(doctor: string): Promise<{ id: string; patientId: string }> {
  await ownerPool.query('delete from app_private.clock_shift');
  const { rows } = await ownerPool.query(
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
     select $1, slot.id, patient.id, 'scheduled'
     from app_public.slot cross join app_public.patient
     where slot.hospital_id = $1 and slot.doctor_id = $2 and slot.status = 'available'
       and slot.starts_at > $3
       and patient.hospital_id = $1 and patient.status = 'active' and patient.is_active
       and not exists (
         select from app_public.appointment as other
         where other.hospital_id = $1 and other.patient_id = patient.id and other.during && slot.during)
     order by slot.starts_at, patient.id limit 1
     returning id, patient_id, starts_at`,
    [hospitalId, doctor, midnight],
  );
  const { id, patient_id, starts_at } = rows[0];
  await ownerPool.query(
    'insert into app_private.clock_shift (shift) select $1::timestamptz - now()',
    [starts_at],
  );
  await ownerPool.query("update app_public.appointment set status = 'checked_in' where id = $1", [
    id,
  ]);
  return { id, patientId: patient_id };
}

/** Raises the alerts two hours later. */
async function raise(): Promise<void> {
  await ownerPool.query("update app_private.clock_shift set shift = shift + interval '2 hours'");
  await ownerPool.query('select app_private.raise_stage_alerts($1)', [hospitalId]);
}

function dial(login: string): Client {
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tokens[login]}` },
  });
  onTestFinished(async () => client.dispose());
  return client;
}

type Heard = {
  alertIds: string[];
  isResync: boolean;
  alerts: { id: string; kind: string; status: string; appointment: { id: string } }[];
};

/** Subscribes this login; returns what waits for the next event. */
async function listen(login: string, topic: string): Promise<() => Promise<Heard>> {
  const arrival = server.nextWatcher(topic);
  const events = dial(login).iterate<{ stageAlertsChanged: Heard }>({
    query: `subscription { stageAlertsChanged {
      alertIds isResync alerts { id kind status appointment { id } } } }`,
  });
  onTestFinished(async () => void (await events.return?.()));
  let next = events.next();
  await arrival;
  return async () => {
    const { value } = await next;
    next = events.next();
    expect(value.errors).toBeUndefined();
    return value.data.stageAlertsChanged;
  };
}

describe('stageAlertsChanged', () => {
  test('reaches the nurse and the doctor of the patient, from the commit through the relay', async () => {
    const nurse = await listen('nurse', `${hospitalId}/all`);
    const doctor = await listen('doctor', `${hospitalId}/${doctorId}`);
    const { id } = await arrive(doctorId);
    await raise();
    const expected = {
      isResync: false,
      alerts: [{ kind: 'no_vitals', status: 'active', appointment: { id } }],
    };
    const heard = await nurse();
    expect(heard).toMatchObject(expected);
    expect(heard.alerts.map((alert) => alert.id)).toEqual(heard.alertIds);
    expect(await doctor()).toMatchObject(expected);

    await data(
      'nurse',
      'mutation ($id: UUID!) { acknowledgeStageAlert(input: { alertId: $id }) { stageAlert { id } } }',
      { id: heard.alertIds[0] },
    );
    expect(await doctor()).toMatchObject({
      alertIds: heard.alertIds,
      alerts: [{ status: 'acknowledged' }],
    });
    await nurse();
    await data(
      'doctor',
      'mutation ($id: UUID!) { startConsultation(input: { appointmentId: $id }) { consultationRecord { status } } }',
      { id },
    );
    expect(await nurse()).toMatchObject({ alerts: [{ status: 'resolved' }] });
  });

  test('does not reach another doctor, nor a patient: what is theirs comes first', async () => {
    const doctor = await listen('doctor', `${hospitalId}/${doctorId}`);
    const patient = await listen('patient', 'nobody');
    const stranger = await listen('north', 'nobody');
    const other = await arrive(otherDoctorId);
    await raise();
    const own = await arrive(doctorId);
    await raise();
    // The relay carries messages in their order, so had the other's been told, it would be heard first.
    expect(await doctor()).toMatchObject({ alerts: [{ appointment: { id: own.id } }] });
    expect(other.id).not.toBe(own.id);
    const silent = await Promise.race([
      patient().then(() => 'heard'),
      stranger().then(() => 'heard'),
      data('nurse', '{ __typename }').then(() => 'nothing'),
    ]);
    expect(silent).toBe('nothing');
  });

  test('asks to read again after the connection to the database broke', async () => {
    const nurse = await listen('nurse', `${hospitalId}/all`);
    await ownerPool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'slotkeeper-server-listener'`,
    );
    expect(await nurse()).toEqual({ alertIds: [], isResync: true, alerts: [] });
    const { id } = await arrive(doctorId);
    await raise();
    expect((await nurse()).alerts).toMatchObject([{ appointment: { id } }]);
  });
});

test('a visit over GraphQL: waiting room, consultation, record, and who has seen it', async () => {
  const { id, patientId } = await arrive(doctorId);
  await ownerPool.query("update app_private.clock_shift set shift = shift + interval '1 hour'");
  await ownerPool.query('select app_private.raise_stage_alerts($1)', [hospitalId]);
  const { waitingRoom } = await data(
    'nurse',
    `{ waitingRoom(first: 100) { nodes {
      appointmentId patientName stage minutesWaited openAlerts { kind status } } } }`,
  );
  const [mine] = waitingRoom.nodes.filter(
    ({ appointmentId }: { appointmentId: string }) => appointmentId === id,
  );
  expect(mine).toMatchObject({
    stage: 'waiting_for_vitals',
    minutesWaited: expect.any(Number),
    openAlerts: [{ kind: 'no_vitals', status: 'active' }],
  });

  const { startConsultation } = await data(
    'doctor',
    `mutation ($id: UUID!) { startConsultation(input: { appointmentId: $id }) {
      consultationRecord { consultationId status participants { role doctorName } } } }`,
    { id },
  );
  const { consultationId, participants } = startConsultation.consultationRecord;
  expect(participants).toMatchObject([{ role: 'primary' }]);
  const incomplete = await server.ask(
    tokens.doctor ?? null,
    'mutation ($id: UUID!) { completeConsultation(input: { consultationId: $id }) { clientMutationId } }',
    { id: consultationId },
  );
  expect(incomplete.errors[0]?.extensions).toMatchObject({
    scenario: 'consultation_incomplete',
    recoverable: true,
    details: { missing: ['chief_complaint', 'diagnosis'] },
  });
  await data(
    'doctor',
    `mutation ($id: UUID!) { updateConsultation(input: {
      consultationId: $id, chiefComplaint: "cough", diagnosis: ["cold"], notes: "sleeps badly" }) {
      consultationRecord { diagnosis } } }`,
    { id: consultationId },
  );
  const { completeConsultation } = await data(
    'doctor',
    'mutation ($id: UUID!) { completeConsultation(input: { consultationId: $id }) { consultationRecord { status } } }',
    { id: consultationId },
  );
  expect(completeConsultation.consultationRecord.status).toBe('completed');

  // Staff read it with a trace or not at all.
  for (const login of ['doctor', 'nurse', 'reception', 'admin']) {
    const { errors } = await server.ask(
      tokens[login] ?? null,
      '{ consultations(first: 1) { nodes { id diagnosis } } }',
    );
    expect(errors[0]?.extensions.scenario, login).toBe('forbidden');
  }
  const purpose = `before the next visit ${randomUUID()}`;
  const { openPatientRecord } = await data(
    'doctor',
    `mutation ($id: UUID!, $purpose: String!) { openPatientRecord(input: { patientId: $id, purpose: $purpose }) {
      patientRecord { accessId name vitals visits { appointmentId status }
        consultations { consultationId notes diagnosis participants { role } addenda { text } } } } }`,
    { id: patientId, purpose },
  );
  expect(openPatientRecord.patientRecord).toMatchObject({
    vitals: expect.anything(),
    visits: expect.arrayContaining([{ appointmentId: id, status: 'completed' }]),
    consultations: expect.arrayContaining([
      expect.objectContaining({ consultationId, notes: 'sleeps badly', diagnosis: ['cold'] }),
    ]),
  });
  const denied = await server.ask(
    tokens.admin ?? null,
    `mutation { openPatientRecord(input: { patientId: "${patientId}", purpose: "curious" }) { clientMutationId } }`,
  );
  expect(denied.errors[0]?.extensions.scenario).toBe('record_access_denied');
  const { recordAccesses } = await data(
    'admin',
    `{ recordAccesses(first: 100, filter: { patientId: { equalTo: "${patientId}" } }) {
      nodes { id part purpose readerRole emergencyGrantId reader { displayName } } } }`,
  );
  expect(recordAccesses.nodes).toContainEqual({
    id: openPatientRecord.patientRecord.accessId,
    part: 'patient_record',
    purpose,
    readerRole: 'doctor',
    emergencyGrantId: null,
    reader: { displayName: expect.any(String) },
  });
});
