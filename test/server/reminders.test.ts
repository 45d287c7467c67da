// Reminders over GraphQL: admins set when they come, the staff see which were sent.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
let server: TestServer;

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
});
afterAll(() => server.close());

const login = (name: string) => server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);

test('an admin sets when reminders come; patients read it and cannot', async () => {
  const change = `mutation ($offsets: [IntervalInput]!) {
    updateHospitalSettings(input: { reminderOffsets: $offsets }) {
      hospital { reminderOffsets { days hours minutes } } } }`;
  const admin = await login('admin');
  const { data, errors } = await server.ask(admin, change, {
    offsets: [{ days: 3 }, { hours: 1, minutes: 30 }],
  });
  expect(errors).toEqual([]);
  expect(data).toEqual({
    updateHospitalSettings: {
      hospital: {
        reminderOffsets: [
          { days: 3, hours: 0, minutes: 0 },
          { days: 0, hours: 1, minutes: 30 },
        ],
      },
    },
  });
  const refused = await server.ask(admin, change, { offsets: [{ minutes: 4 }] });
  expect(refused.errors[0]?.extensions).toMatchObject({
    scenario: 'invalid_input',
    details: { reminder_offsets: expect.any(String) },
  });
  const patient = await server.ask(await login('patient'), change, { offsets: [{ hours: 1 }] });
  expect(patient.errors[0]?.extensions).toMatchObject({ scenario: 'forbidden' });
});

test('reception sees the reminders of an appointment, and not the message', async () => {
  await database.ownerPool.query(
    `with visit as (
       insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
       select slot.hospital_id, slot.id, patient.id, 'scheduled'
       from app_public.hospital
       join app_public.slot on slot.hospital_id = hospital.id and slot.starts_at > now() + interval '1 day'
       join app_public.patient on patient.hospital_id = hospital.id
       where hospital.slug = 'demo' limit 1
       returning *),
     message as (
       insert into app_public.notification
         (hospital_id, patient_id, event, priority, channels, title, body, appointment_id, created_at)
       select hospital_id, patient_id, 'appointment_reminder', 'normal', '{in_app}', 'x', 'y', id, now()
       from visit returning id)
     insert into app_public.appointment_reminder
       (hospital_id, appointment_id, starts_at, lead_time, notification_id, created_at)
     select hospital_id, visit.id, starts_at, '2 hours', message.id, now() from visit, message`,
  );
  const { data, errors } = await server.ask(
    await login('reception'),
    `{ appointmentReminders { nodes { startsAt leadTime { hours } appointment {
         reminders { nodes { createdAt } } } } } }`,
  );
  expect(errors).toEqual([]);
  expect(data).toMatchObject({
    appointmentReminders: {
      nodes: [
        {
          leadTime: { hours: 2 },
          appointment: { reminders: { nodes: [{ createdAt: expect.any(String) }] } },
        },
      ],
    },
  });
});
