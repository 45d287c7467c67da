// The inbox as a client sees it, from the booking to the socket: real server, real relay.
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
import { leave } from '../helpers/inbox.ts';
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
/** The patient with a login, and one without. */
let patientId: string;
let otherPatientId: string;
let hospitalId: string;

beforeAll(async () => {
  await loadDemo(database.url);
  server = await startServer(database.authenticatorUrl);
  for (const name of ['reception', 'patient', 'doctor', 'admin']) {
    tokens[name] = await server.login('demo', `${name}@demo.test`, DEMO_PASSWORD);
  }
  tokens.north = await server.login('north', 'patient@north.test', DEMO_PASSWORD);
  const { rows } = await ownerPool.query(
    `select account.hospital_id, account.patient_id,
       (select patient.id from app_public.patient
        where patient.hospital_id = account.hospital_id and patient.id <> account.patient_id
        order by patient.id limit 1) as other_patient_id
     from app_public.account
     join app_public.hospital on hospital.id = account.hospital_id and hospital.slug = 'demo'
     where account.email = 'patient@demo.test'`,
  );
  hospitalId = rows[0].hospital_id;
  patientId = rows[0].patient_id;
  otherPatientId = rows[0].other_patient_id;
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

async function bookFor(patient: string): Promise<string> {
  const { rows } = await ownerPool.query(
    `select slot.id from app_public.slot
     where slot.hospital_id = $1 and slot.status = 'available' and slot.starts_at > now() + interval '1 day'
       and not exists (
         select from app_public.appointment
         where appointment.hospital_id = $1 and appointment.patient_id = $2 and appointment.during && slot.during)
     order by slot.starts_at desc limit 1`,
    [hospitalId, patient],
  );
  const { bookAppointment } = await data(
    'reception',
    `mutation ($input: BookAppointmentInput!) {
      bookAppointment(input: $input) { appointment { id } } }`,
    { input: { slotId: rows[0].id, patientId: patient, idempotencyKey: randomUUID() } },
  );
  return bookAppointment.appointment.id;
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
  notificationIds: string[];
  isResync: boolean;
  notifications: {
    id: string;
    event: string;
    readAt: string | null;
    appointment: { id: string } | null;
  }[];
};

/** Subscribes this login to its inbox; returns what waits for the next event. */
async function listen(login: string, inbox: string): Promise<() => Promise<Heard>> {
  const arrival = server.nextReader(inbox);
  const events = dial(login).iterate<{ notificationsChanged: Heard }>({
    query: `subscription { notificationsChanged {
      notificationIds isResync notifications { id event readAt appointment { id } } } }`,
  });
  onTestFinished(async () => void (await events.return?.()));
  let next = events.next();
  await arrival;
  return async () => {
    const { value } = await next;
    next = events.next();
    expect(value.errors).toBeUndefined();
    return value.data.notificationsChanged;
  };
}

async function inboxOf(login: string): Promise<string> {
  const { rows } = await ownerPool.query(
    `select account.* from app_public.account
     join app_public.hospital on hospital.id = account.hospital_id
     where account.email = $1`,
    [login === 'north' ? 'patient@north.test' : `${login}@demo.test`],
  );
  const { hospital_id, patient_id, doctor_id, id } = rows[0];
  if (patient_id) return `${hospital_id}/patient/${patient_id}`;
  return `${hospital_id}/${doctor_id ? `doctor/${doctor_id}` : `account/${id}`}`;
}

describe('notificationsChanged', () => {
  test('reaches the patient whom reception has booked, from the commit through the relay', async () => {
    const heard = await listen('patient', await inboxOf('patient'));
    const appointmentId = await bookFor(patientId);
    const event = await heard();
    expect(event).toMatchObject({
      isResync: false,
      notifications: [
        { event: 'appointment_booked', readAt: null, appointment: { id: appointmentId } },
      ],
    });
    expect(event.notifications.map(({ id }) => id)).toEqual(event.notificationIds);
  });

  test('reaches nobody else: what comes to them later comes first', async () => {
    const listeners = {
      patient: await listen('patient', await inboxOf('patient')),
      doctor: await listen('doctor', await inboxOf('doctor')),
      admin: await listen('admin', await inboxOf('admin')),
      reception: await listen('reception', await inboxOf('reception')),
      north: await listen('north', await inboxOf('north')),
    };
    await bookFor(otherPatientId);
    // The relay carries messages in their order, so had the booking been told, it would be heard first.
    for (const [login, heard] of Object.entries(listeners)) {
      const [hospital = '', kind, id = ''] = (await inboxOf(login)).split('/');
      const db = await ownerPool.connect();
      const own = await leave(db, hospital, { [`${kind}_id`]: id }).finally(() => db.release());
      expect((await heard()).notificationIds, login).toEqual([own.id]);
    }
  });

  test('tells another device of what was read on this one', async () => {
    const heard = await listen('patient', await inboxOf('patient'));
    await bookFor(patientId);
    const [id] = (await heard()).notificationIds;
    const changed = (name: string) =>
      data(
        'patient',
        `mutation ($id: UUID!) { ${name}(input: { notificationId: $id }) { notification { id readAt } } }`,
        { id },
      );
    const { markNotificationRead } = await changed('markNotificationRead');
    expect(markNotificationRead.notification).toEqual({ id, readAt: expect.any(String) });
    expect(await heard()).toMatchObject({
      notificationIds: [id],
      notifications: [{ readAt: markNotificationRead.notification.readAt }],
    });
    await changed('markNotificationRead');
    await changed('markNotificationUnread');
    expect(await heard()).toMatchObject({
      notificationIds: [id],
      notifications: [{ readAt: null }],
    });
  });

  test('asks to read again after the connection to the database broke', async () => {
    const heard = await listen('patient', await inboxOf('patient'));
    await ownerPool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'slotkeeper-server-listener'`,
    );
    expect(await heard()).toEqual({ notificationIds: [], isResync: true, notifications: [] });
    const appointmentId = await bookFor(patientId);
    expect((await heard()).notifications).toMatchObject([{ appointment: { id: appointmentId } }]);
  });
});

describe('the inbox', () => {
  const page = `query ($first: Int, $after: Cursor, $filter: NotificationFilter) {
    notifications(first: $first, after: $after, filter: $filter) {
      totalCount pageInfo { hasNextPage endCursor } nodes { id title readAt }
    }
    unreadNotificationCount
  }`;

  test('begins with the newest, pages by cursor, and knows what is unread', async () => {
    await data('admin', 'mutation { markAllNotificationsRead(input: {}) { readCount } }');
    const [, , accountId = ''] = (await inboxOf('admin')).split('/');
    const db = await ownerPool.connect();
    const titles = ['One', 'Two', 'Three', 'Four', 'Five'];
    const ids: string[] = [];
    for (const title of titles) {
      ids.unshift((await leave(db, hospitalId, { account_id: accountId }, { title })).id);
    }
    const first = await data('admin', page, { first: 2 });
    expect(first.unreadNotificationCount).toBe(5);
    expect(first.notifications.nodes.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
    // One that comes meanwhile does not move the next page.
    await leave(db, hospitalId, { account_id: accountId }, { title: 'Six' });
    db.release();
    const after = first.notifications.pageInfo.endCursor;
    const second = await data('admin', page, { first: 2, after });
    expect(second.notifications.nodes.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2, 4));

    await data(
      'admin',
      'mutation ($id: UUID!) { markNotificationRead(input: { notificationId: $id }) { notification { id } } }',
      { id: ids[0] },
    );
    const unread = await data('admin', page, { first: 10, filter: { readAt: { isNull: true } } });
    expect(unread.unreadNotificationCount).toBe(5);
    expect(unread.notifications.nodes.map(({ title }: { title: string }) => title)).toEqual([
      'Six',
      'Four',
      'Three',
      'Two',
      'One',
    ]);
    const all = await data(
      'admin',
      'mutation { markAllNotificationsRead(input: {}) { readCount } }',
    );
    expect(all.markAllNotificationsRead.readCount).toBe(5);
    const left = await data('admin', page, { filter: { readAt: { isNull: true } } });
    expect(left).toMatchObject({ unreadNotificationCount: 0, notifications: { totalCount: 0 } });
  });

  test('of somebody else is unknown', async () => {
    const { rows } = await ownerPool.query(
      'select id from app_public.notification where hospital_id = $1 and patient_id = $2 limit 1',
      [hospitalId, otherPatientId],
    );
    for (const id of [rows[0].id, randomUUID()]) {
      const { errors } = await server.ask(
        tokens.admin ?? '',
        'mutation ($id: UUID!) { markNotificationRead(input: { notificationId: $id }) { notification { id } } }',
        { id },
      );
      expect(errors[0]?.extensions).toMatchObject({
        code: 'SK404',
        scenario: 'notification_not_found',
      });
      const found = await data('admin', 'query ($id: UUID!) { notification(id: $id) { id } }', {
        id,
      });
      expect(found.notification).toBeNull();
    }
  });
});
