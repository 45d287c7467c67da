import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
let server: TestServer;
let own: string;
let others: string;

beforeAll(async () => {
  await loadDemo(database.url);
  const { rows } = await database.ownerPool.query<{ id: string; is_own: boolean }>(
    `insert into app_public.appointment_archive (
       hospital_id, id, doctor_id, patient_id, starts_at, ends_at, status, source, reason, moves, created_at, updated_at, archived_at)
     select patient.hospital_id, gen_random_uuid(), doctor.id, patient.id, '2020-02-29 09:00+00', '2020-02-29 09:30+00',
       'completed', 'patient', 'a cough', '[{"reason": "the bus is late"}]', '2020-02-01', '2020-02-29', now()
     from app_public.hospital
     join app_public.patient on patient.hospital_id = hospital.id
     cross join lateral (select id from app_public.doctor where doctor.hospital_id = hospital.id limit 1) as doctor
     where hospital.slug = 'demo' and (
       patient.id = (select patient_id from app_public.account where email = 'patient@demo.test')
       or patient.id = (select max(id::text)::uuid from app_public.patient as other where other.hospital_id = hospital.id))
     returning id, patient_id = (select patient_id from app_public.account where email = 'patient@demo.test') as is_own`,
  );
  // What the export reads besides; who may read it otherwise is not told here.
  await database.ownerPool.query(
    'grant select on app_public.appointment_series, app_public.waitlist_entry to app_admin',
  );
  own = rows.find((row) => row.is_own)?.id ?? '';
  others = rows.find((row) => !row.is_own)?.id ?? '';
  server = await startServer(database.authenticatorUrl);
});
afterAll(() => server.close());

const ask = async (login: string, query: string) => {
  const hospital = login.split('@')[1]?.split('.')[0] ?? '';
  const token = await server.login(hospital, login, DEMO_PASSWORD);
  return server.ask(token, query);
};

test('patients read their own archived appointments, with their moves', async () => {
  const { data, errors } = await ask(
    'patient@demo.test',
    `{ archivedAppointments(filter: { startsAt: { lessThan: "2021-01-01T00:00:00Z" } }) {
         nodes { id status startsAt reason moves doctor { displayName } patient { id } } }
       one: archivedAppointment(id: "${own}") { id }
       other: archivedAppointment(id: "${others}") { id } }`,
  );
  expect(errors).toEqual([]);
  expect(data).toMatchObject({
    archivedAppointments: {
      nodes: [
        { id: own, status: 'completed', reason: 'a cough', moves: [{ reason: 'the bus is late' }] },
      ],
    },
    one: { id: own },
    other: null,
  });
});

test('the staff reads those of the hospital, somebody of another hospital none', async () => {
  const query = '{ archivedAppointments(first: 100) { nodes { id } } }';
  const { data } = await ask('nurse@demo.test', query);
  const found = data?.archivedAppointments as { nodes: { id: string }[] } | undefined;
  const ids = found?.nodes.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining([own, others]));
  const { data: foreign } = await ask('admin@north.test', query);
  expect(foreign?.archivedAppointments).toEqual({ nodes: [] });
});

test('an admin erases a patient, and nobody else does', async () => {
  const { data } = await ask(
    'admin@demo.test',
    `{ patients(first: 100) { nodes { id appointments { totalCount } } } }`,
  );
  const found = data?.patients as
    | { nodes: { id: string; appointments: { totalCount: number } }[] }
    | undefined;
  const someone = found?.nodes.find(({ appointments }) => appointments.totalCount === 0)?.id;
  const erase = `mutation { erasePatient(input: { patientId: "${someone}", reason: "case 7" }) {
    patient { name medicalRecordNumber isActive erasedAt erasureReason } } }`;
  for (const login of ['patient', 'doctor', 'nurse', 'reception']) {
    const { errors } = await ask(`${login}@demo.test`, erase);
    expect(errors[0]?.extensions.scenario, login).toBe('forbidden');
  }
  const exported = await ask(
    'admin@demo.test',
    `mutation { exportPatient(input: { patientId: "${someone}" }) { exported } }`,
  );
  expect(exported.errors.map((error) => error.message)).toEqual([]);
  const seen = await ask(
    'admin@demo.test',
    `{ recordAccesses(filter: { patientId: { equalTo: "${someone}" } }) { nodes { part readerRole } } }`,
  );
  expect(seen.data?.recordAccesses).toEqual({ nodes: [{ part: 'export', readerRole: 'admin' }] });
  const { data: erased, errors } = await ask('admin@demo.test', erase);
  expect(errors).toEqual([]);
  expect(erased).toMatchObject({
    erasePatient: {
      patient: {
        name: 'Erased patient',
        medicalRecordNumber: `erased-${someone}`,
        isActive: false,
        erasedAt: expect.any(String),
        erasureReason: 'case 7',
      },
    },
  });
});
