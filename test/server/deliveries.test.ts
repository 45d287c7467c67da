// Deliveries, preferences and quiet hours as clients see them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_PASSWORD } from '../../demo/accounts.ts';
import { loadDemo } from '../../demo/load.ts';
import { createDatabase } from '../helpers/database.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const database = await createDatabase();
const { ownerPool } = database;
const tokens: Record<string, string> = {};
let server: TestServer;
let deliveryId: string;

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['patient', 'admin', 'nurse']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
  const { rows } = await ownerPool.query(
    `insert into app_public.notification (hospital_id, patient_id, event, priority, channels, title, body, created_at)
     select account.hospital_id, account.patient_id, 'appointment_booked', 'normal', '{in_app,email}', 'News', 'Secret words.', now()
     from app_public.account join app_public.hospital on hospital.id = account.hospital_id and hospital.slug = 'demo'
     where account.email = 'patient@demo.test' returning hospital_id, id`,
  );
  await ownerPool.query('select app_private.plan_deliveries($1, array[$2::uuid])', [
    rows[0].hospital_id,
    rows[0].id,
  ]);
  await ownerPool.query("select app_private.skip_deliveries($1, 'email')", [rows[0].hospital_id]);
});
afterAll(() => server.close());

// biome-ignore lint/suspicious/noExplicitAny: the shape is that of each query
async function data(login: string, query: string): Promise<any> {
  const answer = await server.ask(tokens[login] ?? null, query);
  expect(answer.errors).toEqual([]);
  return answer.data;
}

test('the reader sees what became of a notification', async () => {
  const { notifications } = await data(
    'patient',
    '{ notifications(first: 1) { nodes { title deliveries { nodes { channel status outcome } } } } }',
  );
  expect(notifications.nodes).toEqual([
    {
      title: 'News',
      deliveries: {
        nodes: expect.arrayContaining([
          { channel: 'in_app', status: 'sent', outcome: 'in_inbox' },
          { channel: 'email', status: 'skipped', outcome: 'no_transport' },
        ]),
      },
    },
  ]);
});

test('an admin finds what was not sent, without its words, and tries it again', async () => {
  const list =
    '{ notificationDeliveries(filter: {status: {equalTo: skipped}}) { nodes { id channel address notification { body } } } }';
  const { notificationDeliveries: skipped } = await data('admin', list);
  expect(skipped.nodes).toMatchObject([{ channel: 'email', notification: null }]);
  expect(skipped.nodes[0].address).toMatch(/^.\*\*\*@/);
  deliveryId = skipped.nodes[0].id;
  const retry = `mutation { retryDelivery(input: {deliveryId: "${deliveryId}"}) { notificationDelivery { status attempts } } }`;
  const refused = await server.ask(tokens.nurse ?? null, retry);
  expect(refused.errors[0]?.extensions.scenario).toBe('forbidden');
  const { retryDelivery } = await data('admin', retry);
  expect(retryDelivery.notificationDelivery).toEqual({ status: 'pending', attempts: 0 });
  const again = await server.ask(tokens.admin ?? null, retry);
  expect(again.errors[0]?.extensions.scenario).toBe('delivery_not_retryable');
  expect((await data('nurse', list)).notificationDeliveries.nodes).toEqual([]);
});

test('everybody says by which channels and when', async () => {
  const { setNotificationPreference } = await data(
    'patient',
    'mutation { setNotificationPreference(input: {topic: "reminders", channel: sms, isOn: false}) { notificationPreference { topic channel isOn } } }',
  );
  expect(setNotificationPreference.notificationPreference).toEqual({
    topic: 'reminders',
    channel: 'sms',
    isOn: false,
  });
  await data(
    'patient',
    'mutation { setQuietHours(input: {quietFrom: "22:00", quietUntil: "07:00"}) { notificationSetting { quietFrom } } }',
  );
  const own =
    '{ notificationPreferences { nodes { topic } } notificationSettings { nodes { quietFrom quietUntil timeZone } } }';
  expect(await data('patient', own)).toEqual({
    notificationPreferences: { nodes: [{ topic: 'reminders' }] },
    notificationSettings: {
      nodes: [{ quietFrom: '22:00:00.000000', quietUntil: '07:00:00.000000', timeZone: null }],
    },
  });
  expect(await data('admin', own)).toEqual({
    notificationPreferences: { nodes: [] },
    notificationSettings: { nodes: [] },
  });
  const essential = await server.ask(
    tokens.patient ?? null,
    'mutation { setNotificationPreference(input: {topic: "doctor_emergency", channel: sms, isOn: false}) { clientMutationId } }',
  );
  expect(essential.errors[0]?.extensions.scenario).toBe('notification_is_essential');
});
