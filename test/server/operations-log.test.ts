// Every operation leaves an entry of the log, whatever becomes of it, and none holds a word about a patient.
import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { hashPassword } from '../../platform/password-hash.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { startServer, TEST_CONFIG, type TestServer } from '../helpers/server.ts';
import { bookSlot, LINK_SECRETS, messageAbout, pathOf } from '../notifications/messages.ts';
import { until } from '../worker/workplace.ts';

const { authenticatorUrl, ownerPool, workerUrl } = await createDatabase();
const password = 'four green horses sing';
const cronKey = 'the-key-of-the-scheduler-outside-0001';
let server: TestServer;
let hospital: OpenHospital;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  server = await startServer(authenticatorUrl, {
    config: { ...TEST_CONFIG, trustProxy: 'loopback', cronApiKeys: [cronKey] },
    linkSecrets: LINK_SECRETS,
    externalTrigger: { waitMs: 10 },
    operationsLog: { flushMs: 5 },
  });
  hospital = await openHospital(ownerPool);
  await ownerPool.query(
    `insert into app_private.account_secret (hospital_id, account_id, password_hash)
     select hospital_id, id, $1 from app_public.account`,
    [await hashPassword(password)],
  );
  await ownerPool.query(
    `update app_public.patient set name = 'Grimhilde Quastenflosser', phone = '+49 170 5550199',
       email = 'grimhilde@quasten.test', date_of_birth = '1951-03-17'`,
  );
  for (const name of ['patient', 'reception', 'admin']) {
    tokens[name] = await server.login(hospital.slug, `${name}@${hospital.slug}.test`, password);
  }
});
afterAll(() => server.close());

type Entry = {
  hospital_id: string;
  kind: string;
  level: string;
  name: string;
  outcome: string;
  code: string | null;
  scenario: string | null;
  duration_ms: number | null;
  request_id: string | null;
  actor_account_id: string | null;
  actor_role: string | null;
  entity_type: string | null;
  entity_id: string | null;
  message: string;
  details: Record<string, unknown>;
};

/** Asks over HTTP under a request id of its own; resolves to the entry that it left. */
async function entryOf(
  path: string,
  {
    body,
    headers = {},
    method = 'POST',
  }: { body?: unknown; headers?: Record<string, string>; method?: string } = {},
): Promise<Entry> {
  const requestId = randomUUID();
  await fetch(`${server.url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-request-id': requestId,
      'x-forwarded-for': `10.${Math.floor(Math.random() * 250)}.3.${Math.floor(Math.random() * 250)}`,
      ...headers,
    },
    ...(body === undefined
      ? null
      : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  }).then((response) => response.arrayBuffer());
  return until(async () => {
    const { rows } = await ownerPool.query<Entry>(
      "select * from app_public.log_entry where request_id in ($1, 'link:' || $1)",
      [requestId],
    );
    expect(rows.length).toBeLessThan(2);
    return rows[0];
  });
}

function graphql(who: string | null, query: string, variables: Record<string, unknown> = {}) {
  return entryOf('/graphql', {
    body: { query, variables },
    headers: who === null ? {} : { authorization: `Bearer ${tokens[who]}` },
  });
}

const BOOK = `mutation ($input: BookAppointmentInput!) {
  bookAppointment(input: $input) { appointment { id status } }
}`;

function booking(slot: number) {
  return {
    input: {
      slotId: nth(hospital.slotIds, slot),
      patientId: hospital.patient.patientId,
      idempotencyKey: randomUUID(),
    },
  };
}

describe('GraphQL', () => {
  test('a mutation: what it did, to what, by whom, how long', async () => {
    expect(await graphql('reception', BOOK, booking(0))).toMatchObject({
      hospital_id: hospital.id,
      kind: 'operation',
      level: 'info',
      name: 'bookAppointment',
      outcome: 'succeeded',
      code: null,
      scenario: null,
      actor_account_id: hospital.receptionist.accountId,
      actor_role: 'receptionist',
      entity_type: 'slot',
      entity_id: nth(hospital.slotIds, 0),
      message: 'bookAppointment succeeded.',
      details: { operation: 'mutation' },
      duration_ms: expect.any(Number),
    });
  });

  test('a refusal: with its scenario', async () => {
    expect(await graphql('reception', BOOK, booking(0))).toMatchObject({
      name: 'bookAppointment',
      outcome: 'refused',
      level: 'info',
      code: 'SK409',
      scenario: expect.stringMatching(/^[a-z_]+$/),
      entity_id: nth(hospital.slotIds, 0),
    });
  });

  test('a query: by its first field, not by the name that a client gives it', async () => {
    expect(
      await graphql(
        'admin',
        'query Grimhilde_Quastenflosser { grimhilde: currentAccount { id } doctors { nodes { id } } }',
      ),
    ).toMatchObject({
      name: 'currentAccount',
      outcome: 'succeeded',
      actor_role: 'admin',
      details: { operation: 'query', fields: 2 },
    });
    expect(
      await graphql(
        'admin',
        'query { ...A } fragment A on Query { ... { patients { nodes { id } } } }',
      ),
    ).toMatchObject({ name: 'patients' });
  });

  test('what is not understood, too large or not a request', async () => {
    expect(await graphql('admin', '{ nothingOfTheKind }')).toMatchObject({
      hospital_id: hospital.id,
      name: 'graphql',
      outcome: 'refused',
      scenario: 'invalid_query',
    });
    expect(await graphql('admin', '{ slots(first: 101) { nodes { id } } }')).toMatchObject({
      outcome: 'refused',
      scenario: 'page_too_large',
    });
    expect(await entryOf('/graphql', { body: '{' })).toMatchObject({
      name: 'graphql',
      outcome: 'refused',
      scenario: 'malformed_json',
      actor_role: 'anonymous',
    });
    expect(
      await entryOf('/graphql', { body: {}, headers: { authorization: 'Bearer nonsense' } }),
    ).toMatchObject({ name: 'graphql', outcome: 'refused', code: 'SK401' });
  });

  test('a fault', async () => {
    await ownerPool.query('alter function app_public.current_account() rename to current_account_');
    try {
      expect(await graphql('admin', '{ currentAccount { id } }')).toMatchObject({
        name: 'currentAccount',
        outcome: 'failed',
        level: 'error',
        code: 'SK500',
        scenario: 'unexpected_error',
      });
    } finally {
      await ownerPool.query(
        'alter function app_public.current_account_() rename to current_account',
      );
    }
  });

  test('a subscription, when it begins', async () => {
    const client = createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${tokens.patient}` },
    });
    const doctorId = hospital.doctorIds[0];
    const changes = client.iterate({
      query: 'subscription ($doctorId: UUID!) { slotsChanged(doctorId: $doctorId) { doctorId } }',
      variables: { doctorId },
    });
    const heard = changes.next();
    await server.subscribed(`${hospital.id}/${doctorId}`);
    const told = JSON.stringify([
      { hospital_id: hospital.id, doctor_id: doctorId, slot_ids: [nth(hospital.slotIds, 0)] },
    ]);
    await ownerPool.query('select pg_notify($1, $2)', ['slotkeeper_slots', told]);
    await heard;
    const refused = client.iterate({ query: 'subscription { nothing }' });
    await refused.next().catch(() => {});
    await changes.return?.();
    await client.dispose();
    const rows = await until(async () => {
      const found = await ownerPool.query<Entry>(
        "select * from app_public.log_entry where name in ('slotsChanged', 'subscription') order by id",
      );
      return found.rows.length >= 2 && found.rows;
    });
    expect(rows).toMatchObject([
      {
        name: 'slotsChanged',
        outcome: 'succeeded',
        actor_account_id: hospital.patient.accountId,
        details: { operation: 'subscription' },
      },
      { name: 'subscription', outcome: 'refused', scenario: 'invalid_query' },
    ]);
  });
});

describe('logins', () => {
  const login = (email: string, secret: string) =>
    entryOf('/auth/login', { body: { hospital: hospital.slug, email, password: secret } });

  test('one that succeeds', async () => {
    expect(await login(`nurse@${hospital.slug}.test`, password)).toMatchObject({
      hospital_id: hospital.id,
      kind: 'login',
      name: 'login',
      outcome: 'succeeded',
      actor_account_id: hospital.nurse.accountId,
      actor_role: 'nurse',
    });
  });

  test('a wrong password: whose login was tried', async () => {
    expect(await login(`nurse@${hospital.slug}.test`, 'wrong')).toMatchObject({
      hospital_id: hospital.id,
      kind: 'login',
      level: 'warning',
      outcome: 'refused',
      scenario: 'invalid_credentials',
      actor_account_id: null,
      entity_type: 'account',
      entity_id: hospital.nurse.accountId,
    });
  });

  test('an account or hospital that is not there', async () => {
    expect(await login('nobody@nowhere.test', 'wrong')).toMatchObject({
      hospital_id: hospital.id,
      scenario: 'invalid_credentials',
      entity_id: null,
    });
    expect(
      await entryOf('/auth/login', {
        body: { hospital: 'not-there', email: 'a@b.test', password: 'x' },
      }),
    ).toMatchObject({ hospital_id: '00000000-0000-0000-0000-000000000000' });
  });

  test.each([
    ['/auth/refresh', { refreshToken: 'x' }, 'login', 'refresh'],
    ['/auth/register', { hospital: 'x' }, 'login', 'register'],
    [
      '/auth/login/second-factor',
      { challenge: 'x', code: '123456' },
      'login',
      'login_second_factor',
    ],
    ['/auth/password/reset', { token: 'x', password }, 'security', 'password_reset'],
    ['/auth/password/change', {}, 'security', 'password_change'],
    ['/auth/invite/accept', { token: 'x', password }, 'security', 'invitation_acceptance'],
    ['/auth/totp/enroll', { password: 'x' }, 'security', 'second_factor_enrolment'],
    ['/auth/totp/confirm', { code: '123456' }, 'security', 'second_factor_confirmation'],
    [
      '/auth/totp/disable',
      { password: 'x', code: '123456' },
      'security',
      'second_factor_disabling',
    ],
  ])('%s that is refused', async (path, body, kind, name) => {
    expect(await entryOf(path, { body })).toMatchObject({
      kind,
      name,
      level: 'warning',
      outcome: 'refused',
      scenario: expect.stringMatching(/^[a-z_]+$/),
    });
  });

  test('a new password that is asked for', async () => {
    expect(
      await entryOf('/auth/password/forgot', {
        body: { hospital: hospital.slug, email: `patient2@${hospital.slug}.test` },
      }),
    ).toMatchObject({ hospital_id: hospital.id, name: 'password_forgotten', outcome: 'succeeded' });
  });
});

describe('pages and triggers', () => {
  test('a link of a message', async () => {
    const visit = await bookSlot(ownerPool, hospital, 8);
    const { links } = await messageAbout(workerUrl, ownerPool, hospital, visit.id);
    const followed = {
      hospital_id: hospital.id,
      outcome: 'succeeded',
      actor_role: 'patient',
      entity_type: 'appointment',
      entity_id: visit.id,
      details: { purpose: 'confirm' },
    };
    const path = pathOf(links.confirm);
    expect(await entryOf(path, { method: 'GET' })).toMatchObject({
      ...followed,
      name: 'visit_link_page',
    });
    expect(await entryOf(path)).toMatchObject({
      ...followed,
      name: 'visit_link',
      request_id: expect.stringMatching(/^link:/),
    });
    expect(await entryOf('/visit/nonsense')).toMatchObject({
      name: 'visit_link',
      outcome: 'refused',
      scenario: 'visit_link_invalid',
    });
  });

  test('a calendar that is not there, and pages of links that are not good', async () => {
    expect(await entryOf(`/calendar/${'x'.repeat(64)}.ics`, { method: 'GET' })).toMatchObject({
      name: 'calendar_feed',
      outcome: 'refused',
      code: 'SK404',
    });
    expect(await entryOf('/password/nonsense', { method: 'GET' })).toMatchObject({
      name: 'password_page',
      outcome: 'refused',
      scenario: 'link_not_valid',
    });
  });

  test('a scheduler outside', async () => {
    expect(await entryOf('/no-show/external-trigger')).toMatchObject({
      name: 'external_trigger',
      outcome: 'refused',
      scenario: 'invalid_api_key',
    });
    expect(
      await entryOf('/no-show/external-trigger', { headers: { 'x-cron-api-key': cronKey } }),
    ).toMatchObject({
      name: 'external_trigger',
      outcome: 'succeeded',
      actor_role: 'scheduler',
      entity_type: 'job_run',
      details: { job: 'sweep_no_shows' },
    });
  });

  test('health is asked for all the time, and an address that is not ours is no operation', async () => {
    for (const path of ['/healthz', '/readyz', '/nothing']) await fetch(`${server.url}${path}`);
    await graphql('admin', '{ currentAccount { id } }');
    const { rows } = await ownerPool.query(
      "select name from app_public.log_entry where name ~ 'health|ready|nothing' or name = 'unknown'",
    );
    expect(rows).toEqual([]);
  });
});

test('whatever was asked, no entry holds a word about a patient', async () => {
  const person = { name: 'Grimhilde Quastenflosser', phone: '+49 170 5550199' };
  await graphql('reception', BOOK, booking(20));
  await graphql(
    'reception',
    `mutation ($input: CreatePatientInput!) { createPatient(input: $input) { patient { id name } } }`,
    { input: { medicalRecordNumber: 'Q-1', ...person } },
  );
  await graphql(
    'reception',
    `{ patients(filter: {name: {equalTo: "${person.name}"}}) { nodes { id } } }`,
  );
  await graphql(
    'reception',
    `{ patients(filter: {phone: {equalTo: "${person.phone}"}}) { nodes { id } } }`,
  );
  await entryOf('/auth/register', {
    body: {
      hospital: hospital.slug,
      email: 'grimhilde@quasten.test',
      password: 'Grimhilde Quastenflosser',
      ...person,
    },
  });
  await entryOf('/auth/login', {
    body: { hospital: 'grimhilde-quastenflosser', email: 'grimhilde@quasten.test', password: 'x' },
  });
  await entryOf('/visit/Grimhilde-Quastenflosser');
  await graphql(
    'reception',
    'query Quastenflosser($Grimhilde: UUID) { quastenflosser: doctors { nodes { id } } }',
  );

  const { rows } = await ownerPool.query<{ count: number; told: number }>(
    `select count(*)::integer as count,
       count(*) filter (where log_entry::text ~* 'grimhilde|quasten|5550199|1951-03-17')::integer as told
     from app_public.log_entry`,
  );
  expect(rows[0]?.count).toBeGreaterThan(20);
  expect(rows[0]?.told).toBe(0);
});

test('a server that stops writes what it has', async () => {
  const other = await startServer(authenticatorUrl, { operationsLog: { flushMs: 60_000 } });
  const token = await other.login(hospital.slug, `doctor@${hospital.slug}.test`, password);
  await other.ask(token, '{ currentAccount { id } }');
  await other.close();
  const { rows } = await ownerPool.query(
    `select name, outcome from app_public.log_entry where actor_account_id = $1 order by id`,
    [hospital.doctor.accountId],
  );
  expect(rows).toEqual([
    { name: 'login', outcome: 'succeeded' },
    { name: 'currentAccount', outcome: 'succeeded' },
  ]);
});

test('a log that cannot be written keeps nobody from anything', async () => {
  const other = await startServer(authenticatorUrl, {
    operationsLog: { flushMs: 1, send: () => Promise.reject(new Error('away')) },
  });
  const token = await other.login(hospital.slug, `doctor2@${hospital.slug}.test`, password);
  for (let time = 0; time < 5; time += 1) {
    expect(await other.ask(token, '{ currentAccount { id } }')).toMatchObject({ errors: [] });
  }
  await other.close();
});
